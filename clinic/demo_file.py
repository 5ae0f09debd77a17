"""`.local/demo.json`: what the demo's people open and type. Runs on several ports share it, and its data.

Its address is that of a run that lives: of the one that started last.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

FILE: Final = settings.LOCAL_DIR / "demo.json"


def read(path: Path = FILE) -> dict[str, Any]:
    """What an earlier run wrote; empty where there is nothing that can be read."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write(data: Mapping[str, Any], path: Path = FILE) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(data, indent=2) + "\n")
    fresh.rename(path)


@contextlib.contextmanager
def alone(path: Path = FILE) -> Iterator[None]:
    """Between reading and writing: nobody else writes meanwhile."""
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def readdress(address: str, path: Path = FILE) -> None:
    """Have the file lead to this address."""
    with alone(path):
        if data := read(path):
            write(at(address, data), path)


def at(address: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The same data, leading to this address: every run opens every link."""
    rows = [{**row, "url": moved(row.get("url", ""), address)} for row in data.get("invitations", [])]
    return {**data, "base_url": address, "invitations": rows}


def moved(url: str, address: str) -> str:
    parts, to = urlsplit(url), urlsplit(address)
    return urlunsplit(parts._replace(scheme=to.scheme, netloc=to.netloc))
