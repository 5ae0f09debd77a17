"""R19: an owner breaks the glass for an hour, reads what a physio reads, and decides nothing."""

import time
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic.models import EmergencyAccess, User
from clinic.people import emergency
from intake import audit
from intake.audit import AuditEvent
from intake.patients.models import Patient
from intake.responses.models import QuestionnaireResponse
from intake.review.models import Review, Verdict
from intake.screening.models import Finding
from tests import factories
from tests.integration.clinic.test_people import signed_in, told
from tests.integration.intake.test_parallel import at_once

PAGE = "/staff/emergency/"
END = "/staff/emergency/end/"
WORKLIST = "/staff/intake/evaluation/"
REASON = "Both physios are ill and a patient calls"


@pytest.fixture
def owner(db: None) -> User:
    user: User = factories.make_user("owner", first_name="Grace", last_name="Lin", email="lin@clinic.example")
    return user


@pytest.fixture
def page(owner: User) -> Client:
    return signed_in(owner)


@pytest.fixture
def response(db: None) -> QuestionnaireResponse:
    person = factories.make_patient(family_name="Zyxfamily", phone="(310) 555-0171")
    at = timezone.localtime().replace(hour=23, minute=59, second=59)
    evaluation = factories.make_evaluation(patient=person, starts_at=at)
    return factories.make_response(factories.ROLLING_IN | factories.SWOLLEN_CALF, evaluation=evaluation)


def addresses(response: QuestionnaireResponse) -> list[str]:
    """What is to be read: the worklist, one intake in each form of it, and the contact data."""
    one = f"/staff/intake/questionnaireresponse/{response.pk}"
    return [
        WORKLIST,
        f"{one}/review/",
        f"{one}/outcome/",
        f"{one}/brief/",
        f"{one}/brief/pdf/",
        f"/staff/intake/evaluation/{response.evaluation_id}/change/",
        f"/staff/intake/patient/{response.evaluation.patient_id}/change/",
        "/staff/intake/patient/",
    ]


def opens(page: Client, reason: str = REASON) -> EmergencyAccess:
    assert page.post(PAGE, {"reason": reason}).status_code == 303
    return EmergencyAccess.objects.get(ended_at=None)


def lines(start: str = "emergency.") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action__startswith=start).order_by("pk"))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "Write why you need it."),
        ("too short", "Write a little more: 10 characters at least."),
        ("   short   \n  ", "Write a little more: 10 characters at least."),
        ("x" * 501, "Use 500 characters or fewer. You have 501."),
    ],
)
def test_it_needs_a_reason(page: Client, reason: str, words: str):
    answer = page.post(PAGE, {"reason": reason})
    assert answer.context["form"].errors["reason"] == [words]
    assert not EmergencyAccess.objects.exists()
    assert reason.strip() in answer.text


def test_it_needs_a_fresh_factor(owner: User):
    client = Client()
    client.force_login(owner)
    for answer in (client.get(PAGE), client.post(PAGE, {"reason": REASON})):
        assert answer.headers["Location"] == "/staff/prove/?next=%2Fstaff%2Femergency%2F"
    assert not EmergencyAccess.objects.exists()


def test_for_an_hour_everything_is_read_and_each_page_says_so_in_the_trail(
    page: Client, owner: User, response: QuestionnaireResponse
):
    opened = opens(page)
    assert opened.ends_at - opened.opened_at == timedelta(hours=1)
    last = AuditEvent.objects.latest("pk").pk
    for path in addresses(response):
        answer = page.get(path)
        assert answer.status_code == 200, path
        if not path.endswith("pdf/"):
            assert "Zyxfamily" in answer.text, path
            assert "Emergency access until" in answer.text, path
    read = list(AuditEvent.objects.filter(pk__gt=last))
    assert len(read) == len(addresses(response))
    assert {(one.actor_id, one.detail["break_glass"]) for one in read} == {(str(owner.pk), opened.pk)}
    assert "Emergency access until" in page.get("/staff/figures/").text


def test_a_patient_is_found_by_name(page: Client, response: QuestionnaireResponse):
    opens(page)
    with audit.audited("tests.read", by=factories.SETUP):
        name = response.evaluation.patient.family_name
    for path in (WORKLIST, "/staff/intake/patient/"):
        assert name in page.post(path, {"q": name}, follow=True).text
    page.post(END)
    assert page.post(WORKLIST, {"q": name}).status_code == 404


def test_there_is_nothing_to_press_and_pressed_all_the_same_it_does_nothing(
    page: Client, response: QuestionnaireResponse
):
    opens(page)
    for path in addresses(response):
        if path.endswith("pdf/"):
            continue
        forms = page.get(path).text.split("<form")[1:]
        posts = [
            one.split(">")[0]
            for one in forms
            if 'method="post"' in one and "<button" in one.split("</form")[0]
        ]
        left = [one for one in posts if END not in one and "logout" not in one]
        # A search is posted so that the name stands in no address.
        assert [one for one in left if 'role="search"' not in one] == [], path
    with audit.audited("tests.read", by=factories.SETUP):
        finding = Finding.objects.filter(response=response).first()
    review = addresses(response)[1]
    for data in (
        {"do": "confirm", "finding": finding.pk},
        {"do": "finish"},
        {"do": "contact", "called": "x", "outcome": "reached"},
        {"do": "link", "starts": "foot"},
    ):
        assert page.post(review, data).status_code == 404
    one = review.removesuffix("review/")
    assert page.post(f"{one}outcome/", {"do": "close"}).status_code == 404
    assert page.get(f"{one}lessons/").status_code == 404
    for way in ("invite/", "cancel/", "tablet/", "reminders/", "change/"):
        assert page.post(f"{WORKLIST}{response.evaluation_id}/{way}").status_code in (403, 404), way
    patient = f"/staff/intake/patient/{response.evaluation.patient_id}/change/"
    assert page.post(patient, {"given_name": "Changed"}).status_code in (403, 404)
    for path in ("/staff/intake/patient/add/", f"{WORKLIST}add/"):
        assert page.get(path).status_code in (403, 404)
    with audit.audited("tests.read", by=factories.SETUP):
        assert not Verdict.objects.exists()
        assert not Review.objects.exists()
        assert Patient.objects.get(pk=response.evaluation.patient_id).given_name == "Jordan"


def test_all_owners_are_told_and_nothing_of_a_patient_stands_in_it(page: Client, owner: User, mail_dir: Path):
    second = factories.make_user("owner", email="second@clinic.example")
    factories.make_user("owner", email="left@clinic.example", is_active=False)
    factories.make_user("physio", email="physio@clinic.example")
    opened = opens(page)
    jobs = ProcrastinateJob.objects.filter(task_name="tell_owner").order_by("pk")
    wanted = [{"access_id": opened.pk, "user_id": key} for key in (owner.pk, second.pk)]
    assert sorted((job.args for job in jobs), key=lambda args: args["user_id"]) == wanted
    assert all(emergency.tell_owner(**job.args) for job in jobs)
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in mail_dir.glob("*")]
    assert sorted(mail["To"] for mail in found) == ["lin@clinic.example", "second@clinic.example"]
    for mail in found:
        assert "Grace Lin opened emergency access" in mail.get_content()
        assert REASON not in mail.get_content()


def test_it_is_ended_by_the_button_in_every_page(page: Client, owner: User, response: QuestionnaireResponse):
    opened = opens(page)
    assert END in page.get(WORKLIST).text
    answer = page.post(END, follow=True)
    assert "Emergency access has ended." in told(answer)
    assert page.get(WORKLIST).status_code == 404
    assert page.post(END).status_code == 303
    began, ended = lines()
    assert (began.action, ended.action) == ("emergency.opened", "emergency.ended")
    assert began.detail == {"reason": REASON}
    for line in (began, ended):
        assert line.objects_seen == {"emergency-access": [str(opened.pk)]}
        assert line.actor_id == str(owner.pk)
    assert REASON in told(page.get(PAGE))


def test_after_an_hour_it_is_over_and_the_next_request_says_so(
    page: Client, owner: User, response: QuestionnaireResponse
):
    began = timezone.now() - timedelta(minutes=61)
    EmergencyAccess.objects.create(
        by=owner, reason=REASON, opened_at=began, ends_at=began + timedelta(hours=1)
    )
    answer = page.get(addresses(response)[1])
    assert answer.status_code == 404
    assert "Zyxfamily" not in answer.text
    assert [line.action for line in lines()] == ["emergency.expired"]
    assert "Emergency access until" not in page.get(PAGE).text
    assert len(lines()) == 1
    opens(page)
    assert page.get(WORKLIST).status_code == 200


def test_pressed_twice_it_is_one_hour_and_one_mail(page: Client):
    opened = opens(page)
    assert opens(page) == opened
    assert ProcrastinateJob.objects.filter(task_name="tell_owner").count() == 1
    assert [line.action for line in lines()] == ["emergency.opened", "emergency.asked-again"]


@pytest.mark.deep
def test_at_once_from_two_tabs_it_is_one(committed_db: None):
    owner = factories.make_user("owner")
    by = audit.staff(owner)
    opened = at_once(2, lambda _number: emergency.open_access(reason=REASON, by=by).pk)
    assert len(set(opened)) == 1
    assert EmergencyAccess.objects.count() == 1
    client = signed_in(owner)
    cookies = client.cookies

    def ends(_number: int) -> int:
        tab = Client()
        tab.cookies = cookies.copy()
        return tab.post(END).status_code

    assert at_once(3, ends) == [303] * 3
    assert [line.action for line in lines("emergency.ended")] == ["emergency.ended"]


def test_whoever_is_no_owner_any_more_reads_nothing(
    page: Client, owner: User, response: QuestionnaireResponse
):
    opens(page)
    owner.groups.set([Group.objects.get(name="editor")])
    assert page.get(WORKLIST).status_code == 404
    assert page.get("/staff/").status_code == 200
    assert not EmergencyAccess.objects.filter(ended_at=None).exists()
    assert lines()[-1].action == "emergency.ended"


def test_it_is_kept_as_it_was(page: Client, owner: User):
    opened = opens(page)
    rows = EmergencyAccess.objects.filter(pk=opened.pk)
    later = timezone.now() + timedelta(hours=9)
    for change in ({"reason": "another reason"}, {"ends_at": later}, {"opened_at": later}, {"by": owner.pk}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    assert rows.update(ended_at=timezone.now()) == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(ended_at=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        EmergencyAccess.objects.create(by=owner, reason=REASON, ends_at=later)


def test_it_costs_nobody_else_a_statement(response: QuestionnaireResponse):
    counts: dict[str, int] = {}
    for role in ("physio", "owner"):
        client = signed_in(factories.make_user(role))
        client.get("/staff/figures/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/staff/figures/").status_code == 200
        counts[role] = sum("emergencyaccess" in one["sql"] for one in queries)
    assert counts == {"physio": 1, "owner": 1}, "it comes with the account"


def test_a_proof_is_for_now(owner: User):
    client = signed_in(owner)
    session: Any = client.session
    session["proved_at"] = time.time() - 301
    session.save()
    assert client.get(PAGE).status_code == 302
