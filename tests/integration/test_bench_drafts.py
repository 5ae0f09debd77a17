"""The drafts that `make bench` sends are drafts that the product takes."""

import uuid

import pytest
from django.conf import settings
from django.test import Client

from intake import audit
from intake.screening.models import Finding
from tests import factories
from tests.browser import reception

pytestmark = pytest.mark.django_db


def test_each_draft_can_be_sent_by_its_own_patient_and_raises_as_much_as_the_floor_writes() -> None:
    made = reception.drafts(count=2)
    for session in made["sessions"]:
        client = Client()
        client.cookies[settings.PATIENT_COOKIE_NAME] = session
        fields = {"confirm": "yes", "key": str(uuid.uuid4()), "revision": made["revision"]}
        answer = client.post("/intake/check/", fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/sent/")
    with audit.audited("tests.read", by=factories.SETUP):
        assert Finding.objects.count() == 2 * 4
