"""Writing an issue, testing it, sending it once to everybody who confirmed; and the list as staff see it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend
from django.test import Client
from django.utils import timezone

from education import tasks
from education.clinic_info.models import ClinicInfo
from education.clinic_info.sheets import neutralise
from education.lessons.models import Lesson
from education.newsletter import issues
from education.newsletter.bounces import addresses_in, mark_pasted
from education.newsletter.models import Delivery, Issue, Subscriber
from tests.factories import make_user
from tests.integration.education.newsletter import (
    jobs,
    links_in,
    mails,
    make_subscriber,
    run_jobs,
    sign_up,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("library")]

LIST = "/staff/education/subscriber/"
ISSUES = "/staff/education/issue/"


class FakeServer(EmailBackend):
    """A mail server that takes what it likes: `answers` says by address what it does instead."""

    answers: dict[str, Exception] = {}

    def send_messages(self, messages: Any) -> int:
        for message in messages:
            if problem := self.answers.get(message.to[0]):
                raise problem
        return super().send_messages(messages) or 0


class ServerAway(BaseEmailBackend):
    def open(self) -> bool:
        raise ConnectionRefusedError("nobody there")


@pytest.fixture
def server(settings: Any) -> dict[str, Exception]:
    settings.EMAIL_BACKEND = f"{__name__}.FakeServer"
    FakeServer.answers = {}
    return FakeServer.answers


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.user = make_user("editor", email="sam@clinic.example")
    client.force_login(client.user)
    return client


@pytest.fixture
def issue(editor: Client) -> Issue:
    """Two lessons, as an editor writes it."""
    chosen = Lesson.objects.filter(slug__in=["rolling-in", "follow-the-chain"]).values_list("pk", flat=True)
    answer = editor.post(
        f"{ISSUES}add/",
        {"subject": "Two short lessons", "intro": "Hello,\n\nnew this month.", "lessons": chosen},
    )
    (written,) = Issue.objects.all()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ISSUES}{written.pk}/preview/")
    return written


@pytest.fixture
def readers() -> list[Subscriber]:
    return [make_subscriber(f"reader{number}@example.org") for number in range(3)]


def send(client: Client, issue: Issue) -> str:
    page = client.post(f"{ISSUES}{issue.pk}/send/", follow=True)
    return page.content.decode()


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("subscriber__email", "state"))


def test_the_preview_reads_as_the_mail_will(editor: Client, issue: Issue):
    html = editor.get(f"{ISSUES}{issue.pk}/preview/").content.decode()
    first, second = Lesson.objects.filter(slug__in=["rolling-in", "follow-the-chain"])
    for words in (
        "new this month.",
        first.title,
        second.title,
        "/learn/rolling-in/",
        "1 Demo Plaza, Suite 100",
    ):
        assert words in html
    assert html.index(first.title) < html.index(second.title), "in reading order"
    assert "Nobody has confirmed yet." in html


def test_what_looks_like_markup_is_text_in_the_preview_as_in_the_mail(editor: Client, issue: Issue):
    Issue.objects.filter(pk=issue.pk).update(intro="<b>Bold</b> <script>alert(1)</script>")
    issue.refresh_from_db()
    html = editor.get(f"{ISSUES}{issue.pk}/preview/").content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt; &lt;script&gt;" in html
    assert "<b>Bold" not in html
    sent = issues.message_for(issue, make_subscriber("ann@mail.example")).body
    before, _leave, after = sent.partition("http://127.0.0.1:8000/newsletter/")
    shown = issues.preview(issue)
    assert type(shown) is str
    assert shown.startswith(before)
    assert shown.splitlines()[-4:] == after.splitlines()[-4:]


def test_a_test_goes_to_whoever_asks_and_counts_for_nothing(
    editor: Client, issue: Issue, readers, mail_dir: Path
):
    page = editor.post(f"{ISSUES}{issue.pk}/test/", follow=True).content.decode()
    assert "A test is on its way to sam@clinic.example." in page
    run_jobs()
    (mail,) = mails(mail_dir)
    assert mail["To"] == "sam@clinic.example"
    assert mail["Subject"] == "Test: Two short lessons"
    assert states() == {}


def test_a_test_needs_an_address(issue: Issue):
    client = Client()
    client.force_login(make_user("owner", email=""))
    page = client.post(f"{ISSUES}{issue.pk}/test/", follow=True).content.decode()
    assert "Your account has no e-mail address" in page
    assert jobs() == []


def test_it_goes_to_the_confirmed_and_to_nobody_else(editor: Client, issue: Issue, readers, mail_dir: Path):
    Subscriber.objects.create(email="pending@example.org")
    make_subscriber("left@example.org", status="unsubscribed")
    make_subscriber("bounced@example.org", bounced_at=timezone.now())
    assert "3 mails are on their way." in send(editor, issue)
    assert mails(mail_dir) == [], "nothing leaves before the job queue comes to it"
    run_jobs()
    assert sorted(mail["To"] for mail in mails(mail_dir)) == sorted(reader.email for reader in readers)
    assert set(states().values()) == {"sent"}
    html = editor.get(f"{ISSUES}{issue.pk}/preview/").content.decode()
    assert "Sent: 3" in html


def test_each_mail_names_the_clinic_offers_to_leave_and_follows_nobody(
    editor: Client, issue: Issue, readers, mail_dir: Path
):
    send(editor, issue)
    run_jobs()
    found = mails(mail_dir)
    shared = set.intersection(*(set(links_in(mail)) for mail in found))
    assert shared == {"/learn/rolling-in/", "/learn/follow-the-chain/"}
    for mail in found:
        assert mail["Subject"] == "Two short lessons"
        assert mail.get_content_type() == "text/plain"
        assert "1 Demo Plaza, Suite 100, Torrance, California 90501" in mail.get_content()
        (leave,) = set(links_in(mail)) - shared
        assert mail["List-Unsubscribe"].endswith(f"{leave}>")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert Client().post(leave, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert Subscriber.objects.get(email=mail["To"]).status == "unsubscribed"


def test_jobs_carry_ids_only_and_wait_behind_the_clinics_own(editor: Client, issue: Issue, readers):
    send(editor, issue)
    queued = jobs("delivery")
    assert len(queued) == 3
    assert {tuple(job.args) for job in queued} == {("delivery_id",)}
    assert {job.priority < 0 for job in queued} == {True}


def test_sending_twice_is_sending_once(editor: Client, issue: Issue, readers, mail_dir: Path):
    send(editor, issue)
    make_subscriber("late@example.org")
    send(editor, issue)
    run_jobs()
    run_jobs()
    assert len(mails(mail_dir)) == 3
    assert "late@example.org" not in states()


def test_what_was_sent_off_cannot_be_changed(editor: Client, issue: Issue, readers, mail_dir: Path):
    send(editor, issue)
    Lesson.objects.filter(slug="rolling-in").update(title="Another title", live=False)
    answer = editor.post(f"{ISSUES}{issue.pk}/change/", {"subject": "Changed", "lessons": []})
    assert answer.headers["Location"] == f"{ISSUES}{issue.pk}/preview/"
    run_jobs()
    for mail in mails(mail_dir):
        assert mail["Subject"] == "Two short lessons"
        assert "Another title" not in mail.get_content()
        assert "/learn/rolling-in/" in links_in(mail)


def test_who_leaves_while_it_is_being_sent_is_skipped(editor: Client, issue: Issue, readers, mail_dir: Path):
    send(editor, issue)
    Subscriber.objects.filter(pk=readers[1].pk).update(status="unsubscribed")
    run_jobs()
    assert states()[readers[1].email] == "skipped"
    assert readers[1].email not in [mail["To"] for mail in mails(mail_dir)]


def test_an_address_that_is_refused_for_good_is_marked_and_left_out_next_time(
    editor: Client, issue: Issue, readers, server, mail_dir: Path
):
    server[readers[0].email] = SMTPRecipientsRefused({readers[0].email: (550, b"no such user")})
    send(editor, issue)
    run_jobs()
    assert states()[readers[0].email] == "bounced"
    assert Subscriber.objects.get(pk=readers[0].pk).bounced_at is not None
    another = Issue.objects.create(subject="The next one")
    another.lessons.set(issue.lessons.all())
    assert "2 mails are on their way." in send(editor, another)


def test_a_confirm_mail_that_is_refused_for_good_marks_the_address(server, mail_dir: Path):
    server["gone@example.org"] = SMTPRecipientsRefused({"gone@example.org": (550, b"no such user")})
    server["later@example.org"] = SMTPRecipientsRefused({"later@example.org": (451, b"later")})
    for address in ("gone@example.org", "later@example.org"):
        sign_up(Client(), address)
    gone, later = jobs("confirmation")
    tasks.newsletter_confirmation(**gone.args)
    with pytest.raises(SMTPRecipientsRefused):
        tasks.newsletter_confirmation(**later.args)
    assert Subscriber.objects.get(email="gone@example.org").bounced_at is not None
    assert Subscriber.objects.get(email="later@example.org").bounced_at is None
    assert mails(mail_dir) == []


def test_whoever_presses_the_button_of_a_mail_is_reached(server, mail_dir: Path):
    """The address was marked while it waited, and takes mail again: its owner asks once more and confirms."""
    server["ana@example.org"] = SMTPRecipientsRefused({"ana@example.org": (550, b"mailbox full")})
    sign_up(Client(), "ana@example.org")
    run_jobs()
    server.clear()
    sign_up(Client(), "ana@example.org")
    run_jobs()
    (link,) = links_in(mails(mail_dir)[-1])
    client = Client()
    assert "You are in" in client.post(link, {"do": "confirm"}, headers={"Origin": "null"}).content.decode()
    assert [one.email for one in Subscriber.objects.receiving()] == ["ana@example.org"]


def test_what_is_put_off_is_tried_again(editor: Client, issue: Issue, readers, server, mail_dir: Path):
    server[readers[0].email] = SMTPRecipientsRefused({readers[0].email: (451, b"later")})
    send(editor, issue)
    with pytest.raises(SMTPRecipientsRefused):
        run_jobs()
    assert states()[readers[0].email] == "waiting"
    server.clear()
    run_jobs()
    assert set(states().values()) == {"sent"}
    assert len(mails(mail_dir)) == 3


def test_a_mail_server_that_is_away_loses_nothing(
    editor: Client, issue: Issue, readers, settings, mail_dir: Path
):
    settings.EMAIL_BACKEND = f"{__name__}.ServerAway"
    send(editor, issue)
    for job in jobs("delivery"):
        with pytest.raises(ConnectionRefusedError):
            tasks.newsletter_delivery(**job.args)
    assert set(states().values()) == {"waiting"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    run_jobs()
    assert len(mails(mail_dir)) == 3


def test_a_mail_that_may_have_arrived_is_not_sent_again(
    editor: Client, issue: Issue, readers, server, mail_dir: Path
):
    server[readers[0].email] = SMTPServerDisconnected("gone")
    send(editor, issue)
    run_jobs()
    server.clear()
    # A worker that was killed with the mail in its hands.
    Delivery.objects.filter(subscriber=readers[1]).update(state="sending")
    run_jobs()
    assert states()[readers[0].email] == states()[readers[1].email] == "unknown"
    assert [mail["To"] for mail in mails(mail_dir)].count(readers[0].email) == 0
    html = editor.get(f"{ISSUES}{issue.pk}/preview/").content.decode()
    assert "Cut off while sending; not sent again: 2" in html


def test_what_still_waits_can_be_queued_again(editor: Client, issue: Issue, readers, mail_dir: Path):
    send(editor, issue)
    from procrastinate.contrib.django.models import ProcrastinateJob

    first = jobs("delivery")[0]
    tasks.newsletter_delivery(**first.args)
    before = ProcrastinateJob.objects.count()
    assert "2 mails are on their way." in send(editor, issue)
    assert ProcrastinateJob.objects.count() == before + 2
    run_jobs()
    assert len(mails(mail_dir)) == 3


@pytest.mark.parametrize(
    ("lack", "message"),
    [
        (lambda issue: issue.lessons.clear(), "Choose a lesson that is live."),
        (lambda issue: ClinicInfo.objects.update(street_address=""), "postal address"),
        (lambda issue: Subscriber.objects.all().delete(), "Nobody has confirmed yet."),
    ],
)
def test_what_is_lacking_is_named_and_nothing_is_sent(
    editor: Client, issue: Issue, readers, lack: Callable[[Issue], Any], message: str
):
    lack(issue)
    assert message in send(editor, issue)
    assert states() == {}
    assert Issue.objects.get().queued_at is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subject": "", "intro": ""}, "Enter a subject."),
        ({"subject": "One\r\nBcc: x@example.org"}, "Keep the subject on one line."),
        ({"subject": "One"}, "Choose a lesson."),
    ],
)
def test_a_draft_that_is_not_whole_is_shown_again(editor: Client, fields: dict[str, str], message: str):
    assert message in editor.post(f"{ISSUES}add/", fields).content.decode()
    assert Issue.objects.count() == 0


# ---- the list


def test_an_editor_reads_the_list_and_changes_nothing_in_it(editor: Client, readers):
    html = editor.get(LIST).content.decode()
    assert all(reader.email in html for reader in readers)
    assert "Export as CSV" in html
    assert f"{LIST}add/" not in html
    for path in ("add/", f"{readers[0].pk}/change/", f"{readers[0].pk}/delete/"):
        assert editor.get(LIST + path).status_code == 404


def test_an_editor_marks_what_came_back(editor: Client, readers):
    page = editor.post(
        LIST, {"action": "mark_as_bounced", "_selected_action": [str(readers[0].pk)]}, follow=True
    )
    assert "1 address marked." in page.content.decode()
    assert list(Subscriber.objects.receiving().order_by("email")) == readers[1:]


BOUNCE = """From: MAILER-DAEMON@mail.example
To: lessons@clinic.example
Subject: Undelivered Mail Returned to Sender

<Reader0@Example.org>: host mx.example[192.0.2.1] said: 550 5.1.1
    <reader0@example.org>... User unknown (in reply to RCPT TO command)
Final-Recipient: rfc822; reader1@example.org.
stranger@example.net
"""


def test_what_came_back_is_pasted_and_its_subscribers_are_marked(editor: Client, readers):
    page = editor.get(f"{LIST}bounces/").content.decode()
    assert "No more lessons go to these addresses." in page
    assert f'href="{LIST}bounces/"' in editor.get(LIST).content.decode()
    answer = editor.post(f"{LIST}bounces/", {"text": BOUNCE})
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    page = editor.get(LIST).content.decode()
    assert "2 addresses marked." in page
    assert "Not on the list, or marked before: mailer-daemon@mail.example" in page
    assert "stranger@example.net" in page
    assert list(Subscriber.objects.receiving()) == [readers[2]]
    again = editor.post(f"{LIST}bounces/", {"text": "reader0@example.org"}, follow=True).content.decode()
    assert "0 addresses marked." in again
    assert "marked before: reader0@example.org." in again


def test_the_list_can_be_narrowed_to_those_that_came_back(editor: Client, readers):
    editor.post(f"{LIST}bounces/", {"text": readers[1].email})
    rows = editor.get(f"{LIST}?bounced_at__isempty=0").content.decode().partition("<tbody")[2]
    assert readers[1].email in rows
    assert readers[0].email not in rows


@pytest.mark.parametrize("text", ["", "   ", "x" * 200_001])
def test_nothing_to_mark_is_said_and_nothing_is_marked(editor: Client, readers, text: str):
    html = editor.post(f"{LIST}bounces/", {"text": text}).content.decode()
    assert "<title>Error:" in html
    assert 'href="#id_text"' in html
    assert Subscriber.objects.receiving().count() == 3


@pytest.mark.parametrize("text", ["no address", "x" * 200_000, "@@@@" * 1000, "a@b" * 5000, "\x00@\x00"])
def test_odd_texts_mark_nobody(readers, text: str):
    assert mark_pasted(text).marked == 0
    assert Subscriber.objects.receiving().count() == 3


def test_addresses_are_found_however_they_are_written():
    text = "Ana <ANA@example.org>, 'bo@example.org'; mailto:cy@example.org. (dee@example.org) ana@example.org"
    assert addresses_in(text) == [f"{name}@example.org" for name in ("ana", "bo", "cy", "dee")]


@pytest.mark.parametrize("role", ["physio", "front desk", None])
def test_nobody_else_sees_the_list(role: str | None, readers):
    client = Client()
    client.force_login(make_user(role))
    for path in (LIST, f"{LIST}export/", f"{LIST}bounces/", ISSUES):
        answer = client.get(path)
        assert answer.status_code == 404
        assert readers[0].email.encode() not in answer.content


def test_the_export_is_a_table_that_no_spreadsheet_runs(editor: Client):
    make_subscriber("=1+1@example.org")
    make_subscriber("+left@example.org", status="unsubscribed", left_at=timezone.now())
    make_subscriber("plain@example.org")
    answer = editor.get(f"{LIST}export/")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="subscribers.csv"'
    rows = {row["E-mail"]: row for row in csv.DictReader(io.StringIO(answer.content.decode()))}
    assert set(rows) == {"'=1+1@example.org", "'+left@example.org", "plain@example.org"}
    assert rows["'+left@example.org"]["Status"] == "Left"
    assert rows["plain@example.org"]["Confirmed"] == timezone.localdate().isoformat()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_formula_becomes_text(start: str):
    assert neutralise(f"{start}cmd") == f"'{start}cmd"
    assert neutralise(f"x{start}cmd") == f"x{start}cmd"
