"""A database of before migrations 0006 and 0009 comes through them, and everything stays in its place."""

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


@pytest.mark.deep
def test_visits_that_overlap_already_are_marked_and_left_alone(
    database_urls: tuple[str, str], ready_database: str
):
    owner_url, app_url = database_urls
    name = f"footing_test_{os.getpid()}_migrated"
    copy_database(owner_url, ready_database, name)
    owner, app = address(owner_url, name), address(app_url, name)
    visit = (
        "INSERT INTO intake_evaluation (id, patient_id, physio_id, starts_at, minutes, status, created_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, '2026-05-01')"
    )
    try:
        migrate(owner, app, "0006")
        with psycopg.connect(owner) as old:
            patient = uuid.uuid4()
            old.execute(
                "INSERT INTO intake_patient "
                "(id, given_name, family_name, birth_date, email, phone, created_at) "
                "VALUES (%s, 'Ana', 'Silva', '1986-04-12', '', '', '2026-05-01')",
                [patient],
            )
            (physio,) = old.execute(
                "INSERT INTO clinic_user (password, is_superuser, username, first_name, last_name, email, "
                "is_staff, is_active, date_joined, title) "
                "VALUES ('', false, 'p', '', '', '', true, true, now(), '') RETURNING id"
            ).fetchone()
            for starts_at, minutes, status in (
                ("2026-06-01 09:00+00", 60, "booked"),
                ("2026-06-01 09:30+00", 60, "booked"),
                ("2026-06-01 09:30+00", 60, "cancelled"),
                ("2026-06-01 10:30+00", 60, "booked"),
                ("2026-06-01 11:30+00", 60, "booked"),
            ):
                old.execute(visit, [uuid.uuid4(), patient, physio, starts_at, minutes, status])
        migrate(owner, app, "0009")
        with psycopg.connect(owner) as new:
            found = new.execute(
                "SELECT to_char(starts_at AT TIME ZONE 'UTC', 'HH24:MI'), status, double_booked, "
                "booked_at = created_at FROM intake_evaluation ORDER BY 1, 2"
            ).fetchall()
    finally:
        drop_database(owner_url, name)
    assert found == [
        ("09:00", "booked", False, True),
        ("09:30", "booked", True, True),
        ("09:30", "cancelled", False, True),
        ("10:30", "booked", False, True),
        ("11:30", "booked", False, True),
    ]
