"""Booking at the desk: no double booking, cancelling, booking again."""

import threading
from uuid import uuid4

import pytest
from django.db import connections

from intake import audit, journey
from intake.patients import asking, register
from intake.patients.models import BookingEvent, Evaluation, EvaluationRequest
from intake.review.models import Closing
from tests import factories
from tests.integration.intake.admin.conftest import browser
from tests.integration.intake.admin.test_desk import WORKLIST, in_days, rows, text
from tests.integration.locks import until_somebody_waits

MESSAGE = "Maya Ortiz has a visit from 12:00 pm to 1:00 pm then. Choose another time."


def typed(physio, **fields) -> dict[str, object]:
    starts_at = in_days(3).strftime("%Y-%m-%dT%H:30")
    return {"physio": physio.pk, "starts_at": starts_at, "minutes": "45", **fields}


def ask() -> EvaluationRequest:
    request = EvaluationRequest(
        given_name="Ana", family_name="Silva", birth_date="1986-04-12", email="ana@example.org"
    )
    with audit.audited("tests.made", by=factories.SETUP):
        asking.keep(request)
        return EvaluationRequest.objects.get(pk=request.pk)


@pytest.mark.django_db
class TestTaken:
    @pytest.fixture(autouse=True)
    def noon(self, physio):
        return factories.make_evaluation(physio=physio, starts_at=in_days(3))

    def refused(self, answer) -> None:
        assert answer.status_code == 200
        page = text(answer)
        assert MESSAGE in page
        assert "Error" in page
        assert f'value="{typed_start()}"' in page
        assert 'value="45"' in page

    def test_when_a_visit_is_added(self, reception, physio):
        patient = factories.make_patient()
        self.refused(reception.post(f"{WORKLIST}add/?patient={patient.pk}", typed(physio)))
        assert len(rows(Evaluation)) == 1

    def test_when_one_is_moved(self, reception, physio):
        other = factories.make_evaluation(physio=physio, starts_at=in_days(4))
        self.refused(reception.post(f"{WORKLIST}{other.pk}/change/", typed(physio)))
        (kept,) = rows(Evaluation, pk=other.pk)
        assert kept.starts_at == in_days(4)

    def test_when_a_cancelled_one_is_booked_again(self, reception, physio):
        other = factories.make_evaluation(physio=physio, starts_at=in_days(4), status="cancelled")
        self.refused(reception.post(f"{WORKLIST}{other.pk}/rebook/", typed(physio)))
        (kept,) = rows(Evaluation, pk=other.pk)
        assert kept.status == "cancelled"

    def test_when_a_request_is_booked(self, reception, physio):
        asked = ask()
        address = f"/staff/intake/evaluationrequest/{asked.pk}/book/"
        self.refused(reception.post(address, {**typed(physio), "patient": "new"}))
        (kept,) = rows(EvaluationRequest, pk=asked.pk)
        assert kept.closed_at is None

    def test_moving_one_by_half_an_hour_does_not_clash_with_itself(self, reception, physio, noon):
        answer = reception.post(f"{WORKLIST}{noon.pk}/change/", typed(physio))
        assert answer.status_code == 303


def typed_start() -> str:
    return in_days(3).strftime("%Y-%m-%dT%H:30")


@pytest.mark.parametrize("page", ["add", "change", "rebook", "book"])
def test_who_is_slower_by_a_moment_is_told_beside_the_field(committed_db, page):
    physio = factories.make_user("physio", first_name="Maya", last_name="Ortiz")
    desk = browser(factories.make_user("front desk"))
    data = typed(physio)
    if page == "add":
        address = f"{WORKLIST}add/?patient={factories.make_patient().pk}"
    elif page == "book":
        address, data = f"/staff/intake/evaluationrequest/{ask().pk}/book/", {**data, "patient": "new"}
    else:
        status = "booked" if page == "change" else "cancelled"
        mine = factories.make_evaluation(physio=physio, starts_at=in_days(4), status=status)
        address = f"{WORKLIST}{mine.pk}/{page}/"
    answers = []

    def post() -> None:
        try:
            answers.append(desk.post(address, data))
        finally:
            connections.close_all()

    slower = threading.Thread(target=post)
    other = Evaluation(patient=factories.make_patient(), physio=physio, starts_at=in_days(3), minutes=60)
    with audit.audited("tests.made", by=factories.SETUP):
        register.add_evaluation(other, by=physio)
        slower.start()
        until_somebody_waits()
    slower.join(60)
    (answer,) = answers
    assert answer.status_code == 200
    assert MESSAGE in text(answer)
    assert f'value="{typed_start()}"' in text(answer)
    at_that_time = [one for one in rows(Evaluation, status="booked") if one.starts_at < in_days(4)]
    assert [one.pk for one in at_that_time] == [other.pk]


@pytest.mark.django_db
class TestCancelling:
    @pytest.fixture
    def evaluation(self, physio):
        return factories.make_evaluation(physio=physio, starts_at=in_days(3))

    def test_it_asks_first_and_looking_changes_nothing(self, reception, evaluation):
        assert f"{WORKLIST}{evaluation.pk}/cancel/" in text(
            reception.get(f"{WORKLIST}{evaluation.pk}/change/")
        )
        page = text(reception.get(f"{WORKLIST}{evaluation.pk}/cancel/"))
        assert "Answers and everything staff wrote are kept" in page
        assert rows(Evaluation)[0].status == "booked"

    def test_who_when_and_why_are_kept_and_shown(self, reception, evaluation):
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/cancel/", {"reason": "Moved away"})
        assert answer.status_code == 303
        page = text(reception.get(answer.headers["Location"]))
        assert "Moved away" in page
        assert "Cancelled. Nothing was deleted." in page
        assert "Book it again" in page
        (event,) = rows(BookingEvent)
        assert (event.kind, event.reason) == ("cancelled", "Moved away")

    def test_a_long_reason_is_refused_and_kept(self, reception, evaluation):
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/cancel/", {"reason": "x" * 201})
        assert "at most 200 characters" in text(answer)
        assert "x" * 201 in text(answer)
        assert rows(Evaluation)[0].status == "booked"

    def test_one_that_took_place_and_is_closed_stays(self, reception, physio):
        over = factories.make_evaluation(physio=physio, starts_at=in_days(-1))
        response = factories.make_response(factories.ROLLING_IN, evaluation=over)
        with audit.audited("tests.made", by=factories.SETUP):
            Closing.objects.create(response=response, number=1, act="closed", by=physio)
        address = f"{WORKLIST}{over.pk}/cancel/"
        assert address not in text(reception.get(f"{WORKLIST}{over.pk}/change/"))
        for _ in range(2):
            answer = reception.post(address, {"reason": "By mistake"})
        assert answer.status_code == 303
        assert "This visit took place" in text(reception.get(answer.headers["Location"]))
        assert rows(Evaluation)[0].status == "booked"

    def test_no_mail_is_offered_for_one_that_is_over(self, reception, physio):
        over = factories.make_evaluation(physio=physio, starts_at=in_days(-1))
        assert 'name="tell"' not in text(reception.get(f"{WORKLIST}{over.pk}/cancel/"))

    def test_twice_says_so(self, reception, evaluation):
        for _ in range(2):
            answer = reception.post(f"{WORKLIST}{evaluation.pk}/cancel/")
            assert answer.status_code == 303
        assert "This visit is not booked any more." in text(reception.get(answer.headers["Location"]))
        assert len(rows(BookingEvent)) == 1

    def test_a_cancelled_one_is_changed_only_by_booking_it_again(self, reception, physio, evaluation):
        reception.post(f"{WORKLIST}{evaluation.pk}/cancel/")
        assert reception.post(f"{WORKLIST}{evaluation.pk}/change/", typed(physio)).status_code == 404
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/rebook/", typed(physio))
        assert answer.status_code == 303
        assert "Booked again. What was answered is kept." in text(reception.get(answer.headers["Location"]))
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/rebook/", typed(physio))
        assert "This visit is booked already." in text(reception.get(answer.headers["Location"]))

    def test_who_asked_and_has_no_visit_has_none_to_cancel(self, reception):
        asked = ask()
        for page in ("cancel", "rebook"):
            assert reception.get(f"{WORKLIST}{asked.evaluation_id}/{page}/").status_code == 404
            assert reception.get(f"{WORKLIST}{uuid4()}/{page}/").status_code == 404
            assert reception.get(f"{WORKLIST}nonsense/{page}/").status_code == 404

    def test_others_find_no_such_page(self, evaluation):
        for role in ("editor", "owner"):
            client = browser(factories.make_user(role))
            for page in ("cancel", "rebook"):
                assert client.post(f"{WORKLIST}{evaluation.pk}/{page}/").status_code == 404


@pytest.mark.django_db
class TestMail:
    @pytest.fixture
    def evaluation(self, physio):
        return factories.make_evaluation(physio=physio, starts_at=in_days(3))

    def tell(self, evaluation, sequence: int) -> bool:
        return journey.tell_of_visit(evaluation_id=evaluation.pk, sequence=sequence)

    def mails(self, mail_dir) -> list[str]:
        return [path.read_text() for path in sorted(mail_dir.glob("*"))]

    def test_each_change_is_told_once_by_its_own_job(self, reception, physio, evaluation, mail_dir):
        reception.post(f"{WORKLIST}{evaluation.pk}/cancel/", {"tell": "on"})
        reception.post(f"{WORKLIST}{evaluation.pk}/rebook/", {**typed(physio), "tell": "on"})
        assert not self.tell(evaluation, 1), "a later job tells"
        assert self.mails(mail_dir) == []
        assert self.tell(evaluation, 2)
        (mail,) = self.mails(mail_dir)
        assert "Subject: Your visit has a new time" in mail
        assert "12:30 pm" in mail

    def test_a_cancelled_visit(self, reception, evaluation, mail_dir):
        reception.post(f"{WORKLIST}{evaluation.pk}/cancel/", {"tell": "on", "reason": "Secret"})
        assert self.tell(evaluation, 1)
        (mail,) = self.mails(mail_dir)
        assert "Subject: Your visit is cancelled" in mail
        assert "Secret" not in mail


@pytest.mark.django_db
class TestReminders:
    @pytest.fixture
    def evaluation(self, physio):
        return factories.make_evaluation(physio=physio, starts_at=in_days(3))

    def test_the_front_desk_switches_them_off_and_on(self, reception, evaluation):
        page = f"{WORKLIST}{evaluation.pk}/change/"
        assert "Switch reminders off" in text(reception.get(page))
        for do, off, shown in (("off", True, "Switch reminders on"), ("on", False, "Switch reminders off")):
            assert reception.post(f"{WORKLIST}{evaluation.pk}/reminders/", {"do": do}).status_code == 303
            assert rows(Evaluation)[0].reminders_off is off
            assert shown in text(reception.get(page))
        assert reception.get(f"{WORKLIST}{evaluation.pk}/reminders/").status_code == 405

    def test_for_a_patient_they_are_switched_off_at_the_patient(self, reception, evaluation):
        patient = evaluation.patient
        fields = {
            "given_name": patient.given_name,
            "family_name": patient.family_name,
            "birth_date": "04/12/1986",
            "email": patient.email,
            "reminders_off": "on",
        }
        assert reception.post(f"/staff/intake/patient/{patient.pk}/change/", fields).status_code == 303
        page = text(reception.get(f"{WORKLIST}{evaluation.pk}/change/"))
        assert "This patient gets none." in page
        assert "Switch reminders off" not in page

    def test_what_became_of_them_is_shown(self, reception, evaluation):
        with audit.audited("tests.made", by=factories.SETUP):
            evaluation.reminders.create(kind="day", starts_at=evaluation.starts_at)
        assert "Waiting to be sent, since today" in text(reception.get(f"{WORKLIST}{evaluation.pk}/change/"))
