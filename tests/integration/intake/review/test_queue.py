"""What staff find on the worklist, in which order, and at what cost."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake import audit, journey
from intake.patients import asking
from intake.patients.models import Evaluation, EvaluationRequest
from intake.responses.models import QuestionnaireResponse
from intake.review import queue
from intake.review.models import QueueEntry, Review
from intake.review.queue import Filters, Flag, Worklist
from tests import factories

pytestmark = pytest.mark.django_db


def today():
    return timezone.localdate()


def noon(days: int = 0):
    """Midday some days from now: hours around it stay on the same day."""
    return timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


@pytest.fixture
def physio(db):
    return factories.make_user("physio", first_name="Maya", last_name="Ortiz", title="Dr.")


def read(user, **params) -> Worklist:
    with audit.audited("tests.read", by=audit.staff(user)):
        return queue.worklist(user, Filters.read(params, today()), timezone.now())


def names(page: Worklist) -> list[str]:
    return [row.name for row in page.rows]


def visit(name: str, physio, at, **kwargs) -> Evaluation:
    given, family = name.split()
    patient = factories.make_patient(given_name=given, family_name=family)
    return factories.make_evaluation(patient=patient, physio=physio, starts_at=at, **kwargs)


class TestOrder:
    def test_urgent_first_then_by_time(self, physio):
        visit("Nine Thirty", physio, noon() - timedelta(hours=2))
        late = visit("Two Oclock", physio, noon() + timedelta(hours=2))
        visit("Ten Fifteen", physio, noon() - timedelta(hours=1))
        factories.make_response(factories.SWOLLEN_CALF, evaluation=late)
        page = read(physio)
        assert names(page) == ["Two Oclock", "Nine Thirty", "Ten Fifteen"]
        assert page.rows[0].flags == (Flag("Swollen or hot calf or leg (left)", waits=True),)

    def test_urgent_ones_by_how_soon_to_call_and_not_by_their_visit(self, physio):
        day = timezone.localtime().replace(hour=14, minute=0)
        raised = {
            "Same Day": (noon(-3), factories.SWOLLEN_CALF, 60),
            "Emergency Later": (noon(2), factories.CHEST_PAIN, 5),
            "Emergency First": (noon(9), factories.CHEST_PAIN, 14),
        }
        for name, (at, answers, minutes) in raised.items():
            with time_machine.travel(day - timedelta(minutes=minutes), tick=False):
                factories.make_response(answers, evaluation=visit(name, physio, at))
        with time_machine.travel(day, tick=False):
            page = read(physio)
            nxt = read(physio, status="urgent").next_response
        assert names(page) == ["Emergency First", "Emergency Later", "Same Day"]
        assert nxt == page.rows[0].response
        assert [row.overdue for row in page.rows] == [False, False, False]
        assert page.rows[0].call_by == day + timedelta(minutes=1)
        with time_machine.travel(day + timedelta(minutes=2), tick=False):
            assert [row.overdue for row in read(physio).rows] == [True, False, False]

    def test_urgent_ones_go_on_on_the_next_page(self, physio, monkeypatch):
        monkeypatch.setattr(queue, "PAGE_SIZE", 2)
        for number in range(5):
            factories.make_response(
                factories.SWOLLEN_CALF, evaluation=visit(f"P N{number}", physio, noon(9 - number))
            )
        visit("Calm One", physio, noon())
        pages, after = [], ""
        for _ in range(3):
            page = read(physio, after=after)
            pages.append(names(page))
            after = str(page.more or "")
        assert pages == [["P N0", "P N1"], ["P N2", "P N3"], ["P N4", "Calm One"]]
        assert after == ""

    def test_an_urgent_one_of_another_day_stands_on_todays_list(self, physio):
        visit("Today Patient", physio, noon())
        later = visit("Next Week", physio, noon(7))
        factories.make_response(factories.SWOLLEN_CALF, evaluation=later, sent=False)
        assert names(read(physio)) == ["Next Week", "Today Patient"]

    def test_a_cancelled_visit_is_left_out_unless_it_is_urgent(self, physio):
        gone = visit("Gone Away", physio, noon())
        flagged = visit("Gone Flagged", physio, noon())
        factories.make_response(factories.SWOLLEN_CALF, evaluation=flagged)
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk__in=[gone.pk, flagged.pk]).update(status="cancelled")
        assert names(read(physio)) == ["Gone Flagged"]

    def test_coming_days_come_soonest_first_and_past_ones_latest_first(self, physio):
        for name, days in (("Far Off", 9), ("Next Day", 1), ("Long Ago", -9), ("Just Now", -1)):
            visit(name, physio, noon(days))
        assert names(read(physio, day="coming")) == ["Next Day", "Far Off"]
        assert names(read(physio, day="past")) == ["Just Now", "Long Ago"]
        assert names(read(physio, day=noon(9).date().isoformat())) == ["Far Off"]


class TestPages:
    @pytest.mark.parametrize("params", [{"day": "coming"}, {"day": "past"}, {"q": "page"}])
    def test_following_the_cursor_shows_every_row_once(self, physio, params):
        sign = -1 if params.get("day") == "past" else 1
        patient = factories.make_patient(given_name="Page", family_name="Turner")
        # Pairs of the same moment: a page may end between them.
        physios = (physio, factories.make_user("physio"))
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.bulk_create(
                Evaluation(
                    patient=patient,
                    physio=physios[number % 2],
                    starts_at=noon(sign) + sign * timedelta(hours=number // 2),
                )
                for number in range(2 * queue.PAGE_SIZE + 7)
            )
        seen = []
        after = ""
        for _ in range(3):
            page = read(physio, **params, after=after)
            seen += [(row.starts_at, row.evaluation) for row in page.rows]
            after = str(page.more or "")
        assert page.more is None
        assert len(seen) == len(set(seen)) == 2 * queue.PAGE_SIZE + 7
        assert seen == sorted(seen, reverse=params.get("day") == "past" or "q" in params)

    def test_urgent_ones_that_fill_a_page_go_on_to_the_next(self, physio, monkeypatch):
        monkeypatch.setattr(queue, "PAGE_SIZE", 2)
        for number in range(3):
            at = noon() + timedelta(minutes=number)
            factories.make_response(factories.SWOLLEN_CALF, evaluation=visit(f"Urgent N{number}", physio, at))
        visit("Calm One", physio, noon() - timedelta(hours=3))
        first = read(physio)
        assert names(first) == ["Urgent N0", "Urgent N1"]
        second = read(physio, after=str(first.more))
        assert names(second) == ["Urgent N2", "Calm One"]
        assert second.more is None

    @pytest.mark.parametrize("after", ["x", "n.1.2", "u.99999999999999999999.x", "n..", "n.1e5.00"])
    def test_a_cursor_that_is_none_is_the_first_page(self, physio, after):
        visit("Only One", physio, noon())
        assert names(read(physio, after=after)) == ["Only One"]


class TestFilters:
    @pytest.fixture
    def day(self, physio):
        """One of each status, all today."""
        other = factories.make_user("physio")
        made = {}
        made["not-started"] = visit("Not Started", physio, noon())
        made["in-progress"] = visit("In Progress", other, noon())
        factories.make_response(factories.CALM, evaluation=made["in-progress"], sent=False)
        for status, answers in (
            ("to-review", factories.ROLLING_IN),
            ("in-review", factories.SPARING),
            ("reviewed", factories.CALM),
        ):
            made[status] = visit(f"Now {status.title()}", physio, noon())
            response = factories.make_response(answers, evaluation=made[status])
            with audit.audited("tests.made", by=factories.SETUP):
                if status != "to-review":
                    Review.objects.create(response=response, started_by=physio)
                if status == "reviewed":
                    Review.objects.filter(response=response).update(
                        finished_at=timezone.now(), finished_by=physio
                    )
        return made

    @pytest.mark.parametrize("status", ["not-started", "in-progress", "to-review", "in-review", "reviewed"])
    def test_by_status(self, physio, day, status):
        page = read(physio, status=status)
        assert [(row.evaluation, row.status) for row in page.rows] == [(day[status].pk, status)]

    def test_forms_not_sent(self, physio, day):
        assert {row.status for row in read(physio, status="not-sent").rows} == {"not-started", "in-progress"}

    def test_by_direction(self, physio, day):
        assert [row.evaluation for row in read(physio, direction="up").rows] == [day["to-review"].pk]
        assert [row.evaluation for row in read(physio, direction="down").rows] == [day["in-review"].pk]

    def test_mine(self, physio, day):
        assert len(read(physio).rows) == 5
        assert day["in-progress"].pk not in {row.evaluation for row in read(physio, mine="1").rows}

    def test_counts_say_what_each_filter_would_show(self, physio, day):
        counts = read(physio, status="reviewed").counts
        assert (counts.all, counts.to_review, counts.in_review, counts.reviewed, counts.not_sent) == (
            5,
            1,
            1,
            1,
            2,
        )
        assert (counts.with_up, counts.with_down) == (1, 1)
        assert counts.waiting == 0

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("not", ["Not Started"]),
            ("STARTED", ["Not Started"]),
            ("Started, Not", ["Not Started"]),
            ("no st", ["Not Started"]),
            ("tarted", []),
            ("not started yet", []),
            ("100%", []),
            ("_ot", []),
            ("\x00", None),
            (",", None),
        ],
    )
    def test_search_by_how_a_name_begins(self, physio, day, search, found):
        page = read(physio, q=search)
        assert len(page.rows) == 5 if found is None else names(page) == found

    def test_search_looks_at_all_days_and_at_cancelled_visits(self, physio):
        visit("Long Ago", physio, noon(-400))
        visit("Agony Aunt", physio, noon(3), status="cancelled")
        assert names(read(physio, q="ago")) == ["Agony Aunt", "Long Ago"]

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({}, ""),
            ({"day": "coming", "status": "urgent", "mine": "1"}, "day=coming&status=urgent&mine=1"),
            ({"day": "2031-02-03", "q": " Lee  Jo "}, "day=2031-02-03&sought=1"),
            ({"day": "yesterday", "status": "x", "direction": "sideways", "mine": "yes"}, ""),
            ({"day": "0001-01-01"}, ""),
            ({"next": "https://elsewhere.example/"}, ""),
        ],
    )
    def test_the_url_holds_what_is_understood_and_nothing_else(self, params, expected):
        filters = Filters.read(params, today())
        assert filters.query() == expected


class TestRows:
    def test_badges_say_which_way_and_on_which_side(self, physio):
        factories.make_response(factories.SPARING, evaluation=visit("Spares Knee", physio, noon()))
        (row,) = read(physio).rows
        assert ("down", "Right knee to left foot") in {(badge.way, badge.course) for badge in row.badges}
        assert row.concern == "Left foot, right knee"
        assert row.physio == "Dr. Ortiz"
        assert row.mine

    def test_the_front_desk_sees_urgent_without_the_answer(self, physio):
        response = factories.make_response(
            factories.SWOLLEN_CALF, evaluation=visit("Sam Okafor", physio, noon())
        )
        (row,) = read(factories.make_user("front desk")).rows
        assert (row.name, row.phone, row.status, row.urgent) == (
            "Sam Okafor",
            "(310) 555-0188",
            "to-review",
            True,
        )
        assert (row.flags, row.badges, row.concern, row.response) == ((), (), "", None)
        assert (read(physio).rows[0].response) == response.pk

    def test_the_front_desk_cannot_filter_by_what_it_may_not_see(self, physio):
        factories.make_response(factories.ROLLING_IN, evaluation=visit("Has Up", physio, noon()))
        visit("Has None", physio, noon())
        assert len(read(factories.make_user("front desk"), direction="up").rows) == 2

    @pytest.mark.parametrize("role", ["editor", "owner", None])
    def test_other_roles_see_nobody(self, physio, role):
        factories.make_response(factories.SWOLLEN_CALF, evaluation=visit("Sam Okafor", physio, noon()))
        page = read(factories.make_user(role))
        assert page.rows == ()
        assert (page.counts.all, page.counts.waiting) == (0, 0)

    def test_a_draft_is_opened_only_when_it_is_urgent(self, physio):
        factories.make_response(
            factories.ROLLING_IN, evaluation=visit("Calm Draft", physio, noon()), sent=False
        )
        flagged = factories.make_response(
            factories.SWOLLEN_CALF, evaluation=visit("Flagged Draft", physio, noon()), sent=False
        )
        assert [(row.name, row.response) for row in read(physio).rows] == [
            ("Flagged Draft", flagged.pk),
            ("Calm Draft", None),
        ]


class TestManyOfOneName:
    def test_todays_and_urgent_ones_are_found_and_the_rest_is_said_to_be_cut(self, physio, monkeypatch):
        monkeypatch.setattr(queue, "FOUND_AT_MOST", 2)
        for number in range(4):
            visit(f"Kim N{number}", physio, noon(-30 - number))
        assert len(read(physio, q="kim n1").rows) == 1
        visit("Kim Today", physio, noon())
        flagged = visit("Kim Flagged", physio, noon(-60))
        factories.make_response(factories.SWOLLEN_CALF, evaluation=flagged)
        page = read(physio, q="kim")
        assert page.cut
        assert names(page)[:2] == ["Kim Flagged", "Kim Today"]
        assert 4 <= len(page.rows) <= 5
        assert not read(physio, q="kim today").cut


class TestNext:
    def nxt(self, user, but_not: QuestionnaireResponse | None = None, **params):
        with audit.audited("tests.read", by=audit.staff(user)):
            return queue.next_to_review(
                user, Filters.read(params, today()), but_not=but_not.pk if but_not else None
            )

    def test_urgent_then_the_next_visit_then_nothing(self, physio):
        calm = factories.make_response(factories.ROLLING_IN, evaluation=visit("Calm One", physio, noon()))
        urgent = factories.make_response(
            factories.SWOLLEN_CALF, evaluation=visit("Urgent One", physio, noon(3))
        )
        assert self.nxt(physio) == urgent.pk
        assert self.nxt(physio, urgent) == calm.pk
        assert self.nxt(physio, urgent, status="reviewed") == calm.pk, "whatever status is shown"
        journey.record_contact(
            response=urgent,
            called="Urgent One",
            called_at=timezone.now(),
            outcome="reached",
            next_step="Went to the ER",
            by=audit.staff(physio),
        )
        assert self.nxt(physio, calm) is None
        # Who was called is not somebody who reported nothing.
        (row,) = read(physio, q="urgent").rows
        assert (row.urgent, row.call_by) == (False, None)
        assert row.flags == (Flag("Swollen or hot calf or leg (left): called", waits=False),)

    def test_filters_are_kept(self, physio):
        other = factories.make_user("physio")
        factories.make_response(
            factories.ROLLING_IN, evaluation=visit("Theirs First", other, noon() - timedelta(hours=1))
        )
        mine = factories.make_response(factories.ROLLING_IN, evaluation=visit("Mine Second", physio, noon()))
        assert self.nxt(physio, mine="1") == mine.pk

    def test_the_next_day_with_visits(self, physio):
        visit("First There", physio, noon(4))
        factories.make_response(factories.CALM, evaluation=visit("Second There", physio, noon(4)))
        visit("Later Still", physio, noon(6))
        with audit.audited("tests.read", by=audit.staff(physio)):
            found = queue.next_day(physio, today())
        assert (found.day, found.evaluations, found.sent) == (noon(4).date(), 2, 1)
        assert [name for name, _key in found.unsent] == ["First There"]


@pytest.mark.parametrize("number", [1, 50, 200])
def test_three_queries_whatever_the_number_of_evaluations(physio, number):
    response = factories.make_response(
        factories.SPARING,
        evaluation=visit("With Findings", physio, noon() - timedelta(minutes=710), minutes=5),
    )
    with audit.audited("tests.made", by=factories.SETUP):
        Evaluation.objects.bulk_create(
            Evaluation(
                patient=response.evaluation.patient,
                physio=physio,
                starts_at=noon() + timedelta(minutes=6 * slot - 700),
                minutes=5,
            )
            for slot in range(number - 1)
        )
        assert QueueEntry.objects.count() == number
    read(physio)
    with audit.audited("tests.read", by=audit.staff(physio)), CaptureQueriesContext(connection) as queries:
        queue.worklist(physio, Filters.read({}, today()), timezone.now())
    assert len(queries) == 3


def asks(name: str, answers=None, *, ago: timedelta = timedelta(0), sent: bool = True) -> Evaluation:
    """Somebody who asked for an evaluation some time ago, perhaps with an intake."""
    given, family = name.split()
    asked = EvaluationRequest(
        given_name=given, family_name=family, birth_date="1986-04-12", phone="(310) 555-0188"
    )
    with audit.audited("tests.made", by=factories.SETUP):
        evaluation = asking.keep(asked)
        Evaluation.objects.filter(pk=evaluation.pk).update(created_at=timezone.now() - ago)
    if answers is not None:
        factories.make_response(answers, evaluation=evaluation, sent=sent)
    return evaluation


class TestBeforeBooking:
    def test_the_longest_waiting_first_and_in_no_days_list(self, physio):
        asks("Asked Today")
        asks("Asked Before", factories.ROLLING_IN, ago=timedelta(days=3))
        visit("Booked One", physio, noon())
        assert names(read(physio, status="needs-appointment")) == ["Asked Before", "Asked Today"]
        for day in ("", "coming"):
            assert names(read(physio, day=day)) == ["Booked One"]
        assert names(read(physio, day="past")) == []
        counts = read(physio).counts
        assert (counts.all, counts.to_review, counts.needs_appointment) == (1, 0, 2)

    def test_the_form_has_its_own_status_beside_it(self, physio):
        asks("Not Yet", ago=timedelta(hours=3))
        asks("Now Writing", factories.CALM, ago=timedelta(hours=2), sent=False)
        sent = asks("All Sent", factories.ROLLING_IN, ago=timedelta(hours=1))
        rows = read(physio, status="needs-appointment").rows
        assert [row.status for row in rows] == ["not-started", "in-progress", "to-review"]
        assert [row.starts_at for row in rows] == [None] * 3
        assert [row.response is not None for row in rows] == [False, False, True]
        assert rows[2].evaluation == sent.pk
        assert all(row.request and row.asked_at and not row.physio for row in rows)

    def test_urgent_before_any_booking_stands_on_every_list(self, physio):
        visit("Booked One", physio, noon())
        asks("Asked Urgent", factories.SWOLLEN_CALF, sent=False)
        asks("Asked Before", ago=timedelta(days=3))
        for params in ({}, {"mine": "1"}, {"day": "coming"}, {"day": "past"}, {"status": "urgent"}):
            assert names(read(physio, **params))[0] == "Asked Urgent", params
        assert names(read(physio, status="needs-appointment")) == ["Asked Urgent", "Asked Before"]
        assert read(physio).counts.waiting == 1

    def test_a_search_finds_them_and_counts_them(self, physio):
        asks("Ana Silva")
        asks("Bea Other")
        visit("Ana Booked", physio, noon())
        page = read(physio, q="ana")
        assert set(names(page)) == {"Ana Silva", "Ana Booked"}
        assert page.counts.needs_appointment == 1
        assert names(read(physio, q="ana", status="needs-appointment")) == ["Ana Silva"]

    def test_following_the_cursor_shows_every_one_once(self, physio, monkeypatch):
        monkeypatch.setattr(queue, "PAGE_SIZE", 2)
        wanted = [f"Number N{number}" for number in range(5)]
        for number, name in enumerate(wanted):
            asks(name, ago=timedelta(days=9 - number))
        seen: list[str] = []
        after = ""
        for _ in range(3):
            page = read(physio, status="needs-appointment", day="past", after=after)
            seen += names(page)
            after = str(page.more or "")
        assert seen == wanted

    def test_what_to_read_next_stays_among_them(self, physio):
        visit_first = factories.make_response(
            factories.ROLLING_IN, evaluation=visit("Booked One", physio, noon())
        )
        first = asks("Asked Before", factories.ROLLING_IN, ago=timedelta(days=3))
        asks("Asked Today", factories.ROLLING_IN)
        with audit.audited("tests.read", by=audit.staff(physio)):
            asked = queue.next_to_review(physio, Filters.read({"status": "needs-appointment"}, today()))
            booked = queue.next_to_review(physio, Filters.read({}, today()))
            assert asked == first.responses.get().pk
        assert booked == visit_first.pk

    def test_the_next_day_with_visits_is_not_a_day_somebody_asked(self, physio):
        asks("Asked Today")
        with audit.audited("tests.read", by=audit.staff(physio)):
            assert queue.next_day(physio, noon(-2).date()) is None

    @pytest.mark.parametrize("status", ["", "needs-appointment"])
    def test_five_queries_with_them_too(self, physio, status):
        visit("Booked One", physio, noon())
        for number in range(3):
            asks(f"Asked N{number}", factories.SPARING)
        filters = Filters.read({"status": status}, today())
        read(physio)
        with (
            audit.audited("tests.read", by=audit.staff(physio)),
            CaptureQueriesContext(connection) as queries,
        ):
            queue.worklist(physio, filters, timezone.now())
        assert len(queries) <= 5

    def test_other_roles_see_nobody(self, physio):
        asks("Ana Silva", factories.SWOLLEN_CALF)
        page = read(factories.make_user("editor"), status="needs-appointment")
        assert (page.rows, page.counts.needs_appointment, page.counts.waiting) == ((), 0, 0)


class TestToClose:
    """What is over and not closed: nobody writes when time passes."""

    @pytest.fixture
    def day(self, physio):
        now = timezone.now()
        for name, at, answers in (
            ("Last Week", now - timedelta(days=7), factories.ROLLING_IN),
            ("Just Over", now - timedelta(minutes=5), factories.CALM),
            ("Not Yet", now + timedelta(minutes=5), factories.ROLLING_IN),
            ("Never Sent", now - timedelta(days=1), None),
        ):
            evaluation = visit(name, physio, at)
            if answers:
                factories.make_response(answers, evaluation=evaluation)

    def test_it_is_of_any_day_and_the_latest_comes_first(self, physio, day):
        page = read(physio, status="to-close")
        assert names(page) == ["Just Over", "Last Week"]
        assert page.counts.to_close == 2
        assert all(row.to_close for row in page.rows)
        assert read(physio).counts.to_close == 2

    def test_it_leaves_the_list_when_it_is_closed_or_cancelled(self, physio, day):
        over = {row.name: row for row in read(physio, status="to-close").rows}
        with audit.audited("tests.read", by=factories.SETUP):
            closed = QuestionnaireResponse.objects.get(pk=over["Just Over"].response)
            Evaluation.objects.filter(pk=over["Last Week"].evaluation).update(status="cancelled")
        journey.close_evaluation(response=closed, by=audit.staff(physio))
        page = read(physio, status="to-close")
        assert (names(page), page.counts.to_close) == ([], 0)
        (row,) = read(physio, q="Just Over").rows
        assert (row.label, row.to_close, row.wants_outcome) == ("Closed", False, True)

    def test_search_and_mine_narrow_it(self, physio, day):
        visit_of_other = visit(
            "Last Other", factories.make_user("physio"), timezone.now() - timedelta(days=2)
        )
        factories.make_response(factories.CALM, evaluation=visit_of_other)
        assert names(read(physio, status="to-close", q="last")) == ["Last Other", "Last Week"]
        assert names(read(physio, status="to-close", mine="1")) == ["Just Over", "Last Week"]
        assert read(physio, q="last").counts.to_close == 2

    def test_following_the_cursor_shows_every_row_once(self, physio, day, monkeypatch):
        monkeypatch.setattr(queue, "PAGE_SIZE", 1)
        first = read(physio, status="to-close")
        second = read(physio, status="to-close", after=str(first.more))
        assert names(first) + names(second) == ["Just Over", "Last Week"]
        assert second.more is None

    def test_an_index_serves_it(self, physio, day):
        with audit.audited("tests.read", by=audit.staff(physio)), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            over = QueueEntry.objects.filter(
                at__lte=timezone.now(), status__in=QueueEntry.UNCLOSED, needs_appointment=False
            )
            plan = over.order_by("-at", "-evaluation_id")[:50].explain()
        assert "queue_to_close" in plan
