"""J2.6-7: an intake begun from the link of a request, before anything is booked, and what becomes of it."""

import re
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic import demo
from education.catalog.load import load
from intake import audit, journey, tasks
from intake.patients.models import (
    LINK_OF_REQUEST,
    AccessEvent,
    Evaluation,
    EvaluationRequest,
    Invitation,
    Patient,
)
from intake.review.models import QueueEntry
from intake.screening.models import RedFlag
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF, make_evaluation, make_patient, make_user
from tests.integration.intake.visitor import Visitor, stored, without_form_tokens

pytestmark = pytest.mark.django_db

BORN = date(1986, 4, 12)
LIST = "/staff/intake/evaluationrequest/"


@pytest.fixture(autouse=True)
def library(db: None) -> None:
    load()


def ask(**fields: Any) -> EvaluationRequest:
    wanted = {
        "given_name": "Ana",
        "family_name": "Silva",
        "birth_date": BORN,
        "email": "ana@example.org",
        "source": "rolling-in",
        **fields,
    }
    return journey.ask_for_evaluation(asked=EvaluationRequest(**wanted))


def invitation_of(asked: EvaluationRequest) -> Invitation:
    with audit.audited("tests.read", by=SETUP):
        return Invitation.objects.select_related("questionnaire").get(evaluation=asked.evaluation_id)


def visitor_of(asked: EvaluationRequest, **how: Any) -> Visitor:
    """A browser with the link, as the mail job makes it."""
    link = journey.make_link(invitation_id=invitation_of(asked).pk, by=SETUP)
    return Visitor(link.rstrip("/").rsplit("/", 1)[-1], **how)


def sent(asked: EvaluationRequest, answers: Any = ROLLING_IN) -> Visitor:
    """She opened the link, answered everything and sent it."""
    visitor = visitor_of(asked).open()
    visitor.fill(invitation_of(asked).questionnaire.tree(), answers)
    visitor.send()
    return visitor


def now(asked: EvaluationRequest) -> Evaluation:
    with audit.audited("tests.read", by=SETUP):
        return Evaluation.objects.select_related("patient").get(pk=asked.evaluation_id)


def client_of(role: str, **names: str) -> Client:
    client = Client()
    client.force_login(make_user(role, **names))
    return client


def book(asked: EvaluationRequest, patient: Patient | None = None, days: int = 3) -> Evaluation:
    return journey.book_request(
        asked=asked,
        patient=patient,
        physio=make_user("physio"),
        starts_at=timezone.now() + timedelta(days=days),
        minutes=45,
        by=audit.staff(make_user("front desk")),
    )


# ---- the link


def test_the_link_asks_the_date_of_birth_and_says_that_nothing_is_booked():
    visitor = visitor_of(ask())
    html = visitor.look(visitor.link).text
    assert "This form is for the evaluation you asked" in html
    assert "Nothing is booked yet." in html
    assert "Ana" not in html


def test_a_wrong_date_says_the_same_as_at_any_link_and_rests_after_five():
    visitor = visitor_of(ask())
    pages = [without_form_tokens(visitor.type_date(date(1980, 1, day)).text) for day in range(1, 6)]
    assert all("That doesn’t match" in page for page in pages)
    assert visitor.type_date().status_code == 200, "the right one is refused too while the link rests"
    with audit.audited("tests.read", by=SETUP):
        kinds = list(AccessEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["wrong-date"] * 5 + ["resting"]
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        visitor.open()


def test_it_lives_for_fourteen_days_from_asking():
    asked = ask()
    visitor = visitor_of(asked)
    assert invitation_of(asked).expires_at == now(asked).created_at + LINK_OF_REQUEST
    with time_machine.travel(timezone.now() + timedelta(days=13, hours=23)):
        assert visitor.look(visitor.link).status_code == 200
        visitor.open()
    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        assert visitor.look(visitor.link).status_code == 404
        assert visitor.look(reverse("intake:tasks")).status_code == 403, "the open session ends with it"


def test_closing_the_request_ends_the_link_and_the_session():
    asked = ask()
    visitor = visitor_of(asked).open()
    journey.close_request(asked=asked, by=audit.staff(make_user("front desk")))
    assert visitor.look(visitor.link).status_code == 404
    assert visitor.look(reverse("intake:tasks")).status_code == 403


def test_a_request_closed_before_the_mail_left_gets_none(mail_dir):
    asked = ask()
    key = invitation_of(asked).pk
    journey.close_request(asked=asked, by=audit.staff(make_user("front desk")))
    assert journey.deliver_invitation(invitation_id=key) is False
    assert not mail_dir.exists() or not list(mail_dir.iterdir())


# ---- the form


def test_it_starts_with_where_she_came_from_and_without_answers():
    asked = ask()
    visitor = visitor_of(asked).open()
    html = visitor.look(reverse("intake:start")).text
    assert "You came from: When the foot rolls in" in html
    assert "You have no appointment yet" in html
    for slug in ("about", "safety", "where", "foot"):
        page = visitor.page(slug).text
        chosen = [control for control in re.findall(r"<input[^>]*>", page) if " checked" in control]
        assert [control for control in chosen if 'name="view"' not in control] == [], slug


@pytest.mark.parametrize("source", ["", "no-such-lesson"])
def test_without_a_lesson_it_says_nothing_of_one(source: str):
    visitor = visitor_of(ask(source=source)).open()
    assert "You came from" not in visitor.look(reverse("intake:start")).text


def test_every_page_says_that_there_is_no_appointment_yet_and_names_no_physio():
    asked = ask()
    visitor = visitor_of(asked).open()
    tasks = visitor.look(reverse("intake:tasks")).text
    assert "For the evaluation you asked for. The front desk finds a time with you." in tasks
    visitor.fill(invitation_of(asked).questionnaire.tree(), ROLLING_IN)
    check = visitor.look(reverse("intake:check")).text
    assert "Send to the clinic" in check
    visitor.send()
    thanks = visitor.look(reverse("intake:sent")).text
    assert "Your form is with the clinic." in thanks
    assert "We find a time with you" in thanks
    assert "No appointment yet" in thanks
    for html in (tasks, check, thanks):
        assert "Dr." not in html
        assert "None" not in re.sub(r"None of[^<]*", "", html)


def test_it_is_sent_once():
    asked = ask()
    visitor = sent(asked)
    again = visitor.send(str(uuid.uuid4()))
    assert again.status_code == 409
    assert stored(invitation_of(asked)).is_sent


# ---- staff


def test_the_worklist_shows_source_and_status_and_the_physio_reads_it():
    asked = ask()
    sent(asked)
    physio, desk = client_of("physio"), client_of("front desk")
    for client in (physio, desk):
        html = client.get("/staff/intake/evaluation/?status=needs-appointment").text
        assert "Ana Silva" in html
        assert "Lesson: When the foot rolls in" in html
        assert "No time yet" in html
        assert "To review" in html
        assert "Ana Silva" not in client.get("/staff/intake/evaluation/").text, "no day's visit"
    review = reverse("admin:intake_questionnaireresponse_review", args=[stored(invitation_of(asked)).pk])
    assert review in physio.get("/staff/intake/evaluation/?status=needs-appointment").text
    assert review not in desk.get("/staff/intake/evaluation/?status=needs-appointment").text
    page = physio.get(review).text
    assert "No appointment yet, asked" in page
    assert "Came from the lesson When the foot rolls in." in page
    assert "Right foot to knee" in page
    request = f"{LIST}{asked.pk}/book/"
    assert review in physio.get(request).text
    assert review not in desk.get(request).text
    assert "Form sent" in desk.get(request).text


def test_an_urgent_answer_alarms_before_there_is_a_booking():
    asked = ask()
    visitor = visitor_of(asked).open()
    definition = invitation_of(asked).questionnaire.tree()
    visitor.fill(definition, SWOLLEN_CALF)
    jobs = ProcrastinateJob.objects.filter(task_name="mail_on_call")
    assert jobs.count() == 1, "at the page's button, before it is sent"
    desk = client_of("front desk")
    banner = desk.get("/staff/intake/patient/").text
    assert "1 urgent answer waiting" in banner
    make_evaluation(starts_at=timezone.localtime().replace(hour=23, minute=58))
    for query in ("", "?mine=1", "?day=coming", "?status=urgent", "?status=needs-appointment"):
        physio = client_of("physio")
        rows = re.findall(
            r'<th scope="row"><a[^>]*>([^<]*)', physio.get(f"/staff/intake/evaluation/{query}").text
        )
        assert rows[0] == "Ana Silva", query
    assert "Urgent" in desk.get(LIST).text
    visitor.send()
    thanks = visitor.look(reverse("intake:sent")).text
    assert "Get medical help today" in thanks
    assert "No appointment is booked yet." in thanks
    # Closed or booked, it stays on top until somebody called.
    journey.close_request(asked=asked, by=audit.staff(make_user("front desk")))
    assert "Ana Silva" in desk.get("/staff/intake/evaluation/").text
    with audit.audited("tests.read", by=SETUP):
        assert RedFlag.objects.filter(state="open").exists()


def test_the_front_desk_sends_a_new_link_while_it_waits():
    asked = ask()
    desk = client_of("front desk")
    old = visitor_of(asked)
    answer = desk.post(reverse("admin:intake_evaluation_invite", args=[asked.evaluation_id]), follow=True)
    assert "The link is on its way." in answer.text
    assert answer.redirect_chain[-1][0] == f"{LIST}{asked.pk}/book/"
    assert old.look(old.link).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        late = client_of("front desk")
        assert "A link to a request ends after 14 days." in late.get(f"{LIST}{asked.pk}/book/").text


# ---- booked


def test_booking_keeps_the_intake_and_moves_the_links_end():
    asked = ask()
    visitor = sent(asked)
    before = stored(invitation_of(asked))
    evaluation = book(asked)
    response = stored(invitation_of(asked))
    assert (response.pk, response.evaluation_id, response.answers) == (
        before.pk,
        asked.evaluation_id,
        before.answers,
    )
    assert evaluation.pk == asked.evaluation_id
    assert (evaluation.status, evaluation.minutes) == ("booked", 45)
    assert evaluation.patient.replaced_by_id is None
    assert invitation_of(asked).expires_at == evaluation.starts_at + timedelta(hours=24)
    assert "You come in on" in visitor.look(reverse("intake:sent")).text
    with audit.audited("tests.read", by=SETUP):
        entry = QueueEntry.objects.get(pk=evaluation.pk)
    assert (entry.needs_appointment, entry.at, entry.status) == (False, evaluation.starts_at, "to-review")


def test_a_form_that_was_begun_goes_on_after_the_booking():
    asked = ask()
    visitor = visitor_of(asked).open()
    visitor.save("about", {"why.main-problem": ["knee"]})
    book(asked)
    assert "For your evaluation on" in visitor.look(reverse("intake:tasks")).text
    assert stored(invitation_of(asked)).answers["why.main-problem"] == ["knee"]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (lambda asked: sent(asked), "The form that was sent stands with it."),
        (lambda asked: None, "The link they have goes on working."),
    ],
    ids=["sent", "not begun"],
)
def test_the_front_desk_is_told_what_is_left_to_do(before: Any, told: str):
    asked = ask()
    before(asked)
    starts = (timezone.localtime() + timedelta(days=3)).strftime("%Y-%m-%dT09:00")
    form = {"patient": "new", "physio": make_user("physio").pk, "starts_at": starts, "minutes": "60"}
    answer = client_of("front desk").post(f"{LIST}{asked.pk}/book/", form, follow=True)
    assert told in answer.text


def test_by_phone_the_link_is_handed_over_after_booking():
    asked = ask(email="", phone="310 555 0142")
    assert "There is no e-mail address." in client_of("front desk").get(f"{LIST}{asked.pk}/book/").text
    starts = (timezone.localtime() + timedelta(days=3)).strftime("%Y-%m-%dT09:00")
    form = {"patient": "new", "physio": make_user("physio").pk, "starts_at": starts, "minutes": "60"}
    answer = client_of("front desk").post(f"{LIST}{asked.pk}/book/", form, follow=True)
    assert "There is no e-mail address: hand the link over." in answer.text


def booked_at_the_desk(asked: EvaluationRequest, patient: str = "new", **fields: str) -> str:
    starts = (timezone.localtime() + timedelta(days=3)).strftime("%Y-%m-%dT09:00")
    form = {"patient": patient, "physio": make_user("physio").pk, "starts_at": starts, "minutes": "60"}
    return client_of("front desk").post(f"{LIST}{asked.pk}/book/", {**form, **fields}, follow=True).text


def jobs() -> list[str]:
    return list(ProcrastinateJob.objects.order_by("pk").values_list("task_name", flat=True))


def test_booking_tells_the_time_and_a_link_that_lives_is_kept(mail_dir: Path):
    asked = ask()
    visitor = visitor_of(asked).open()
    with audit.audited("tests.made", by=SETUP):
        Invitation.objects.update(sent_at=timezone.now())
    page = booked_at_the_desk(asked, tell="on")
    assert "Booked. The link they have goes on working." in page
    assert jobs() == ["send_invitation", "tell_of_visit"]
    assert visitor.look(reverse("intake:start")).status_code == 200
    tell = ProcrastinateJob.objects.get(task_name="tell_of_visit")
    tasks.tell_of_visit(**tell.args)
    (mail,) = mail_dir.iterdir()
    assert "Subject: Your visit is booked" in mail.read_text()
    assert "The link to your form that you have goes on working" in mail.read_text()


def test_booking_sends_the_invitation_where_no_link_lives():
    known = make_patient(family_name="Silva", birth_date=BORN, email="anna@example.org")
    asked = ask()
    visitor = visitor_of(asked).open()
    page = booked_at_the_desk(asked, str(known.pk), tell="on")
    assert "The evaluation is booked. The invitation is on its way." in page
    assert jobs() == ["send_invitation", "send_invitation"]
    assert visitor.look(reverse("intake:start")).status_code == 403


def test_booking_unticked_sends_nothing():
    asked = ask()
    booked_at_the_desk(asked)
    assert jobs() == ["send_invitation"], "the one of the request"


def test_an_existing_patient_gets_the_evaluation_and_the_pending_one_goes():
    known = make_patient(given_name="Anna", family_name="Silva", birth_date=BORN, email="ANA@example.org")
    asked = ask()
    sent(asked)
    pending = now(asked).patient
    document = stored(invitation_of(asked)).document
    evaluation = book(asked, known)
    assert evaluation.patient_id == known.pk
    response = stored(invitation_of(asked))
    assert response.evaluation_id == asked.evaluation_id
    assert response.document == document, "what was sent is final"
    physio = client_of("physio")
    with audit.audited("tests.read", by=SETUP):
        pending.refresh_from_db()
        assert pending.replaced_by_id == known.pk
        assert set(Patient.objects.visible_to(make_user("physio"))) == {known}
    assert "Silva, Ana<" not in physio.get("/staff/intake/patient/").text
    assert physio.get(reverse("admin:intake_patient_change", args=[pending.pk])).status_code == 404
    page = physio.get(reverse("admin:intake_questionnaireresponse_review", args=[response.pk])).text
    assert "<h1>Anna Silva</h1>" in page


def test_a_birthday_that_she_mistyped_is_corrected_and_then_she_is_known_and_gets_in():
    known = make_patient(given_name="Anna", family_name="Silva", birth_date=BORN)
    asked = ask(birth_date=date(1968, 4, 12))
    desk, visitor = client_of("front desk"), visitor_of(asked)
    page = desk.get(f"{LIST}{asked.pk}/book/").text
    assert str(known.pk) not in page
    person = reverse("admin:intake_patient_change", args=[now(asked).patient_id])
    assert person in page
    right = {
        "given_name": "Ana",
        "family_name": "Silva",
        "birth_date": "04/12/1986",
        "email": "ana@example.org",
    }
    assert desk.post(person, right).status_code == 303
    assert str(known.pk) in desk.get(f"{LIST}{asked.pk}/book/").text
    visitor.open()


def test_her_own_address_keeps_its_link_another_one_loses_it():
    """Whoever asked with somebody's name and birthday must not see her visit at an address of theirs."""
    known = make_patient(family_name="Silva", birth_date=BORN, email="ana@example.org")
    same, other = ask(email="Ana@Example.org"), ask(email="else@example.org")
    own, foreign = visitor_of(same).open(), visitor_of(other).open()
    book(same, known)
    book(other, known, days=5)
    assert own.look(reverse("intake:tasks")).status_code == 200
    assert foreign.look(reverse("intake:tasks")).status_code == 403
    assert foreign.look(foreign.link).status_code == 404


def test_two_at_the_desk_book_it_once():
    asked = ask()
    again = EvaluationRequest(pk=asked.pk, evaluation_id=asked.evaluation_id)
    book(asked)
    with pytest.raises(journey.asking.AlreadyClosed):
        book(again)
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.count() == 1


# ---- what the database holds to


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "booked"},
        {"status": "requested", "starts_at": timezone.now()},
        {"status": "booked", "starts_at": timezone.now()},
        {"status": "cancelled", "starts_at": timezone.now()},
    ],
)
def test_no_appointment_without_time_and_physio_and_no_request_with_them(wrong: dict[str, Any]):
    asked = ask()
    name = "evaluation_booked_has_time_and_physio"
    with pytest.raises(IntegrityError, match=name), audit.audited("tests.made", by=SETUP):
        Evaluation.objects.filter(pk=asked.evaluation_id).update(**wrong)


def test_everybody_of_the_demos_staff_has_an_address():
    demo.make_staff({})
    staff = demo.User.objects.filter(username__in=[row[0] for row in demo.STAFF])
    assert {user.email for user in staff} == {f"{row[0]}@clinic.example" for row in demo.STAFF}


def test_the_demo_has_one_person_who_waits_with_a_form_to_review():
    demo.make_request()
    demo.make_request()
    html = client_of("physio").get("/staff/intake/evaluation/?status=needs-appointment").text
    assert html.count(">Mina Castillo<") == 1
    assert "Lesson: When the foot rolls in" in html
    assert "To review" in html
    with audit.audited("tests.read", by=SETUP):
        assert not QueueEntry.objects.get().urgent
    assert not ProcrastinateJob.objects.exists(), "no mail leaves for an invented address"
