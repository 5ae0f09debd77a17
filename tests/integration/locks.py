"""Two writers at once: waiting until one of them really waits for the other."""

import time

from django.db import connection

TRIES = 400
PAUSE_SECONDS = 0.01


def until_somebody_waits() -> None:
    """Returns once a connection to this database waits for a lock, or after some seconds without one."""
    for _ in range(TRIES):
        with connection.cursor() as cursor:
            # Inside a transaction the first look would be shown again and again.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(PAUSE_SECONDS)
