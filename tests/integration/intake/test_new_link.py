"""J3.7: "Send me a new one" at a link that is over. It tells nobody which links there ever were."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.http import HttpResponse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey, tasks
from intake.patients import links
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, Patient
from tests.factories import SETUP, make_patient
from tests.integration.intake.visitor import Visitor, invited, told_by_headers

pytestmark = pytest.mark.django_db

ON_ITS_WAY = "If this link was yours, a new one is on its way."


@pytest.fixture(autouse=True)
def post(settings) -> None:
    """Mail as messages, not as files."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def changed(invitation: Invitation, **fields: object) -> None:
    with audit.audited("tests.changed", by=SETUP):
        Invitation.objects.filter(pk=invitation.pk).update(**fields)


def over(**fields: object) -> tuple[Invitation, str]:
    """A link that ended, for a visit in three days."""
    invitation, token = invited(starts_at=timezone.now() + timedelta(days=3), **fields)
    changed(invitation, ended_at=timezone.now())
    return invitation, token


def asks(token: str, **client: str) -> HttpResponse:
    visitor = Visitor(token, **client)
    return visitor.client.post(visitor.link, {"renew": "1"})


def work() -> list[str]:
    """Run the jobs that were queued, once each. Returns the addresses that mail went to."""
    done = len(mail.outbox)
    for name, task in (
        (journey.RENEW_LINK, tasks.renew_link),
        (journey.SEND_INVITATION, tasks.send_invitation),
    ):
        for job in ProcrastinateJob.objects.filter(task_name=name, status="todo").order_by("pk"):
            task(**job.args)
        ProcrastinateJob.objects.filter(task_name=name).update(status="succeeded")
    return [address for one in mail.outbox[done:] for address in one.to]


def mailed_token() -> str:
    found = re.search(r"/intake/open/([^/\s]+)/", mail.outbox[-1].body)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"ended_at": timezone.now()},
        {},
        {"expires_at": timezone.now() - timedelta(hours=1), "created_at": timezone.now() - timedelta(days=9)},
    ],
    ids=["ended", "replaced", "expired"],
)
def test_a_new_link_goes_to_the_address_the_clinic_has(fields: dict[str, object]):
    invitation, token = invited(starts_at=timezone.now() + timedelta(days=3))
    if fields:
        changed(invitation, **fields)
    else:
        replacing = journey.invite(evaluation=invitation.evaluation, by=SETUP, mail=False)
        changed(replacing, ended_at=timezone.now())
    answer = asks(token)
    assert answer.status_code == 404
    assert ON_ITS_WAY in answer.text
    with audit.covered():
        assert work() == [invitation.evaluation.patient.email]
    assert Visitor(mailed_token()).type_date().status_code == 303
    assert Visitor(token).type_date().status_code == 404
    line = audit.AuditEvent.objects.get(action="link.renewed")
    assert line.objects_seen["evaluation"] == [str(invitation.evaluation_id)]


def test_every_token_gets_the_same_answer_by_the_same_work():
    answers = {}
    _, answers["ended"] = over()
    invitation, answers["cancelled"] = over()
    with audit.audited("tests.changed", by=SETUP):
        Evaluation.objects.filter(pk=invitation.evaluation_id).update(status="cancelled")
    _, answers["no address"] = over(patient=make_patient(email=""))
    answers |= {"unknown": links.new_token(), "junk": "%00%ff", "long": "x" * 3000}
    seen = set()
    for token in answers.values():
        response = asks(token)
        seen.add((response.status_code, response.text, told_by_headers(response)))
    assert len(seen) == 1
    jobs = ProcrastinateJob.objects.filter(task_name=journey.RENEW_LINK)
    assert len(jobs) == len(answers)
    assert {len(job.args["token_hash"]) for job in jobs} == {64}
    assert not any(token in str([job.args for job in jobs]) for token in answers.values())
    assert ProcrastinateJob.objects.filter(task_name=journey.SEND_INVITATION).count() == 0


@pytest.mark.parametrize("case", ["cancelled", "past", "no address", "unknown", "live", "old request"])
def test_nothing_is_sent(case: str):
    invitation, token = over(patient=make_patient(email="" if case == "no address" else "zyx@example.org"))
    visit = Evaluation.objects.filter(pk=invitation.evaluation_id)
    with audit.audited("tests.changed", by=SETUP):
        if case == "cancelled":
            visit.update(status="cancelled")
        if case == "past":
            visit.update(starts_at=timezone.now() - timedelta(minutes=1))
        if case == "old request":
            visit.update(
                status="requested",
                starts_at=None,
                physio=None,
                created_at=timezone.now() - timedelta(days=15),
            )
        if case == "live":
            Invitation.objects.filter(pk=invitation.pk).update(ended_at=None)
    asks(links.new_token() if case == "unknown" else token)
    assert work() == []


def test_a_live_link_asks_the_date_and_sends_nothing():
    _, token = invited()
    page = asks(token)
    assert page.status_code == 200
    assert "Is it you?" in page.text
    assert work() == []


def test_whoever_has_the_form_open_behind_a_newer_link_goes_on():
    invitation, old = over()
    with audit.audited("tests.read", by=SETUP):
        evaluation = Evaluation.objects.get(pk=invitation.evaluation_id)
    living = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
    link = journey.make_link(invitation_id=living.pk, by=SETUP)
    at_work = Visitor(link.rstrip("/").rsplit("/", 1)[-1]).open()
    asks(old)
    assert len(work()) == 1
    assert at_work.look("/intake/").status_code == 200
    assert at_work.type_date().status_code == 404, "the newest mail has the link that works"


def test_the_link_of_a_reminder_is_one_too():
    invitation, _ = over()
    token = links.new_token()
    with audit.audited("tests.made", by=SETUP):
        invitation.evaluation.reminders.create(
            kind="day",
            starts_at=invitation.evaluation.starts_at,
            invitation=invitation,
            token_hash=links.hash_token(token),
        )
    asks(token)
    assert len(work()) == 1


def test_somebody_who_asked_gets_hers_while_it_would_live():
    asked = EvaluationRequest(
        given_name="Ana", family_name="Silva", birth_date="1986-04-12", email="ana@example.org"
    )
    journey.ask_for_evaluation(asked=asked)
    assert work() == ["ana@example.org"]
    token = mailed_token()
    with audit.audited("tests.changed", by=SETUP):
        Invitation.objects.update(ended_at=timezone.now())
    asks(token)
    assert work() == ["ana@example.org"]
    assert "We got your request" in mail.outbox[-1].subject


def test_an_address_gets_three_a_day_whoever_asks():
    _, token = over()
    for number in range(5):
        asks(token, REMOTE_ADDR=f"203.0.113.{number}")
        assert len(work()) == (number < 3)
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        asks(token)
        assert len(work()) == 1


def test_twenty_an_hour_from_one_visitor_whatever_the_link():
    _, dead = over()
    pages = [asks(links.new_token(), REMOTE_ADDR="203.0.113.9") for _ in range(20)]
    assert {(page.status_code, page.text) for page in pages} == {(404, pages[0].text)}
    late = [asks(token, REMOTE_ADDR="203.0.113.9") for token in (dead, links.new_token())]
    assert [(page.status_code, page.headers["Retry-After"]) for page in late] == [(429, "3600")] * 2
    assert late[0].text == late[1].text
    assert "Please wait an hour" in late[0].text
    assert ProcrastinateJob.objects.filter(task_name=journey.RENEW_LINK).count() == 20
    asks(links.new_token(), REMOTE_ADDR="203.0.113.10")
    assert ProcrastinateJob.objects.filter(task_name=journey.RENEW_LINK).count() == 21


def test_a_wrong_address_that_the_clinic_corrected_gets_nothing():
    invitation, token = over()
    with audit.audited("tests.changed", by=SETUP):
        Patient.objects.filter(evaluations=invitation.evaluation_id).update(email="right@example.org")
    asks(token)
    assert work() == ["right@example.org"]


def test_a_link_to_lessons_has_no_such_button():
    visitor = Visitor()
    page = visitor.client.post("/intake/lessons/no-such-token/", {"renew": "1"})
    assert page.status_code == 404
    assert ON_ITS_WAY not in page.text
    assert "Send me a new one" not in page.text
    assert ProcrastinateJob.objects.filter(task_name=journey.RENEW_LINK).count() == 0
