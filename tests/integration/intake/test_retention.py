"""What has been kept for its time goes, and nothing else does; the database's clock decides (R43)."""

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from intake import audit, journey
from intake.patients import asking, erasure, links
from intake.patients.models import (
    AccessCode,
    AccessEvent,
    Erasure,
    Evaluation,
    EvaluationRequest,
    Invitation,
    Patient,
    PatientSession,
    TabletCode,
    TabletTry,
)
from intake.responses.models import QuestionnaireResponse
from tests.factories import (
    SETUP,
    SWOLLEN_CALF,
    make_evaluation,
    make_invitation,
    make_patient,
    make_response,
    make_user,
)
from tests.integration.intake.whole_patient import every_row, make_whole

pytestmark = pytest.mark.django_db

OF_NOTHING = dict.fromkeys(
    (
        *("access-code", "tablet-code", "tablet-try", "link-event", "session"),
        *("link", "link-to-lessons", "link-of-reminder", "draft", "never-came", "record"),
    ),
    0,
)


def ago(days: int) -> object:
    return timezone.now() - timedelta(days=days)


def made(days: int) -> Invitation:
    """A visit so many days ago: its link, codes unused and used, one of the tablet, a wrong one typed."""
    at = timezone.now() - timedelta(days=days)
    life = {"expires_at": at + timedelta(minutes=5)}
    evaluation = make_evaluation(starts_at=at - timedelta(days=1))
    invitation = make_invitation(evaluation, token_hash=links.hash_token(links.new_token()))
    with audit.audited("tests.made", by=SETUP):
        for used_at in (None, at):
            AccessCode.objects.create(
                invitation=invitation,
                device_hash=b"d" * 32,
                code_hash=b"c" * 32,
                asked_at=at,
                used_at=used_at,
                **life,
            )
        TabletCode.objects.create(
            invitation=invitation,
            code_hash=b"c" * 32,
            token_hash=links.hash_token(links.new_token()),
            started_at=at,
            started_by=make_user("front desk", username=f"desk{days}"),
            **life,
        )
        TabletTry.objects.create(at=at)
        AccessEvent.objects.create(
            invitation=invitation, kind="opened", at=at - timedelta(days=1), address="203.0.113.5"
        )
    return invitation


def left(*models: type) -> list[int]:
    with audit.audited("tests.read", by=SETUP):
        return [model.objects.count() for model in models]


def test_what_ended_thirty_days_ago_goes_and_the_trail_says_how_many():
    old, young = made(31), made(28)
    gone = {"access-code": 1, "tablet-code": 1, "tablet-try": 1, "link-event": 1, "link": 1}
    assert journey.retain(dry_run=True) == {**OF_NOTHING, **gone}
    assert left(AccessCode, TabletCode, TabletTry, AccessEvent) == [4, 2, 2, 2]
    told: list[tuple[str, int]] = []
    assert journey.retain(tell=lambda *one: told.append(one)) == {**OF_NOTHING, **gone, "refused": 0}
    assert dict(told) == gone
    # The code that was used stays: the device it was typed on is known by it.
    assert left(AccessCode, TabletCode, TabletTry, AccessEvent) == [3, 1, 1, 1]
    lines = audit.AuditEvent.objects.filter(action="retention.removed", detail__rows__gt=0)
    assert {line.detail["kind"]: line.detail["rows"] for line in lines} == gone
    with audit.audited("tests.read", by=SETUP):
        assert Invitation.objects.get(pk=old.pk).token_hash is None
        assert Invitation.objects.get(pk=young.pk).token_hash is not None
    assert journey.retain() == {**OF_NOTHING, "refused": 0}


def test_a_link_to_a_visit_to_come_keeps_its_secret():
    """One that was replaced long ago still leads to a new one."""
    evaluation = make_evaluation(starts_at=timezone.now() + timedelta(days=20))
    hashed = links.hash_token(links.new_token())
    invitation = make_invitation(
        evaluation, token_hash=hashed, created_at=ago(90), expires_at=ago(60), revoked_at=ago(80)
    )
    journey.retain()
    with audit.audited("tests.read", by=SETUP):
        assert bytes(Invitation.objects.get(pk=invitation.pk).token_hash) == hashed


def draft(days: int, answers: dict | None = None, **visit: object) -> QuestionnaireResponse:
    evaluation = make_evaluation(starts_at=ago(days), **visit)
    return make_response(answers or {"why.story": ["Sore"]}, evaluation=evaluation, sent=False, at=ago(days))


def test_drafts_go_once_nobody_can_go_on_with_them():
    old, young, alarmed = draft(33), draft(25), draft(300, dict(SWOLLEN_CALF))
    sent = make_response({"why.story": ["Sore"]}, evaluation=make_evaluation(starts_at=ago(300)))
    to_come = make_response(
        {"why.story": ["Sore"]},
        evaluation=make_evaluation(starts_at=timezone.now() + timedelta(days=3)),
        sent=False,
        at=ago(300),
    )
    assert journey.retain()["draft"] == 1
    with audit.audited("tests.read", by=SETUP):
        still = set(QuestionnaireResponse.objects.values_list("pk", flat=True))
    assert old.pk not in still
    assert {young.pk, alarmed.pk, sent.pk, to_come.pk} <= still


def test_a_session_goes_when_its_device_is_not_known_any_more():
    invitation = made(200)
    with audit.audited("tests.made", by=SETUP):
        for days in (150, 100):
            PatientSession.objects.create(
                invitation=invitation,
                token_hash=links.hash_token(links.new_token()),
                device_hash=b"d" * 32,
                started_at=ago(days),
            )
    assert journey.retain()["session"] == 1
    assert left(PatientSession) == [1]


def ask(days: int | None) -> Patient:
    """Somebody asked, and so many days ago the clinic closed it without a visit."""
    with audit.audited("tests.made", by=SETUP):
        asked = EvaluationRequest(
            given_name="Ask", family_name="Only", birth_date="1980-02-03", email="ask@example.org"
        )
        evaluation = asking.keep(asked)
        if days is not None:
            EvaluationRequest.objects.filter(pk=asked.pk).update(closed_at=ago(days))
            Evaluation.objects.filter(pk=evaluation.pk).update(status="cancelled")
        person: Patient = evaluation.patient
    return person


def test_who_asked_and_never_came_goes():
    closed, fresh, waiting = ask(31), ask(29), ask(None)
    assert journey.retain(dry_run=True)["never-came"] == 1
    assert journey.retain()["never-came"] == 1
    with audit.audited("tests.read", by=SETUP):
        still = set(Patient.objects.values_list("pk", flat=True))
        assert Erasure.objects.get().patient_id == closed.pk
    assert closed.pk not in still
    assert {fresh.pk, waiting.pk} <= still


@pytest.mark.parametrize(("years", "goes"), [(7, True), (8, False)])
def test_a_record_goes_on_its_day(years: int, goes: bool, settings):
    settings.RECORD_YEARS = years
    day = 7 * 365 + 10
    patient = make_whole(begun=timezone.now() - timedelta(days=day))
    young = make_whole(begun=timezone.now() - timedelta(days=day - 20))
    assert journey.retain(dry_run=True)["record"] == goes
    assert journey.retain()["record"] == goes
    with audit.audited("tests.read", by=SETUP):
        still = set(Patient.objects.values_list("pk", flat=True))
        reasons = list(Erasure.objects.values_list("patient_id", "reason", "actor_kind"))
    assert (patient.pk in still) is not goes
    assert young.pk in still
    if goes:
        assert (patient.pk, "time", "system") in reasons


def test_records_are_found_page_by_page(monkeypatch):
    monkeypatch.setattr(erasure, "PAGE", 2)
    people = {make_whole().pk for _number in range(5)}
    assert journey.retain(dry_run=True)["record"] == len(people)
    assert journey.retain()["record"] == len(people)
    with audit.audited("tests.read", by=SETUP):
        assert not Patient.objects.filter(pk__in=people).exists()


def test_one_who_cannot_be_erased_keeps_no_other_one(monkeypatch):
    first, second = ask(31), ask(32)
    real = erasure.erase

    def erase(patient_id, **more):
        if patient_id == first.pk:
            raise IntegrityError("something points at it")
        return real(patient_id, **more)

    monkeypatch.setattr(erasure, "erase", erase)
    gone = journey.retain()
    assert (gone["never-came"], gone["refused"]) == (1, 1)
    with audit.audited("tests.read", by=SETUP):
        assert set(Patient.objects.values_list("pk", flat=True)) & {first.pk, second.pk} == {first.pk}


def test_a_dry_run_changes_nothing():
    made(40)
    draft(40)
    ask(40)
    make_whole()
    rows = every_row()
    said = StringIO()
    call_command("retention", dry_run=True, json=True, stdout=said)
    counts = json.loads(said.getvalue())
    assert counts["record"] == counts["never-came"] == 1
    assert counts["draft"] >= 1
    now = every_row()
    assert {table for table in rows if rows[table] != now[table]} <= {
        "intake_auditevent",
        "intake_traillink",
    }


def stop_after(number: int) -> Callable[[], bool]:
    asked = iter(range(1000))
    return lambda: next(asked) >= number


def test_a_run_that_is_stopped_is_taken_up_by_the_next():
    people = [ask(31 + number).pk for number in range(4)]
    batches = len(OF_NOTHING) - 2
    gone = journey.retain(stopped=stop_after(batches + 3))
    assert 0 < gone["never-came"] < len(people)
    assert journey.retain()["never-came"] == len(people) - gone["never-came"]
    with audit.audited("tests.read", by=SETUP):
        assert not Patient.objects.filter(pk__in=people).exists()


def test_ctrl_c_ends_the_command_between_two_batches(monkeypatch):
    ask(31)
    said, told = StringIO(), StringIO()

    class Pressed(StringIO):
        def write(self, text: str) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return told.write(text)

    made(40)
    call_command("retention", stdout=said, stderr=Pressed())
    assert "Stopped; the next run goes on." in said.getvalue()
    assert told.getvalue().startswith("access-code: 1")
    assert journey.retain()["never-came"] == 1


def test_the_patient_added_by_hand_stays():
    """Only who asked and was turned away goes early; the front desk's own entries are theirs to keep."""
    patient = make_patient()
    make_evaluation(patient=patient, starts_at=ago(60), status="cancelled")
    journey.retain()
    with audit.audited("tests.read", by=SETUP):
        assert Patient.objects.filter(pk=patient.pk).exists()
