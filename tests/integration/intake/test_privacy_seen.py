"""Which version of the privacy notice stood behind the tick (coverage list, S42)."""

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from education.clinic_info.models import SHIPPED_PRIVACY_VERSION, PrivacyNotice
from intake import audit
from intake.audit import AuditEvent
from intake.questionnaires.load import active_questionnaire
from tests.factories import SETUP, make_user
from tests.integration.intake.test_pages import ABOUT, SAFE
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db


def seen() -> list[int]:
    """The versions that the trail names, one for each saved page with the tick."""
    details = AuditEvent.objects.filter(action__startswith="page.").order_by("pk")
    return [event.detail["privacy_notice"] for event in details if "privacy_notice" in event.detail]


def test_the_tick_is_kept_with_the_version_in_force() -> None:
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", ABOUT)
    visitor.save("safety", SAFE)
    assert seen() == [SHIPPED_PRIVACY_VERSION]
    PrivacyNotice(text="We keep less.").save()
    visitor.save("about", ABOUT, "?change=1")
    assert seen() == [SHIPPED_PRIVACY_VERSION, SHIPPED_PRIVACY_VERSION + 1]
    assert stored(invitation).answers["consent.privacy"] == [True]
    assert stored(invitation).privacy_version == SHIPPED_PRIVACY_VERSION + 1
    assert active_questionnaire().tree().item("consent.privacy").must_be_true


def test_without_the_tick_nothing_is_claimed() -> None:
    invitation, token = invited()
    without = {name: values for name, values in ABOUT.items() if name != "consent.privacy"}
    Visitor(token).open().save("about", without)
    assert seen() == []
    assert stored(invitation).privacy_version is None


def test_the_version_is_kept_with_what_was_sent_and_shown_to_the_physio() -> None:
    """A later version of the notice changes nothing about it, nor does a page saved after that."""
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", ABOUT)
    PrivacyNotice(text="We keep less.").save()
    visitor.fill(invitation.questionnaire.tree(), {})
    visitor.send()
    response = stored(invitation)
    assert response.is_sent
    assert response.privacy_version in (SHIPPED_PRIVACY_VERSION, SHIPPED_PRIVACY_VERSION + 1)
    physio = Client()
    physio.force_login(make_user("physio"))
    page = physio.get(reverse("admin:intake_questionnaireresponse_review", args=[response.pk]))
    assert f"The patient saw version {response.privacy_version} of the privacy notice." in page.text
    with pytest.raises(DatabaseError), audit.audited("tests.attack", by=SETUP):
        type(response).objects.filter(pk=response.pk).update(privacy_version=9)


def test_answers_survive_a_look_at_the_notice() -> None:
    """J2.9: the link opens in the same tab, and Back leads to what was saved while typing."""
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.autosave("about", ABOUT)
    page = visitor.page("about").text
    assert 'href="/privacy/"' in page
    assert visitor.look("/privacy/").status_code == 200
    assert "Sore on stairs &amp; steps" in visitor.page("about").text
    assert stored(invitation).answers["consent.privacy"] == [True]
