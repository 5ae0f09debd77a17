"""Processes that `manage.py run` starts, watches and ends. Standard library only.

`python -m clinic.processes stop` ends the runs of this checkout and then its Postgres (`make stop`).
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

from clinic import database

LOCAL_DIR: Final = database.BASE_DIR / ".local"
SIGNS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK_SECONDS: Final = 0.1
END_SECONDS: Final = 10
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
# A process that lived this long was well: the next death is a new story.
STEADY_SECONDS: Final = 30.0


class Stop:
    """Whether it is time to end: Ctrl-C, SIGTERM, a closed terminal, or the end of the `make` that runs us.

    Use as a context manager. `asked` counts; a second time means: at once. Signals that `manage.py` has held
    back since its start count too, and are held back again at the end.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._make = _Make.parent()
        self._before: dict[int, Any] = {}
        self._held_back: set[int] = set()

    def __enter__(self) -> "Stop":
        for sign in SIGNS:
            self._before[sign] = signal.signal(sign, self._ask)
        self._held_back = signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNS)
        return self

    def __exit__(self, *error: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._held_back)
        for sign, handler in self._before.items():
            signal.signal(sign, handler)

    def __bool__(self) -> bool:
        if not self.asked and self._make is not None and self._make.has_ended():
            self.asked = 1
        return self.asked > 0

    def _ask(self, sign: int, frame: FrameType | None) -> None:
        self.asked += 1


class _Make:
    """The `make` above us. It passes SIGTERM on, but takes any SIGINT for a Ctrl-C that reached us too.

    Sent to make alone, or before we could hear it, it would wait for us for ever. What we can see of it: make
    no longer catches SIGINT.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @classmethod
    def parent(cls) -> "_Make | None":
        pid = os.getppid()
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return None
        return cls(pid) if name in ("make", "gmake") else None

    def has_ended(self) -> bool:
        return os.getppid() != self.pid or not self._waits_for_interrupt()

    def _waits_for_interrupt(self) -> bool:
        """Whether it catches SIGINT. In the background of a script it ignores it from the start."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigCgt:", "SigIgn:"))]
        except (OSError, ValueError, IndexError):
            return True
        return any(mask & 1 << (signal.SIGINT - 1) for mask in masks)


class Child:
    """A process that is kept alive: started again when it ends, after a pause that doubles each time.

    It leads a process group of its own, so that ending it ends whatever it started, and gets SIGTERM from the
    system should we be killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, keep: Sequence[int] = (), **options: Any
    ) -> None:
        self.name = name
        self.command = list(command)
        self.keep = tuple(keep)
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._next = 0.0

    def start(self) -> None:
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            cwd=database.BASE_DIR,
            pass_fds=self.keep,
            start_new_session=True,
            preexec_fn=_end_with_parent,
            **self.options,
        )

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self) -> str:
        """Start it again when it is time. Returns what happened, in words for the terminal, or nothing."""
        if self.is_alive():
            return ""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.returncode
            end_group(self.process.pid, 0)
            self.process = None
            if now - self._began > STEADY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._next = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            return f"The {self.name} ended ({ending(code)}); starting it again."
        if now >= self._next:
            self.start()
        return ""

    def ask_to_end(self) -> None:
        if self.process is not None:
            signal_group(self.process.pid, signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """See it and its group gone, by force after `seconds`."""
        if self.process is None:
            return
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        end_group(self.process.pid, max(0.0, deadline - time.monotonic()))
        self.process.wait()
        self.process = None


def end_all(children: Sequence[Child], stop: Stop) -> None:
    """End them together: politely, by force after some seconds or when asked a second time."""
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + END_SECONDS
    while any(child.is_alive() for child in children) and stop.asked < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    for child in children:
        child.end(0)


def signal_group(pid: int, sign: int) -> bool:
    """Send a signal to a child's process group. False when nobody is left in it."""
    try:
        os.killpg(pid, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def end_group(pid: int, seconds: float) -> None:
    """Kill what is left of a child's process group after `seconds`."""
    deadline = time.monotonic() + seconds
    while signal_group(pid, 0) and time.monotonic() < deadline:
        time.sleep(0.02)
    signal_group(pid, signal.SIGKILL)


def ending(code: int) -> str:
    """A return code in words."""
    return f"killed by signal {-code}" if code < 0 else f"exit {code}"


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).prctl


_PRCTL: Final = _prctl()
_PR_SET_PDEATHSIG: Final = 1


def _end_with_parent() -> None:
    """In the new process: ask the system for SIGTERM when the parent dies, however it dies. Linux only."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)


# --------------------------------------------------------------------------------------- which runs are there
def run_file(port: int) -> Path:
    return LOCAL_DIR / f"run-{port}.lock"


@contextlib.contextmanager
def claim(port: int, address: str) -> Iterator[int | None]:
    """Be the run of this checkout on `port`. Gives None, or the process id of the run that already is."""
    LOCAL_DIR.mkdir(mode=0o755, exist_ok=True)
    with run_file(port).open("a+") as file:
        if not _lock(file):
            yield _written(file)[0]
            return
        file.truncate(0)
        file.write(f"{os.getpid()} {address}")
        file.flush()
        yield None
        file.truncate(0)


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(file: TextIO) -> tuple[int, str]:
    """The process id and the address of the run that wrote the file last; 0 when it has ended by itself."""
    file.seek(0)
    pid, _, address = file.read().partition(" ")
    return int(pid or 0), address


def live_addresses() -> list[str]:
    """Where the runs of this checkout are, the one that started last first.

    Nobody's lock is tried for it: a run that starts just then would be refused.
    """
    found = []
    for path in LOCAL_DIR.glob("run-*.lock"):
        with path.open() as file:
            pid, address = _written(file)
        if pid and address and database.running(pid):
            found.append((path.stat().st_mtime, address))
    return [address for _, address in sorted(found, reverse=True)]


def stop_runs() -> int:
    """Ask every run of this checkout to end, and wait until it has. Returns how many there were."""
    stopped = 0
    for path in sorted(LOCAL_DIR.glob("run-*.lock")):
        with path.open("a+") as file:
            deadline = time.monotonic() + 2 * END_SECONDS
            asked = False
            while not _lock(file):
                pid, _ = _written(file)
                if pid and not asked:
                    os.kill(pid, signal.SIGTERM)
                    asked = True
                    stopped += 1
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Process {pid} does not end.")
                time.sleep(0.05)
    return stopped


def main(arguments: list[str]) -> int:
    if arguments != ["stop"]:
        print("usage: python -m clinic.processes stop", file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    runs = stop_runs()
    postgres = database.is_embedded() and database.local().down()
    parts = ([f"{runs} of `make run`"] if runs else []) + (["Postgres"] if postgres else [])
    print(f"Stopped: {', '.join(parts) or 'nothing was up'}.")  # noqa: T201 - this is a command
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
