"""What a process keeps of a review page is never older than what stands in the database."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from education.chain.models import PhysioTest
from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients.models import Patient
from intake.review.models import Decision
from intake.screening.models import Finding, Rule
from tests import factories

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def physio():
    return factories.make_user("physio", first_name="Maya", last_name="Ortiz")


@pytest.fixture
def response(physio):
    return factories.make_response(factories.ROLLING_IN, evaluation=factories.make_evaluation(physio=physio))


def page(client: Client, response, query: str = "") -> str:
    """As it reads the second time, when all of it is kept."""
    address = reverse("admin:intake_questionnaireresponse_review", args=[response.pk]) + query
    client.get(address)
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def finding_of(response) -> Finding:
    with audit.audited("tests.read", by=factories.SETUP):
        return Finding.objects.select_related("rule", "response").filter(response=response).first()


def test_a_decision_shows_at_once_and_to_each_reader_as_theirs(physio, response):
    desk, other = signed_in(physio), signed_in(factories.make_user("physio", first_name="Alex"))
    assert 'value="undo"' not in page(desk, response)
    finding = finding_of(response)
    journey.decide_finding(
        response=finding.response_id, finding=finding.pk, decision=Decision.CONFIRMED, by=audit.staff(physio)
    )
    mine, theirs = page(desk, response), page(other, response)
    assert "<span>You, today" in mine
    assert "<span>Maya Ortiz, today" in theirs
    journey.decide_finding(
        response=finding.response_id,
        finding=finding.pk,
        decision=Decision.UNCONFIRMED,
        by=audit.staff(physio),
    )
    assert "Both decisions" in page(desk, response)
    assert 'value="undo"' not in page(desk, response)


def test_yesterday_is_not_today(physio, response):
    desk = signed_in(physio)
    journey.decide_finding(
        response=finding_of(response).response_id,
        finding=finding_of(response).pk,
        decision=Decision.CONFIRMED,
        by=audit.staff(physio),
    )
    assert "<span>You, today" in page(desk, response)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert "<span>You, yesterday" in page(signed_in(physio), response)


def test_the_library_the_rule_and_the_patient_are_read_as_they_are_now(physio, response):
    desk = signed_in(physio)
    before = page(desk, response)
    finding = finding_of(response)
    rule = f"?show=rule-{finding.pk}"
    assert "Draft: not yet approved by a physio." in page(desk, response, rule)
    check = PhysioTest.objects.get(slug=finding.rule.parsed().suggested_checks[0])
    assert check.name in before
    PhysioTest.objects.filter(pk=check.pk).update(name="A test of another name")
    Rule.objects.filter(pk=finding.rule_id).update(
        approved_by=factories.make_user("physio"), approved_at=timezone.now()
    )
    with audit.audited("tests.made", by=factories.SETUP):
        Patient.objects.update(given_name="Renamed")
    after = page(desk, response)
    assert "A test of another name" in after
    assert "Approved by " in page(desk, response, rule)
    assert "Because Renamed said" in after
    assert "Renamed’s words" in after


def test_every_read_has_its_line_and_its_own_token(physio, response):
    desk = signed_in(physio)
    first, second = page(desk, response), page(desk, response)
    assert first != second
    assert AuditEvent.objects.filter(action="review.read").count() == 4


def test_whoever_may_not_review_is_shown_nothing_that_is_kept(physio, response):
    page(signed_in(physio), response)
    address = reverse("admin:intake_questionnaireresponse_review", args=[response.pk])
    assert signed_in(factories.make_user("front desk")).get(address).status_code == 404
    physio.groups.clear()
    assert signed_in(physio).get(address).status_code == 404


def test_the_desk_and_a_physio_see_each_their_own_row(physio, response):
    address = reverse("admin:intake_evaluation_changelist") + "?day=coming"
    reader, front = signed_in(physio), signed_in(factories.make_user("front desk"))
    for _ in range(2):
        assert "Right knee" in reader.get(address).content.decode()
        assert "Right knee" not in front.get(address).content.decode()
