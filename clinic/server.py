"""How gunicorn serves the product: `gunicorn --config python:clinic.server clinic.wsgi`.

Numbers suit two cores; the environment overrides them: `WEB_WORKERS`, `WEB_THREADS`, `BIND`.
No access log: a request line carries a path, and an invitation's path is a secret.
"""

import contextlib
import ctypes
import gc
import os
from typing import Any, Final

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it ships no types

from clinic.middleware import QuietErrors, UtcLine


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own log, without request lines and values: they hold tokens and patients' words."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(QuietErrors())
            handler.setFormatter(UtcLine())

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:
        if msg.startswith("Invalid request"):
            msg, args = "Refused a request that is not HTTP", ()
        super().warning(msg, *args, **kwargs)


bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
# Loaded once and then forked: workers start at once, and again at once after an accident.
preload_app = True
timeout = 30
graceful_timeout = 8
keepalive = 5
accesslog = None
errorlog = "-"
loglevel = os.environ.get("WEB_LOG_LEVEL", "info")
logger_class = QuietLogger
control_socket_disable = True

# Of `mallopt`: in how many heaps the C library keeps what threads ask for. Python runs one thread at a time.
M_ARENA_MAX: Final = -8

MEMORY_FOLDER: Final = "/dev/shm"  # noqa: S108 - only the heartbeat file of each worker
if os.path.isdir(MEMORY_FOLDER):
    worker_tmp_dir = MEMORY_FOLDER


def when_ready(server: Any) -> None:
    """What importing left behind goes back to the system before workers are forked."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.malloc_trim(0)
        library.mallopt(M_ARENA_MAX, 1)
