#!/usr/bin/env python
"""Django's command line for Footing: `python manage.py help` lists the commands."""

import gc
import importlib.util
import os
import signal
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def main() -> None:
    if sys.argv[1:2] == ["run"]:
        # What it starts has to end when it is told to: a Ctrl-C waits until it is heard (`processes.Stop`).
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    if sys.argv[1:2] == ["migrate"]:
        # Django makes the models anew at nearly every migration; looking for garbage among them took a
        # quarter of the time.
        gc.set_threshold(50_000)
    if importlib.util.find_spec("django") is None and VENV_PYTHON.exists():
        # Any Python will do to say `python manage.py`: what `make setup` installed is in .venv.
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
