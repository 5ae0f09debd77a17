"""Headers that say another host, and fields that nobody asked for: neither gets anywhere (R33, R38, R39).

What pages of the form make of names that they do not ask for is told in `test_pages`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django import forms
from django.conf import settings as django_settings
from django.contrib import admin
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from education.lessons.models import Lesson
from education.newsletter.models import Issue, Subscriber
from intake import audit
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, Patient
from intake.views.ask import stamp
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user
from tests.integration.intake.visitor import Visitor, invited
from tests.integration.jobs import run_jobs

pytestmark = pytest.mark.django_db

EVIL = "evil.example"
POISON = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-For": "6.6.6.6",
    "X-Original-Host": EVIL,
    "X-Original-URL": f"//{EVIL}/",
    "X-Rewrite-URL": f"//{EVIL}/",
    "X-Host": EVIL,
    "X-HTTP-Host-Override": EVIL,
    "X-Backend-Host": EVIL,
    "Forwarded": f"for=6.6.6.6;host={EVIL};proto=https",
    "Via": f"1.1 {EVIL}",
    "Referer": f"https://{EVIL}/",
    "Base-URL": f"https://{EVIL}",
    "Script-Name": f"//{EVIL}",
    # One that is allowed, and still not what mails say.
    "Host": "localhost:6666",
}
SOON = timedelta(days=3)


@pytest.fixture(autouse=True)
def post(settings: Any) -> None:
    """Mail as messages, not as files."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]


def asked(**more: str) -> dict[str, str]:
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        shown = stamp()
    person = {"given_name": "Ana", "family_name": "Silva", "email": "ana@example.org", "shown": shown}
    return {**person, "month": "4", "day": "12", "year": "1986", **more}


def asks_for_an_evaluation(poison: dict[str, str]) -> None:
    assert Client().post("/evaluation/ask/", asked(), headers=poison).status_code == 303


def signs_up_for_lessons(poison: dict[str, str]) -> None:
    headers = {**poison, "Sec-Fetch-Site": "same-origin"}
    assert Client().post("/newsletter/", {"email": "ana@example.org"}, headers=headers).status_code == 303


def wants_a_new_link(poison: dict[str, str]) -> None:
    invitation, token = invited(starts_at=timezone.now() + SOON)
    with audit.audited("tests.changed", by=SETUP):
        Invitation.objects.filter(pk=invitation.pk).update(ended_at=timezone.now())
    assert Client().post(f"/intake/open/{token}/", {"renew": "1"}, headers=poison).status_code == 404


def gets_a_code(poison: dict[str, str]) -> None:
    _, token = invited(starts_at=timezone.now() + SOON)
    Visitor(token).open().save("about", {"why.main-problem": ["knee"]})
    other = Visitor(token)
    assert other.type_date(headers=poison).status_code == 303
    assert other.client.post("/intake/code/", {"again": "1"}, headers=poison).status_code == 303


def is_invited(poison: dict[str, str]) -> None:
    desk = staff("front desk")
    evaluation = make_evaluation(starts_at=timezone.now() + SOON)
    invite = reverse("admin:intake_evaluation_invite", args=[evaluation.pk])
    cancel = reverse("admin:intake_evaluation_cancel", args=[evaluation.pk])
    assert desk.post(invite, headers=poison).status_code == 303
    run_jobs()
    assert desk.post(cancel, {"tell": "on"}, headers=poison).status_code == 303


def gets_lessons(poison: dict[str, str]) -> None:
    physio = staff("physio")
    response = make_response(
        ROLLING_IN, evaluation=make_evaluation(starts_at=timezone.now() - timedelta(hours=2))
    )
    path = reverse("admin:intake_questionnaireresponse_lessons", args=[response.pk])
    lessons = list(Lesson.objects.live().values_list("slug", flat=True)[:2])
    assert physio.post(path, {"do": "share", "lessons": lessons}, headers=poison).status_code == 303


def sends_an_issue(poison: dict[str, str]) -> None:
    Subscriber.objects.create(email="r@example.org", status="active", confirmed_at=timezone.now())
    issue = Issue.objects.create(subject="Two lessons")
    issue.lessons.set(Lesson.objects.live()[:2])
    path = reverse("admin:education_issue_send", args=[issue.pk])
    assert staff("owner").post(path, headers=poison).status_code == 303


def staff(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role, email=f"{role.replace(' ', '-')}@example.org"))
    return client


FLOWS = (
    asks_for_an_evaluation,
    signs_up_for_lessons,
    wants_a_new_link,
    gets_a_code,
    is_invited,
    gets_lessons,
    sends_an_issue,
)


SHORTLY = (asks_for_an_evaluation, wants_a_new_link, is_invited)


@pytest.mark.parametrize(
    "flow",
    [
        pytest.param(flow, id=flow.__name__, marks=() if flow in SHORTLY else pytest.mark.deep)
        for flow in FLOWS
    ],
)
@pytest.mark.parametrize(
    "behind_proxy",
    [pytest.param(False, id="direct"), pytest.param(True, id="behind the proxy", marks=pytest.mark.deep)],
)
def test_no_request_says_where_the_links_of_a_mail_lead(
    flow: Callable[[dict[str, str]], None], behind_proxy: bool, settings: Any
):
    if behind_proxy:
        settings.TRUSTED_PROXY = "127.0.0.1"
    flow(POISON)
    assert run_jobs()
    assert mail.outbox
    for message in mail.outbox:
        text = message.message().as_string() + message.body
        assert not re.search(
            "evil|6666|6\\.6\\.6\\.6|https://(?!example)", text.replace("https://www.", "")
        ), text
        links = re.findall(r"https?://[^\s<>]+", message.body)
        assert [link for link in links if not link.startswith(django_settings.SITE_URL + "/")] == []


def test_a_name_adds_no_header_to_a_mail():
    """R39: what a stranger types is in no header but the address, which is checked."""
    names = {"given_name": "Ana\r\nBcc: x@evil.example\r\n\r\nbuy", "family_name": "S\nSubject: cheap"}
    assert Client().post("/evaluation/ask/", asked(**names)).status_code in (200, 303)
    run_jobs()
    for message in mail.outbox:
        assert set(message.message().keys()) & {"Bcc", "Cc"} == set()
        assert "evil" not in "".join(message.message().values())
        assert "cheap" not in message.subject
    for email in ("a@example.org\nBcc: x@evil.example", "a@example.org,x@evil.example", "a@b@evil.example"):
        page = Client().post("/evaluation/ask/", asked(email=email))
        assert (page.status_code, "Enter an e-mail address like" in page.text) == (200, True)


# ---------------------------------------------------------------- fields that nobody asked for

EXTRA = {
    "id": "00000000-0000-0000-0000-000000000001",
    "pk": "1",
    "patient": "00000000-0000-0000-0000-000000000001",
    "patient_id": "00000000-0000-0000-0000-000000000001",
    "status": "cancelled",
    "is_staff": "on",
    "is_superuser": "on",
    "groups": "1",
    "user_permissions": "1",
    "reviewed_by": "1",
    "by": "1",
    "by_id": "1",
    "created_at": "2001-01-01 00:00",
    "asked_at": "2001-01-01 00:00",
    "confirmed_at": "2001-01-01 00:00",
    "queued_at": "2001-01-01 00:00",
    "cancelled_at": "2001-01-01 00:00",
    "closed_at": "2001-01-01 00:00",
    "token_hash": "00",
    "round": "77",
    "sequence": "77",
    "double_booked": "on",
    "asked_only": "on",
    "response": "1",
    "answers": "{}",
    "version": "77",
}
# What a row has of itself: every row of a kind has others.
OWN = {
    *("id", "patient", "token_hash", "family_name", "given_name", "email", "subject"),
    *("physio", "evaluation", "created_by"),
}


def rows_of(model: Any) -> list[dict[str, Any]]:
    with audit.audited("tests.read", by=SETUP):
        return list(model._default_manager.order_by("pk").values())


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what differs between two made alike: keys and times of now."""
    now = timezone.now()
    return {
        name: value
        for name, value in row.items()
        if name.removesuffix("_id") not in OWN
        and not (hasattr(value, "tzinfo") and abs(value - now) < timedelta(minutes=5))
    }


def person(**more: str) -> dict[str, str]:
    return {"given_name": "New", "family_name": "Person", "birth_date": "04/12/1990", **more}


def adds_a_patient(extra: dict[str, str]) -> None:
    path = reverse("admin:intake_patient_add")
    assert staff("front desk").post(path, {**extra, **person()}).status_code == 303


def changes_a_patient(extra: dict[str, str]) -> None:
    path = reverse("admin:intake_patient_change", args=[make_patient().pk])
    assert staff("front desk").post(path, {**extra, **person()}).status_code == 303


def books(extra: dict[str, str]) -> None:
    physio = make_user("physio")
    path = f"{reverse('admin:intake_evaluation_add')}?patient={make_patient().pk}"
    visit = {"physio": physio.pk, "starts_at": "2999-01-05T09:30", "minutes": "60"}
    assert staff("front desk").post(path, {**extra, **visit}).status_code == 303


def asks(extra: dict[str, str]) -> None:
    assert Client().post("/evaluation/ask/", {**extra, **asked()}).status_code == 303


def signs_up(extra: dict[str, str]) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    data = {**extra, "email": f"r{Subscriber.objects.count()}@example.org"}
    assert Client().post("/newsletter/", data, headers=headers).status_code == 303


def writes_an_issue(extra: dict[str, str]) -> None:
    lessons = list(Lesson.objects.live().values_list("pk", flat=True)[:2])
    data = {**extra, "subject": "Two", "intro": "", "lessons": lessons}
    assert staff("owner").post(reverse("admin:education_issue_add"), data).status_code in (302, 303)


MADE = {
    adds_a_patient: (Patient,),
    changes_a_patient: (Patient,),
    books: (Evaluation,),
    asks: (EvaluationRequest, Evaluation, Patient),
    signs_up: (Subscriber,),
    writes_an_issue: (Issue,),
}


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_what_nobody_asked_for_is_not_stored(make: Callable[[dict[str, str]], None]):
    """The same form with and without: the rows are alike (R38)."""
    make({})
    without = {model: rows_of(model) for model in MADE[make]}
    make(EXTRA)
    for model, before in without.items():
        keys = {row["id"] for row in before}
        (added,) = [row for row in rows_of(model) if row["id"] not in keys]
        assert str(added["id"]) != EXTRA["id"]
        assert plain(added) == plain(before[-1])


def test_signing_in_makes_nobody_more_than_they_are():
    user = make_user("front desk")
    typed = {"username": user.username, "password": "correct horse battery"}
    Client().post(reverse("admin:login"), {**EXTRA, **typed})
    user.refresh_from_db()
    assert (user.is_superuser, user.groups.get().name) == (False, "front desk")


def our_forms() -> Iterator[type[forms.ModelForm]]:  # type: ignore[type-arg]
    found = list(forms.ModelForm.__subclasses__())
    while found:
        form = found.pop()
        found += form.__subclasses__()
        if form.__module__.split(".")[0] in ("clinic", "education", "intake"):
            yield form


def test_every_form_of_a_table_names_its_fields():
    admin.autodiscover()
    seen = list(our_forms())
    assert len(seen) >= 5
    for form in seen:
        if form._meta.model is None:
            continue
        assert isinstance(form._meta.fields, list | tuple), form
        assert not form._meta.exclude, form
        model_fields = {field.name for field in form._meta.model._meta.get_fields()}
        assert (
            not {"status", "created_at", "token_hash", "is_superuser"} & set(form._meta.fields) & model_fields
        )
