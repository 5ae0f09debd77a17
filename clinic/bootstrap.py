"""Makes `.venv` and installs the pinned, hashed packages. Standard library only; `make setup` runs it.

usage: python3 clinic/bootstrap.py [dev]

A run that finds nothing changed does nothing. Two at once: the second waits for the first. An interrupted one
is taken up again. Exit 1 with a message when it cannot be done.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
# `demo`: what `make run` and every manage.py command need. `dev`: what tests and checks need besides.
GROUPS = {
    "demo": ["requirements.txt", "requirements-demo.txt"],
    "dev": ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"],
}


def fingerprint(group: str) -> str:
    """Changes with the Python and with any pinned version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ["requirements-uv.txt", *GROUPS[group]]:
        digest.update((BASE_DIR / name).read_bytes())
    return digest.hexdigest()


def stamp(group: str) -> Path:
    return VENV / f".installed-{group}"


def is_done(group: str) -> bool:
    """Whether this group, or one with more in it, was installed as it is pinned now."""
    enough = [name for name in GROUPS if set(GROUPS[name]) >= set(GROUPS[group])]
    return PYTHON.exists() and any(
        stamp(name).exists() and stamp(name).read_text() == fingerprint(name) for name in enough
    )


def run(*command: str) -> bool:
    # Another Python's folders must not leak into ours.
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    # In a session of its own: Ctrl-C reaches us alone, and what we run ends by SIGTERM, without a word.
    child = subprocess.Popen(
        command, cwd=BASE_DIR, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return child.wait() == 0
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise


def make_venv() -> None:
    """A virtual environment with pip, of the Python that runs this."""
    if PYTHON.exists() and run(str(PYTHON), "-c", "import pip"):
        return
    say("Making .venv")
    make = (sys.executable, "-m", "venv", "--clear", str(VENV))
    if not has_ensurepip() and os.geteuid() == 0 and shutil.which("apt-get"):
        # Debian keeps this part of Python in a package of its own.
        package = f"python3.{sys.version_info.minor}-venv"
        say(f"Installing {package}")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
    if not run(*make):
        raise SystemExit(
            f"{sys.executable} cannot make a virtual environment. On Debian and Ubuntu: "
            f"apt-get install python3.{sys.version_info.minor}-venv"
        )


def has_ensurepip() -> bool:
    return run(sys.executable, "-c", "import ensurepip")


def install(group: str) -> None:
    """By uv, at a tenth of pip's time; by pip where uv cannot be had or cannot reach the packages."""
    pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    uv = (str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes")
    wanted = [part for name in GROUPS[group] for part in ("-r", name)]
    say("Installing packages")
    if run(*pip, "-r", "requirements-uv.txt") and run(*uv, "--compile-bytecode", *wanted):
        return
    say("uv could not install them; trying pip, which takes longer")
    if not run(*pip, *wanted):
        raise SystemExit("The packages could not be installed. The lines above say why.")


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 - this is a command


def main(arguments: list[str]) -> int:
    group = arguments[0] if arguments else "demo"
    if group not in GROUPS or len(arguments) > 1:
        say(__doc__ or "")
        return 2
    if is_done(group):
        return 0
    with (BASE_DIR / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_done(group):
            return 0
        make_venv()
        install(group)
        stamp(group).write_text(fingerprint(group))
    return 0


if __name__ == "__main__":
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    sys.exit(status)
