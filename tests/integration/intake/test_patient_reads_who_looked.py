"""The patient reads who of the clinic looked at what she sent (R24)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake import audit
from intake.audit import AuditEvent
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_response, make_user
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import invited, sent_form, stored

pytestmark = pytest.mark.django_db

PAGE, STATUS = "/intake/answers/looked/", "/intake/status/"


@pytest.fixture
def visit():
    visitor, invitation = sent_form(ROLLING_IN)
    return visitor.open(), invitation


def look(user, action: str, **objects: list) -> None:
    with audit.audited(action, by=audit.staff(user), objects=objects):
        pass


def told(visitor) -> list[tuple[str, str, str, int]]:
    page = visitor.look(PAGE)
    assert page.status_code == 200
    return [(one.who, one.role, one.what, one.number) for one in page.context["looks"]]


def test_every_look_of_the_staff_is_there_with_name_role_and_plain_words(visit):
    visitor, invitation = visit
    assert "Nobody has looked yet" in visitor.look(PAGE).text
    response = stored(invitation)
    physio = make_user("physio", first_name="Maya", last_name="Ortiz", title="Dr.")
    desk = make_user("front desk", first_name="Dee", last_name="Desk")
    look(physio, "worklist.read", evaluation=[invitation.evaluation_id])
    look(physio, "review.read", response=[response.pk])
    look(physio, "finding.decided", response=[response.pk])
    look(physio, "brief.read", response=[response.pk])
    look(desk, "evaluation.moved", evaluation=[invitation.evaluation_id])
    # Somebody else's visit, the system, and what no patient is told.
    look(desk, "evaluation.moved", evaluation=[make_evaluation().pk])
    look(desk, "figures.read")
    with audit.audited("invitation.sent", by=audit.system("send"), objects={"invitation": [invitation.pk]}):
        pass
    assert sorted(told(visitor)) == [
        ("Dee Desk", "front desk", "changed your visit", 1),
        ("Dr. Ortiz", "physio", "read your answers", 2),
        ("Dr. Ortiz", "physio", "saw your visit in a list", 1),
        ("Dr. Ortiz", "physio", "worked on your answers", 1),
    ]
    body = visitor.look(PAGE).text.split("<main", 1)[-1].split("</main", 1)[0].lower()
    for words in ("finding", "rule", "score", "diagnos", "confirm", str(response.pk)):
        assert words not in body


def test_an_earlier_visit_of_hers_counts_and_somebody_who_left_is_still_told(visit):
    visitor, invitation = visit
    before = make_response(ROLLING_IN, evaluation=make_evaluation(patient=invitation.evaluation.patient))
    physio = make_user("physio")
    look(physio, "review.read", response=[before.pk])
    with audit.audited("tests.deleted", by=SETUP):
        physio.delete()
    assert told(visitor) == [("Somebody who has left the clinic", "", "read your answers", 1)]


def test_the_role_is_the_one_that_somebody_had_on_that_day(visit):
    visitor, invitation = visit
    person, response = make_user("owner", first_name="Robin", last_name="Hale"), stored(invitation)
    for days, action, seen, detail in (
        (9, "review.read", {"response": [str(response.pk)]}, {}),
        (5, "staff.role-changed", {"staff": [str(person.pk)]}, {"old": "physio", "new": "owner"}),
        (1, "evaluation.read", {"evaluation": [str(invitation.evaluation_id)]}, {}),
    ):
        AuditEvent.objects.create(
            at=timezone.now() - timedelta(days=days),
            actor_kind="staff",
            actor_id=str(person.pk),
            action=action,
            objects_seen=seen,
            detail=detail,
        )
    assert told(visitor) == [
        ("Robin Hale", "owner", "looked at your visit", 1),
        ("Robin Hale", "physio", "read your answers", 1),
    ]


def test_it_is_where_the_own_answers_are_and_under_the_same_rules(visit):
    visitor, _ = visit
    assert PAGE in visitor.look(STATUS).text
    assert visitor.look(PAGE).headers["Cache-Control"] == "no-store"
    visitor.client.cookies.clear()
    assert visitor.look(PAGE).status_code == 403


def test_before_the_form_is_sent_there_is_nothing_to_look_at():
    from tests.integration.intake.visitor import Visitor

    _, token = invited()
    visitor = Visitor(token).open()
    answer = visitor.look(PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/intake/")


def test_looking_changes_nothing_and_asks_as_much_for_many_looks_as_for_few(visit):
    visitor, invitation = visit
    response = stored(invitation)
    asked = []
    for people in (1, 6):
        for _ in range(people):
            look(make_user("physio"), "review.read", response=[response.pk])
        before, lines = digests(), AuditEvent.objects.count()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            visitor.look(PAGE)
        asked.append(len(captured))
        assert digests() == before
        assert AuditEvent.objects.exclude(actor_kind="system").count() <= lines
    assert asked[0] == asked[1]
