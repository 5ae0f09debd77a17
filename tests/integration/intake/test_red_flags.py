"""An urgent answer: shown at once, staff told at once, never lost (journeys J4)."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey, tasks
from intake.patients.models import Invitation
from intake.questionnaires.pages import pages
from intake.review.contacts import ContactRefused
from intake.screening.models import RedFlag, RedFlagEvent
from tests.factories import SETUP, make_user
from tests.health_words import health_words
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, filled_in, invited, stored
from tests.unit.intake.shipped import REPOSITORY, rules

pytestmark = pytest.mark.django_db

CALF = {
    "safety.leg-signs.left": ["calf-swollen", "calf-warm-sore"],
    "safety.leg-signs.right": ["none"],
    "safety.body-signs": ["none"],
    "safety.clot-risks": ["long-trip"],
    "safety.injury.left": [False],
    "safety.injury.right": [False],
}
CALM = {**CALF, "safety.leg-signs.left": ["none"], "safety.clot-risks": ["none"]}
CHEST = {**CALM, "safety.body-signs": ["chest-breath"]}
URGENT_RULES = [rule for rule in rules() if rule.is_urgent]
HEADINGS = {"emergency": "Get help now", "same-day": "Get medical help today"}
# What a patient could take for a promise to be called, whoever is at the clinic now.
PROMISE = re.compile(
    r"(\b(we|they|someone|somebody|you|staff|physio|clinic|desk|team)(’ll|'ll| will| (is|are) going to)"
    r"( \w+)?( be)? (called|call|phone|ring|get back|get a call|contact|reach)|\bwait for (a|our) call\b)",
    re.IGNORECASE,
)


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    invitation, token = invited()
    return Visitor(token).open(), invitation


def flags(invitation: Invitation) -> list[RedFlag]:
    with audit.audited("tests.read", by=SETUP):
        found = RedFlag.objects.filter(response__evaluation=invitation.evaluation_id)
        return list(found.select_related("rule").order_by("pk"))


def history(flag: RedFlag) -> list[str]:
    with audit.audited("tests.read", by=SETUP):
        return list(RedFlagEvent.objects.filter(flag=flag).order_by("pk").values_list("kind", flat=True))


def jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="mail_on_call").order_by("pk"))


def mails(mail_dir: Path) -> list[str]:
    return [path.read_text() for path in sorted(mail_dir.glob("*"))] if mail_dir.exists() else []


def press(visitor: Visitor, button: str):
    return visitor.client.post(reverse("intake:advice"), {"answer": button})


# ------------------------------------------------------------ raised


def test_the_advice_is_the_answer_to_the_page_that_raised_it(visit):
    visitor, invitation = visit
    response = visitor.save("safety", CALF)
    assert response.status_code == 200
    assert "<h1" in response.text
    assert "Get medical help today" in response.text
    assert 'href="tel:911"' in response.text
    assert 'name="answer" value="understood"' in response.text
    assert 'name="answer" value="mistake"' in response.text
    assert "Please do not wait for us to call." in response.text
    (flag,) = flags(invitation)
    assert (flag.rule.rule_id, flag.side, flag.tier, flag.state) == (
        "dvt-suspected",
        "left",
        "same-day",
        "open",
    )
    assert history(flag) == ["raised"]
    assert flag.patient_saw_at is None


def test_an_emergency_says_call_911_first(visit):
    visitor, invitation = visit
    page = visitor.save("safety", CHEST).text
    assert "Get help now" in page
    assert page.index('href="tel:911"') < page.index('href="tel:+')
    assert [flag.tier for flag in flags(invitation)] == ["emergency"]


def test_the_highest_tier_speaks_with_the_lines_of_all(visit):
    visitor, invitation = visit
    page = visitor.save("safety", {**CALF, "safety.body-signs": ["chest-breath", "weight-loss"]}).text
    assert "Get help now" in page
    assert "Get medical help today" not in page
    with audit.audited("tests.read", by=SETUP):
        raised = [flag.rule.parsed() for flag in flags(invitation)]
    lines = {rule.extra_patient_message for rule in raised if rule.extra_patient_message}
    assert len(raised) >= 2
    assert lines
    for line in lines:
        assert line.split("{")[0].split("'")[0] in page.replace("&#x27;", "'")
    assert "{clinic_phone}" not in page


def test_it_is_raised_even_if_the_rest_of_the_page_is_missing(visit):
    visitor, invitation = visit
    response = visitor.save(
        "safety", {"safety.leg-signs.left": ["calf-swollen"], "safety.clot-risks": ["long-trip"]}
    )
    assert "Get medical help today" in response.text
    assert len(flags(invitation)) == 1
    assert stored(invitation).saved_pages == []


def test_it_is_raised_beside_an_answer_that_does_not_fit(visit):
    visitor, invitation = visit
    answers = {**CALF, "safety.leg-signs.right": ["none", "calf-swollen"]}
    assert "Get medical help today" in visitor.save("safety", answers).text
    assert len(flags(invitation)) == 1


def test_what_was_typed_while_leaving_counts_too(visit):
    """She closes the form on the safety page: saved by "Save and leave", the advice comes first."""
    visitor, invitation = visit
    response = visitor.save("safety", CALF, leave="1")
    assert "Get medical help today" in response.text
    assert len(flags(invitation)) == 1


def test_a_later_page_is_judged_over_all_answers_so_far(visit):
    """Fever on the safety page and a sore on the health page only together mean something."""
    visitor, invitation = visit
    visitor.save("safety", {**CALM, "safety.leg-signs.left": ["open-sore"]})
    assert flags(invitation) == []
    response = visitor.save("health", {"health.conditions": ["diabetes"]})
    assert "Get medical help today" in response.text
    assert [flag.rule.rule_id for flag in flags(invitation)] == ["diabetic-foot"]


def test_typing_alone_raises_nothing_but_the_next_page_does(visit):
    visitor, invitation = visit
    assert visitor.autosave("safety", CALF).status_code == 200
    assert flags(invitation) == []
    assert jobs() == []
    page = visitor.save("pain", {"pain.now": [1], "pain.worst": [1], "pain.average": [1]})
    assert "Get medical help today" in page.text
    assert len(flags(invitation)) == 1


def test_a_quiet_flag_stops_nobody_and_is_a_note_at_the_end(visit):
    visitor, invitation = visit
    pain = {"pain.now": [3], "pain.worst": [6], "pain.average": [4], "pain.morning-stiff": ["over-60"]}
    assert visitor.save("pain", pain).status_code == 303
    visitor.fill(invitation.questionnaire.tree(), {**pain, "health.conditions": ["psoriasis"]})
    assert flags(invitation) == []
    visitor.send()
    assert [(flag.rule.rule_id, flag.tier) for flag in flags(invitation)] == [
        ("inflammatory-pattern", "tell-physio")
    ]
    assert jobs() == []
    page = visitor.look(reverse("intake:sent"))
    assert "Thank you" in page.text
    assert "We have marked this answer" in page.text
    assert 'name="lesson"' in page.text


def raising(rule_id: str) -> dict[str, list]:
    """The answers of a case of the catalog that raise this rule."""
    boundaries = json.loads((REPOSITORY / "tests" / "catalog" / "boundaries.json").read_text())
    return next(case["answers"] for case in boundaries[rule_id]["cases"] if case["raised"])


@pytest.mark.parametrize("rule", URGENT_RULES, ids=[rule.id for rule in URGENT_RULES])
def test_each_urgent_answer_is_told_at_the_very_page_that_completes_it(visit, rule):
    """Whichever page of the form that is: its tier's text, its own line, and one notice to staff."""
    visitor, invitation = visit
    answers = raising(rule.id)
    told = []
    for page in pages(invitation.questionnaire.tree()):
        asked = {item.link_id for item in page.item.walk()}
        here = {link_id: values for link_id, values in answers.items() if link_id in asked}
        if not here:
            continue
        text = unescape(visitor.save(page.slug, here).text)
        raised = [flag for flag in flags(invitation) if flag.rule.rule_id == rule.id]
        if not raised:
            press(visitor, "understood")
        else:
            assert HEADINGS[rule.tier] in text
            told.append(page.slug)
            assert rule.patient_message.partition("{")[0] in text
            assert rule.extra_patient_message.partition("{")[0] in text
            assert {flag.tier for flag in raised} == {rule.tier}
            assert raised[-1].pk in jobs()[-1].args["flag_ids"]
            press(visitor, "understood")
    assert told
    assert told == told[:1], "said once, then answered"


def test_a_tab_closed_before_any_button_alerts_minutes_later_and_is_told_on_return(visit):
    visitor, invitation = visit
    visitor.autosave("safety", CALF)
    (job,) = ProcrastinateJob.objects.filter(task_name="settle_draft")
    assert (job.scheduled_at - timezone.now()).total_seconds() == pytest.approx(180, abs=60)
    assert job.args == {"response_id": str(stored(invitation).pk)}
    assert flags(invitation) == []
    tasks.settle_draft(**job.args)
    assert [flag.state for flag in flags(invitation)] == ["open"]
    assert len(jobs()) == 1
    tasks.settle_draft(**job.args)
    assert len(jobs()) == 1
    assert visitor.look(reverse("intake:tasks")).headers["Location"] == reverse("intake:advice")


@pytest.mark.parametrize(
    "moment", [(2027, 6, 6, 3, 15), (2027, 12, 25, 23, 50)], ids=["Sunday night", "Christmas"]
)
def test_no_page_promises_that_anybody_calls_whatever_the_hour(moment):
    """J4.12: there is one text for all hours, so at 3 am it must not promise what only 9 am can keep."""
    with time_machine.travel(datetime(*moment, tzinfo=ZoneInfo("America/Los_Angeles")), tick=False):
        invitation, token = invited(starts_at=timezone.now() + timedelta(days=4))
        visitor = Visitor(token).open()
        seen = [visitor.save("safety", CALF).text, visitor.look(reverse("intake:advice")).text]
        press(visitor, "understood")
        seen += [visitor.look(f"/intake/{place}").text for place in ("", "safety/", "check/")]
        visitor.fill(invitation.questionnaire.tree(), CALF)
        assert visitor.send().status_code == 303
        seen += [visitor.look(reverse(name)).text for name in ("intake:sent", "intake:status")]
    for page in seen:
        assert not PROMISE.search(unescape(page)), PROMISE.search(unescape(page))
    for page in (seen[0], seen[-2], seen[-1]):
        assert "If we are closed or you can't reach us, go to urgent care" in unescape(page)
    assert "Please do not wait for us to call." in seen[0]
    assert "We are open:" in seen[0]


@pytest.mark.parametrize("text", ["We will call you.", "Your physio will phone", "You will get a call"])
def test_the_search_for_promises_finds_one(text):
    assert PROMISE.search(text)


# ------------------------------------------------------------ no way round it


def test_nothing_goes_on_before_a_button_is_pressed(visit):
    visitor, _ = visit
    visitor.save("safety", CALF)
    for path in ("/intake/", "/intake/start/", "/intake/pain/", "/intake/check/"):
        assert visitor.look(path).headers["Location"] == reverse("intake:advice"), path
    assert visitor.send().headers["Location"] == reverse("intake:advice")
    assert "Get medical help today" in visitor.save("pain", {"pain.now": [1]}).text
    assert "Get medical help today" in visitor.look(reverse("intake:advice")).text


def test_understood_goes_on_with_the_form_and_keeps_the_flag(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    assert press(visitor, "understood").headers["Location"] == reverse("intake:tasks")
    (flag,) = flags(invitation)
    assert flag.state == "open"
    assert flag.patient_saw_at is not None
    assert history(flag) == ["raised", "seen"]
    assert visitor.look("/intake/").status_code == 200
    # The same answers again are no news: the advice does not come back, nor a second notice.
    assert visitor.save("safety", CALF).status_code == 303
    assert len(jobs()) == 1


def test_ticked_by_mistake_leads_back_to_the_answer_and_staff_still_see_it(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    response = press(visitor, "mistake")
    assert response.headers["Location"] == reverse("intake:page", args=["safety"])
    page = visitor.page("safety").text
    assert page.count(" checked") >= 6
    assert visitor.save("safety", CALM).status_code == 303
    (flag,) = flags(invitation)
    assert flag.state == "withdrawn"
    assert flag.withdrawn_at is not None
    assert history(flag) == ["raised", "mistake", "withdrawn"]
    assert visitor.look("/intake/").status_code == 200


def test_called_a_mistake_and_still_ticked_shows_again(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    press(visitor, "mistake")
    assert visitor.page("safety").status_code == 200
    assert "Get medical help today" in visitor.save("safety", CALF).text
    press(visitor, "understood")
    assert visitor.save("safety", CALF).status_code == 303
    (flag,) = flags(invitation)
    assert history(flag) == ["raised", "mistake", "seen"]
    assert len(jobs()) == 1


@pytest.mark.parametrize("button", ["mistake", "understood"])
def test_a_lower_tier_speaks_when_the_highest_is_taken_back(visit, button):
    """Its page was not on the screen while the higher one spoke."""
    visitor, _ = visit
    assert "Get help now" in visitor.save("safety", {**CALF, "safety.body-signs": ["chest-breath"]}).text
    press(visitor, button)
    page = visitor.save("safety", CALF)
    assert page.status_code == 200
    assert "Get medical help today" in page.text
    press(visitor, "understood")
    assert visitor.save("safety", CALF).status_code == 303


def test_an_answer_ticked_again_alerts_and_shows_again(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    press(visitor, "mistake")
    visitor.save("safety", CALM)
    assert "Get medical help today" in visitor.save("safety", CALF).text
    (flag,) = flags(invitation)
    assert (flag.state, flag.withdrawn_at, flag.patient_saw_at) == ("open", None, None)
    assert history(flag) == ["raised", "mistake", "withdrawn", "raised-again"]
    assert len(jobs()) == 2


def test_the_other_side_is_a_flag_of_its_own(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    press(visitor, "understood")
    both = {**CALF, "safety.leg-signs.right": ["calf-swollen"]}
    assert "Get medical help today" in visitor.save("safety", both).text
    assert [(flag.side, flag.state) for flag in flags(invitation)] == [("left", "open"), ("right", "open")]
    assert len(jobs()) == 2


def test_self_tests_hide_beside_an_urgent_answer(visit):
    visitor, _ = visit
    assert visitor.page("try").status_code == 200
    visitor.save("safety", CALF)
    press(visitor, "understood")
    assert visitor.page("try").status_code == 404


# ------------------------------------------------------------ the notice to whoever is on call


def test_one_notice_is_queued_with_the_flag_and_names_nothing(visit):
    visitor, invitation = visit
    visitor.save("safety", {**CALF, "safety.body-signs": ["chest-breath"]})
    (job,) = jobs()
    assert job.args == {"flag_ids": [flag.pk for flag in flags(invitation)]}
    assert len(job.args["flag_ids"]) == 2


def test_the_notice_goes_with_the_flag_when_the_save_is_taken_back(visit):
    visitor, invitation = visit
    before = digests()
    with transaction.atomic():
        visitor.save("safety", CALF)
        assert len(jobs()) == 1
        transaction.set_rollback(True)
    assert jobs() == []
    assert flags(invitation) == []
    assert digests() == before


def test_the_notice_carries_no_health_information(visit, mail_dir: Path):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    (job,) = jobs()
    tasks.mail_on_call(**job.args)
    (mail,) = mails(mail_dir)
    head, body = mail.split("\n\n", 1)
    assert f"To: {settings.ON_CALL_EMAIL}" in head
    assert "Subject: An intake needs attention" in head
    assert settings.SITE_URL in body
    with audit.covered():
        patient = invitation.evaluation.patient
        names = [patient.family_name, patient.given_name, patient.email, patient.phone]
        keys = [patient.pk, invitation.pk, invitation.evaluation_id, stored(invitation).pk]
    assert health_words(mail, *names) == []
    assert [key for key in keys if str(key) in mail] == []
    (flag,) = flags(invitation)
    assert flag.mail_sent_at is not None


def test_the_job_run_twice_sends_one_mail(visit, mail_dir: Path):
    visitor, _ = visit
    visitor.save("safety", CALF)
    (job,) = jobs()
    tasks.mail_on_call(**job.args)
    tasks.mail_on_call(**job.args)
    assert len(mails(mail_dir)) == 1


def test_a_mail_server_that_is_down_leaves_the_flag_unsent_and_the_job_to_be_tried_again(
    visit, settings, mail_dir: Path
):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    (job,) = jobs()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(OSError, match="refused"):
        tasks.mail_on_call(**job.args)
    (flag,) = flags(invitation)
    assert (flag.state, flag.mail_sent_at) == ("open", None)
    # Each minute, for as long as it takes.
    again = tasks.mail_on_call.retry_strategy.get_retry_decision(
        exception=OSError(), job=SimpleNamespace(attempts=999)
    )
    assert again.retry_at < datetime.now(UTC) + timedelta(seconds=61)
    # Staff are told on every page, with or without the e-mail, and after ten minutes of the e-mail itself.
    desk = Client()
    desk.force_login(make_user("front desk"))
    page = desk.get(reverse("admin:password_change")).text
    assert "1 urgent answer waiting since" in page
    assert "has not left" not in page
    with time_machine.travel(flag.raised_at + timedelta(minutes=11)):
        assert "the e-mail to whoever is on call has not left" in desk.get(reverse("admin:urgent")).text
    # Back again: one mail, however often the job is tried from then on.
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    for _ in range(3):
        tasks.mail_on_call(**job.args)
    assert len(mails(mail_dir)) == len(jobs()) == 1
    with time_machine.travel(flag.raised_at + timedelta(minutes=11)):
        banner = desk.get(reverse("admin:urgent")).text
    assert "1 urgent answer waiting since" in banner
    assert "has not left" not in banner


def test_the_invitation_carries_no_health_information_and_no_date_of_birth(mail_dir: Path):
    invitation, _ = invited()
    journey.deliver_invitation(invitation_id=invitation.pk)
    (mail,) = mails(mail_dir)
    with audit.covered():
        patient = invitation.evaluation.patient
    assert f"To: {patient.email}" in mail
    assert "Subject: A few questions before your visit" in mail
    assert health_words(mail.replace(patient.email, ""), patient.family_name) == []


# ------------------------------------------------------------ staff


def contact(invitation: Invitation, outcome: str, **fields):
    return journey.record_contact(
        response=stored(invitation),
        called=fields.get("called", "The patient"),
        called_at=timezone.now() + timedelta(hours=fields.get("in_hours", 0)),
        outcome=outcome,
        next_step=fields.get("next_step", "Sees her doctor today"),
        by=audit.staff(make_user("physio")),
    )


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("reached", "acknowledged"),
        ("reached-other", "acknowledged"),
        ("no-call-needed", "acknowledged"),
        ("message", "open"),
        ("no-answer", "open"),
    ],
)
def test_only_a_call_that_reached_somebody_settles_it(visit, outcome: str, state: str):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    contact(invitation, outcome)
    assert [flag.state for flag in flags(invitation)] == [state]


def test_a_withdrawn_flag_still_waits_for_staff(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    press(visitor, "mistake")
    visitor.save("safety", CALM)
    contact(invitation, "no-call-needed", next_step="Ticked by mistake, she says")
    (flag,) = flags(invitation)
    assert flag.state == "acknowledged"
    assert history(flag) == ["raised", "mistake", "withdrawn", "acknowledged"]


def test_an_acknowledged_flag_stays_so_while_the_answer_stands_and_opens_when_it_comes_back(visit):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    press(visitor, "understood")
    contact(invitation, "reached")
    visitor.save("safety", CALF)
    assert [flag.state for flag in flags(invitation)] == ["acknowledged"]
    visitor.save("safety", CALM)
    (flag,) = flags(invitation)
    assert flag.state == "acknowledged"
    assert flag.withdrawn_at is not None
    visitor.save("safety", CALF)
    assert [flag.state for flag in flags(invitation)] == ["open"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"called": " "}, "called"),
        ({"next_step": ""}, "next_step"),
        ({"in_hours": 1}, "called_at"),
    ],
)
def test_a_contact_that_says_too_little_settles_nothing(visit, fields: dict, field: str):
    visitor, invitation = visit
    visitor.save("safety", CALF)
    with pytest.raises(ContactRefused) as refused:
        contact(invitation, "reached", **fields)
    assert refused.value.field == field
    assert [flag.state for flag in flags(invitation)] == ["open"]


# ------------------------------------------------------------ sending


def test_a_flag_first_seen_at_sending_is_raised_there_and_shown_first(visit):
    visitor, invitation = visit
    definition = invitation.questionnaire.tree()
    visitor.fill(definition, {})
    visitor.autosave("safety", filled_in(definition, CALF))
    assert flags(invitation) == []
    assert visitor.send().status_code == 303
    assert len(flags(invitation)) == 1
    assert len(jobs()) == 1
    page = visitor.look(reverse("intake:sent")).text
    assert "Get medical help today" in page
    assert page.index("Get medical help today") < page.index("Your form has been sent")


def test_sending_with_a_flag_that_stands_alerts_nobody_again(visit):
    visitor, invitation = visit
    visitor.fill(invitation.questionnaire.tree(), CALF)
    assert len(jobs()) == 1
    assert visitor.send().status_code == 303
    assert len(flags(invitation)) == 1
    assert len(jobs()) == 1


def test_times_are_told_apart(visit):
    """Raised, seen and withdrawn each at their own time: staff read "withdrawn by patient 9:05"."""
    visitor, invitation = visit
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        visitor.save("safety", CALF)
        clock.shift(timedelta(minutes=2))
        press(visitor, "mistake")
        clock.shift(timedelta(minutes=3))
        visitor.save("safety", CALM)
    (flag,) = flags(invitation)
    assert flag.raised_at == start
    assert flag.patient_saw_at == start + timedelta(minutes=2)
    assert flag.withdrawn_at == start + timedelta(minutes=5)
