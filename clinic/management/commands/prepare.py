"""Bring the database up to date: a deploy's one step, and the first thing `run` does."""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# The number that means "somebody is preparing this database"; any constant of ours does.
LOCK_NUMBER: Final = 70_412
WAIT_SECONDS: Final = 300
STEPS: Final = ("load_catalog", "load_library", "sync_roles")


class Command(BaseCommand):
    help = (
        "Applies migrations as the owner role, loads catalogs and lessons, writes roles; in demo mode makes "
        "the demo's data too. Running it again changes nothing; run twice at once, the second waits."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with self._alone():
            if self._has_pending_migrations():
                self._migrate(options["verbosity"])
            words = self.stderr if options["verbosity"] else io.StringIO()
            for name in (*STEPS, "demo") if settings.DEMO else STEPS:
                call_command(name, verbosity=options["verbosity"], stdout=words)

    def _has_pending_migrations(self) -> bool:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def _migrate(self, verbosity: int) -> None:
        """In a process of its own: this one may not change the schema."""
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", str(verbosity)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        if done.returncode != 0:
            raise CommandError("The migrations failed; the lines above say why.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        deadline = time.monotonic() + WAIT_SECONDS
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_NUMBER])
                if cursor.fetchone() == (True,):
                    break
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"Another command has been preparing this database for {WAIT_SECONDS} s."
                    )
                time.sleep(0.2)
        try:
            yield
        finally:
            # The lock goes with the session.
            connection.close()
