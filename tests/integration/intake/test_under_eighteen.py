"""A young patient does the form with a parent or guardian (clinical brief, section 3)."""

from datetime import date

import pytest
from django.utils import timezone

from intake.patients.models import Invitation
from tests.factories import make_patient
from tests.integration.intake.test_pages import ABOUT, checked
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

GUARDIAN = "I am a parent or guardian and we are doing this together."
CALL = "Under 16? Please call the clinic as well."


def young(years: int) -> tuple[Visitor, Invitation]:
    """A patient whose birthday of so many years was this new year's day."""
    born = date(timezone.localdate().year - years, 1, 1)
    invitation, token = invited(patient=make_patient(birth_date=born))
    return Visitor(token, born).open(), invitation


@pytest.mark.parametrize("years", [15, 17])
def test_the_age_is_filled_in_and_the_form_does_not_go_on_without_a_guardian(years):
    visitor, invitation = young(years)
    page = visitor.page("about").text
    assert f"about.age={years}" in checked(page)
    assert GUARDIAN in page
    assert CALL in page

    answers = {**ABOUT, "about.age": [years]}
    refused = visitor.save("about", answers)
    assert refused.status_code == 200
    assert refused.text.count('href="#about-guardian"') == 1
    assert stored(invitation).saved_pages == []
    assert visitor.save("about", {**answers, "about.guardian": [True]}).status_code == 303
    assert stored(invitation).answers["about.guardian"] == [True]


def test_nobody_types_herself_out_of_needing_a_guardian():
    """The date of birth opened the form, so the clinic knows better."""
    visitor, invitation = young(16)
    refused = visitor.save("about", {**ABOUT, "about.age": [18]})
    assert refused.status_code == 200
    assert "Your date of birth says that you are 16." in refused.text
    assert 'value="18"' in refused.text, "what was typed stays to be put right"
    visitor.autosave("about", {**ABOUT, "about.age": [40]})
    assert "about.age" not in stored(invitation).answers
    assert visitor.save("about", {**ABOUT, "about.age": [17], "about.guardian": [True]}).status_code == 303


def test_what_is_for_the_young_says_so_where_the_page_cannot_know_the_age_yet():
    """Both stand in the page with their condition in words, for whoever has scripts switched off."""
    visitor, _ = young(15)
    page = visitor.page("about").text
    assert page.count("data-when=") >= 2
    assert 'href="tel:' in page, "the number to call"


def test_a_form_of_a_child_is_not_sent_without_the_guardian():
    visitor, invitation = young(15)
    visitor.fill(invitation.questionnaire.tree(), {"about.age": [15], "about.guardian": [True]})
    visitor.autosave("about", {**ABOUT, "about.age": [15]})
    refused = visitor.send()
    assert refused.status_code == 200
    assert "1 answer is still needed" in refused.text
    assert GUARDIAN in refused.text
    visitor.save("about", {**ABOUT, "about.age": [15], "about.guardian": [True]})
    assert visitor.send().headers["Location"] == "/intake/sent/"


def test_of_age_there_is_no_guardian_to_name():
    visitor, invitation = young(18)
    assert visitor.save("about", {**ABOUT, "about.age": [18], "about.guardian": [True]}).status_code == 303
    visitor.fill(invitation.questionnaire.tree(), ABOUT | {"about.age": [18]})
    assert visitor.send().headers["Location"] == "/intake/sent/"
    assert "about.guardian" not in stored(invitation).answers
