"""`manage.py check` on a release whose library does not hold together: it fails and names what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from education.catalog.health import problems
from education.catalog.load import read_catalog

Entries = dict[str, dict[str, Any]]
Change = Callable[[Entries, Entries], None]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product, whose catalog a test may change."""
    folder = tmp_path_factory.mktemp("release") / "product"
    for part in ("clinic", "education", "intake", "static", "templates"):
        shutil.copytree(settings.BASE_DIR / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(settings.BASE_DIR / "manage.py", folder)
    return folder


@pytest.fixture
def release(checkout: Path) -> Iterator[Callable[[Change], subprocess.CompletedProcess[str]]]:
    """`release(change)` changes lessons and links by their names, and runs the check."""
    catalog = checkout / "education" / "catalog"
    shipped = {name: (catalog / name).read_text("utf-8") for name in ("lessons.json", "chain.json")}

    def run(change: Change) -> subprocess.CompletedProcess[str]:
        lessons, chain = (json.loads(shipped[name]) for name in ("lessons.json", "chain.json"))
        change(
            {entry["slug"]: entry for entry in lessons["lessons"]},
            {entry["id"]: entry for entry in chain["links"]},
        )
        (catalog / "lessons.json").write_text(json.dumps(lessons), "utf-8")
        (catalog / "chain.json").write_text(json.dumps(chain), "utf-8")
        return subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", "check"],
            cwd=checkout,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
                "DATABASE_URL": "postgres:///not-needed",
            },
            capture_output=True,
            text=True,
        )

    yield run
    for name, text in shipped.items():
        (catalog / name).write_text(text, "utf-8")


def nothing(lessons: Entries, links: Entries) -> None:
    pass


def nobody_leads_there(lessons: Entries, links: Entries) -> None:
    for lesson in lessons.values():
        lesson["related"] = [slug for slug in lesson["related"] if slug != "high-arches"]


def related_to_nothing(lessons: Entries, links: Entries) -> None:
    lessons["flat-feet"]["related"].append("gone")


def an_address_of_nothing(lessons: Entries, links: Entries) -> None:
    lessons["flat-feet"]["body"] += "\n\nMore at /learn/gone/."


def a_link_without_a_lesson(lessons: Entries, links: Entries) -> None:
    links["arch-high--knee"]["lesson"] = "gone"


def a_link_without_a_source(lessons: Entries, links: Entries) -> None:
    links["arch-high--knee"]["sources"] = []


def a_lesson_without_a_source(lessons: Entries, links: Entries) -> None:
    lessons["flat-feet"]["sources"] = []


def test_what_we_ship_passes(release: Callable[[Change], subprocess.CompletedProcess[str]]) -> None:
    done = release(nothing)
    assert done.returncode == 0, done.stderr


def test_a_release_that_does_not_hold_together_fails(
    release: Callable[[Change], subprocess.CompletedProcess[str]],
) -> None:
    named = {
        nobody_leads_there: "lesson high-arches: no other lesson leads to it",
        related_to_nothing: "lesson flat-feet: related: there is no lesson 'gone'",
        an_address_of_nothing: "lesson flat-feet: its text leads to /learn/gone/, which is no page",
        a_link_without_a_lesson: "link arch-high--knee: lesson: there is no lesson 'gone'",
        a_link_without_a_source: "link arch-high--knee: names no source",
        a_lesson_without_a_source: "lesson flat-feet: names no source",
    }

    def everything(lessons: Entries, links: Entries) -> None:
        for change in named:
            change(lessons, links)

    done = release(everything)
    assert done.returncode == 1
    assert [message for message in named.values() if message not in done.stderr] == []
    assert done.stderr.count("(library.E002)") == len(named), "each problem once"


# ---- what else is a dead link or a claim without a source


@pytest.mark.parametrize(
    ("kind", "key", "name", "value", "problem"),
    [
        ("lesson", "flat-feet", "category", "gone", "dead-link"),
        ("link", "arch-high--knee", "tests", ["gone"], "dead-link"),
        ("test", "fpi6", "sources", ["gone"], "dead-link"),
        ("source", "S10", "url", "www.example.org/page", "dead-link"),
        ("source", "S10", "url", "javascript:alert(1)", "dead-link"),
        # The clinic's own text is no evidence, and nothing a reader can open.
        ("lesson", "flat-feet", "sources", ["S01"], "no-source"),
    ],
)
def test_each_is_named_where_it_stands(kind: str, key: str, name: str, value: Any, problem: str) -> None:
    shelf = read_catalog()
    shelf[kind][key][name] = value
    assert (problem, f"{kind} {key}") in [(one.rule, one.entry) for one in problems(shelf)]
