"""What every page carries: light files, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "email" not in path.parts)


@pytest.mark.parametrize(("name", "limit"), [("css/app.css", 12_000), ("js/form.js", 5_000)])
def test_patients_download_little(name: str, limit: int) -> None:
    assert len(gzip.compress((STATIC / name).read_bytes())) <= limit


@pytest.mark.parametrize("path", sorted((STATIC / "css").glob("*.css")), ids=lambda path: path.name)
def test_style_sheets_win_by_layers_and_load_nothing_from_elsewhere(path: Path) -> None:
    css = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "!important" not in css
    assert all(target.startswith("../admin/css/") for target in re.findall(r"url\([\"']?([^\"')]*)", css))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_nothing_stands_inline(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    # A data block for search engines is no script: browsers read its type and run nothing.
    scripts = [tag for tag in re.findall(r"<script[^>]*>", html) if 'type="application/ld+json"' not in tag]
    assert all("src=" in tag for tag in scripts)


@pytest.mark.parametrize(("name", "way_on"), [("500.html", "Go back"), ("503.html", "try again")])
def test_a_page_for_a_broken_site_needs_nothing(name: str, way_on: str) -> None:
    html = render_to_string(name)
    assert html.count("<h1>") == 1
    assert way_on in html
