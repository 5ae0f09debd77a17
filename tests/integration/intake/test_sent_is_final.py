"""What a patient sent is the record: the database itself refuses to change it."""

from typing import Any

import pytest
from django.db import Error, transaction
from django.utils import timezone

from intake import audit
from intake.responses.models import QuestionnaireResponse
from tests import factories

BY = audit.system("test")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"pain.now": [0]}},
        {"document": {"resourceType": "QuestionnaireResponse"}},
        {"authored": timezone.now()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_sent_intake_keeps_what_was_sent(change: dict[str, Any]) -> None:
    response = factories.make_response(answers={"pain.now": [4]})
    with audit.audited("test", by=BY), pytest.raises(Error), transaction.atomic():
        QuestionnaireResponse.objects.filter(pk=response.pk).update(**change)
    with audit.audited("test", by=BY):
        assert QuestionnaireResponse.objects.get(pk=response.pk).answers == response.answers


@pytest.mark.django_db
def test_it_can_still_be_marked_as_entered_in_error() -> None:
    response = factories.make_response(answers={"pain.now": [4]})
    with audit.audited("test", by=BY):
        QuestionnaireResponse.objects.filter(pk=response.pk).update(status="entered-in-error")
        assert QuestionnaireResponse.objects.get(pk=response.pk).status == "entered-in-error"
