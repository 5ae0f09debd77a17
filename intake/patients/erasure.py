"""Take away what is kept about a patient: all of it after its day, before it what the law does not ask for.

The database does it, in one function that refuses a clinical record before its day, whoever calls it
(`intake_erase`, migration 0022; ADR 0044). What is left is an `Erasure`: no name.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from intake.patients.models import Patient

# They name a table behind the guard, so that nobody erases outside of an audited context.
_KEPT: Final = "SELECT intake_kept_until(id, %s) FROM intake_patient WHERE id = %s AND replaced_by_id IS NULL"
_ERASE: Final = "SELECT intake_erase(id, %s, %s, %s, %s, %s) FROM intake_patient WHERE id = %s"
# A patient is not younger than her record, and the record of one with a visit since then, or to come, is not
# over, so most rows are passed over without a look at all she did. By key, so that a page costs the same
# however many people there are: the role that runs the product waits eight seconds for a statement.
_DUE: Final = """
SELECT id, intake_kept_until(id, %(years)s) <= now()
FROM (
  SELECT p.id FROM intake_patient p
  WHERE p.replaced_by_id IS NULL AND p.id > %(after)s
    AND p.created_at < now() - make_interval(years => greatest(%(years)s, 7))
    AND NOT EXISTS (
      SELECT FROM intake_evaluation e
      WHERE e.patient_id = p.id AND e.status = 'booked'
        AND e.starts_at > now() - make_interval(years => greatest(%(years)s, 7))
    )
  ORDER BY p.id LIMIT %(most)s
) AS old
ORDER BY id
"""
# Rows that `minimum` leaves without an address, a number or a link's secret.
_FILLED: Final = """
SELECT id FROM intake_patient WHERE id = ANY(intake_person(%(person)s)) AND (email <> '' OR phone <> '')
UNION ALL
SELECT link.id FROM intake_invitation link JOIN intake_evaluation visit ON visit.id = link.evaluation_id
WHERE visit.patient_id = ANY(intake_person(%(person)s)) AND link.token_hash IS NOT NULL
UNION ALL
SELECT share.id FROM intake_lessonshare share JOIN intake_evaluation visit ON visit.id = share.evaluation_id
WHERE visit.patient_id = ANY(intake_person(%(person)s)) AND share.token_hash IS NOT NULL
"""
_STAYS: Final = """
SELECT (SELECT count(*) FROM intake_patient WHERE id = ANY(%(keys)s::uuid[]))
  + (SELECT count(*) FROM intake_invitation WHERE id = ANY(%(keys)s::uuid[]))
  + (SELECT count(*) FROM intake_lessonshare WHERE id = ANY(%(keys)s::uuid[]))
"""
_TO_COME: Final = """
SELECT count(*) FROM intake_evaluation
WHERE patient_id = ANY(intake_person(%(person)s)) AND status = 'booked' AND starts_at > now()
"""
PAGE: Final = 500


class KeptByLaw(Exception):
    """The clinical record has to stay until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the clinical record has to be kept until {until:%Y-%m-%d}")
        self.until = until


def kept_until(patient_id: UUID) -> datetime | None:
    """The day until which her clinical record has to stay; None where she has none.

    Raises `Patient.DoesNotExist`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [settings.RECORD_YEARS, patient_id])
        found = cursor.fetchone()
    if found is None:
        raise Patient.DoesNotExist
    until: datetime | None = found[0]
    return until


def still_kept(patient_id: UUID) -> datetime | None:
    """The day until which her clinical record has to stay; None where she has none, or it is over."""
    until = kept_until(patient_id)
    return until if until is not None and until > database_now() else None


def number_of_rows(patient_id: UUID, *, whole: bool) -> int:
    """How many rows `erase` would remove, or empty of what reaches her: it does, and takes it back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILLED, {"person": patient_id})
        filled = [str(key) for (key,) in cursor.fetchall()]
        rows = sum(erase(patient_id, whole=whole, reason="asked", actor_kind="", actor_id="").values())
        # What went is counted by `erase`; of the rest, what a row does without has been taken out of it.
        cursor.execute(_STAYS, {"keys": filled})
        emptied: int = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return rows + emptied


def visits_to_come(patient_id: UUID) -> int:
    """How many booked visits have not begun."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_COME, {"person": patient_id})
        found: int = cursor.fetchone()[0]
    return found


def erase(patient_id: UUID, *, whole: bool, reason: str, actor_kind: str, actor_id: str) -> Mapping[str, int]:
    """Erase, and leave a tombstone. whole: everything; else what the record does without. Rows by table.

    Raises `KeptByLaw`, `Patient.DoesNotExist`; nothing is erased then.
    """
    until = still_kept(patient_id)
    if whole and until is not None:
        raise KeptByLaw(until)
    values: list[bool | int | str | UUID] = [
        whole,
        settings.RECORD_YEARS,
        actor_kind,
        actor_id,
        reason,
        patient_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, values)
        found = cursor.fetchone()
    if found is None:
        raise Patient.DoesNotExist
    counts: dict[str, int] = json.loads(found[0])
    return counts


def due(after: UUID | None = None) -> tuple[list[UUID], UUID | None]:
    """A page of patients, by key, of whom those are named the time of whose record is over.

    Returns them and where the next page begins; None after the last one.
    """
    values: dict[str, int | UUID] = {
        "years": settings.RECORD_YEARS,
        "after": after or UUID(int=0),
        "most": PAGE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        rows = cursor.fetchall()
    return [key for key, is_due in rows if is_due], rows[-1][0] if len(rows) == PAGE else None


def database_now() -> datetime:
    """The time of the database, which decides what is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        at: datetime = cursor.fetchone()[0]
    return at
