"""Who else has an intake open lately."""

from typing import Any

import pytest

from clinic.people import staff
from intake import audit
from intake.audit import AuditEvent
from intake.review import presence
from intake.review.page import review_page
from tests.factories import ROLLING_IN, SETUP, make_response, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def intake():
    return make_response(ROLLING_IN)


def look(user: Any, intake: Any, **detail: object) -> None:
    with audit.audited("review.read", by=audit.staff(user), objects={"response": [intake.pk]}, **detail):
        pass


def others(intake: Any, reader: Any) -> list[tuple[str, bool]]:
    with audit.audited("tests.read", by=SETUP):
        return [(one.name, one.reads) for one in review_page(user=reader, response_id=intake.pk).others]


def test_a_colleague_who_was_removed_reviews_nothing_any_more(intake):
    reader, nina = make_user("physio"), make_user("physio", first_name="Nina", last_name="Vale")
    look(nina, intake)
    look(reader, intake)
    assert others(intake, reader) == [("Nina Vale", False)]
    staff.deactivate(user=nina, to=None, by=audit.staff(make_user("owner")))
    assert others(intake, reader) == []


def test_whoever_reads_by_emergency_access_is_told_apart(intake):
    reader, owner = make_user("physio"), make_user("owner", first_name="Ada", last_name="Owner")
    look(owner, intake, break_glass=5)
    assert others(intake, reader) == [("Ada Owner", True)]


def test_a_look_of_a_while_ago_counts_no_more(intake):
    reader, nina = make_user("physio"), make_user("physio")
    look(nina, intake)
    line = AuditEvent.objects.latest("pk")
    AuditEvent.objects.create(
        at=line.at - 2 * presence.RECENT,
        actor_kind="staff",
        actor_id=str(make_user("physio").pk),
        action="review.read",
        objects_seen={"response": [str(intake.pk)]},
    )
    assert len(others(intake, reader)) == 1
