from pathlib import Path

import pytest

from tests.browser.browser import NoBrowserError, find_browser, runs


def test_the_named_browser_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_BIN", "sh")

    assert find_browser().name == "sh"


def test_a_named_browser_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BROWSER_BIN", str(tmp_path / "chromium"))

    with pytest.raises(NoBrowserError, match="BROWSER_BIN"):
        find_browser()


def test_a_program_that_is_no_chromium_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub = tmp_path / "chromium"
    stub.write_text("#!/bin/sh\necho 'install the snap'\n")
    stub.chmod(0o755)
    monkeypatch.delenv("BROWSER_BIN", raising=False)

    assert not runs(stub)
    assert runs(find_browser())
