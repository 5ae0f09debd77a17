"""One patient of whom something stands in every table about patients, in words that stand nowhere else."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from intake import audit
from intake.patients import asking, links
from intake.patients.models import AccessEvent, Evaluation, EvaluationRequest, Patient, PatientSession
from intake.responses.models import QuestionnaireResponse
from intake.screening.models import Finding
from tests.factories import (
    ROLLING_IN,
    SETUP,
    SWOLLEN_CALF,
    make_evaluation,
    make_patient,
    make_response,
    make_user,
)

WORD = "zyxwhole"
BORN = date(1961, 7, 23)
CONTACT = (WORD, "1961-07-23", "07/23/1961", "(310) 555-0164", "203.0.113.61")


def said(text: str) -> str:
    return f"{WORD.capitalize()} {text}"


def make_whole(*, begun: datetime | None = None) -> Patient:
    """begun: when the visit was; long ago by default, so that everything may go."""
    begun = begun or timezone.now() - timedelta(days=9 * 365)
    person = {"given_name": said("given"), "family_name": said("family"), "birth_date": BORN}
    reach = {"email": f"{WORD}@example.org", "phone": "(310) 555-0164"}
    patient = make_patient(**person, **reach)
    physio = make_user("physio")
    asked = EvaluationRequest(
        **person, **reach, guardian_name=said("guardian"), preferred_times=said("times"), source="rolling-in"
    )
    evaluation = make_evaluation(patient=patient, physio=physio, starts_at=begun)
    response = make_response(
        {**ROLLING_IN, **SWOLLEN_CALF, "why.story": [said("story")]}, evaluation=evaluation, at=begun
    )
    other = make_evaluation(patient=patient, physio=physio, starts_at=begun - timedelta(days=1))
    make_response({"why.story": [said("draft")]}, evaluation=other, sent=False, at=begun)
    with audit.audited("tests.made", by=SETUP):
        asking.keep(asked)
        replaced = asked.evaluation.patient
        replaced.replaced_by = patient
        replaced.save()
        _links(evaluation, response, begun)
        _judged(response, begun)
    age(patient, begun)
    return patient


def _links(evaluation: Evaluation, response: QuestionnaireResponse, at: datetime) -> None:
    invitation = response.invitation
    invitation.token_hash = links.hash_token(links.new_token())
    invitation.save()
    share = evaluation.lesson_shares.create(
        lessons=["rolling-in"],
        by=evaluation.physio,
        at=at,
        expires_at=at + timedelta(days=30),
        token_hash=links.hash_token(links.new_token()),
    )
    for of in ({"invitation": invitation}, {"share": share}):
        PatientSession.objects.create(
            **of, token_hash=links.hash_token(links.new_token()), device_hash=b"d" * 32, started_at=at
        )
        AccessEvent.objects.create(**of, kind="opened", at=at, address="203.0.113.61")
    evaluation.reminders.create(
        kind="day", starts_at=at, stop_hash=links.hash_token(links.new_token()), invitation=invitation
    )
    code = {"invitation": invitation, "code_hash": b"c" * 32, "expires_at": at + timedelta(minutes=5)}
    invitation.codes.create(**code, device_hash=b"d" * 32, asked_at=at, used_at=at)
    invitation.tablet_codes.create(
        **code, token_hash=links.hash_token(links.new_token()), started_at=at, started_by=evaluation.physio
    )
    evaluation.booking_events.create(
        kind="moved", at=at, by=evaluation.physio, starts_at=at, reason=said("reason")
    )


def _judged(response: QuestionnaireResponse, at: datetime) -> None:
    by = {"by": response.evaluation.physio, "at": at}
    response.reviews.create(started_at=at, started_by=by["by"], finished_at=at, finished_by=by["by"])
    for finding in Finding.objects.filter(response=response, rule__kind="chain"):
        verdict = finding.verdicts.create(decision="refuted", reason="other", note=said("note"), **by)
        finding.verdicts.create(
            decision="refuted", reason="other", note=said("note"), carried_from=verdict, **by
        )
        finding.outcomes.create(result="not-tested", reason="other", note=said("seen"), **by)
    flags = list(response.red_flags.values_list("pk", flat=True))
    response.contacts.create(
        flags=flags,
        called=said("called"),
        called_at=at,
        outcome="reached",
        next_step=said("step"),
        **by,
    )
    response.measurements.create(kind="navicular-drop", side="left", value=12, **by)
    link = {"starts_at": "arch", "starts_side": "left", "shows_at": "knee", "shows_side": "left"}
    missed = response.missed_links.create(**link, words=said("missed"), **by)
    response.missed_links.create(**link, words=said("missed"), takes_back=missed, **by)
    response.closings.create(number=1, act="closed", **by)
    response.closings.create(number=2, act="reopened", reason=said("reopened"), **by)


def age(patient: Patient, at: datetime) -> None:
    """Nothing of hers is newer than that, also where only the database may write."""
    with audit.audited("tests.made", by=SETUP):
        Patient.objects.filter(pk=patient.pk).update(created_at=at)
        Evaluation.objects.filter(patient=patient).update(created_at=at)
        for response in QuestionnaireResponse.objects.filter(evaluation__patient=patient):
            response.red_flags.update(raised_at=at)


def every_row() -> dict[str, list[str]]:
    """All that stands in every table, as text."""
    found: dict[str, list[str]] = {}
    with audit.audited("tests.read", by=SETUP), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            found[table] = sorted(text for (text,) in cursor.fetchall())
    return found


def hits(*words: str) -> dict[str, Any]:
    """In which tables one of these words stands."""
    rows = {table: "\n".join(texts).lower() for table, texts in every_row().items()}
    return {
        table: found
        for table, text in rows.items()
        if (found := [word for word in words if word.lower() in text])
    }
