"""Staff end one link, or all of them (R7), and somebody is told when links are tried by the hundred (R4)."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey, tasks
from intake.patients import links, tablet
from intake.patients.models import AccessEvent, EvaluationRequest, Invitation
from intake.review import sharing
from tests.factories import SETUP, make_user
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

WRONG = date(1986, 4, 13)
ABOUT = {"why.main-problem": ["knee"], "why.story": ["Zyxstory"]}


def at_desk(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def page_of(invitation: Invitation) -> str:
    return reverse("admin:intake_evaluation_change", args=[invitation.evaluation_id])


def ends(invitation: Invitation, client: Client) -> None:
    url = reverse("admin:intake_evaluation_end_link", args=[invitation.evaluation_id])
    assert f'action="{url}"' in client.get(page_of(invitation)).text
    response = client.post(url)
    assert (response.status_code, response.headers["Location"]) == (303, page_of(invitation))


def shared_with(invitation: Invitation) -> str:
    token = links.new_token()
    with audit.audited("tests.made", by=SETUP):
        invitation.evaluation.lesson_shares.create(
            lessons=["rolling-in"],
            by=invitation.evaluation.physio,
            expires_at=timezone.now() + sharing.LINK_OF_LESSONS,
            token_hash=links.hash_token(token),
        )
    return token


@pytest.mark.parametrize("role", ["front desk", "physio"])
def test_one_link_ends_with_the_session_behind_it_and_the_others_go_on(role: str):
    invitation, token = invited()
    _, other = invited()
    visitor, neighbor = Visitor(token).open(), Visitor(other).open()
    visitor.save("about", ABOUT)
    desk = at_desk(role)
    ends(invitation, desk)
    assert visitor.look("/intake/about/").status_code == 403
    assert visitor.save("about", {"why.story": ["more"]}).status_code == 403
    assert Visitor(token).type_date().status_code == 404
    assert neighbor.look("/intake/about/").status_code == 200
    assert stored(invitation).answers["why.story"] == ["Zyxstory"]
    assert "The clinic ended the link" in desk.get(page_of(invitation)).text
    line = audit.AuditEvent.objects.get(action="invitation.withdrawn")
    assert line.objects_seen["invitation"] == [str(invitation.pk)]
    assert line.detail == {"links": 1}


def test_what_hangs_on_the_link_ends_with_it():
    """The links of its reminders, a code for another device, a code of the tablet, a mail on its way."""
    invitation, token = invited()
    reminded = links.new_token()
    with audit.audited("tests.made", by=SETUP):
        invitation.evaluation.reminders.create(
            kind="day",
            starts_at=invitation.evaluation.starts_at,
            invitation=invitation,
            token_hash=links.hash_token(reminded),
        )
    Visitor(token).open().save("about", ABOUT)
    asker = Visitor(token)
    assert asker.type_date().headers["Location"] == "/intake/code/"
    started = journey.start_tablet(evaluation=invitation.evaluation, by=audit.staff(make_user("front desk")))
    ends(invitation, at_desk("front desk"))
    assert Visitor(reminded).type_date().status_code == 404
    assert asker.client.post("/intake/code/", {"code": "123456"}).status_code == 403
    opened = journey.open_on_tablet(token=started.token, birth_date=date(1986, 4, 12), address=None)
    assert isinstance(opened, tablet.NoCode)
    assert not journey.deliver_invitation(invitation_id=invitation.pk)


def test_only_staff_send_another_after_they_ended_one():
    invitation, token = invited(starts_at=timezone.now() + timedelta(days=3))
    ends(invitation, at_desk("front desk"))
    journey.ask_for_link(token=token, address=None)
    (job,) = ProcrastinateJob.objects.filter(task_name=journey.RENEW_LINK)
    assert not journey.renew_link(**job.args)
    again = journey.invite(evaluation=invitation.evaluation, by=SETUP, mail=False)
    fresh = journey.make_link(invitation_id=again.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    assert Visitor(fresh).type_date().status_code == 303


def test_ending_twice_says_so():
    invitation, _ = invited()
    desk = at_desk("front desk")
    ends(invitation, desk)
    page = desk.post(
        reverse("admin:intake_evaluation_end_link", args=[invitation.evaluation_id]), follow=True
    )
    assert "No link was open." in page.text


def test_the_link_of_somebody_who_asked_ends_on_the_page_of_her_request():
    asked = EvaluationRequest(
        given_name="Ana", family_name="Silva", birth_date="1986-04-12", email="ana@example.org"
    )
    journey.ask_for_evaluation(asked=asked)
    with audit.audited("tests.read", by=SETUP):
        invitation = Invitation.objects.select_related("evaluation").get(evaluation=asked.evaluation_id)
    link = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    desk = at_desk("front desk")
    url = reverse("admin:intake_evaluation_end_link", args=[asked.evaluation_id])
    book = reverse("admin:intake_evaluationrequest_book", args=[asked.pk])
    assert f'action="{url}"' in desk.get(book).text
    assert "The clinic ended the link" in desk.post(url, follow=True).text
    assert Visitor(link).type_date().status_code == 404


@pytest.mark.parametrize("role", ["owner", "physio"])
def test_all_links_end_after_a_tick(role: str):
    people = [invited() for _ in range(3)]
    lessons = shared_with(people[0][0])
    visitor = Visitor(people[0][1]).open()
    chief = at_desk(role)
    page = chief.get(reverse("admin:links"))
    assert page.status_code == 200
    assert reverse("admin:links") in chief.get(reverse("admin:figures")).text
    refused = chief.post(reverse("admin:links"))
    assert refused.status_code == 400
    assert "Nothing was ended" in refused.text
    assert visitor.look("/intake/").status_code == 200
    done = chief.post(reverse("admin:links"), {"sure": "yes"}, follow=True)
    assert "4 links ended." in done.text
    assert visitor.look("/intake/").status_code == 403
    assert [Visitor(token).type_date().status_code for _, token in people] == [404] * 3
    assert Visitor().look(reverse("intake:open_lessons", args=[lessons])).status_code == 404
    line = audit.AuditEvent.objects.get(action="links.all-ended")
    assert line.detail == {"invitations": 3, "shares": 1}
    assert len(line.objects_seen["invitation"]) == 3


def test_the_command_ends_all_of_them_and_says_how_many():
    _, token = invited()
    invitation, _ = invited()
    shared_with(invitation)
    with pytest.raises(CommandError):
        call_command("end_links")
    assert ended("--dry-run") == {"invitation": 2, "lesson-share": 1}
    assert Visitor(token).look(Visitor(token).link).status_code == 200
    assert ended() == {"invitation": 2, "lesson-share": 1}
    assert ended() == {"invitation": 0, "lesson-share": 0}
    assert Visitor(token).type_date().status_code == 404
    out = StringIO()
    call_command("end_links", "--all", stdout=out)
    assert out.getvalue() == "invitation: 0 ended\nlesson-share: 0 ended\n"


def ended(*options: str) -> dict[str, int]:
    out = StringIO()
    call_command("end_links", "--all", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


# ------------------------------------------------------------ somebody tries many links


def test_the_hundredth_wrong_date_within_an_hour_tells_whoever_is_on_call_once(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    invitation, _ = invited()
    _, token = invited()
    with audit.audited("tests.made", by=SETUP):
        AccessEvent.objects.bulk_create(
            AccessEvent(invitation=invitation, kind=kind, address=f"203.0.113.{number}")
            for number, kind in enumerate([AccessEvent.Kind.WRONG_DATE, AccessEvent.Kind.WRONG_CODE] * 49)
        )
    alarms = ProcrastinateJob.objects.filter(task_name=journey.SOUND_ALARM)
    Visitor(token).type_date(WRONG)
    assert not alarms.exists()
    for _ in range(3):
        Visitor(token).type_date(WRONG)
    assert alarms.count() == 1
    with audit.covered():
        tasks.sound_alarm()
    (sent,) = mail.outbox
    assert sent.to == [settings.ON_CALL_EMAIL]
    assert "wrong dates of birth or codes were typed" in sent.body
    assert reverse("admin:links") in sent.body
    page = at_desk("owner").get(reverse("admin:links")).text
    assert "somebody may be trying links" in page
