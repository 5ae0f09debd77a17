"""A database with requests of before migration 0006 comes through it, and everything stays in its place."""

import os
import subprocess
import sys
import uuid

import psycopg
import pytest

from tests.conftest import ROOT, address, copy_database, drop_database


def migrate(owner: str, app: str, to: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "intake", to],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": app, "DATABASE_OWNER_URL": owner},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.deep
def test_whoever_asked_before_gets_an_evaluation(database_urls: tuple[str, str], ready_database: str):
    owner_url, app_url = database_urls
    name = f"footing_test_{os.getpid()}_migrated"
    copy_database(owner_url, ready_database, name)
    owner, app = address(owner_url, name), address(app_url, name)
    try:
        migrate(owner, app, "0005")
        with psycopg.connect(owner) as old:
            for family, closed in (("Waits", None), ("Closed", "2026-05-02")):
                old.execute(
                    "INSERT INTO intake_evaluationrequest (id, given_name, family_name, birth_date, "
                    "guardian_name, email, phone, preferred_times, source, asked_at, closed_at) VALUES "
                    "(%s, 'Ana', %s, '1986-04-12', '', 'ana@example.org', '', '', '', '2026-05-01', %s)",
                    [uuid.uuid4(), family, closed],
                )
        migrate(owner, app, "0006")
        with psycopg.connect(owner) as new:
            found = new.execute(
                "SELECT p.family_name, e.status, q.needs_appointment, q.at = r.asked_at "
                "FROM intake_evaluationrequest r JOIN intake_evaluation e ON e.id = r.evaluation_id "
                "JOIN intake_patient p ON p.id = e.patient_id "
                "JOIN intake_queueentry q ON q.evaluation_id = e.id ORDER BY 1"
            ).fetchall()
    finally:
        drop_database(owner_url, name)
    assert found == [("Closed", "cancelled", False, True), ("Waits", "requested", True, True)]
