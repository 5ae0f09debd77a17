"""gunicorn as `clinic.server` runs it, one worker with one thread, that writes all that it says to the
database to `BENCH_WIRE`.

Counting costs time, so the server that counts is another one than the server that is measured.
"""

import os
from typing import Any

from clinic.server import *  # noqa: F403 - gunicorn reads its settings from this module

workers = 1
# Each thread has a connection of its own. Two in one file would answer for each other: both call their first
# prepared statement the same.
threads = 1


def post_worker_init(worker: Any) -> None:
    """gunicorn calls this once Django is loaded and before the first request."""
    from django.db.backends.signals import connection_created

    connection_created.connect(listen, weak=False, dispatch_uid="bench")


def listen(sender: Any, connection: Any, **_: Any) -> None:
    """Have libpq write this connection's messages, a line at a time."""
    from psycopg.pq import Trace

    wire = os.open(os.environ["BENCH_WIRE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    connection.connection.pgconn.trace(wire)
    connection.connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
