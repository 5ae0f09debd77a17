"""Sign up, confirm, leave: what readers see, and what machines do not get."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from education.clinic_info.models import ClinicInfo
from education.newsletter import subscribe
from education.newsletter.models import Subscriber
from education.visitors import limits
from education.visitors.models import RecentUse
from tests.integration.education.newsletter import (
    OWN,
    jobs,
    links_in,
    mails,
    make_subscriber,
    run_jobs,
    sign_up,
)

pytestmark = pytest.mark.django_db

ADDRESS = "reader@example.org"


@pytest.fixture
def client(library: None) -> Client:
    return Client(enforce_csrf_checks=True)


def statuses() -> dict[str, str]:
    return dict(Subscriber.objects.values_list("email", "status"))


def confirm_link(client: Client, folder: Path, address: str = ADDRESS) -> str:
    sign_up(client, address)
    run_jobs()
    (link,) = links_in(mails(folder)[-1])
    return link


def press(client: Client, link: str, **fields: str) -> Any:
    """Open the page, press its button."""
    page = client.get(link)
    token = client.cookies["csrf"].value if "csrf" in client.cookies else ""
    assert page.status_code == 200
    return client.post(link, {"csrfmiddlewaretoken": token, **fields})


def main_of(answer: Any) -> str:
    return str(answer.text.partition("<main")[2].partition("</main>")[0])


# ---- the form


@pytest.mark.parametrize("page", ["/", "/learn/rolling-in/", "/learn/follow-the-chain/", "/newsletter/"])
def test_the_form_stands_there_with_its_label_and_the_privacy_line(client: Client, page: str):
    html = client.get(page).content.decode()
    assert '<label for="newsletter-email">E-mail address</label>' in html
    assert "never tie it to your care" in html
    assert html.count('action="/newsletter/"') == 1


def test_every_lesson_has_the_form(client: Client):
    from education.lessons.models import Lesson

    without = [
        lesson.slug
        for lesson in Lesson.objects.live()
        if b'action="/newsletter/"' not in client.get(lesson.get_absolute_url()).content
    ]
    assert without == []


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Enter your e-mail address."),
        ("   ", "Enter your e-mail address."),
        ("abc@", "Enter an e-mail address like name@example.com."),
        ("<b>x</b>", "Enter an e-mail address like name@example.com."),
        ("a" * 250 + "@example.org", "Enter an e-mail address of 254 letters or fewer."),
        ("a\r\nBcc: b@example.org", "Enter an e-mail address like name@example.com."),
    ],
)
def test_what_is_no_address_is_named_and_kept(client: Client, typed: str, message: str):
    page = sign_up(client, typed)
    html = page.content.decode()
    assert page.status_code == 200
    assert html.count(message) == 2, "in the summary and at the field"
    assert "<title>Error:" in html
    assert 'href="#newsletter-email"' in html
    kept = typed.replace("<", "&lt;").replace(">", "&gt;")
    assert f'value="{kept}"' in html
    assert page.headers["Cache-Control"] == "no-store"
    assert statuses() == {}


@pytest.mark.parametrize("typed", ["a\x00b@example.org", "\ud800@example.org", "x" * 5000])
def test_junk_is_refused_in_words(client: Client, typed: str):
    body = b"email=" + typed.encode("utf-8", "surrogatepass") + b"&topic="
    page = client.generic("POST", "/newsletter/", body, "application/x-www-form-urlencoded", headers=OWN)
    assert page.status_code == 200
    assert statuses() == {}


def test_a_thank_you_with_the_focus_on_it(client: Client):
    answer = sign_up(client, ADDRESS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/newsletter/check-your-mail/")
    html = client.get(answer.headers["Location"]).content.decode()
    assert '<h1 class="c-title" tabindex="-1" autofocus>Thank you. Check your e-mail</h1>' in html
    assert ADDRESS not in html
    assert statuses() == {ADDRESS: "pending"}
    assert not answer.cookies


# ---- where it comes from


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "http://127.0.0.1:8000"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_only_a_page_of_ours_can_sign_somebody_up(client: Client, headers: dict[str, str], status: int):
    answer = sign_up(client, ADDRESS, headers=headers)
    assert answer.status_code == status
    assert bool(statuses()) == (status == 303)


def test_a_refusal_keeps_what_was_typed(client: Client):
    html = sign_up(client, ADDRESS, headers={"Origin": "null"}).content.decode()
    assert f'value="{ADDRESS}"' in html
    assert "Please send it from this page" in html


# ---- again, and who must learn nothing


def test_the_same_address_again_is_one_row_and_three_mails_a_day(client: Client, mail_dir: Path):
    answers = [sign_up(client, typed) for typed in (ADDRESS, ADDRESS.upper(), ADDRESS, ADDRESS, ADDRESS)]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (303, "/newsletter/check-your-mail/")
    }
    assert statuses() == {ADDRESS: "pending"}
    assert len(jobs()) == 3
    run_jobs()
    assert [mail["To"] for mail in mails(mail_dir)] == [ADDRESS] * 3
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        sign_up(client, ADDRESS)
    assert len(jobs()) == 4


def test_known_and_unknown_addresses_get_the_same_answer(client: Client):
    make_subscriber("known@example.org")
    known, unknown = (sign_up(client, address) for address in ("known@example.org", "new@example.org"))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.headers["Location"] == unknown.headers["Location"]
    assert len(jobs()) == 1, "who gets the lessons already gets no mail"
    assert statuses()["known@example.org"] == "active"


def test_a_filled_honeypot_gets_the_thank_you_and_stores_nothing(client: Client):
    person = sign_up(client, "person@example.org")
    machine = sign_up(client, "machine@example.org", topic="cheap shoes")
    assert (machine.status_code, machine.headers["Location"]) == (
        person.status_code,
        person.headers["Location"],
    )
    assert statuses() == {"person@example.org": "pending"}


def test_more_than_thirty_a_minute_get_the_thank_you_and_store_nothing(client: Client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [sign_up(client, f"r{number}@example.org") for number in range(33)]
        assert [answer.status_code for answer in answers] == [303] * 30 + [429] * 3
        assert answers[-1].headers["Retry-After"] == "60"
        thanks = client.get(answers[0].headers["Location"])
        assert main_of(answers[-1]) == main_of(thanks)
        assert answers[-1].headers["Cache-Control"] == "no-store"
        assert len(statuses()) == 30
        clock.shift(61)
        sign_up(client, "later@example.org")
    assert "later@example.org" in statuses()


def test_one_visitor_does_not_use_up_another_ones_turn(client: Client):
    for number in range(31):
        sign_up(client, f"r{number}@example.org")
    client.post("/newsletter/", {"email": "other@example.org"}, headers=OWN, REMOTE_ADDR="203.0.113.9")
    assert "other@example.org" in statuses()


def test_the_limits_keep_no_address_of_anybody_and_are_forgotten():
    assert limits.allow("tests", "203.0.113.9", limit=1, within=timedelta(days=1))
    assert not limits.allow("tests", "203.0.113.9", limit=1, within=timedelta(days=1))
    (use,) = RecentUse.objects.all()
    assert b"203" not in bytes(use.who)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert limits.forget() == 1


# ---- the link


def test_the_mail_says_who_and_where_and_has_one_link(client: Client, mail_dir: Path):
    sign_up(client, ADDRESS)
    run_jobs()
    (mail,) = mails(mail_dir)
    text = mail.get_content()
    assert mail["Subject"] == "Please confirm: lessons by e-mail"
    assert "i.Athlete Physio" in text
    assert "1 Demo Plaza, Suite 100" in text
    assert len(links_in(mail)) == 1
    assert mail.get_content_type() == "text/plain"


def test_looking_confirms_nothing_and_one_press_does(client: Client, mail_dir: Path):
    link = confirm_link(client, mail_dir)
    for method in ("get", "head", "options", "get"):
        getattr(client, method)(link, headers={"User-Agent": "SafeLinks"})
    assert statuses() == {ADDRESS: "pending"}
    assert ">Confirm</button>" in client.get(link).content.decode()
    assert "<h1" in (done := press(client, link).content.decode())
    assert "You are in" in done
    assert statuses() == {ADDRESS: "active"}
    (subscriber,) = Subscriber.objects.all()
    again = press(client, link).content.decode()
    assert "Already confirmed" in again
    assert "Already confirmed" in client.get(link).content.decode()
    assert Subscriber.objects.get().confirmed_at == subscriber.confirmed_at


def test_a_press_without_our_page_confirms_nothing(client: Client, mail_dir: Path):
    link = confirm_link(client, mail_dir)
    assert client.post(link).status_code == 403
    assert client.post(link, headers={"Origin": "https://evil.example"}).status_code == 403
    assert statuses() == {ADDRESS: "pending"}


def test_an_old_link_offers_a_new_one(client: Client, mail_dir: Path):
    link = confirm_link(client, mail_dir)
    with time_machine.travel(timezone.now() + subscribe.CONFIRM_WITHIN + timedelta(minutes=1)):
        page = client.get(link).content.decode()
        assert "This link has ended" in page
        assert "Send me a new link" in page
        assert "This link has ended" in press(client, link, do="confirm").content.decode()
        assert statuses() == {ADDRESS: "pending"}
        answer = press(client, link, do="again")
        assert answer.headers["Location"] == "/newsletter/check-your-mail/"
        run_jobs()
        (fresh,) = links_in(mails(mail_dir)[-1])
        assert "You are in" in press(client, fresh).content.decode()
    assert statuses() == {ADDRESS: "active"}


@pytest.mark.parametrize("change", [str.swapcase, lambda token: token[:-3], lambda token: "x"])
def test_a_broken_link_leads_to_the_form(client: Client, mail_dir: Path, change: Callable[[str], str]):
    token = confirm_link(client, mail_dir).split("/")[-2]
    page = client.get(f"/newsletter/confirm/{change(token)}/")
    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert 'action="/newsletter/"' in page.content.decode()


def test_a_link_to_leave_confirms_nothing_and_the_other_way_round(client: Client):
    subscriber = Subscriber.objects.create(email=ADDRESS)
    join = subscribe.confirm_url(subscriber).split("/")[-2]
    leave = subscribe.leave_url(subscriber).split("/")[-2]
    assert client.get(f"/newsletter/confirm/{leave}/").status_code == 404
    assert client.get(f"/newsletter/leave/{join}/").status_code == 404


def test_a_link_from_before_leaving_does_not_bring_anybody_back(client: Client, mail_dir: Path):
    link = confirm_link(client, mail_dir)
    press(client, link)
    client.post(subscribe.leave_url(Subscriber.objects.get()))
    assert "This link has ended" in press(client, link).content.decode()
    assert statuses() == {ADDRESS: "unsubscribed"}
    press(client, link, do="again")
    assert statuses() == {ADDRESS: "pending"}
    assert "This link has ended" in press(client, link).content.decode()
    assert statuses() == {ADDRESS: "pending"}


def test_addresses_that_nobody_confirms_are_deleted_after_thirty_days(client: Client):
    sign_up(client, ADDRESS)
    make_subscriber("kept@example.org")
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        assert subscribe.forget_unconfirmed() == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert subscribe.forget_unconfirmed() == 1
    assert statuses() == {"kept@example.org": "active"}


# ---- leaving


def test_leaving_takes_a_look_and_a_press_and_no_sign_in(client: Client):
    subscriber = make_subscriber(ADDRESS)
    link = subscribe.leave_url(subscriber)
    assert "Stop the lessons" in client.get(link).content.decode()
    assert statuses() == {ADDRESS: "active"}
    page = client.post(link)
    assert "You have left the list" in page.content.decode()
    assert statuses() == {ADDRESS: "unsubscribed"}
    left_at = Subscriber.objects.get().left_at
    assert client.post(link).status_code == 200
    assert Subscriber.objects.get().left_at == left_at
    assert "You have left the list" in client.get(link).content.decode()


def test_a_mail_program_leaves_in_one_step(client: Client):
    """RFC 8058: a POST of its own, from nowhere, with no cookie."""
    subscriber = make_subscriber(ADDRESS)
    answer = client.post(
        subscribe.leave_url(subscriber),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert statuses() == {ADDRESS: "unsubscribed"}


def test_nobody_leaves_by_a_link_that_is_not_ours(client: Client):
    make_subscriber(ADDRESS)
    for method in (client.get, client.post):
        assert method("/newsletter/leave/nonsense/").status_code == 404
    assert statuses() == {ADDRESS: "active"}


def test_who_left_can_come_back(client: Client, mail_dir: Path):
    make_subscriber(ADDRESS, status="unsubscribed", left_at=timezone.now())
    press(client, confirm_link(client, mail_dir))
    (subscriber,) = Subscriber.objects.all()
    assert (subscriber.status, subscriber.left_at) == ("active", None)


def test_personal_pages_are_kept_by_nobody(client: Client):
    subscriber = make_subscriber(ADDRESS)
    for link in (subscribe.leave_url(subscriber), subscribe.confirm_url(subscriber)):
        assert "no-store" in client.get(link).headers["Cache-Control"]


# ---- when it fails


@pytest.fixture
def broken() -> Iterator[Callable[[str], Any]]:
    """`with broken("table"):` the database fails whatever touches the table."""

    def breaks(table: str) -> Any:
        def refuse(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            if table in str(sql):
                raise OperationalError("the disk is full")
            return execute(sql, params, many, context)

        return connection.execute_wrapper(refuse)

    return breaks


@pytest.mark.parametrize("table", ["education_subscriber", "education_recentuse", "procrastinate"])
def test_a_failure_is_an_apology_that_keeps_the_address(client: Client, broken: Any, table: str):
    with broken(table):
        page = sign_up(client, ADDRESS)
    html = page.content.decode()
    assert page.status_code == 503
    assert "Sorry, that did not work" in html
    assert f'value="{ADDRESS}"' in html
    assert "disk" not in html
    assert statuses() == {}
    assert jobs() == []
    assert sign_up(client, ADDRESS).status_code == 303


# ---- how many


def test_how_many_is_said_only_when_switched_on_and_is_true(client: Client):
    for number in range(3):
        make_subscriber(f"r{number}@example.org")
    make_subscriber("bounced@example.org", bounced_at=timezone.now())
    Subscriber.objects.create(email="pending@example.org")
    for page in ("/", "/newsletter/", "/learn/rolling-in/"):
        assert "people get them" not in client.get(page).content.decode()
    ClinicInfo.objects.update(shows_subscriber_count=True)
    assert "3 people get them." in client.get("/newsletter/").content.decode()


# ---- apart from patients


def test_subscribers_know_no_patient_and_no_patient_knows_them():
    from django.apps import apps

    from intake.audit import PatientData

    ours = {
        model for model in apps.get_app_config("education").get_models() if "newsletter" in model.__module__
    }
    assert {model.__name__ for model in ours} == {"Subscriber", "Issue", "Delivery"}
    theirs = {model for model in apps.get_models() if issubclass(model, PatientData)}
    joined = [
        (model.__name__, field.name)
        for model in ours | theirs
        for field in model._meta.get_fields()
        if field.is_relation
        and field.related_model
        and (
            (model in ours and field.related_model in theirs)
            or (model in theirs and field.related_model in ours)
        )
    ]
    assert joined == []


def test_deleting_a_patient_leaves_the_subscriber():
    from intake import audit
    from tests.factories import SETUP, make_patient

    patient = make_patient(email=ADDRESS)
    make_subscriber(ADDRESS)
    with audit.audited("tests.deleted", by=SETUP):
        patient.delete()
    assert statuses() == {ADDRESS: "active"}
