"""Reminders: when they go, once each, and when they do not."""

import email
import email.policy
import re
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.mail.backends.filebased import EmailBackend
from django.db import connections
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey
from intake.patients import links, reminders
from intake.patients.models import Evaluation, Invitation, Reminder
from tests import factories
from tests.conftest import ROOT
from tests.health_words import health_words

CLINIC = ZoneInfo("America/Los_Angeles")


def clinic(text: str) -> datetime:
    """A time on the clinic's clock: "2027-03-10 14:00"."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CLINIC)


def read():
    return audit.audited("tests.read", by=factories.SETUP)


def booked(starts_at: str, *, on: str, linked: bool = True, **fields) -> Evaluation:
    """A visit booked on that day with its link sent then."""
    with time_machine.travel(clinic(on), tick=False):
        evaluation = factories.make_evaluation(starts_at=clinic(starts_at), **fields)
        if linked:
            factories.make_invitation(evaluation, sent_at=clinic(on))
    return evaluation


def claimed() -> list[tuple[str, str]]:
    """Kind and state of all there are."""
    with read():
        return list(Reminder.objects.order_by("queued_at").values_list("kind", "state"))


def send_all() -> int:
    """Run the jobs that wait."""
    with read():
        keys = list(Reminder.objects.filter(state="queued").values_list("pk", flat=True))
    return sum(journey.send_reminder(reminder_id=key) for key in keys)


# Around the edges of the hours when mail is welcome, and at night.
HOURS = (0, 2, 8, 9, 10, 19, 20, 23)


def walk(first: str, last: str) -> list[datetime]:
    """Let the clock run and the jobs with it. Returns when mails left, on the clinic's clock."""
    left, day = [], clinic(first)
    while day.date() <= clinic(last).date():
        for hour in HOURS:
            at = day.replace(hour=hour, minute=0)
            if clinic(first) <= at <= clinic(last):
                with time_machine.travel(at, tick=False):
                    journey.remind()
                    left += [at] * send_all()
        day += timedelta(days=1)
    return left


@pytest.mark.django_db
class TestWhen:
    def test_seven_days_and_one_day_before_at_nine(self):
        booked("2027-06-16 14:00", on="2027-06-01 10:00")
        assert walk("2027-06-08 00:00", "2027-06-17 00:00") == [
            clinic("2027-06-09 09:00"),
            clinic("2027-06-15 09:00"),
        ]
        assert claimed() == [("week", "sent"), ("day", "sent")]

    @pytest.mark.parametrize(
        ("visit", "week", "day"),
        [
            # The clocks go forward on March 14, 2027 and back on November 7.
            ("2027-03-15 08:00", "2027-03-08 09:00", "2027-03-14 09:00"),
            ("2027-03-14 18:30", "2027-03-07 09:00", "2027-03-13 09:00"),
            ("2027-11-08 08:00", "2027-11-01 09:00", "2027-11-07 09:00"),
            ("2027-11-07 23:30", "2027-10-31 09:00", "2027-11-06 09:00"),
        ],
    )
    def test_over_a_change_of_the_clocks(self, visit, week, day):
        evaluation = booked(visit, on="2027-02-01 10:00")
        assert reminders.due_at("week", evaluation.starts_at) == clinic(week)
        first, last = clinic(week) - timedelta(days=1), clinic(visit)
        shown = "%Y-%m-%d %H:%M"
        left = walk(first.strftime(shown), last.strftime(shown))
        assert left == [clinic(week), clinic(day)]
        assert {moment.hour for moment in left} == {9}

    def test_in_another_zone(self, settings):
        evaluation = booked("2027-06-16 22:00", on="2027-06-01 10:00")
        settings.TIME_ZONE = "America/New_York"  # one in the morning of the next day there
        assert reminders.due_at("day", evaluation.starts_at) == clinic("2027-06-16 06:00")

    @pytest.mark.parametrize(
        ("booked_on", "expected"),
        [
            ("2027-06-13 10:00", ["2027-06-15 09:00"]),
            ("2027-06-09 08:00", ["2027-06-15 09:00"]),
            ("2027-06-08 20:00", ["2027-06-09 09:00", "2027-06-15 09:00"]),
            ("2027-06-15 08:00", []),
            ("2027-06-16 08:00", []),
        ],
    )
    def test_a_late_booking_gets_only_what_is_still_to_come(self, booked_on, expected):
        booked("2027-06-16 14:00", on=booked_on)
        assert walk("2027-06-08 21:00", "2027-06-16 14:00") == [clinic(one) for one in expected]

    def test_after_an_outage_it_goes_late_but_not_at_night(self):
        booked("2027-06-16 14:00", on="2027-06-01 10:00")
        assert walk("2027-06-10 22:00", "2027-06-11 12:00") == [clinic("2027-06-11 09:00")]

    def test_one_that_would_come_too_late_is_left_out(self):
        booked("2027-06-16 14:00", on="2027-06-01 10:00")
        assert walk("2027-06-15 20:00", "2027-06-16 15:00") == []
        assert claimed() == []

    def test_the_week_s_is_left_out_on_the_day_of_the_other(self):
        booked("2027-06-16 14:00", on="2027-06-01 10:00")
        assert walk("2027-06-15 09:00", "2027-06-15 12:00") == [clinic("2027-06-15 09:00")]
        assert claimed() == [("day", "sent")]


DAY_BEFORE = "2027-06-15 09:00"


@pytest.mark.django_db
class TestNone:
    @pytest.fixture
    def evaluation(self):
        return booked("2027-06-16 14:00", on="2027-06-14 10:00")

    def change(self, rows, **fields) -> None:
        with audit.audited("tests.made", by=factories.SETUP):
            rows.update(**fields)

    def none_goes(self) -> None:
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            assert (journey.remind(), send_all()) == (0, 0)

    def test_for_a_cancelled_visit(self, evaluation):
        self.change(Evaluation.objects, status="cancelled")
        self.none_goes()

    def test_when_the_form_is_sent(self):
        with time_machine.travel(clinic("2027-06-13 10:00"), tick=False):
            response = factories.make_response(
                factories.CALM, evaluation=factories.make_evaluation(starts_at=clinic("2027-06-16 14:00"))
            )
        self.change(Invitation.objects.filter(pk=response.invitation_id), sent_at=clinic("2027-06-13 10:00"))
        self.none_goes()

    @pytest.mark.parametrize("field", ["ended_at", "revoked_at"])
    def test_when_the_link_ended(self, evaluation, field):
        self.change(Invitation.objects, **{field: clinic("2027-06-14 12:00")})
        self.none_goes()

    def test_when_no_link_was_sent(self):
        booked("2027-06-16 14:00", on="2027-06-14 10:00", linked=False)
        self.none_goes()

    def test_when_switched_off_for_the_visit_or_the_patient(self, evaluation):
        desk = audit.staff(factories.make_user("front desk"))
        journey.switch_reminders(evaluation=evaluation, off=True, by=desk)
        self.none_goes()
        journey.switch_reminders(evaluation=evaluation, off=False, by=desk)
        self.change(type(evaluation.patient).objects, reminders_off=True)
        self.none_goes()
        self.change(type(evaluation.patient).objects, reminders_off=False)
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            assert (journey.remind(), send_all()) == (1, 1)

    def test_without_an_address(self, evaluation):
        self.change(type(evaluation.patient).objects, email="")
        self.none_goes()

    @pytest.mark.parametrize("reason", ["cancelled", "sent", "ended", "off", "moved"])
    def test_what_was_claimed_is_looked_at_again_when_its_turn_comes(self, evaluation, reason):
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            assert journey.remind() == 1
            if reason == "cancelled":
                self.change(Evaluation.objects, status="cancelled")
            elif reason == "sent":
                with audit.audited("tests.made", by=factories.SETUP):
                    invitation = evaluation.invitations.get()
                    evaluation.responses.create(
                        invitation=invitation,
                        questionnaire=invitation.questionnaire,
                        status="completed",
                        answers={},
                        document={},
                        authored=clinic(DAY_BEFORE),
                        submit_key=evaluation.pk,
                    )
            elif reason == "ended":
                self.change(Invitation.objects, ended_at=clinic(DAY_BEFORE))
            elif reason == "off":
                self.change(Evaluation.objects, reminders_off=True)
            else:
                self.change(Evaluation.objects, starts_at=clinic("2027-06-18 14:00"))
            assert send_all() == 0
        assert claimed() == [("day", "not-needed")]

    def test_a_moved_visit_gets_its_own(self, evaluation):
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            assert (journey.remind(), send_all()) == (1, 1)
            evaluation.starts_at = clinic("2027-06-25 10:00")
            desk = audit.staff(factories.make_user("front desk"))
            journey.move_evaluation(evaluation=evaluation, by=desk, mail=False)
        assert walk("2027-06-15 10:00", "2027-06-25 10:00") == [
            clinic("2027-06-18 09:00"),
            clinic("2027-06-24 09:00"),
        ]


class ServerAway(EmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError("no mail today")


@pytest.mark.django_db
class TestOnce:
    @pytest.fixture
    def evaluation(self):
        return booked("2027-06-16 14:00", on="2027-06-14 10:00")

    def test_asking_again_and_running_again_sends_nothing_more(self, evaluation, mail_dir: Path):
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            assert [journey.remind() for _ in range(3)] == [1, 0, 0]
            (reminder,) = self.all()
            assert [journey.send_reminder(reminder_id=reminder.pk) for _ in range(3)] == [True, False, False]
            assert journey.remind() == 0
        assert len(list(mail_dir.glob("*"))) == 1
        assert ProcrastinateJob.objects.filter(task_name="send_reminder").count() == 1

    def all(self) -> list[Reminder]:
        with read():
            return list(Reminder.objects.all())

    def test_while_mail_is_away_it_waits_and_then_goes_once(self, evaluation, settings, mail_dir):
        backend = settings.EMAIL_BACKEND
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            journey.remind()
            settings.EMAIL_BACKEND = f"{__name__}.ServerAway"
            (reminder,) = self.all()
            with pytest.raises(ConnectionRefusedError):
                journey.send_reminder(reminder_id=reminder.pk)
            assert claimed() == [("day", "queued")]
            settings.EMAIL_BACKEND = backend
            assert journey.send_reminder(reminder_id=reminder.pk)
        assert claimed() == [("day", "sent")]
        assert len(list(mail_dir.glob("*"))) == 1

    def test_if_it_would_come_too_late_it_is_given_up_and_says_so(self, evaluation):
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            journey.remind()
        with time_machine.travel(clinic("2027-06-15 20:00"), tick=False):
            assert send_all() == 0
        assert claimed() == [("day", "failed")]

    def test_at_night_it_is_put_off_to_nine(self):
        booked("2027-06-16 14:00", on="2027-06-01 10:00")
        with time_machine.travel(clinic("2027-06-09 19:59"), tick=False):
            journey.remind()
        with time_machine.travel(clinic("2027-06-09 23:00"), tick=False):
            assert send_all() == 0
        assert claimed() == [("week", "queued")]
        jobs = ProcrastinateJob.objects.filter(task_name="send_reminder", scheduled_at__isnull=False)
        assert [job.scheduled_at for job in jobs] == [clinic("2027-06-10 09:00")]


def test_two_workers_at_once_claim_and_send_each_once(committed_db, mail_dir: Path):
    for number in range(6):
        booked(f"2027-06-16 {8 + number:02}:00", on="2027-06-14 10:00")
    problems: list[BaseException] = []

    def at_once(run, *arguments) -> None:
        def guarded() -> None:
            try:
                start.wait(20)
                run(*arguments)
            except BaseException as problem:  # a thread's failure has to reach the test
                problems.append(problem)
            finally:
                connections.close_all()

        start = threading.Barrier(2)
        threads = [threading.Thread(target=guarded) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    with time_machine.travel(clinic(DAY_BEFORE), tick=False):
        at_once(journey.remind)
        assert claimed() == [("day", "queued")] * 6
        assert ProcrastinateJob.objects.filter(task_name="send_reminder").count() == 6
        at_once(send_all)
    assert problems == []
    assert claimed() == [("day", "sent")] * 6
    # At one moment two mails may get one file.
    sent = "".join(path.read_text() for path in mail_dir.glob("*"))
    assert sent.count("\nMessage-ID:") == 6


# A process that claims, tells us, and is killed before anything else runs; or dies while mail leaves.
KILLED = """
import os, signal, sys, django
django.setup()
from django.db import connection
import time_machine
from tests.integration.intake.test_reminders import DAY_BEFORE, clinic
from intake import journey
with time_machine.travel(clinic(DAY_BEFORE), tick=False):
    if sys.argv[1] == "claim":
        journey.remind()
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        journey.send_reminder(reminder_id=sys.argv[1])
"""


class Dies(EmailBackend):
    """The machine goes away just as the mail would leave."""

    def send_messages(self, email_messages):
        import os  # noqa: PLC0415

        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    "place", ["after the claim", pytest.param("before the mail leaves", marks=pytest.mark.deep)]
)
def test_killed_between_claim_and_mail_it_still_goes_once(committed_db, mail_dir: Path, place, database_urls):
    import os  # noqa: PLC0415

    from tests.conftest import address  # noqa: PLC0415

    booked("2027-06-16 14:00", on="2027-06-14 10:00")
    name = connections["default"].settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DATABASE_URL": address(database_urls[1], name),
    }

    def run(argument: str, script: str = KILLED) -> int:
        return subprocess.run(
            [sys.executable, "-c", script, argument], cwd=ROOT, env=environment, check=False
        ).returncode

    assert run("claim") == -signal.SIGKILL
    assert claimed() == [("day", "queued")]
    (job,) = ProcrastinateJob.objects.filter(task_name="send_reminder")
    key = job.args["reminder_id"]
    if place == "before the mail leaves":
        backend = f"settings.EMAIL_BACKEND = '{__name__}.Dies'"
        script = KILLED.replace(
            "django.setup()", f"django.setup()\nfrom django.conf import settings\n{backend}"
        )
        assert run(key, script) == -signal.SIGKILL
        assert claimed() == [("day", "queued")]
    with time_machine.travel(clinic(DAY_BEFORE), tick=False):
        assert journey.remind() == 0
        assert [journey.send_reminder(reminder_id=key) for _ in range(2)] == [True, False]
    assert claimed() == [("day", "sent")]
    assert len(list(mail_dir.glob("*"))) == 1


@pytest.mark.django_db
class TestTheMail:
    @pytest.fixture
    def evaluation(self):
        return booked("2027-06-16 14:00", on="2027-06-14 10:00")

    @pytest.fixture
    def message(self, evaluation, mail_dir: Path):
        with time_machine.travel(clinic(DAY_BEFORE), tick=False):
            journey.remind()
            send_all()
        (path,) = mail_dir.glob("*")
        return email.message_from_string(path.read_text(), policy=email.policy.default)

    def words(self, message) -> str:
        return message.get_body().get_content()

    def test_it_says_when_and_where_and_no_word_about_health(self, message, evaluation):
        assert message["Subject"] == "Your form before the visit is still open"
        assert message["To"] == evaluation.patient.email
        words = self.words(message)
        assert "Wednesday, June 16 at 2:00 pm" in words
        assert health_words(message["Subject"] + words) == []
        assert message["Message-ID"].startswith("<reminder.")

    def test_its_link_opens_the_form_and_the_one_before_goes_on_working(self, evaluation, message):
        with audit.audited("tests.made", by=factories.SETUP):
            invitation = evaluation.invitations.get()
            first = links.new_token()
            invitation.token_hash = links.hash_token(first)
            invitation.save()
        (token,) = re.findall(r"/intake/open/(\S+)/", self.words(message))
        with time_machine.travel(clinic("2027-06-15 12:00")):
            for one in (token, first):
                page = Client().get(reverse("intake:open", args=[one]))
                assert page.status_code == 200
                born = {"month": "4", "day": "12", "year": "1986"}
                assert Client().post(reverse("intake:open", args=[one]), born).status_code == 303
            desk = audit.staff(factories.make_user("front desk"))
            journey.invite(evaluation=evaluation, by=desk)
            for one in (token, first):
                assert Client().get(reverse("intake:open", args=[one])).status_code == 404

    def test_stopping_takes_a_button(self, evaluation, message):
        (path,) = re.findall(r"(/intake/reminders/\S+)", self.words(message))
        client = Client()
        page = client.get(path)
        assert "Stop the reminders?" in page.text
        assert evaluation.patient.family_name not in page.text
        assert client.head(path).status_code == 200
        assert not self.off(evaluation)
        assert "Reminders are stopped" in client.post(path).text
        assert self.off(evaluation)

    def off(self, evaluation) -> bool:
        with read():
            return bool(Evaluation.objects.get(pk=evaluation.pk).reminders_off)

    def test_an_unknown_way_to_stop_is_a_page_that_is_not_there(self, db):
        for method in ("get", "post"):
            answer = getattr(Client(), method)(reverse("intake:stop_reminders", args=["nonsense"]))
            assert answer.status_code == 404
            assert "This link does not work" in answer.text
