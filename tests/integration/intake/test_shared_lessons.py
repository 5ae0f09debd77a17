"""J6.8: a physio shares lessons after the evaluation; a link of its own and the date of birth open them."""

import re
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from education.catalog.load import load
from education.lessons.models import Lesson
from intake import audit, journey, tasks
from intake.patients import links
from intake.patients.models import AccessEvent, LessonShare, PatientSession
from intake.responses.models import QuestionnaireResponse
from intake.review import sharing
from intake.review.decide import NotAllowed
from intake.review.outcomes import Typed, TypedOutcome
from intake.screening.models import Finding
from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db

BORN = date(1986, 4, 12)
RIGHT = {"month": "4", "day": "12", "year": "1986"}
WRONG = {"month": "4", "day": "13", "year": "1986"}


@pytest.fixture(autouse=True)
def library(db: None) -> None:
    load()


@pytest.fixture
def physio():
    return factories.make_user("physio")


@pytest.fixture
def desk(physio) -> Client:
    return browser(physio)


@pytest.fixture
def seen(physio) -> QuestionnaireResponse:
    """An intake whose visit was two hours ago."""
    starts_at = timezone.now() - timedelta(hours=2)
    evaluation = factories.make_evaluation(physio=physio, starts_at=starts_at)
    return factories.make_response(factories.ROLLING_IN, evaluation=evaluation)


def two() -> list[str]:
    return list(Lesson.objects.live().values_list("slug", flat=True)[:2])


def address(response: QuestionnaireResponse) -> str:
    return reverse("admin:intake_questionnaireresponse_lessons", args=[response.pk])


def shares() -> list[LessonShare]:
    with audit.audited("tests.read", by=factories.SETUP):
        return list(LessonShare.objects.order_by("at"))


def share(desk: Client, response: QuestionnaireResponse, *lessons: str) -> str:
    """The page after sharing these."""
    return desk.post(address(response), {"do": "share", "lessons": lessons}, follow=True).text


def link_of(mail_dir: Path, made: LessonShare) -> str:
    """Send the mail of this share; the path of its link."""
    before = set(mail_dir.iterdir()) if mail_dir.exists() else set()
    tasks.send_lessons(share_id=str(made.pk))
    (mail,) = set(mail_dir.iterdir()) - before
    (path,) = re.findall(r"(/intake/lessons/\S+/)", mail.read_text().replace("=\n", ""))
    return str(path)


def opened(path: str) -> Client:
    client = Client()
    answer = client.post(path, RIGHT)
    assert (answer.status_code, answer.headers["Location"]) == (303, reverse("intake:lessons"))
    return client


class TestSharing:
    def test_suggested_are_those_behind_findings_that_stand(self, desk, seen, physio):
        page = desk.get(address(seen)).text
        assert "Behind the findings that stand" not in page
        assert "Once a finding is recorded as found" in page
        with audit.audited("tests.read", by=factories.SETUP):
            finding = Finding.objects.filter(response=seen, rule__kind="chain").select_related("rule").first()
        journey.decide_finding(
            response=finding.response_id, finding=finding.pk, decision="confirmed", by=audit.staff(physio)
        )
        page = desk.get(address(seen)).text
        first = re.search(r'name="lessons" value="([^"]+)"', page)
        assert first is not None
        assert first[1] == finding.rule.definition["lesson"]
        assert page.count('name="lessons"') == Lesson.objects.live().count()
        assert "Confirmed, not tested: " in page
        assert " checked" not in page

    def test_what_was_found_is_ticked_until_it_is_shared(self, desk, seen, physio):
        def says(result: str) -> str:
            typed = Typed(outcomes={one.pk: TypedOutcome(result) for one in findings})
            journey.record_outcome(response=seen, typed=typed, by=audit.staff(physio))
            return desk.get(address(seen)).text

        with audit.audited("tests.read", by=factories.SETUP):
            findings = list(Finding.objects.filter(response=seen, rule__kind="chain").select_related("rule"))
        lessons = {one.rule.definition["lesson"] for one in findings}
        page = says("found")
        assert set(re.findall(r'name="lessons" value="([^"]+)" checked', page)) == lessons
        for one in findings:
            assert f"Found: {one.rule.title}" in page
        page = share(desk, seen, *lessons)
        assert page.count("Shared already") == len(lessons)
        assert " checked" not in page
        page = says("not-found")
        assert "No finding of this visit stands, so no lesson is suggested." in page
        assert "Behind the findings that stand" not in page

    def test_one_transaction_keeps_it_and_queues_the_mail(self, desk, seen, physio):
        page = share(desk, seen, *two())
        assert "Shared. The e-mail is on its way." in page
        assert "Waiting to be sent" in page
        (made,) = shares()
        assert (made.lessons, made.by_id, made.evaluation_id) == (two(), physio.pk, seen.evaluation_id)
        assert made.expires_at - made.at == timedelta(days=90)
        (job,) = ProcrastinateJob.objects.all()
        assert (job.task_name, job.args) == ("send_lessons", {"share_id": str(made.pk)})
        event = audit.AuditEvent.objects.get(action="lessons.shared")
        assert event.objects_seen["lesson-share"] == [str(made.pk)]
        assert not any(slug in str((event.objects_seen, event.detail)) for slug in two())

    def test_twice_by_an_impatient_finger_it_is_sent_once(self, desk, seen):
        share(desk, seen, *two())
        assert "These lessons were shared already." in share(desk, seen, *two())
        assert len(shares()) == ProcrastinateJob.objects.count() == 1

    @pytest.mark.parametrize("lessons", [[], ["nobody-wrote-this"]])
    def test_nothing_picked_is_said(self, desk, seen, lessons):
        page = share(desk, seen, *lessons)
        assert "Nothing was shared" in page
        assert "Choose at least one lesson." in page
        assert shares() == []

    def test_what_stands_in_the_way_is_said(self, desk, physio):
        coming = factories.make_response(factories.ROLLING_IN)
        silent = factories.make_response(
            factories.ROLLING_IN,
            evaluation=factories.make_evaluation(
                patient=factories.make_patient(email=""), starts_at=timezone.now() - timedelta(hours=2)
            ),
        )
        assert "The visit has not begun yet." in share(desk, coming, *two())
        assert "There is no e-mail address." in share(desk, silent, *two())
        assert shares() == []
        with pytest.raises(NotAllowed), audit.audited("tests.made", by=factories.SETUP):
            sharing.share(response=coming, lessons=two(), by=physio)

    @pytest.mark.parametrize("role", ["front desk", "editor", "owner", None])
    def test_only_who_reviews_shares(self, seen, role):
        client = browser(factories.make_user(role))
        assert client.get(address(seen)).status_code == 404
        assert client.post(address(seen), {"do": "share", "lessons": two()}).status_code == 404
        assert shares() == []

    def test_an_unknown_action_or_share_changes_nothing(self, desk, seen):
        assert desk.post(address(seen), {"do": "burn"}).status_code == 400
        for do in ("again", "take-back"):
            for key in ("", "x", str(uuid4())):
                assert desk.post(address(seen), {"do": do, "share": key}).status_code == 404
        assert desk.put(address(seen)).status_code == 405

    def test_the_share_of_somebody_else_is_none_of_this_page(self, desk, seen):
        other = factories.make_response(
            factories.CALM,
            evaluation=factories.make_evaluation(starts_at=timezone.now() - timedelta(hours=2)),
        )
        share(desk, other, *two())
        (made,) = shares()
        assert desk.post(address(seen), {"do": "take-back", "share": str(made.pk)}).status_code == 404
        assert shares()[0].revoked_at is None

    def test_the_database_keeps_what_was_shared(self, desk, seen):
        share(desk, seen, *two())
        for wrong in ({"lessons": ["shoes"]}, {"at": timezone.now()}):
            with pytest.raises(DatabaseError), audit.audited("tests.made", by=factories.SETUP):
                LessonShare.objects.update(**wrong)
        with pytest.raises(DatabaseError), audit.audited("tests.made", by=factories.SETUP):
            LessonShare.objects.all().delete()


class TestMail:
    def test_it_says_nothing_of_health_and_no_title(self, desk, seen, mail_dir: Path):
        share(desk, seen, *two())
        link_of(mail_dir, shares()[0])
        (mail,) = mail_dir.iterdir()
        text = mail.read_text()
        assert "Subject: We have something for you to read" in text
        words = ("pain", "knee", "foot", "feet", "leg", "ankle", "lesson ", "finding", "diagnos", "Jordan")
        assert [word for word in words if re.search(word, text, re.IGNORECASE)] == []
        titles = Lesson.objects.filter(slug__in=two()).values_list("title", flat=True)
        assert [title for title in titles if title in text] == []
        page = desk.get(reverse("admin:intake_questionnaireresponse_outcome", args=[seen.pk])).text
        assert "Sent, not opened yet" in page
        assert "The e-mail left today" in page
        assert all(title in page for title in titles)

    def test_sent_again_the_newer_link_counts(self, desk, seen, mail_dir: Path):
        share(desk, seen, *two())
        (made,) = shares()
        old = link_of(mail_dir, made)
        page = desk.post(address(seen), {"do": "again", "share": str(made.pk)}, follow=True).text
        assert "The link is on its way." in page
        new = link_of(mail_dir, made)
        assert Client().get(old).status_code == 404
        assert Client().get(new).status_code == 200

    def test_taken_back_before_it_left_it_never_leaves(self, desk, seen, mail_dir: Path):
        share(desk, seen, *two())
        (made,) = shares()
        desk.post(address(seen), {"do": "take-back", "share": str(made.pk)})
        assert not journey.deliver_lessons(share_id=made.pk)
        assert not mail_dir.exists() or list(mail_dir.iterdir()) == []
        answer = desk.post(address(seen), {"do": "again", "share": str(made.pk)}, follow=True)
        assert "This link has ended." in answer.text


class TestReading:
    @pytest.fixture
    def path(self, desk, seen, mail_dir: Path) -> str:
        share(desk, seen, *two())
        return link_of(mail_dir, shares()[0])

    def test_the_date_of_birth_opens_titles_and_nothing_else(self, path, seen):
        page = Client().get(path).text
        assert "has something for you to read" in page
        assert "your form" not in page.lower()
        client = opened(path)
        page = client.get(reverse("intake:lessons")).text
        for lesson in Lesson.objects.filter(slug__in=two()):
            assert lesson.title in page
            assert lesson.lead in page
        with audit.audited("tests.read", by=factories.SETUP):
            titles = list(Finding.objects.filter(response=seen).values_list("rule__title", flat=True))
        assert [title for title in titles if title in page] == []
        assert "because" not in page.lower()
        assert audit.AuditEvent.objects.filter(action="lessons.opened").count() == 1

    def test_its_session_opens_no_page_of_the_form(self, path):
        client = opened(path)
        for name in ("start", "tasks", "check", "sent", "status", "calendar"):
            assert client.get(reverse(f"intake:{name}")).status_code == 403, name
        assert client.get(reverse("intake:page", args=["about"])).status_code == 403
        for name in ("change", "keep", "check", "advice"):
            assert client.post(reverse(f"intake:{name}")).status_code == 403, name

    def test_its_token_opens_nothing_at_the_door_of_the_form_nor_the_other_way(self, path, seen):
        token = path.rstrip("/").rsplit("/", 1)[-1]
        door = reverse("intake:open", args=[token])
        assert Client().get(door).status_code == Client().post(door, RIGHT).status_code == 404
        form = journey.make_link(invitation_id=seen.invitation_id, by=factories.SETUP)
        door = reverse("intake:open_lessons", args=[form.rstrip("/").rsplit("/", 1)[-1]])
        assert Client().get(door).status_code == Client().post(door, RIGHT).status_code == 404

    def test_the_device_that_read_lessons_is_no_device_of_the_answers(self, path, seen):
        client = opened(path)
        form = journey.make_link(invitation_id=seen.invitation_id, by=factories.SETUP)
        door = reverse("intake:open", args=[form.rstrip("/").rsplit("/", 1)[-1]])
        assert client.post(door, RIGHT).headers["Location"] == reverse("intake:code")

    def test_wrong_dates_rest_it_and_end_it(self, path):
        client = Client()
        for _try in range(5):
            assert "match what the clinic has" in client.post(path, WRONG).text
        assert client.post(path, RIGHT).status_code == 200, "it rests"
        with audit.audited("tests.made", by=factories.SETUP):
            (made,) = LessonShare.objects.all()
            AccessEvent.objects.bulk_create(
                AccessEvent(share=made, kind="wrong-date", at=timezone.now() - timedelta(hours=2))
                for _ in range(5)
            )
            AccessEvent.objects.filter(share=made).update(at=timezone.now() - timedelta(hours=1))
        client.post(path, WRONG)
        assert client.get(path).status_code == 404
        assert shares()[0].ended_at is not None

    def test_looking_changes_nothing(self, path):
        for _look in range(3):
            Client().get(path)
            Client().head(path)
        with audit.audited("tests.read", by=factories.SETUP):
            assert PatientSession.objects.count() == AccessEvent.objects.count() == 0
        assert shares()[0].opened_at is None

    def test_taken_back_it_ends_at_once_also_for_who_reads(self, path, desk, seen):
        client = opened(path)
        front = browser(factories.make_user("front desk"))
        visit = reverse("admin:intake_evaluation_change", args=[seen.evaluation_id])
        page = front.get(visit).text
        assert "Links to shared lessons" in page
        assert [one.title for one in Lesson.objects.live() if one.title in page] == []
        (made,) = shares()
        door = reverse("admin:intake_evaluation_lessons", args=[seen.evaluation_id])
        assert "Taken back." in front.post(door, {"share": str(made.pk)}, follow=True).text
        assert client.get(reverse("intake:lessons")).status_code == 403
        assert client.get(path).status_code == 404
        assert audit.AuditEvent.objects.filter(action="lessons.taken-back").count() == 1

    def test_it_ends_after_ninety_days_and_not_with_the_visit(self, path):
        with time_machine.travel(timezone.now() + timedelta(days=89)):
            assert Client().get(path).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=91)):
            assert Client().get(path).status_code == 404

    def test_each_link_shows_all_that_stands(self, path, desk, seen, mail_dir: Path):
        third = Lesson.objects.live()[2]
        share(desk, seen, third.slug)
        assert len(shares()) == 2
        assert third.title in opened(path).get(reverse("intake:lessons")).text
        desk.post(address(seen), {"do": "take-back", "share": str(shares()[1].pk)})
        assert third.title not in opened(path).get(reverse("intake:lessons")).text

    def test_a_lesson_that_is_no_longer_public_is_not_shown(self, path):
        gone, stays = (Lesson.objects.get(slug=slug) for slug in two())
        Lesson.objects.filter(pk=gone.pk).update(live=False)
        page = opened(path).get(reverse("intake:lessons")).text
        assert gone.title not in page
        assert stays.title in page

    def test_leaving_closes_it(self, path):
        client = opened(path)
        assert client.post(reverse("intake:leave")).status_code == 303
        assert client.get(reverse("intake:lessons")).status_code == 403

    def test_they_stand_on_the_status_page_of_the_form(self, path, seen):
        with audit.audited("tests.opened", by=factories.SETUP):
            session = links.open_session(invitation=seen.invitation, address=None, device_token="")
            seen.invitation.token_hash = links.hash_token("x")
            seen.invitation.save()
        client = Client()
        client.cookies[settings.PATIENT_COOKIE_NAME] = session.session_token
        page = client.get(reverse("intake:status")).text
        assert "Lessons from your physio" in page
        title = Lesson.objects.get(slug=two()[0]).title
        assert page.count(f"<b>{title}</b>") == 1


def test_a_session_and_an_event_belong_to_one_link(seen):
    for model in (PatientSession, AccessEvent):
        fields = {"token_hash": b"x", "device_hash": b"y"} if model is PatientSession else {"kind": "opened"}
        with (
            pytest.raises(IntegrityError),
            audit.audited("tests.made", by=factories.SETUP),
            transaction.atomic(),
        ):
            model.objects.create(**fields)
