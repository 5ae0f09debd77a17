"""Two people in one browser, one after the other: a page of the first never writes into the second's form."""

import re
import uuid

import pytest
from django.conf import settings
from django.urls import reverse

from intake import journey
from intake.patients.models import Invitation
from tests.conftest import ROOT
from tests.factories import SETUP
from tests.integration.intake.visitor import AUTOSAVE, Visitor, invited, stored

pytestmark = pytest.mark.django_db

REFUSED = "Another form was opened here"


def whose(page: str) -> str:
    """What all forms of a page carry."""
    (mark,) = set(re.findall(r'name="whose" value="([0-9a-f]{20})"', page))
    return mark


@pytest.fixture
def shared() -> tuple[Visitor, str, Invitation, Invitation]:
    """Anna's page stands in a tab, then Bert opens his link there: the browser, Anna's mark, their links."""
    (anna, token), (bert, other_token) = invited(), invited()
    visitor = Visitor(token).open()
    visitor.save("about", {"why.story": ["Anna's own"]})
    mark = whose(visitor.page("about").text)
    visitor.token = other_token
    visitor.open().save("about", {"why.story": ["Bert's own"]})
    return visitor, mark, anna, bert


def test_a_page_of_the_other_is_refused_and_its_words_are_shown(shared):
    visitor, annas, anna, bert = shared
    assert whose(visitor.page("about").text) != annas
    response = visitor.save("about", {"why.story": ["More of Anna's"]}, whose=annas)
    assert (response.status_code, REFUSED in response.text) == (409, True)
    assert "More of Anna&#x27;s" in response.text
    assert stored(bert).answers["why.story"] == ["Bert's own"]
    assert stored(anna).answers["why.story"] == ["Anna's own"]


def test_so_is_what_is_saved_while_typing(shared):
    visitor, annas, _anna, bert = shared
    path = reverse("intake:page", args=["about"])
    response = visitor.client.post(path, {"why.story": "Anna types", "whose": annas}, headers=AUTOSAVE)
    assert response.status_code == 409
    assert stored(bert).answers["why.story"] == ["Bert's own"]


@pytest.mark.parametrize("name", ["check", "advice", "leave"])
def test_so_is_every_other_button(shared, name):
    visitor, annas, _anna, bert = shared
    words = {"key": str(uuid.uuid4()), "confirm": "yes", "answer": "mistake", "leave": "1", "whose": annas}
    response = visitor.client.post(reverse(f"intake:{name}"), words)
    assert (response.status_code, REFUSED in response.text) == (409, True)
    assert not stored(bert).is_sent
    assert visitor.page("about").status_code == 200, "Bert is still in"


def test_whoever_opens_the_own_link_again_goes_on(shared):
    visitor, annas, anna, _bert = shared
    visitor.token = invited_again(anna)
    visitor.open()
    assert visitor.save("about", {"why.story": ["Anna again"]}, whose=annas).status_code != 409
    assert stored(anna).answers["why.story"] == ["Anna again"]


def invited_again(invitation: Invitation) -> str:
    return journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]


def test_every_form_of_a_patient_says_whose_it_is():
    """What is open without a session belongs to nobody: a date of birth, a code, asking, an ended link."""
    open_to_all = {"birth_date.html", "code.html", "link_ended.html", "ask.html", "stop_reminders.html"}
    open_to_all |= {"tablet.html", "tablet_birth_date.html"}
    lacking = [
        path.name
        for folder in ("intake", "components")
        for path in sorted((ROOT / "templates" / folder).glob("*.html"))
        if 'method="post"' in (text := path.read_text(encoding="utf-8"))
        and text.count('name="whose"') != text.count('method="post"')
        and path.name not in open_to_all
    ]
    assert lacking == []


@pytest.mark.parametrize("ended", ["left in another tab", "a newer link"])
def test_words_typed_on_a_page_whose_form_was_closed_meanwhile_can_be_copied(ended):
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", {"why.story": ["Saved before"]})
    if ended == "a newer link":
        journey.invite(evaluation=invitation.evaluation, by=SETUP, mail=False)
    else:
        session = visitor.client.cookies[settings.PATIENT_COOKIE_NAME].value
        visitor.client.post(reverse("intake:leave"))
        visitor.client.cookies[settings.PATIENT_COOKIE_NAME] = session
    response = visitor.save("about", {"why.story": ["Typed <b>last</b>"], "about.age": [40]})
    assert (response.status_code, "Open your link again" in response.text) == (403, True)
    assert "Typed &lt;b&gt;last&lt;/b&gt;" in response.text
    assert "What you typed last was not saved" in response.text
    assert stored(invitation).answers["why.story"] == ["Saved before"]


def test_a_form_that_was_closed_shows_no_words_where_none_were_sent():
    _invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.client.post(reverse("intake:leave"))
    assert "to copy" not in visitor.page("about").text
    response = visitor.save("about", {"about.age": [40]})
    assert (response.status_code, "to copy" in response.text) == (403, False)
