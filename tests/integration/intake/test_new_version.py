"""J3.8: a questionnaire is published while a patient is half-way; she finishes the one she began."""

import copy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from intake import audit, journey
from intake.questionnaires.load import active_questionnaire, load_questionnaires
from tests.factories import SETUP, make_user
from tests.integration.intake.test_pages import ABOUT
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

NEW = "How do you sleep?"


def next_version() -> dict[str, Any]:
    """The questionnaire with one more question, required, on its first page."""
    resource: dict[str, Any] = copy.deepcopy(active_questionnaire().definition)
    resource["version"] = "99.0.0"
    resource["item"][0]["item"].append(
        {"linkId": "about.sleep", "type": "string", "text": NEW, "required": True, "maxLength": 80}
    )
    return resource


def test_whoever_began_finishes_the_version_she_began_and_new_patients_get_the_new_one():
    begun, token = invited()
    first = begun.questionnaire
    visitor = Visitor(token).open()
    visitor.save("about", ABOUT)

    load_questionnaires([next_version()])
    second = active_questionnaire()
    assert second.version == "99.0.0"
    assert NEW not in visitor.page("about").text
    visitor.fill(first.tree(), ABOUT)
    assert visitor.send().headers["Location"] == "/intake/sent/"
    sent = stored(begun)
    assert (sent.status, sent.questionnaire_id) == ("completed", first.pk)
    assert sent.document["questionnaire"] == f"{first.url}|{first.version}"

    other, token = invited()
    late = Visitor(token).open()
    assert NEW in late.page("about").text
    late.save("about", {**ABOUT, "about.sleep": ["Well"]})
    assert stored(other).questionnaire_id == second.pk

    desk = Client()
    desk.force_login(make_user("physio"))
    page = desk.get(reverse("admin:intake_questionnaireresponse_review", args=[sent.pk])).text
    assert f"version {first.version}" in page
    assert NEW not in page


def test_a_new_link_goes_on_with_the_version_that_was_begun():
    begun, token = invited()
    Visitor(token).open().save("about", ABOUT)
    load_questionnaires([next_version()])
    with audit.audited("tests.made", by=SETUP):
        again = journey.invite(evaluation=begun.evaluation, by=SETUP, mail=False)
        assert again.questionnaire_id == begun.questionnaire_id
