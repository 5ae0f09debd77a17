"""Erasing a patient: nothing of hers is left but a tombstone, and no record goes before its day (R43)."""

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from intake import audit, journey, trail
from intake.audit import AuditEvent, PatientData
from intake.patients import erasure
from intake.patients.erasure import KeptByLaw
from intake.patients.models import Erasure, Patient
from tests.factories import SETUP, make_evaluation, make_patient, make_response, make_user
from tests.integration.intake.whole_patient import CONTACT, WORD, every_row, hits, make_whole

pytestmark = pytest.mark.django_db

# What goes at night by itself belongs to nobody; what stays is the tombstone.
NOT_HERS = {"intake_erasure", "intake_tablettry"}


def guarded() -> set[str]:
    return {model._meta.db_table for model in apps.get_models() if issubclass(model, PatientData)}


def filled() -> set[str]:
    return {table for table, rows in every_row().items() if rows} & guarded()


def kept(patient: Patient) -> datetime | None:
    with audit.audited("tests.read", by=SETUP):
        return erasure.still_kept(patient.pk)


def test_nothing_of_hers_is_left_but_a_tombstone():
    owner = make_user("owner")
    before = filled()
    patient = make_whole()
    assert filled() == guarded() - NOT_HERS, "something of her has to stand in every table"
    keys = json.dumps({"evaluation": str(patient.pk)})
    counts = journey.erase_patient(patient_id=patient.pk, reason="asked", by=audit.staff(owner))
    with connection.cursor() as cursor:
        # What points at a row that is gone would be found when the transaction ends.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert hits(*CONTACT) == {}
    assert filled() == before | {"intake_erasure"}
    assert counts.keys() == guarded() - NOT_HERS
    with audit.audited("tests.read", by=SETUP):
        stones = list(Erasure.objects.order_by("pk").values())
    assert len(stones) == 2, "one for her, one for the row that turned out to be her"
    (hers,) = (one for one in stones if one["patient_id"] == patient.pk)
    assert hers["counts"] == counts
    assert (hers["actor_kind"], hers["actor_id"]) == ("staff", str(owner.pk))
    assert (hers["reason"], hers["kept_until"]) == ("asked", None)
    assert abs(hers["at"] - timezone.now()) < timedelta(minutes=1)
    assert WORD not in keys


def test_the_trail_stays_whole_and_says_who_and_why():
    patient = make_whole()
    lines = AuditEvent.objects.count()
    journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP)
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.objects_seen) == ("patient.erased", {"patient": [str(patient.pk)]})
    assert (line.detail["reason"], line.detail["whole"]) == ("asked", True)
    assert AuditEvent.objects.count() == lines + 1
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert trail.verify().whole


def test_a_dry_run_changes_nothing_and_says_the_same():
    patient = make_whole()
    rows = every_row()
    dry = journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP, dry_run=True)
    with audit.audited("tests.read", by=SETUP):
        still = every_row()
    changed = {table for table in rows if rows[table] != still[table]}
    # The line that somebody looked, and its link.
    assert changed <= {"intake_auditevent", "intake_traillink"}
    assert journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP) == dry


def test_a_record_is_refused_before_its_day_and_the_trail_says_so():
    patient = make_whole(begun=timezone.now() - timedelta(days=6 * 365))
    rows = every_row()["intake_patient"]
    with pytest.raises(KeptByLaw) as refused:
        journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP)
    assert timedelta(days=360) < refused.value.until - timezone.now() < timedelta(days=370)
    assert AuditEvent.objects.latest("pk").action == "patient.erasure-refused"
    assert every_row()["intake_patient"] == rows


def test_not_even_sql_of_the_app_role_erases_a_record_before_its_day():
    patient = make_whole(begun=timezone.now() - timedelta(days=6 * 365))
    call = "SELECT intake_erase(%s, true, %s, 'staff', '1', 'asked')"
    for years in (7, 1, -5):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(call, [patient.pk, years])
    tombstone = "INSERT INTO intake_erasure (patient_id, actor_kind, reason) VALUES (%s, 'staff', 'time')"
    attack = audit.audited("tests.attack", by=SETUP)
    with pytest.raises(DatabaseError), attack, connection.cursor() as cursor:
        cursor.execute(tombstone, [patient.pk])


def test_the_legal_minimum_is_the_record_and_whose_it_is():
    patient = make_whole(begun=timezone.now() - timedelta(days=6 * 365))
    counts = journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP, whole=False)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # Her name and her birth date say whose record it is.
    assert hits(f"{WORD}@example.org", "(310) 555-0164", "203.0.113.61", f"{WORD} draft") == {}
    assert hits(f"{WORD} story").keys() == {"intake_questionnaireresponse"}
    assert {"intake_patientsession", "intake_accessevent", "intake_reminder", "intake_evaluationrequest"} <= (
        counts.keys()
    )
    assert not counts.keys() & {"intake_verdict", "intake_outcome", "intake_redflagcontact", "intake_patient"}
    with audit.audited("tests.read", by=SETUP):
        assert Erasure.objects.get(patient_id=patient.pk).kept_until > timezone.now()
        assert Patient.objects.get(pk=patient.pk).email == ""


def test_who_has_no_record_yet_can_go_at_once():
    """A visit to come, and a form that was begun, are none."""
    patient = make_patient()
    make_response({"why.story": ["Sore"]}, evaluation=make_evaluation(patient=patient), sent=False)
    assert kept(patient) is None
    journey.erase_patient(patient_id=patient.pk, reason="mistake", by=SETUP)
    with audit.audited("tests.read", by=SETUP):
        assert not Patient.objects.filter(pk=patient.pk).exists()


def test_the_record_of_a_minor_stays_until_she_is_nineteen():
    begun = timezone.now() - timedelta(days=8 * 365)
    patient = make_patient(birth_date=timezone.localdate() - timedelta(days=18 * 366))
    make_evaluation(patient=patient, starts_at=begun)
    until = kept(patient)
    assert until is not None
    assert timedelta(days=300) < until - timezone.now() < timedelta(days=366)


def test_other_people_keep_everything():
    other = make_response({"why.story": ["Sore on the stairs"]})
    rows = every_row()
    patient = make_whole()
    journey.erase_patient(patient_id=patient.pk, reason="asked", by=SETUP)
    still = every_row()
    for table in guarded() - NOT_HERS:
        assert still[table] == rows[table], table
    assert str(other.pk) in "".join(still["intake_questionnaireresponse"])


def test_the_command_says_what_it_would_do_and_does_it():
    patient = make_whole()
    said = StringIO()
    call_command("erase_patient", str(patient.pk), dry_run=True, json=True, stdout=said)
    assert json.loads(said.getvalue())["rows"]["intake_patient"] == 2
    said = StringIO()
    call_command("erase_patient", str(patient.pk), stdout=said)
    assert "intake_patient: 2 gone" in said.getvalue()
    with pytest.raises(CommandError, match="no such patient"):
        call_command("erase_patient", str(patient.pk))


def test_the_command_refuses_a_record_and_names_the_way():
    patient = make_whole(begun=timezone.now() - timedelta(days=400))
    with pytest.raises(CommandError, match="--keep-legal-minimum"):
        call_command("erase_patient", str(patient.pk))
    call_command("erase_patient", str(patient.pk), keep_legal_minimum=True, stdout=StringIO())


def test_no_table_that_points_at_hers_is_forgotten():
    """The function names every table with a foreign key to a table about a patient."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'intake_erase'")
        ((source,),) = cursor.fetchall()
    named = {model._meta.db_table for model in apps.get_models() if f"'{model._meta.db_table}'" in source}
    pointing = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if field.related_model is not None and field.related_model._meta.db_table in named
    }
    assert pointing <= named
    assert guarded() - named == NOT_HERS
