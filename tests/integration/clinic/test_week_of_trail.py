"""Each week somebody reads what the trail adds up to, and signs for it once."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from intake import audit, journey
from intake.audit import AuditEvent
from intake.review import weekly
from intake.review.decide import NotAllowed
from intake.trail import WeekReviewed
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user
from tests.integration.clinic.test_who_looked import look, proved

pytestmark = pytest.mark.django_db

PAGE = "/staff/trail/week/"
WEEK = timedelta(days=7)


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def this_week(today):
    return weekly.monday_of(today)


def line_of(day, action: str = "tests.line") -> None:
    """A line of the past: the database's own clock writes all others."""
    at = datetime.combine(day, time(12), tzinfo=timezone.get_current_timezone())
    AuditEvent.objects.create(at=at, actor_kind="system", action=action)


def test_it_counts_each_person_by_kind_and_names_patients_they_have_no_visit_with(this_week, today):
    physio = make_user("physio", first_name="Pat", last_name="Physio")
    noon = timezone.make_aware(datetime.combine(this_week + timedelta(days=2), time(12)))
    own = make_response(ROLLING_IN, evaluation=make_evaluation(physio=physio, starts_at=noon))
    # Read ahead, and written up afterwards.
    later = make_evaluation(physio=physio, starts_at=noon + WEEK)
    before = make_evaluation(physio=physio, starts_at=noon - WEEK)
    far = make_evaluation(physio=physio, starts_at=noon + 4 * WEEK)
    strange = make_patient()
    look(physio, "review.read", response=[own.pk])
    look(physio, "brief.read", response=[own.pk], evaluation=[own.evaluation_id])
    for visit in (later, before, far):
        look(physio, "evaluation.read", evaluation=[visit.pk])
    look(physio, "patient.read", patient=[strange.pk])
    # A list opens nobody's record, and a number that is no key is nobody's.
    look(physio, "worklist.read", evaluation=[make_evaluation().pk])
    look(physio, "finding.decided", finding=[7], response=[own.pk])
    desk = make_user("front desk", first_name="Dee", last_name="Desk")
    look(desk, "patient.changed", patient=[strange.pk])
    with audit.audited("tests.read", by=SETUP):
        found = {person.who: person for person in weekly.read(this_week, today).people}
    assert found["Pat Physio"].counts == (7, 1, 0, 0)
    assert (found["Pat Physio"].opened, found["Pat Physio"].strangers) == (5, 2)
    assert (found["Dee Desk"].opened, found["Dee Desk"].strangers) == (1, None)
    assert found["Dee Desk"].role == "front desk"


def test_it_tells_the_roles_that_somebody_had_in_that_week(this_week, today):
    person, owner = make_user("front desk", first_name="Robin", last_name="Hale"), make_user("owner")
    week = this_week - WEEK
    for days, actor, action, detail in (
        (-7, person, "review.read", {}),
        (1, person, "review.read", {}),
        (2, owner, "staff.role-changed", {"old": "physio", "new": "front desk"}),
        (3, person, "patient.list", {}),
        (8, person, "patient.list", {}),
    ):
        at = datetime.combine(week + timedelta(days=days), time(12), tzinfo=timezone.get_current_timezone())
        AuditEvent.objects.create(
            at=at,
            actor_kind="staff",
            actor_id=str(actor.pk),
            action=action,
            objects_seen={"staff": [str(person.pk)]} if detail else {},
            detail=detail,
        )
    found = []
    with audit.audited("tests.read", by=SETUP):
        for monday in (week - WEEK, week, this_week):
            found += [one.role for one in weekly.read(monday, today).people if one.who == "Robin Hale"]
    assert found[:2] == ["physio", "physio, then front desk"]
    assert set(found[2:]) <= {"front desk"}, "a week that begins today has no line yet"


def test_what_stands_out_is_listed_and_counted(this_week, today):
    boss = make_user("owner")
    with audit.audited("review.read", by=audit.staff(boss), break_glass="somebody fell"):
        pass
    look(boss, "trail.exported")
    look(boss, "access.refused", patient=[uuid4()])
    for action in ("link.rested", "link.ended", "link.wrong-date", "signin.failed", "signin.locked-out"):
        with audit.audited(action, by=audit.ANONYMOUS):
            pass
    look(boss, "stepup.failed")
    page = proved(boss).get(f"{PAGE}?week={this_week}")
    week = page.context["week"]
    assert (week.broken.number, week.copied.number, week.refused.number, week.links) == (1, 1, 1, 2)
    assert week.sign_ins == 3
    assert "Break-glass" in page.text
    assert "not over yet" in page.text
    assert AuditEvent.objects.latest("pk").action == "trail.week"


@pytest.mark.parametrize(
    ("whole", "said"), [(None, "No night of this week has checked it yet"), (True, "Yes:"), (False, "No: on")]
)
def test_it_says_what_the_last_check_of_the_chain_found(this_week, whole, said):
    if whole is not None:
        with audit.audited("trail.checked", by=SETUP, lines=12, whole=whole, wrong=0 if whole else 3):
            pass
    assert said in proved(make_user("owner")).get(f"{PAGE}?week={this_week}").text


def test_the_check_of_the_night_is_a_line(mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    journey.check_trail()
    line = AuditEvent.objects.get(action="trail.checked")
    assert line.actor_id == "check_trail"
    assert set(line.detail) == {"lines", "whole", "wrong"}


def test_a_week_is_signed_for_once_and_named_while_nobody_has(today, this_week):
    boss = make_user("owner", first_name="Ada", last_name="Owner")
    line_of(this_week - 3 * WEEK)
    assert [(one.first, one.overdue) for one in weekly.open_weeks(today)] == [
        (this_week - 3 * WEEK, True),
        (this_week - 2 * WEEK, True),
        (this_week - WEEK, False),
    ]
    client = proved(boss)
    page = client.get(PAGE)
    assert page.context["week"].first == this_week - WEEK, "the newest that is over"
    assert page.text.count("Overdue") == 2
    # Any day of a week is that week.
    answer = client.post(PAGE, {"week": str(this_week - 2 * WEEK + timedelta(days=3))})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{PAGE}?week={this_week - 2 * WEEK}"
    assert "Ada Owner" in client.get(answer.headers["Location"]).text
    line = AuditEvent.objects.get(action="trail.reviewed")
    assert (line.actor_id, line.detail) == (str(boss.pk), {"week": str(this_week - 2 * WEEK)})
    other = make_user("owner")
    proved(other).post(PAGE, {"week": str(this_week - 2 * WEEK)})
    assert WeekReviewed.objects.get().by == boss
    assert AuditEvent.objects.filter(action="trail.reviewed").count() == 1
    assert [one.first for one in weekly.open_weeks(today)] == [this_week - 3 * WEEK, this_week - WEEK]


def test_a_week_before_the_trail_began_has_nothing_to_review(this_week, today):
    client = proved(make_user("owner"))
    line_of(this_week - WEEK)
    early, first = (client.get(f"{PAGE}?week={this_week - weeks * WEEK}") for weeks in (2, 1))
    assert "The trail began on" in early.text
    assert "No night" not in early.text
    assert "whoever runs the server" not in early.text
    assert ">Reviewed</button>" not in early.text
    assert "No night of this week checked it." in first.text
    assert ">Reviewed</button>" in first.text
    assert (first.context["week"].before, first.context["week"].after) == (None, this_week)
    assert "This week so far" in first.text
    assert "Week after" in early.text
    client.post(PAGE, {"week": str(this_week - 2 * WEEK)})
    assert not WeekReviewed.objects.exists()


def test_a_trail_that_began_this_week_begins_with_it(this_week):
    page = proved(make_user("owner")).get(PAGE)
    assert page.context["week"].first == this_week
    assert (page.context["week"].before, page.context["week"].after) == (None, None)
    assert 'aria-label="Weeks"' not in page.text


def test_a_week_that_runs_cannot_be_signed_for(this_week):
    boss = audit.staff(make_user("owner"))
    for week in (this_week, this_week + WEEK, this_week - timedelta(days=6)):
        with pytest.raises(NotAllowed):
            journey.review_week(week=week, by=boss)
    assert not WeekReviewed.objects.exists()


def test_the_database_holds_it_too(this_week):
    boss = make_user("owner")
    week = this_week - WEEK
    WeekReviewed.objects.create(week=week, by=boss)
    for wrong in (week, week - timedelta(days=1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            WeekReviewed.objects.create(week=wrong, by=boss)
    for statement in ("UPDATE intake_weekreviewed SET at = now()", "DELETE FROM intake_weekreviewed"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL pgtrigger.ignore = 'all'; {statement}")
