"""The banner: since when an urgent answer waits, whether that is too long, whether the notice is stuck."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from intake import audit
from intake.review import timers, urgent
from intake.review.page import review_page
from intake.screening.models import RedFlag, RedFlagEvent
from tests import factories

CLINIC = ZoneInfo("America/Los_Angeles")
CHEST = {"safety.body-signs": ["chest-breath"]}


def at(hour: int, minute: int = 0, day: int = 3) -> datetime:
    return datetime(2027, 6, day, hour, minute, tzinfo=CLINIC)


@pytest.mark.parametrize(
    ("tier", "raised", "due"),
    [
        ("emergency", at(9, 2), at(9, 17)),
        ("same-day", at(9, 2), at(18)),
        ("same-day", at(18), at(18, day=4)),
        ("same-day", at(23, 30), at(18, day=4)),
        # The clocks go forward in this night.
        (
            "emergency",
            datetime(2027, 3, 14, 1, 50, tzinfo=CLINIC),
            datetime(2027, 3, 14, 3, 5, tzinfo=CLINIC),
        ),
    ],
)
def test_by_when_the_clinic_has_called(tier, raised, due):
    assert timers.due_at(tier, raised) == due
    assert not timers.is_overdue(tier, raised, due - timedelta(seconds=1))
    assert timers.is_overdue(tier, raised, due)


@pytest.mark.django_db
class TestBanner:
    @pytest.fixture
    def desk(self):
        return factories.make_user("front desk")

    def words(self, user, now: datetime) -> str:
        with time_machine.travel(now, tick=False):
            return urgent.waiting(user).words

    def raised(self, answers, now: datetime, *, mailed: bool = True):
        with time_machine.travel(now, tick=False):
            response = factories.make_response(answers, sent=False)
        if mailed:
            with audit.audited("tests.made", by=factories.SETUP):
                response.red_flags.update(mail_sent_at=now)
        return response

    def test_nothing_waits(self, desk):
        assert self.words(desk, at(9)) == ""

    def test_since_when_and_overdue_by_the_tier(self, desk):
        self.raised(CHEST, at(9, 2))
        assert self.words(desk, at(9, 10)) == "1 urgent answer waiting since 9:02 am"
        assert self.words(desk, at(9, 17)) == "1 urgent answer waiting since 9:02 am, overdue"

    def test_a_later_emergency_is_overdue_though_the_first_is_not(self, desk):
        self.raised(factories.SWOLLEN_CALF, at(8))
        self.raised(CHEST, at(9))
        assert self.words(desk, at(9, 14)) == "2 urgent answers waiting since 8:00 am"
        assert self.words(desk, at(9, 15)) == "2 urgent answers waiting since 8:00 am, overdue"

    def test_a_notice_that_does_not_leave_is_said(self, desk):
        self.raised(factories.SWOLLEN_CALF, at(9, 2), mailed=False)
        assert self.words(desk, at(9, 11)) == "1 urgent answer waiting since 9:02 am"
        assert "the e-mail to whoever is on call has not left" in self.words(desk, at(9, 12))

    def test_withdrawn_by_the_patient_it_waits_all_the_same(self, desk):
        response = self.raised(CHEST, at(9, 2))
        with audit.audited("tests.made", by=factories.SETUP):
            response.red_flags.update(state=RedFlag.State.WITHDRAWN, withdrawn_at=at(9, 5))
        assert self.words(desk, at(9, 20)) == "1 urgent answer waiting since 9:02 am, overdue"
        with audit.audited("tests.made", by=factories.SETUP):
            response.red_flags.update(state=RedFlag.State.ACKNOWLEDGED)
        assert self.words(desk, at(9, 20)) == ""

    def test_from_another_day_it_names_the_day(self, desk):
        self.raised(factories.SWOLLEN_CALF, at(9, 2))
        assert "since Thursday, June 3, overdue" in self.words(desk, at(8, day=4))

    @pytest.mark.parametrize("role", ["editor", "owner", None])
    def test_others_are_told_nothing(self, role):
        self.raised(CHEST, at(9, 2))
        assert self.words(factories.make_user(role), at(10)) == ""

    def test_the_review_page_tells_the_history_of_each_flag(self):
        physio = factories.make_user("physio")
        response = self.raised({**CHEST, **factories.SWOLLEN_CALF}, at(9, 2), mailed=False)
        with audit.audited("tests.made", by=factories.SETUP):
            flag = response.red_flags.get(tier="emergency")
            RedFlagEvent.objects.create(flag=flag, kind="withdrawn", at=at(9, 5))
        with audit.audited("tests.read", by=audit.staff(physio)), time_machine.travel(at(9, 20), tick=False):
            page = review_page(user=physio, response_id=response.pk)
            cards = {card.tier: card for card in page.urgent_flags}
            assert (cards["emergency"].overdue, cards["same-day"].overdue) == (True, False)
            assert cards["emergency"].stuck
        assert [(one.label, one.at) for one in cards["emergency"].events] == [
            ("Raised", at(9, 2)),
            ("Withdrawn by patient", at(9, 5)),
        ]
        assert [one.label for one in cards["same-day"].events] == ["Raised"]
