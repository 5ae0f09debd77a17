"""Static files of the demo: light, and never older than the file."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.test import Client

from clinic.static_files import packed

APP = "/static/css/app.css"


@pytest.fixture
def local(tmp_path: Path, settings: Any) -> Path:
    settings.LOCAL_DIR = tmp_path / "local"
    return Path(settings.LOCAL_DIR)


def get(**headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and what was sent."""
    answer = Client(headers={name.replace("_", "-"): value for name, value in headers.items()}).get(APP)
    sent = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # a file is streamed
    answer.close()
    return answer.status_code, answer.headers, sent


@pytest.mark.parametrize(
    ("takes", "unpack"), [("gzip, deflate, br", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_a_style_sheet_is_sent_packed(
    local: Path, settings: Any, takes: str, unpack: Callable[[bytes], bytes]
) -> None:
    _, headers, sent = get(accept_encoding=takes)
    assert unpack(sent) == (settings.BASE_DIR / "static/css/app.css").read_bytes()
    assert len(sent) < 12_000
    assert headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert "Accept-Encoding" in headers["Vary"]
    assert headers["Cache-Control"] == "max-age=0, public"


def test_a_browser_that_unpacks_nothing_gets_it_plain(local: Path, settings: Any) -> None:
    _, _, sent = get(accept_encoding="identity")
    assert sent == (settings.BASE_DIR / "static/css/app.css").read_bytes()


def test_a_browser_that_has_it_is_told_so(local: Path) -> None:
    _, headers, _ = get(accept_encoding="br")
    status, _, sent = get(accept_encoding="br", if_none_match=headers["ETag"])
    assert (status, sent) == (304, b"")


def test_it_is_sent_as_it_is_where_nothing_can_be_written(local: Path, settings: Any) -> None:
    local.write_text("a file where the folder would be")
    status, _, sent = get(accept_encoding="br")
    assert (status, sent) == (200, (settings.BASE_DIR / "static/css/app.css").read_bytes())


@pytest.mark.parametrize(
    "path", ["/static/css/", "/static/css", "/static/css/none.css", "/static/../manage.py"]
)
def test_what_is_no_file_is_not_found(db: None, local: Path, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_an_edited_file_is_packed_anew(tmp_path: Path) -> None:
    source, folder = tmp_path / "page.css", tmp_path / "packed"
    source.write_text("a { color: red }\n" * 20)
    first = packed(source, folder)
    assert packed(source, folder) == first
    assert brotli.decompress(Path(f"{first}.br").read_bytes()) == first.read_bytes() == source.read_bytes()

    source.write_text("a { color: tan }\n" * 20)
    os.utime(source, ns=(1, source.stat().st_mtime_ns + 1))
    second = packed(source, folder)
    assert second.read_bytes() == source.read_bytes()
    assert gzip.decompress(Path(f"{second}.gz").read_bytes()) == source.read_bytes()


def test_what_does_not_get_smaller_stays_plain(tmp_path: Path) -> None:
    source = tmp_path / "noise.css"
    source.write_bytes(os.urandom(400))
    copy = packed(source, tmp_path / "packed")
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
