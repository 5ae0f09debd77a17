"""The clinic's figures: right for a week made by hand, in as many queries however much there is."""

import uuid
from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake import audit
from intake.patients.models import Invitation
from intake.responses.answers import prune, read_answers
from intake.responses.models import QuestionnaireResponse
from intake.review import opened
from intake.review.figures import ENOUGH, Figures, IntakeWeek, Period, figures, read_weeks
from intake.review.models import LessonOpening, RedFlagContact, Verdict
from intake.screening import record
from intake.screening.models import Finding, RedFlag, Tier
from intake.screening.screen import screen
from tests import factories

pytestmark = pytest.mark.django_db

# A Wednesday; its week begins on November 16.
TODAY = date(2026, 11, 18)
MONDAY = date(2026, 11, 16)


def at(day: date, hour: int = 10, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(
        hours=hour, minutes=minute
    )


def read(weeks: int = 4) -> Figures:
    with audit.audited("tests.read", by=factories.SETUP):
        return figures(Period.until(TODAY, weeks))


def change(model, pk, **fields) -> None:
    with audit.audited("tests.made", by=factories.SETUP):
        model.objects.filter(pk=pk).update(**fields)


def invited(moment: datetime):
    """An evaluation whose link was made then."""
    evaluation = factories.make_evaluation(physio=physio(), starts_at=moment + timedelta(days=7))
    factories.make_invitation(evaluation, created_at=moment)
    return evaluation


def physio():
    """One for all, since who they are does not matter."""
    known = get_user_model().objects.filter(username="figures").first()
    return known or factories.make_user("physio", username="figures")


def sent(moment: datetime, *, minutes: int = 12, answers=factories.CALM, asked: datetime | None = None):
    """An intake sent then, opened some minutes before."""
    evaluation = factories.make_evaluation(physio=physio(), starts_at=moment + timedelta(days=7))
    response = factories.make_response(answers, evaluation=evaluation, at=moment)
    opened_at = moment - timedelta(minutes=minutes)
    change(
        Invitation,
        response.invitation_id,
        created_at=asked or opened_at - timedelta(hours=1),
        opened_at=opened_at,
    )
    return response


def changed(first: QuestionnaireResponse, moment: datetime | None) -> None:
    """The patient changed what she sent, and sent that too, unless the moment is None."""
    with audit.audited("tests.made", by=factories.SETUP):
        second = QuestionnaireResponse.objects.create(
            evaluation=first.evaluation,
            invitation=first.invitation,
            questionnaire=first.questionnaire,
            answers=first.answers,
            replaces=first,
        )
        if moment is None:
            return
        QuestionnaireResponse.objects.filter(pk=first.pk).update(replaced_at=moment)
        second.status, second.authored = QuestionnaireResponse.Status.AMENDED, moment
        second.document, second.submit_key = first.document, uuid.uuid4()
        second.save()
        active, definition = record.active_rules(), first.questionnaire.tree()
        screening = screen(active.rules, prune(definition, read_answers(first.answers)))
        record.store_findings(second, definition, screening, active)


def flag(response, *, raised: datetime, tier: Tier = Tier.EMERGENCY) -> RedFlag:
    with audit.audited("tests.read", by=factories.SETUP):
        found = RedFlag.objects.filter(response=response).order_by("pk").first()
    assert found is not None
    change(RedFlag, found.pk, raised_at=raised, tier=tier)
    return found


def call(response, moment: datetime, outcome: str = "reached") -> None:
    with audit.audited("tests.made", by=factories.SETUP):
        RedFlagContact.objects.create(
            response=response,
            flags=[],
            called="Sam",
            called_at=moment,
            at=moment,
            outcome=outcome,
            by=physio(),
        )


def decide(finding: Finding, *decisions: str) -> None:
    with audit.audited("tests.made", by=factories.SETUP):
        for decision in decisions:
            reason = "explained" if decision == "refuted" else ""
            Verdict.objects.create(finding=finding, decision=decision, reason=reason, by=physio())


class TestPeriod:
    def test_it_is_whole_weeks_up_to_the_running_one(self):
        period = Period.until(TODAY, 4)
        assert period.mondays == (date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 9), MONDAY)
        assert Period.until(MONDAY, 4) == period == Period.until(date(2026, 11, 22), 4)

    def test_it_begins_at_midnight_on_the_clinics_clock(self):
        # The clocks are put back on November 1: the offset is that of the day itself.
        assert Period.until(TODAY, 4).since.isoformat() == "2026-10-26T00:00:00-07:00"

    @pytest.mark.parametrize(("text", "weeks"), [(None, 12), ("", 12), ("4", 4), ("12", 12), ("52", 52)])
    def test_an_address_may_ask_for_these(self, text, weeks):
        assert read_weeks(text) == weeks

    @pytest.mark.parametrize("text", ["0", "-4", "13", "4.0", "04", "٤", "x", "4 ", "9" * 400, "\x00"])
    def test_and_for_nothing_else(self, text):
        assert read_weeks(text) is None


class TestIntakes:
    def test_a_week_is_those_first_invited_in_it_and_how_far_they_came(self):
        sent(at(TODAY, 15), asked=at(MONDAY))
        sent(at(TODAY, 16), asked=at(MONDAY - timedelta(days=7)))
        invited(at(MONDAY, 11))
        begun = factories.make_response(
            factories.CALM,
            evaluation=factories.make_evaluation(physio=physio()),
            sent=False,
            at=at(TODAY),
        )
        change(Invitation, begun.invitation_id, created_at=at(MONDAY, 12))
        weeks = read().intakes
        assert weeks[3] == IntakeWeek(MONDAY, invited=3, begun=2, sent=1)
        assert weeks[2] == IntakeWeek(MONDAY - timedelta(days=7), invited=1, begun=1, sent=1)
        assert weeks[0].share is None
        assert weeks[3].share == pytest.approx(1 / 3)

    def test_a_new_link_is_no_second_invitation(self):
        evaluation = invited(at(MONDAY - timedelta(days=6)))
        with audit.audited("tests.made", by=factories.SETUP):
            evaluation.invitations.update(revoked_at=at(MONDAY))
        factories.make_invitation(evaluation, created_at=at(MONDAY, 9))
        assert [week.invited for week in read().intakes] == [0, 0, 1, 0]

    def test_a_form_that_was_changed_is_one_form(self):
        first = sent(at(TODAY, 15), asked=at(MONDAY), answers=factories.ROLLING_IN)
        before = read()
        changed(first, at(TODAY, 18))
        now = read()
        assert now.intakes == before.intakes
        assert now.intakes[3] == IntakeWeek(MONDAY, invited=1, begun=1, sent=1)
        assert now.durations == before.durations
        assert now.links == before.links
        assert now.links

    def test_a_change_that_was_begun_is_none(self):
        first = sent(at(TODAY, 15), asked=at(MONDAY))
        changed(first, None)
        assert read().intakes[3] == IntakeWeek(MONDAY, invited=1, begun=1, sent=1)

    def test_sunday_night_and_monday_morning_are_two_weeks_on_the_clinics_clock(self):
        invited(at(MONDAY) - timedelta(hours=10, minutes=1))
        invited(at(MONDAY) - timedelta(hours=10))
        assert [week.invited for week in read().intakes] == [0, 0, 1, 1]

    def test_what_is_older_is_not_counted(self):
        invited(at(date(2026, 10, 25), 23, 59))
        assert sum(week.invited for week in read().intakes) == 0


class TestDurations:
    def test_nothing_sent_takes_no_time(self):
        durations = read().durations
        assert durations.spread.number == 0
        assert durations.spread.median is None
        assert set(durations.classes) == {0}

    def test_the_middle_half_and_the_classes(self):
        for minutes in (4, 8, 12, 20, 3000):
            sent(at(TODAY), minutes=minutes)
        durations = read().durations
        spread = durations.spread
        assert (spread.number, spread.lower, spread.median, spread.upper) == (5, 8, 12, 20)
        assert spread.longest == 3000
        assert durations.classes == (1, 1, 1, 0, 1, 0, 0, 1)

    def test_a_form_handed_over_begins_with_its_first_page(self):
        response = sent(at(TODAY))
        change(Invitation, response.invitation_id, opened_at=None)
        assert read().durations.spread.median == 0


class TestRedFlags:
    def test_by_week_and_tier(self):
        flag(sent(at(TODAY), answers=factories.SWOLLEN_CALF), raised=at(MONDAY))
        last_week = at(MONDAY - timedelta(days=3))
        flag(sent(at(TODAY), answers=factories.SWOLLEN_CALF), raised=last_week, tier=Tier.SAME_DAY)
        flag(sent(at(TODAY), answers=factories.SWOLLEN_CALF), raised=last_week, tier=Tier.TELL_PHYSIO)
        weeks = read().flags
        assert [week.tiers for week in weeks] == [(0, 0, 0), (0, 0, 0), (0, 1, 1), (1, 0, 0)]

    def test_the_time_ends_with_the_first_call_that_settles_it(self):
        for minutes in (10, 30, 80):
            response = sent(at(MONDAY), answers=factories.SWOLLEN_CALF)
            raised = flag(response, raised=at(MONDAY))
            call(response, at(MONDAY, 10, 5), "no-answer")
            call(response, at(MONDAY, 10, minutes))
            call(response, at(MONDAY, 18))
            change(RedFlag, raised.pk, state=RedFlag.State.ACKNOWLEDGED)
        waiting = sent(at(MONDAY), answers=factories.SWOLLEN_CALF)
        flag(waiting, raised=at(MONDAY))
        call(waiting, at(MONDAY, 10, 7), "message")
        emergency, same_day = read().response_times
        assert (emergency.tier, emergency.raised, emergency.waiting) == (Tier.EMERGENCY, 4, 1)
        assert (emergency.spread.number, emergency.spread.median, emergency.spread.longest) == (3, 30, 80)
        assert (same_day.tier, same_day.raised, same_day.spread.median) == (Tier.SAME_DAY, 0, None)

    def test_a_flag_raised_again_waits_for_a_call_of_its_own(self):
        response = sent(at(MONDAY), answers=factories.SWOLLEN_CALF)
        call(response, at(MONDAY, 10, 20))
        flag(response, raised=at(MONDAY, 12))
        assert read().response_times[0].spread.number == 0
        assert read().response_times[0].waiting == 1


class TestLinks:
    def findings(self, count: int) -> list[Finding]:
        keys = [sent(at(TODAY), answers=factories.ROLLING_IN).pk for _ in range(count)]
        with audit.audited("tests.read", by=factories.SETUP):
            found = Finding.objects.filter(response__in=keys, rule__rule_id="overpronation-kneecap")
            return list(found.order_by("pk"))

    def link(self):
        (found,) = [link for link in read().links if link.rule_id == "overpronation-kneecap"]
        return found

    def test_the_last_verdict_counts(self):
        one, two, three, four, _five = self.findings(5)
        decide(one, "confirmed")
        decide(two, "confirmed", "refuted")
        decide(three, "refuted", "unconfirmed")
        decide(four, "provisional")
        link = self.link()
        assert (link.confirmed, link.refuted, link.provisional, link.undecided) == (1, 1, 1, 2)
        assert (link.raised, link.decided, link.direction) == (5, 2, "up")

    def test_under_ten_decisions_are_too_few_to_say(self):
        found = self.findings(ENOUGH)
        for number, finding in enumerate(found[:-1]):
            decide(finding, "refuted" if number % 3 == 0 else "confirmed")
        assert self.link().share is None
        decide(found[-1], "confirmed")
        assert self.link().share == pytest.approx(0.7)

    def test_a_draft_raises_no_finding_here(self):
        factories.make_response(factories.ROLLING_IN, sent=False, at=at(TODAY))
        assert read().links == ()


class TestLessons:
    def test_each_opening_adds_one_in_its_week(self):
        for _ in range(3):
            opened.count_opening("rolling-in")
        opened.count_opening("footwear")
        rows = LessonOpening.objects.values_list("week", "lesson", "number").order_by("lesson")
        week = opened.monday(timezone.localdate())
        assert list(rows) == [(week, "footwear", 1), (week, "rolling-in", 3)]

    def test_they_are_shown_by_title_the_most_opened_first(self):
        LessonOpening.objects.bulk_create(
            [
                LessonOpening(week=MONDAY, lesson="rolling-in", number=2),
                LessonOpening(week=MONDAY - timedelta(days=7), lesson="rolling-in", number=5),
                LessonOpening(week=MONDAY, lesson="gone-by-now", number=9),
                LessonOpening(week=MONDAY - timedelta(days=70), lesson="rolling-in", number=50),
            ]
        )
        first, second = read().lessons
        assert (first.title, first.number) == ("gone-by-now", 9)
        assert second.number == 7
        assert second.title != "rolling-in"


def test_as_many_queries_for_a_year_full_of_everything_as_for_nothing():
    def queries(weeks: int) -> int:
        with (
            audit.audited("tests.read", by=factories.SETUP),
            CaptureQueriesContext(connection) as captured,
        ):
            figures(Period.until(TODAY, weeks))
        return len(captured)

    nothing = queries(4)
    for week in range(5):
        response = sent(
            at(TODAY - timedelta(weeks=week)), answers={**factories.SWOLLEN_CALF, **factories.SPARING}
        )
        call(response, at(TODAY - timedelta(weeks=week), 12))
        with audit.audited("tests.read", by=factories.SETUP):
            found = list(Finding.objects.filter(response=response))
        for finding in found:
            decide(finding, "confirmed")
    opened.count_opening("rolling-in")
    assert nothing == queries(52) == 6


def test_a_row_that_is_there_already_is_added_to():
    week = opened.monday(timezone.localdate())
    LessonOpening.objects.create(week=week, lesson="rolling-in", number=4)
    opened.count_opening("rolling-in")
    assert LessonOpening.objects.get().number == 5
