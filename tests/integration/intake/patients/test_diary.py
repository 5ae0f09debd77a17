"""A physio is booked once at one time, whoever writes and however fast."""

import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from django.utils import timezone

from intake import audit, journey
from intake.patients import diary, register
from intake.patients.models import BookingEvent, Evaluation, Invitation
from tests import factories

NOON = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=3)


def at(minutes: int):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def physio(db):
    return factories.make_user("physio")


def read():
    return audit.audited("tests.read", by=factories.SETUP)


def insert(physio, minutes_after: int, **fields) -> Evaluation:
    """Past every check of ours: only the database can refuse."""
    patient = factories.make_patient()
    with audit.audited("tests.made", by=factories.SETUP), transaction.atomic():
        return Evaluation.objects.create(
            patient=patient, physio=physio, starts_at=at(minutes_after), **{"minutes": 60, **fields}
        )


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("after", "fields"),
        [
            (0, {}),
            (59, {}),
            (-59, {}),
            (30, {"minutes": 5}),
            (-60, {"minutes": 180}),
        ],
    )
    def test_refuses_what_overlaps(self, physio, after, fields):
        insert(physio, 0)
        with pytest.raises(IntegrityError, match=diary.CONSTRAINT):
            insert(physio, after, **fields)

    @pytest.mark.parametrize(
        ("after", "fields"),
        [
            (60, {}),
            (-60, {}),
            (-5, {"minutes": 5}),
            (0, {"status": "cancelled"}),
        ],
    )
    def test_lets_be_what_does_not(self, physio, after, fields):
        insert(physio, 0)
        insert(physio, after, **fields)

    def test_a_cancelled_visit_or_another_physio_leaves_the_time_free(self, physio):
        insert(physio, 0, status="cancelled")
        insert(physio, 0)
        insert(factories.make_user("physio"), 0)

    def test_refuses_to_book_a_cancelled_one_over_another(self, physio):
        cancelled = insert(physio, 0, status="cancelled")
        insert(physio, 30)
        with pytest.raises(IntegrityError, match=diary.CONSTRAINT), read(), transaction.atomic():
            Evaluation.objects.filter(pk=cancelled.pk).update(status="booked")


@pytest.mark.parametrize("after", [-61, -60, -59, -30, 0, 30, 59, 60, 61])
@pytest.mark.parametrize("minutes", [5, 60, 180])
def test_the_words_and_the_database_agree(physio, after, minutes):
    insert(physio, 0)
    with read():
        found = diary.clash(physio=physio, starts_at=at(after), minutes=minutes)
    try:
        insert(physio, after, minutes=minutes)
    except IntegrityError:
        assert found is not None
    else:
        assert found is None


def test_a_visit_that_overlapped_before_keeps_its_place_until_it_is_moved(physio):
    insert(physio, 0)
    old = insert(physio, 30, double_booked=True)
    old.minutes = 45
    with pytest.raises(diary.Taken), read():
        register.change_evaluation(old, by=physio)
    old.starts_at, old.minutes = at(60), 60
    with read():
        assert register.change_evaluation(old, by=physio)
        assert not Evaluation.objects.get(pk=old.pk).double_booked


def test_many_at_once_book_one_time_once(committed_db):
    physio, desk = factories.make_user("physio"), factories.make_user("front desk")
    patients = [factories.make_patient() for _ in range(6)]
    start = threading.Barrier(len(patients))
    outcomes: list[object] = []

    def book(patient, minutes_after: int) -> None:
        try:
            start.wait(20)
            with audit.audited("tests.booked", by=audit.staff(desk)):
                register.add_evaluation(
                    Evaluation(patient=patient, physio=physio, starts_at=at(minutes_after), minutes=60),
                    by=desk,
                )
            outcomes.append("booked")
        except BaseException as problem:  # a thread's failure has to reach the test
            outcomes.append(type(problem).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=book, args=(one, 10 * n)) for n, one in enumerate(patients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # At ten minutes' distance six visits of an hour leave room for one.
    assert sorted(outcomes, key=str) == ["Taken"] * 5 + ["booked"]
    with read():
        assert Evaluation.objects.count() == BookingEvent.objects.count() == 1


class TestCancelAndBookAgain:
    @pytest.fixture
    def desk(self, db):
        return audit.staff(factories.make_user("front desk"))

    def test_answers_review_and_link_stay(self, physio, desk):
        response = factories.make_response(factories.ROLLING_IN)
        evaluation = response.evaluation
        journey.cancel_evaluation(evaluation=evaluation, reason="Ill", by=desk, mail=False)
        with read():
            evaluation = Evaluation.objects.get(pk=evaluation.pk)
            assert evaluation.status == "cancelled"
        journey.rebook_evaluation(
            evaluation=evaluation, physio=physio, starts_at=at(0), minutes=45, by=desk, mail=False
        )
        with read():
            evaluation = Evaluation.objects.get(pk=evaluation.pk)
            assert (evaluation.status, evaluation.starts_at, evaluation.minutes) == ("booked", at(0), 45)
            assert evaluation.responses.get().answers == response.answers
            (invitation,) = Invitation.objects.filter(evaluation=evaluation)
            assert invitation.expires_at == at(0) + timedelta(hours=24)
            assert [(one.kind, one.reason, one.by_id) for one in evaluation.booking_events.all()] == [
                ("cancelled", "Ill", desk.user.pk),
                ("rebooked", "", desk.user.pk),
            ]
            assert diary.sequence(evaluation) == 2

    def test_twice_is_refused(self, physio, desk):
        evaluation = insert(physio, 0)
        with pytest.raises(register.NotCancelled):
            journey.rebook_evaluation(
                evaluation=evaluation, physio=physio, starts_at=at(0), minutes=45, by=desk, mail=False
            )
        journey.cancel_evaluation(evaluation=evaluation, reason="", by=desk, mail=False)
        with pytest.raises(register.NotBooked):
            journey.cancel_evaluation(evaluation=evaluation, reason="", by=desk, mail=False)

    def test_the_history_only_grows(self, physio, desk):
        evaluation = insert(physio, 0)
        journey.cancel_evaluation(evaluation=evaluation, reason="", by=desk, mail=False)
        for statement in ("UPDATE intake_bookingevent SET reason = 'x'", "DELETE FROM intake_bookingevent"):
            with (
                read(),
                pytest.raises(ProgrammingError, match="permission denied") as refused,
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
            assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
