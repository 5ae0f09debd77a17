"""Finds a Chromium for the browser tests, or gets one.

`python -m tests.browser.browser` prints its path; `--install` gets one where none is found. Exit 1 when there
is none, with what to do on stderr.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# The one without windows first: it needs two thirds of the time of the others.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ADVICE = (
    "Install Chromium or Chrome (Debian: apt-get install chromium), or set BROWSER_BIN to its program, "
    "then run make test again."
)


class NoBrowserError(RuntimeError):
    """No Chromium was found; the message says what to do."""


def find_browser() -> Path:
    """`BROWSER_BIN`, else a Chromium on PATH, else the one Playwright installed. Raises `NoBrowserError`."""
    named = os.environ.get("BROWSER_BIN")
    if named:
        found = shutil.which(named)
        if not found:
            raise NoBrowserError(f"BROWSER_BIN is {named}, which is no program.")
        return Path(found)
    for path in _candidates():
        if runs(path):
            return path
    raise NoBrowserError(f"No browser found. {ADVICE}")


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield from (path for path in map(Path, APPLICATIONS) if path.exists())
    installed = _installed_by_playwright()
    if installed:
        yield installed


def _installed_by_playwright() -> Path | None:
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    path = Path(done.stdout.strip() or "/nonexistent")
    return path if path.exists() else None


def runs(path: Path) -> bool:
    """Whether the program starts. Ubuntu's `chromium-browser` may be a stub that only advertises a snap."""
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "Chrom" in done.stdout


def install_browser() -> Path:
    """The browser that is there, or one from apt (as root) or from Playwright. Raises `NoBrowserError`."""
    try:
        return find_browser()
    except NoBrowserError:
        if os.environ.get("BROWSER_BIN"):
            raise
    for command in _ways_to_install():
        say(f"No browser found; trying: {' '.join(command)}")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # One way failing, the next is tried; only the last word counts.
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)
        try:
            return find_browser()
        except NoBrowserError:
            continue
    raise NoBrowserError(f"No browser could be installed. {ADVICE}")


def _ways_to_install() -> Iterator[list[str]]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        yield [*apt, "chromium-headless-shell"]
        # A fresh machine's package lists are empty or old.
        yield ["apt-get", "update", "-qq"]
        yield [*apt, "chromium-headless-shell"]
        # Ubuntu has only this one.
        yield [*apt, "chromium"]
    playwright = [sys.executable, "-m", "playwright", "install"]
    if os.geteuid() == 0:
        yield [*playwright, "--with-deps", "chromium"]
    yield [*playwright, "chromium"]


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.browser", description="A Chromium for tests."
    )
    parser.add_argument("--install", action="store_true", help="get one where none is found")
    try:
        path = install_browser() if parser.parse_args().install else find_browser()
    except NoBrowserError as error:
        say(str(error))
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
