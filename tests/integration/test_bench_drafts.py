"""The drafts that `make bench` sends are drafts that the product takes."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from clinic import demo
from intake import audit
from intake.questionnaires.load import active_questionnaire
from intake.responses.models import QuestionnaireResponse
from tests import factories
from tests.browser import reception

pytestmark = pytest.mark.django_db


def test_each_copy_of_a_draft_can_be_sent_by_its_own_patient() -> None:
    person = demo.Person(
        "", "", factories.make_patient().birth_date, timezone.now().time(), "", "", dict(factories.ROLLING_IN)
    )
    with audit.audited("tests.read", by=factories.SETUP):
        answers = demo.fill(active_questionnaire().tree(), person)
    draft = factories.make_response(answers, sent=False)
    made = reception.copies(evaluation=str(draft.evaluation_id), count=2)
    for session in made["sessions"]:
        client = Client()
        client.cookies[settings.PATIENT_COOKIE_NAME] = session
        fields = {"confirm": "yes", "key": str(uuid.uuid4()), "revision": made["revision"]}
        answer = client.post("/intake/check/", fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/sent/")
    with audit.audited("tests.read", by=factories.SETUP):
        sent = QuestionnaireResponse.objects.filter(authored__gt=timezone.now() - timedelta(hours=1))
        assert sent.count() == 2
