"""J3.4: two devices, or two tabs, at one draft. What was typed last on a question counts, and she is told."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.utils import timezone

from intake.patients.models import Invitation
from tests.integration.intake.visitor import Visitor, filled_in, invited, stored

pytestmark = pytest.mark.django_db

CHANGED = "Changed on another device"
PAIN = {"pain.now": [3], "pain.worst": [6], "pain.average": [4]}


def word(page: str) -> str:
    found = re.search(r'name="shown" value="([^"]+)"', page)
    assert found
    return found[1]


class Tab:
    """One open page: what it showed, and what its controls hold."""

    def __init__(self, visitor: Visitor, slug: str, answers: dict[str, list]) -> None:
        self.visitor, self.slug = visitor, slug
        self.answers = {link_id: list(values) for link_id, values in answers.items()}
        self.shown = word(visitor.page(slug).text)

    def types(self, **answers: list) -> "Tab":
        self.answers |= {name.replace("__", "."): values for name, values in answers.items()}
        return self

    def continues(self, **extra: str):
        return self.visitor.save(self.slug, self.answers, shown=self.shown, **extra)

    def pauses(self) -> "Tab":
        """The script saves."""
        data = {link_id: [str(value) for value in values] for link_id, values in self.answers.items()}
        answer = self.visitor.client.post(
            f"/intake/{self.slug}/", {**data, "shown": self.shown}, headers={"X-Autosave": "1"}
        )
        assert answer.status_code == 200
        return self


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("pain", PAIN)
    return visitor, invitation


def kept(invitation: Invitation) -> dict[str, list]:
    return {key: value for key, value in stored(invitation).answers.items() if key.startswith("pain.")}


def test_an_older_page_takes_nothing_from_newer_answers_and_she_is_told(visit):
    visitor, invitation = visit
    old = Tab(visitor, "pain", PAIN)
    assert Tab(visitor, "pain", PAIN).types(pain__now=[8]).continues().status_code == 303
    answer = old.types(pain__worst=[9]).continues()
    assert answer.status_code == 200
    assert kept(invitation) == {"pain.now": [8], "pain.worst": [9], "pain.average": [4]}
    text = unescape(answer.text)
    notice = text[text.index('id="moved"') :].partition("</section>")[0]
    assert CHANGED in notice
    assert "Right now" in notice
    assert "Worst" not in notice
    # The page shows what counts now, and goes on when it is sent again.
    assert re.search(r'name="pain.now"[^>]* value="8" checked', text)
    again = visitor.save("pain", kept(invitation), shown=word(text))
    assert again.status_code == 303
    assert stored(invitation).saved_pages == ["page.pain"]


def test_both_typed_on_one_question_the_last_counts_and_she_is_told(visit):
    visitor, invitation = visit
    first, second = Tab(visitor, "pain", PAIN), Tab(visitor, "pain", PAIN)
    second.types(pain__now=[8]).continues()
    text = unescape(first.types(pain__now=[5]).continues().text)
    assert kept(invitation)["pain.now"] == [5]
    assert "What you said here came last, so it counts" in text


def test_both_said_the_same_nobody_is_told(visit):
    visitor, _ = visit
    first, second = Tab(visitor, "pain", PAIN), Tab(visitor, "pain", PAIN)
    second.types(pain__now=[8]).continues()
    assert first.types(pain__now=[8]).continues().status_code == 303


def test_saved_while_typing_it_goes_on_from_what_it_said_itself(visit):
    """Typed there and back: the draft holds the word in between, and no other device wrote it."""
    visitor, invitation = visit
    tab = Tab(visitor, "pain", PAIN).types(pain__now=[8]).pauses()
    assert kept(invitation)["pain.now"] == [8]
    assert tab.types(pain__now=[3]).continues().status_code == 303
    assert kept(invitation)["pain.now"] == [3]


def test_a_save_sent_twice_does_not_come_last_twice(visit):
    visitor, invitation = visit
    tab = Tab(visitor, "pain", PAIN).types(pain__now=[8]).pauses()
    Tab(visitor, "pain", kept(invitation)).types(pain__now=[1]).continues()
    tab.pauses()
    assert kept(invitation)["pain.now"] == [1]
    assert CHANGED in tab.continues().text


def test_what_typing_replaced_is_told_at_the_button(visit):
    visitor, _ = visit
    tab = Tab(visitor, "pain", PAIN)
    Tab(visitor, "pain", PAIN).types(pain__now=[1]).continues()
    assert "came last" in tab.types(pain__now=[8]).pauses().continues().text


def test_an_answer_that_only_the_other_device_gave_is_not_called_missing(visit):
    visitor, _ = visit
    invitation, token = invited()
    visitor = Visitor(token).open()
    tab = Tab(visitor, "pain", {})
    visitor.save("pain", PAIN)
    answer = tab.continues()
    assert "Error:" not in answer.text
    assert CHANGED in answer.text
    assert kept(invitation) == PAIN


def test_what_is_filled_in_for_her_is_saved_and_gives_way_to_what_was_typed():
    invitation, token = invited()
    visitor = Visitor(token).open()
    age = re.search(r'name="about.age"[^>]* value="(\d+)"', visitor.page("about").text)
    assert age
    filled = {"about.age": [int(age[1])], "why.main-problem": ["knee"]}
    first, second = Tab(visitor, "about", filled), Tab(visitor, "about", filled)
    second.types(about__age=[31]).continues()
    first.continues()
    assert stored(invitation).answers["about.age"] == [31]
    invitation, token = invited()
    Tab(Visitor(token).open(), "about", filled).continues()
    assert stored(invitation).answers["about.age"] == filled["about.age"]


@pytest.mark.parametrize("junk", ["", "x", "0" * 9000, "zzzzzzzz.1.2", "00000000", "\x00"])
def test_a_hidden_word_that_no_page_made_is_as_none(visit, junk):
    visitor, invitation = visit
    assert visitor.save("pain", {**PAIN, "pain.now": [7]}, shown=junk).status_code == 303
    assert kept(invitation)["pain.now"] == [7]


def test_it_is_carried_through_the_date_of_birth(visit):
    visitor, _ = visit
    tab = Tab(visitor, "pain", PAIN)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        answer = tab.continues()
    assert answer.status_code == 403
    assert word(answer.text) == tab.shown


def test_nothing_of_it_outlives_the_form(visit):
    visitor, invitation = visit
    Tab(visitor, "pain", PAIN).types(pain__now=[8]).pauses()
    assert stored(invitation).written
    visitor.fill(invitation.questionnaire.tree(), PAIN)
    assert visitor.send().status_code == 303
    assert stored(invitation).written == {}


def test_what_is_typed_on_a_page_that_another_device_took_away_is_kept(visit):
    visitor, invitation = visit
    visitor.save("try", {"try.safe": [True]})
    tab = Tab(visitor, "try", {"try.safe": [True]})
    visitor.save("pain", {**PAIN, "pain.now": [9], "pain.worst": [9]})
    answer = tab.types(**{"try.chair-stands": [11]}).pauses().continues()
    assert answer.status_code == 200
    assert "This part is not needed now" in answer.text
    assert stored(invitation).answers["try.chair-stands"] == [11]
    visitor.save("pain", PAIN)
    assert 'value="11"' in visitor.page("try").text


def test_what_was_changed_after_the_check_page_was_opened_is_read_before_it_is_sent():
    invitation, token = invited()
    definition = invitation.questionnaire.tree()
    visitor = Visitor(token).open().fill(definition, {})
    page = visitor.look("/intake/check/").text
    shown = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("key", "revision")}
    visitor.save("about", {**filled_in(definition, {}), "why.story": ["typed on another phone"]})
    answer = visitor.client.post("/intake/check/", {**shown, "confirm": "yes"})
    assert answer.status_code == 200
    assert "Answers were changed after you opened this page" in answer.text
    assert "typed on another phone" in answer.text
    assert not stored(invitation).is_sent
    again = re.search(r'name="revision" value="([^"]+)"', answer.text)[1]
    visitor.client.post("/intake/check/", {**shown, "revision": again, "confirm": "yes"})
    assert stored(invitation).is_sent
