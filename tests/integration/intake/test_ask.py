"""J2: from a lesson to an appointment, for people who have no link yet."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from education.catalog.load import load
from intake import audit, tasks
from intake.audit import AuditEvent
from intake.patients import asking
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, Patient
from intake.review.models import QueueEntry
from intake.views.ask import stamp
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user

pytestmark = pytest.mark.django_db

ASK = "/evaluation/ask/"
LIST = "/staff/intake/evaluationrequest/"
LINK = re.compile(r"http\S+/intake/open/\S+")
ANA = {
    "given_name": "Ana",
    "family_name": "Silva",
    "month": "4",
    "day": "12",
    "year": "1986",
    "email": "ana@example.org",
    "phone": "",
    "preferred_times": "Weekday mornings",
    "topic": "",
    "from": "rolling-in",
}


@pytest.fixture
def client() -> Client:
    load()
    return Client()


def shown(ago: timedelta = timedelta(minutes=2)) -> str:
    """The stamp of a page that was opened a while ago."""
    with time_machine.travel(timezone.now() - ago, tick=False):
        return stamp()


def ask(client: Client, *, address: str = "203.0.113.5", **fields: str) -> Any:
    return client.post(ASK, {**ANA, "shown": shown(), **fields}, REMOTE_ADDR=address)


def stored() -> list[EvaluationRequest]:
    with audit.audited("tests.read", by=SETUP):
        return list(EvaluationRequest.objects.order_by("asked_at"))


def links_on_the_way() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="send_invitation").order_by("id"))


def mails(folder: Path) -> list[str]:
    """Each mail that lies there; two of one second may lie in one file, a line of dashes after each."""
    written = "".join(path.read_text() for path in folder.glob("*")) if folder.exists() else ""
    return [mail for mail in written.split(f"{'-' * 79}\n") if mail]


# ---- the way in


@pytest.mark.parametrize("lesson", ["rolling-in", "follow-the-chain"])
def test_a_lesson_leads_to_the_form_without_a_cookie(client: Client, lesson: str):
    page = client.get(f"/learn/{lesson}/")
    html = page.content.decode()
    assert f'href="/evaluation/ask/?from={lesson}">Tell the clinic before your evaluation</a>' in html
    assert not page.cookies


def test_the_form_says_what_it_is_for_and_where_she_came_from(client: Client):
    html = client.get(f"{ASK}?from=rolling-in").content.decode()
    assert "You have no appointment yet." in html
    assert "You came from: When the foot rolls in" in html
    assert "Parent or guardian" not in html


@pytest.mark.parametrize("source", ["", "no-such-lesson", "%00", "<script>", "x" * 3000])
def test_an_unknown_source_is_none(client: Client, source: str):
    page = client.get(f"{ASK}?from={source}")
    assert page.status_code == 200
    assert "You came from" not in page.content.decode()


# ---- what she types


@pytest.mark.parametrize(
    ("fields", "message", "target"),
    [
        ({"email": "", "phone": ""}, "Enter an e-mail or a phone number.", "email"),
        ({"email": "", "phone": "555"}, "Enter a phone number with its area code", "phone"),
        ({"phone": "call me maybe"}, "Enter a phone number with its area code", "phone"),
        ({"phone": "1234567890123456"}, "Enter a phone number with its area code", "phone"),
        ({"email": "ana@"}, "Enter an e-mail address like name@example.com.", "email"),
        ({"year": "2086"}, "Enter a date of birth in the past.", "month"),
        ({"month": "13", "day": "40"}, "Enter a real date, like 4 12 1986.", "month"),
        ({"month": "", "day": "", "year": ""}, "Enter your date of birth.", "month"),
        ({"given_name": " "}, "Enter your first name.", "given_name"),
        ({"family_name": ""}, "Enter your last name.", "family_name"),
        ({"given_name": "A" * 81}, "Use 80 letters or fewer.", "given_name"),
        ({"preferred_times": "x" * 301}, "Use 300 letters or fewer.", "preferred_times"),
    ],
)
def test_a_mistake_is_named_at_its_field_and_all_that_was_typed_is_kept(
    client: Client, fields: dict[str, str], message: str, target: str
):
    page = ask(client, **fields)
    html = page.content.decode()
    assert page.status_code == 200
    assert html.count(message) == 2, "in the summary and at the field"
    assert f'<a href="#{target}">' in html
    assert "<title>Error:" in html
    for name, typed in {**ANA, **fields}.items():
        if typed.strip() and name != "from":
            assert f'value="{typed}"' in html, name
    assert "You came from: When the foot rolls in" in html
    assert page.headers["Cache-Control"] == "no-store"
    assert stored() == []


def test_two_mistakes_are_both_named(client: Client):
    html = ask(client, given_name="", email="", phone="").content.decode()
    assert "There are 2 things to fix" in html
    assert "Enter your first name." in html
    assert "Enter an e-mail or a phone number." in html


@pytest.mark.parametrize("phone", ["(310) 555-0142", "310.555.0142", "+1 310 555 0142", "3105550142"])
def test_phone_numbers_people_write(client: Client, phone: str):
    assert ask(client, email="", phone=phone).status_code == 303
    assert stored()[0].phone == phone


def years_ago(years: int, days: int = 0) -> dict[str, str]:
    born = timezone.localdate()
    born = born.replace(year=born.year - years, day=min(born.day, 28)) + timedelta(days=days)
    return {"month": str(born.month), "day": str(born.day), "year": str(born.year)}


def test_under_eighteen_a_parent_or_guardian_is_named(client: Client):
    html = ask(client, **years_ago(17)).content.decode()
    assert html.count("You are under 18. Enter the name of a parent or guardian.") == 2
    assert 'name="guardian_name"' in html
    assert stored() == []
    assert ask(client, **years_ago(17), guardian_name="Rita Silva").status_code == 303
    assert stored()[0].guardian_name == "Rita Silva"


def test_from_the_eighteenth_birthday_on_nobody_else_is_asked_for(client: Client):
    today = timezone.localdate()
    assert asking.is_minor(date(today.year - 10, 1, 1), today)
    assert asking.is_minor(date(2008, 6, 2), date(2026, 6, 1))
    assert not asking.is_minor(date(2008, 6, 1), date(2026, 6, 1))
    assert ask(client, guardian_name="Not needed").status_code == 303
    assert stored()[0].guardian_name == ""


def test_extra_fields_are_nobodys(client: Client):
    ask(client, closed_at="2020-01-01", evaluation="x", source="high-arches", id="1")
    (asked,) = stored()
    assert (asked.source, asked.closed_at) == ("rolling-in", None)
    assert str(asked.pk) != "1"


# ---- what everybody sees


def test_known_or_not_the_answer_is_the_same(client: Client):
    make_patient(given_name="Ana", family_name="Silva", birth_date="1986-04-12", email="ana@example.org")
    known, new = ask(client), ask(client, email="new@example.org", family_name="Other")
    assert (known.status_code, known.headers["Location"]) == (303, "/evaluation/asked/")
    assert (new.status_code, new.headers["Location"]) == (303, "/evaluation/asked/")
    assert known.content == new.content
    assert known.cookies.keys() == new.cookies.keys()
    html = client.get("/evaluation/asked/").content.decode()
    assert "Check your e-mail" in html
    assert "Ana" not in html
    assert len(links_on_the_way()) == 2


def test_nothing_about_a_known_patient_changes(client: Client):
    known = make_patient(family_name="Silva", birth_date="1986-04-12", email="ana@example.org", phone="")
    make_response(ROLLING_IN, evaluation=make_evaluation(patient=known))

    def hers() -> list[list[dict[str, Any]]]:
        with audit.audited("tests.read", by=SETUP):
            return [
                list(Patient.objects.filter(pk=known.pk).values()),
                list(Evaluation.objects.filter(patient=known).values()),
                list(Invitation.objects.filter(evaluation__patient=known).values()),
                list(QueueEntry.objects.filter(evaluation__patient=known).values()),
            ]

    before = hers()
    ask(client, phone="310 555 0199")
    assert hers() == before
    (asked,) = stored()
    assert asked.evaluation_id not in {row["id"] for row in before[1]}


def delivered(folder: Path) -> list[str]:
    for job in links_on_the_way():
        assert set(job.args) == {"invitation_id"}
        tasks.send_invitation(**job.args)
    return mails(folder)


def test_the_mail_is_the_same_for_everybody_but_for_its_link(client: Client, mail_dir: Path):
    make_patient(given_name="Ana", family_name="Silva", birth_date="1986-04-12", email="ana@example.org")
    ask(client)
    ask(client, email="new@example.org", family_name="Other")
    written = delivered(mail_dir)
    links = [LINK.search(mail).group() for mail in written]
    assert len(set(links)) == 2
    plain = [
        re.sub(r"(?m)^(Message-ID|Date|To): .*$", "", mail.replace(link, "LINK"))
        for mail, link in zip(written, links, strict=True)
    ]
    assert plain[0] == plain[1]
    for words in ("Ana", "Silva", "1986", "foot", "rolls", "pain", "knee", "Weekday"):
        assert words not in plain[0]
    assert "Subject: We got your request" in plain[0]
    assert "The front desk will write or call" in plain[0]
    assert "14 days" in plain[0]


def test_a_phone_alone_gets_no_mail_and_the_page_says_so(client: Client):
    answer = ask(client, email="", phone="310 555 0142")
    html = client.get(answer.headers["Location"]).content.decode()
    assert "We will call you" in html
    assert "e-mail" not in html.lower().split("<footer")[0].split("<main")[1]
    assert links_on_the_way() == []
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.get().needs_appointment
        assert Invitation.objects.count() == 0


def test_nobody_is_flooded_with_mail(client: Client):
    for _ in range(5):
        ask(client)
    assert len(stored()) == 5
    assert len(links_on_the_way()) == 3


# ---- machines and floods


@pytest.mark.parametrize("stamped", ["", "forged:abc", "now"])
def test_a_form_filled_in_by_the_browser_is_asked_for_once_more(client: Client, stamped: str):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        page = ask(client, shown=stamp() if stamped == "now" else stamped)
        html = page.content.decode()
        assert page.status_code == 200
        assert "press the button once more" in html
        assert 'value="Silva"' in html
        assert 'value="1986"' in html
        assert stored() == []
        assert links_on_the_way() == []
        clock.shift(4)
        again = re.search('name="shown" value="([^"]+)"', html)
        assert again is not None
        assert ask(client, shown=again[1]).status_code == 303
    assert len(stored()) == 1


def test_a_hasty_mistake_is_named_like_any_other(client: Client):
    html = ask(client, shown=stamp(), given_name="").content.decode()
    assert "Enter your first name." in html
    assert "once more" not in html


def test_machines_get_a_polite_no_with_the_phone(client: Client):
    page = ask(client, topic="shoes")
    assert page.status_code == 429
    assert "Please call us" in page.content.decode()
    assert "(310) 555-0142" in page.content.decode()
    assert stored() == []
    assert links_on_the_way() == []


def test_twenty_an_hour_from_one_address(client: Client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [ask(client, family_name=f"Silva{number}").status_code for number in range(21)]
        assert answers == [303] * 20 + [429]
        assert len(stored()) == 20
        assert ask(client, address="203.0.113.6").status_code == 303
        clock.shift(3601)
        assert ask(client).status_code == 303


def test_a_foreign_page_asks_for_nobody():
    load()
    client = Client(enforce_csrf_checks=True)
    assert client.post(ASK, {**ANA, "shown": shown()}).status_code == 403
    assert stored() == []


# ---- the desk


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(make_user("front desk"))
    return client


@pytest.fixture
def asked(client: Client) -> EvaluationRequest:
    ask(client)
    return stored()[0]


def booking(**fields: str) -> dict[str, str]:
    starts = timezone.localtime() + timedelta(days=3)
    return {
        "patient": "new",
        "physio": str(make_user("physio").pk),
        "starts_at": starts.strftime("%Y-%m-%dT09:00"),
        "minutes": "60",
        **fields,
    }


def test_the_list_says_who_waits_and_where_from(desk: Client, asked: EvaluationRequest):
    html = desk.get(LIST).content.decode()
    for words in ("Silva, Ana", "04/12/1986", "ana@example.org", "Weekday mornings"):
        assert words in html
    assert "Lesson: When the foot rolls in" in html
    assert "Needs appointment" in html
    row = AuditEvent.objects.get(action="evaluation-request.list")
    assert row.objects_seen == {"evaluation-request": [str(asked.pk)]}


def test_it_becomes_a_patient_with_an_appointment(desk: Client, asked: EvaluationRequest):
    page = desk.get(f"{LIST}{asked.pk}/book/").content.decode()
    assert "Lesson: When the foot rolls in" in page
    answer = desk.post(f"{LIST}{asked.pk}/book/", booking())
    with audit.audited("tests.read", by=SETUP):
        (evaluation,) = Evaluation.objects.select_related("patient")
        assert str(evaluation.patient) == "Ana Silva"
        assert evaluation.patient.birth_date == date(1986, 4, 12)
        assert evaluation.status == "booked"
        assert EvaluationRequest.objects.get().evaluation_id == evaluation.pk
    assert answer.headers["Location"] == f"/staff/intake/evaluation/{evaluation.pk}/change/"
    assert "Silva" not in desk.get(LIST).content.decode()
    assert desk.get(f"{LIST}{asked.pk}/book/").status_code == 404
    assert desk.post(f"{LIST}{asked.pk}/book/", booking()).status_code == 404
    events = AuditEvent.objects.filter(action="evaluation-request.booked")
    assert [str(evaluation.pk)] == events.get().objects_seen["evaluation"]


def test_somebody_known_is_offered_and_kept_one_person(desk: Client, client: Client):
    known = make_patient(family_name="silva", birth_date="1986-04-12", email="old@example.org")
    make_patient(family_name="Silva", birth_date="1990-01-01")
    ask(client)
    ask(client)
    asked = stored()[0]
    page = desk.get(f"{LIST}{asked.pk}/book/").content.decode()
    assert page.count('type="radio"') == 2, "the known one and somebody new; not the other request"
    refused = desk.post(f"{LIST}{asked.pk}/book/", booking(patient=""))
    assert "Choose who this is." in refused.content.decode()
    desk.post(f"{LIST}{asked.pk}/book/", booking(patient=str(known.pk)))
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.get(status="booked").patient_id == known.pk
        known.refresh_from_db()
        assert known.email == "old@example.org"
    people = desk.get("/staff/intake/patient/").content.decode()
    assert people.count("Silva, Ana") == 1, "the other request's; the one that was booked is gone"


def test_an_unfinished_booking_is_shown_again(desk: Client, asked: EvaluationRequest):
    page = desk.post(f"{LIST}{asked.pk}/book/", booking(starts_at=""))
    assert "Enter the day and the time." in page.content.decode()
    yesterday = (timezone.localtime() - timedelta(days=1)).strftime("%Y-%m-%dT09:00")
    page = desk.post(f"{LIST}{asked.pk}/book/", booking(starts_at=yesterday))
    assert "Choose a day that is still to come." in page.content.decode()
    assert stored()[0].closed_at is None
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.get().needs_appointment


def test_closing_one_takes_it_off_the_list(desk: Client, asked: EvaluationRequest):
    assert desk.post(f"{LIST}{asked.pk}/close/").headers["Location"] == LIST
    assert "Silva" not in desk.get(LIST).content.decode()
    assert desk.post(f"{LIST}{asked.pk}/close/").status_code == 404
    assert stored()[0].closed_by_id is not None
    page = desk.get(f"/staff/intake/evaluation/{asked.evaluation_id}/change/").content.decode()
    assert "Never booked" in page


def test_who_merely_asked_is_marked_among_the_patients(desk: Client, asked: EvaluationRequest):
    make_evaluation(patient=make_patient(given_name="Bea", family_name="Booked"))
    rows = desk.get("/staff/intake/patient/").content.decode().split("<tr>")
    marked = [row for row in rows if "Asked, not booked" in row]
    assert len(marked) == 1
    assert "Silva, Ana" in marked[0]
    with audit.audited("tests.read", by=SETUP):
        person = Evaluation.objects.get(pk=asked.evaluation_id).patient_id
    page = desk.get(f"/staff/intake/patient/{person}/change/").content.decode()
    assert "The clinic has not checked them." in page
    assert f"{LIST}{asked.pk}/book/" in page
    assert "/evaluation/add/" not in page
    desk.post(f"{LIST}{asked.pk}/book/", booking())
    assert "Asked, not booked" not in desk.get("/staff/intake/patient/").content.decode()


def test_her_evaluation_leads_to_her_request_and_is_not_booked_elsewhere(
    desk: Client, asked: EvaluationRequest
):
    change = f"/staff/intake/evaluation/{asked.evaluation_id}/change/"
    assert desk.get(change).headers["Location"] == f"{LIST}{asked.pk}/book/"
    assert desk.post(change, booking(status="booked")).status_code == 404
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.get().needs_appointment


@pytest.fixture
def others() -> list[Client]:
    found: list[Client] = []
    for role in ("editor", "owner", None):
        client = Client()
        client.force_login(make_user(role))
        found.append(client)
    return found


def test_editors_and_owners_see_none_of_it(others: list[Client], asked: EvaluationRequest):
    for client in others:
        for path in (LIST, f"{LIST}{asked.pk}/book/"):
            page = client.get(path)
            assert page.status_code == 404
            assert b"Silva" not in page.content
