"""Migrations that stand for many before them: who had all of these goes on, who had some is told the way."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.conftest import ROOT, address, copy_database, drop_database


@pytest.fixture
def database(database_urls: tuple[str, str], ready_database: str) -> Iterator[tuple[str, str]]:
    """A copy of the ready one, at the addresses for its owner and for the app."""
    owner_url, app_url = database_urls
    name = f"footing_test_{os.getpid()}_migrated"
    copy_database(owner_url, ready_database, name)
    yield address(owner_url, name), address(app_url, name)
    drop_database(owner_url, name)


def migrate(owner: str, app: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-color"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": app, "DATABASE_OWNER_URL": owner},
        capture_output=True,
        text=True,
    )


def as_before(owner: str, but: int) -> set[tuple[str, str]]:
    """Let the record say that the old migrations ran, `but` the last; say which stand for them.

    Where the last ones lack, so does all that came after them.
    """
    stands_for = {
        (app, name): migration.replaces
        for (app, name), migration in MigrationLoader(connection).disk_migrations.items()
        if app in ("intake", "education") and migration.replaces
    }
    with psycopg.connect(owner) as record:
        for (app, name), before in stands_for.items():
            record.execute(
                "DELETE FROM django_migrations WHERE app = %s AND (name = %s OR %s)", [app, name, but > 0]
            )
            for old_app, old_name in before[: len(before) - but]:
                record.execute(
                    "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
                    [old_app, old_name],
                )
    return set(stands_for)


@pytest.mark.deep
@pytest.mark.django_db
def test_a_database_with_all_the_old_ones_goes_on(database: tuple[str, str]):
    new = as_before(database[0], but=0)
    done = migrate(*database)
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(database[0]) as record:
        assert new <= set(record.execute("SELECT app, name FROM django_migrations").fetchall())


@pytest.mark.deep
@pytest.mark.django_db
def test_a_database_with_some_of_them_is_left_as_it_is_and_says_why(database: tuple[str, str]):
    as_before(database[0], but=3)
    done = migrate(*database)
    assert done.returncode != 0
    assert "take them first, as CHANGELOG.md says" in done.stderr
