"""The shipped library in the test database, and a catalog that a test may change."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from education.catalog.load import FOLDER, load


@pytest.fixture
def library(db: None) -> None:
    """The lessons, the chain and the clinic's facts as shipped."""
    load()


Edit = Callable[[str, Callable[[dict[str, Any]], None]], None]


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, Edit]:
    """A copy of the catalog and `edit(file name, change)` that makes a new release of it."""
    folder = tmp_path / "catalog"
    folder.mkdir()
    for path in FOLDER.glob("*.json"):
        shutil.copy(path, folder)

    def edit(name: str, change: Callable[[dict[str, Any]], None]) -> None:
        path = folder / name
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data)
        path.write_text(json.dumps(data), encoding="utf-8")

    return folder, edit
