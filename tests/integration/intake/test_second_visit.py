"""J3.9 and J3.10: months later the form shows earlier answers, page by page, to be confirmed or changed."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from intake import audit, journey
from intake.audit import AuditEvent
from intake.conditions import Value
from intake.patients import links
from intake.patients.models import Invitation, Patient
from intake.questionnaires.load import active_questionnaire, load_questionnaires
from intake.responses.models import QuestionnaireResponse
from tests.factories import SETUP, make_evaluation, make_invitation, make_patient, make_response, make_user
from tests.integration.intake.tables import digests
from tests.integration.intake.test_another_device import newest_code
from tests.integration.intake.test_new_version import next_version
from tests.integration.intake.test_pages import ABOUT, PAIN, SAFE, WHERE, checked, sent
from tests.integration.intake.visitor import Visitor, filled_in, invited, stored

pytestmark = pytest.mark.django_db

WALK = {
    "gait.foot-roll.left": ["middle"],
    "gait.foot-roll.right": ["inward"],
    "gait.tires-first.right": [True],
    "gait.changed": ["no-change"],
}
FOOT = {"foot.arch.left": ["medium"], "foot.shoe-wear.right": ["outer-edge"]}
LIFE = {
    "shoes.usual": ["running"],
    "activity.usual": ["run", "other"],
    "activity.other": ["Zyxclimbing"],
    "goal.one.activity": ["Zyxmarathon"],
    "goal.one.score": [4],
}
BEFORE: Mapping[str, Sequence[Value]] = {
    **ABOUT,
    **SAFE,
    **WHERE,
    **PAIN,
    "health.conditions": ["none"],
    "health.medicines": ["none"],
    "knee.aggravators.right": ["stairs-down"],
    "knee.history.right": ["arthritis"],
    **FOOT,
    **WALK,
    "try.safe": [False],
    **LIFE,
}
ASK = "Is it still true?"


@pytest.fixture(autouse=True)
def post(settings) -> None:
    """Mail as messages, not as files."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


class Again:
    """A patient with a form sent months ago and a new one. known: in the browser that wrote the first."""

    def __init__(self, *, known: bool = True, patient: Patient | None = None, **fields) -> None:
        self.patient = patient or make_patient(**fields)
        then = timezone.now() - timedelta(days=120)
        self.before = make_response(
            filled_in(active_questionnaire().tree(), BEFORE),
            evaluation=make_evaluation(patient=self.patient, starts_at=then + timedelta(days=1)),
            at=then,
        )
        self.visitor, self.invitation = self.comes(known)

    def comes(self, known: bool) -> tuple[Visitor, Invitation]:
        evaluation = make_evaluation(patient=self.patient, starts_at=timezone.now() + timedelta(days=5))
        invitation = make_invitation(evaluation)
        link = journey.make_link(invitation_id=invitation.pk, by=SETUP)
        visitor = Visitor(link.rstrip("/").rsplit("/", 1)[-1])
        if known:
            with audit.audited("tests.opened", by=SETUP):
                opened = links.open_session(invitation=self.before.invitation, address=None, device_token="")
            visitor.client.cookies[settings.DEVICE_COOKIE_NAME] = opened.device_token
        return visitor.open(), invitation

    def look(self, slug: str, query: str = "") -> str:
        return unescape(self.visitor.page(slug, query).text)

    def presses_still_true(self, slug: str, page: str | None = None, query: str = "") -> HttpResponse:
        found = re.search(r'name="earlier" value="(\w+)"', page or self.look(slug))
        assert found
        path = reverse("intake:page", args=[slug]) + query
        return self.visitor.client.post(path, {"earlier": found[1]})

    @property
    def answers(self) -> dict:
        return stored(self.invitation).answers


def reads() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="earlier.read").order_by("pk"))


# ------------------------------------------------------------ what is offered


def test_a_page_lists_what_was_said_before_and_nothing_of_it_is_taken_by_looking():
    again = Again()
    before = digests()
    page = again.look("walk")
    assert ASK in page
    assert "It rolls in" in page
    then = timezone.localtime(again.before.authored)
    assert f"You told us this on {then:%B} {then.day}, {then.year}." in page
    assert 'type="radio"' not in page
    assert digests() == before
    assert [event.objects_seen["response"] for event in reads()] == [[str(again.before.pk)]]
    assert reads()[0].actor_kind == "patient"


def test_the_task_list_says_so():
    page = Again().visitor.look("/intake/").text
    assert "You sent us this form before, on" in page
    assert "0 of 10 parts done" in page
    assert "E-mail me a code" not in page


@pytest.mark.parametrize("slug", ["about", "safety", "health", "where", "pain", "try"])
def test_what_is_about_today_is_asked_anew(slug):
    """Consent, the reason, signs that need help, health, pain, and tests: read anew by safety rules too."""
    again = Again()
    page = again.look(slug)
    assert ASK not in page
    ticked = checked(page)
    assert {one for one in ticked if not one.startswith(("about.age", "shown", "view", "whose"))} == set()


def test_still_true_takes_what_was_shown_and_goes_on():
    again = Again()
    answer = again.presses_still_true("walk")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/try/")
    assert again.answers == WALK
    assert stored(again.invitation).saved_pages == ["page.walk"]
    event = AuditEvent.objects.filter(action="page.saved").latest("pk")
    assert str(again.before.pk) in event.objects_seen["response"]
    assert event.detail == {"page": "page.walk", "confirmed": len(WALK)}
    # From now on it is this form's answer.
    page = again.look("walk")
    assert ASK not in page
    assert sent(WALK) <= checked(page)


def test_change_fills_the_page_in_and_stores_nothing_until_it_is_saved():
    again = Again()
    assert 'href="?earlier=change"' in again.look("walk")
    page = again.look("walk", "?earlier=change")
    assert "This is what you told us on" in page
    assert sent(WALK) <= checked(page)
    with pytest.raises(QuestionnaireResponse.DoesNotExist):
        stored(again.invitation)
    changed = {**WALK, "gait.foot-roll.right": ["middle"]}
    assert again.visitor.save("walk", changed, "?earlier=change").headers["Location"] == "/intake/try/"
    assert again.answers == changed


def test_where_the_page_asks_more_the_rest_comes_next():
    again = Again()
    page = again.look("life")
    assert "Zyxmarathon" in page
    assert "4 out of 10" not in page, "a score is of its day"
    assert "The other questions of this part come next." in page
    answer = again.presses_still_true("life", page)
    assert answer.headers["Location"] == "/intake/life/"
    assert "goal.one.score" not in again.answers
    assert stored(again.invitation).saved_pages == []
    page = again.look("life")
    assert ASK not in page
    assert sent({"goal.one.activity": ["Zyxmarathon"], "activity.other": ["Zyxclimbing"]}) <= checked(page)


def test_only_what_this_form_asks_is_offered():
    """The right knee hurt then. Now it does not, so nothing about what makes it worse."""
    again = Again()
    assert ASK not in again.look("knee"), "where it hurts now is not known yet"
    again.visitor.save("where", WHERE)
    assert ASK in again.look("knee")
    again.visitor.save("where", {"pain.regions.left": ["knee-front"], "pain.regions.right": ["none"]})
    assert ASK not in again.look("knee")


def test_a_page_that_was_begun_is_offered_no_more():
    again = Again()
    again.visitor.autosave("walk", {"gait.changed": ["no-change"]})
    assert ASK not in again.look("walk")
    # Nor is an old tab's button taken for it.
    assert (
        again.visitor.client.post("/intake/walk/", {"earlier": "x" * 20}).headers["Location"]
        == "/intake/walk/"
    )
    assert again.answers == {"gait.changed": ["no-change"]}


def test_only_what_was_shown_is_confirmed():
    again = Again()
    answer = again.visitor.client.post("/intake/walk/", {"earlier": "0" * 20})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/walk/")
    with pytest.raises(QuestionnaireResponse.DoesNotExist):
        stored(again.invitation)


def test_from_the_check_page_it_leads_back_there():
    again = Again()
    page = again.look("walk", "?change=1")
    assert 'href="?earlier=change&change=1"' in page
    assert again.presses_still_true("walk", page, "?change=1").headers["Location"] == "/intake/check/"


# ------------------------------------------------------------ a new version of the questionnaire


def test_a_question_in_other_words_or_with_other_choices_is_asked_anew():
    resource = next_version()
    walk = next(item for item in resource["item"] if item["linkId"] == "page.walk")
    for item in walk["item"]:
        if item["linkId"] == "gait.changed":
            item["text"] = "Did anything about your walk change?"
        if item["linkId"] == "gait.foot-roll":
            del item["item"][1]["answerOption"][0]
    again = Again()
    load_questionnaires([resource])
    again.visitor, again.invitation = again.comes(known=True)
    page = again.look("walk")
    assert ASK in page
    again.presses_still_true("walk", page)
    assert again.answers == {
        link_id: values
        for link_id, values in WALK.items()
        if link_id not in ("gait.changed", "gait.foot-roll.right")
    }
    assert stored(again.invitation).saved_pages == []


# ------------------------------------------------------------ whose, and behind which door


def test_another_patient_gets_nothing_of_it():
    Again()
    _, token = invited()
    visitor = Visitor(token).open()
    assert visitor.page("walk").status_code == 200
    assert ASK not in visitor.page("walk").text
    assert "before, on" not in visitor.look("/intake/").text
    assert visitor.client.post("/intake/earlier/").headers["Location"] == "/intake/"


def test_another_device_sees_nothing_of_it_before_the_code():
    again = Again(known=False)
    tasks = again.visitor.look("/intake/").text
    assert "E-mail me a code" in tasks
    assert "before, on" not in tasks
    page = again.look("walk")
    assert ASK not in page
    assert not sent(WALK) & checked(page)
    assert not sent(WALK) & checked(again.look("walk", "?earlier=change"))
    assert reads() == []

    answer = again.visitor.client.post("/intake/earlier/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/code/")
    assert again.visitor.look("/intake/code/").status_code == 200
    code = newest_code()
    assert mail.outbox[-1].to == [again.patient.email]
    opened = again.visitor.client.post("/intake/code/", {"code": code})
    assert opened.status_code == 303
    assert ASK in again.look("walk")
    assert "before, on" in again.visitor.look("/intake/").text
    # It is open: no more codes for that.
    assert again.visitor.client.post("/intake/earlier/").headers["Location"] == "/intake/"


def test_without_an_address_there_is_no_code_and_the_form_is_just_asked():
    again = Again(known=False, email="")
    assert "E-mail me a code" not in again.visitor.look("/intake/").text
    assert again.visitor.client.post("/intake/earlier/").headers["Location"] == "/intake/"
    assert ASK not in again.look("walk")


def test_codes_are_counted_as_for_the_link():
    again = Again(known=False)
    for _ in range(3):
        assert again.visitor.client.post("/intake/earlier/").status_code == 303
        again.visitor.client.cookies[settings.DEVICE_COOKIE_NAME] = ""
    assert again.visitor.client.post("/intake/earlier/").status_code == 429


@pytest.mark.parametrize("status", ["stopped", "entered-in-error"])
def test_what_does_not_stand_is_not_offered(status):
    again = Again()
    with audit.audited("tests.made", by=SETUP):
        QuestionnaireResponse.objects.filter(pk=again.before.pk).update(status=status)
    assert ASK not in again.look("walk")


def test_a_step_of_a_first_form_asks_the_database_nothing_more():
    """Whether there was another is seen in the statement that brings the draft."""
    _, token = invited()
    visitor = Visitor(token).open()
    visitor.save("pain", PAIN)
    with CaptureQueriesContext(connection) as asked:
        visitor.page("walk")
    statements = [one["sql"] for one in asked if "intake_questionnaireresponse" in one["sql"]]
    assert len(statements) == 1


# ------------------------------------------------------------ what staff see


def test_the_physio_sees_exactly_what_is_different_since_last_time():
    again = Again()
    definition = again.invitation.questionnaire.tree()
    for slug in ("about", "safety", "health", "where", "pain", "knee", "foot", "walk", "try", "life"):
        here = {item.link_id for item in definition.item(f"page.{slug}").walk()}
        page = again.look(slug)
        if ASK in page and slug != "walk":
            answer = again.presses_still_true(slug, page)
            if not answer.headers["Location"].endswith(f"/{slug}/"):
                continue
        answers = {k: v for k, v in filled_in(definition, BEFORE).items() if k in here}
        if slug == "walk":
            answers["gait.foot-roll.right"] = ["middle"]
        assert again.visitor.save(slug, answers).status_code == 303, slug
    assert again.visitor.send().headers["Location"] == "/intake/sent/"

    desk = Client()
    desk.force_login(make_user("physio"))
    key = stored(again.invitation).pk
    page = unescape(desk.get(reverse("admin:intake_questionnaireresponse_review", args=[key])).text)
    start = page.index('id="last-time"')
    part = page[start : page.index("</details>", start)]
    assert start < page.index('id="story"'), "under the head, before the columns"
    assert "1 answer is different" in part
    assert "New:" not in part
    assert part.count("<dt>") == 1
    assert "It rolls in" in part
    assert "In the middle" in part
