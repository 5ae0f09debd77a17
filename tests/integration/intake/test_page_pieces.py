"""A page of the form that is joined from pieces reads as its template draws it."""

from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from education.clinic_info.models import ClinicInfo
from intake import audit
from intake.patients.models import PatientSession
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.pages import pages
from intake.views import page_pieces
from tests.factories import ROLLING_IN, SETUP
from tests.integration.intake.visitor import Visitor, filled_in, invited, without_form_tokens

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the template drew of each page that was joined."""
    found: list[str] = []
    joined = page_pieces.answer

    def both(request: HttpRequest, visit: Any, context: Any) -> HttpResponse:
        found.append(page_pieces.render(request, page_pieces.TEMPLATE, {**context, "visit": visit}).text)
        return joined(request, visit, context)

    monkeypatch.setattr(page_pieces, "answer", both)
    return found


def opened() -> Visitor:
    _invitation, token = invited()
    return Visitor(token).open()


@pytest.mark.parametrize(
    ("tablet", "language"),
    [
        (False, "en-us"),
        (True, "es"),
        pytest.param(False, "es", marks=pytest.mark.deep),
        pytest.param(True, "en-us", marks=pytest.mark.deep),
    ],
)
def test_each_page_is_as_its_template_draws_it(drawn: list[str], tablet: bool, language: str):
    definition = active_questionnaire().tree()
    slugs = [page.slug for page in pages(definition)]
    with time_machine.travel(timezone.now(), tick=False), translation.override(language):
        first, second = opened().fill(definition, ROLLING_IN), opened()
        with audit.audited("tests.tablet", by=SETUP):
            PatientSession.objects.update(on_tablet=tablet)
        for visitor in (first, second, first):
            for slug in slugs:
                for query in ("", "?change=1", "?list=1"):
                    answer = visitor.client.get(f"/intake/{slug}/{query}")
                    if answer.status_code == 200:
                        assert without_form_tokens(answer.text) == without_form_tokens(drawn[-1])
    assert len(drawn) > 3 * len(slugs)
    assert page_pieces._pieces.cache_info().hits > len(slugs)


def test_words_of_one_patient_are_on_no_page_of_another():
    first, second = opened(), opened()
    first.save(
        "about", {**filled_in(active_questionnaire().tree(), {}), "why.story": ["<b>Zyx</b> on the stairs"]}
    )
    assert "&lt;b&gt;Zyx&lt;/b&gt;" in first.client.get("/intake/about/").text
    page = second.client.get("/intake/about/").text
    assert "Zyx" not in page
    assert page_pieces._SIGN not in page


def test_an_edit_of_the_clinic_shows_at_once_and_one_taken_back_never_does():
    visitor = opened()

    def shown() -> str:
        return visitor.client.get("/intake/about/").text

    assert "(310) 555-0142" in shown()
    with transaction.atomic():
        ClinicInfo.objects.update(phone_display="(310) 555-0199")
        assert "(310) 555-0199" in shown()
        transaction.set_rollback(True)
    assert "(310) 555-0142" in shown()
    assert "(310) 555-0199" not in shown()
