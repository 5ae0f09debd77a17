"""`manage.py make_intakes`: whole intakes like any other, topped up, and only in the demo."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.utils import timezone

from clinic import crowd
from intake import audit
from intake.journey import fhir_document
from intake.patients.models import Evaluation, Patient
from intake.responses.answers import check, missing, prune, read_answers
from intake.responses.models import QuestionnaireResponse
from intake.review import queue
from intake.review.models import QueueEntry, Review, Verdict
from intake.review.queue import Filters
from intake.screening.models import Finding, RedFlag, Rule
from intake.screening.record import active_rules
from intake.screening.screen import screen
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings):
    settings.DEMO = True


def make(number: int, *options: str) -> dict[str, int]:
    out = StringIO()
    call_command("make_intakes", str(number), "--json", *options, stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.deep
def test_whole_intakes_topped_up_and_on_the_worklist():
    assert make(10, "--dry-run")["now"] == 0
    assert make(5)["now"] == 5
    assert make(60) | {"seconds": 0} == {"wanted": 60, "before": 5, "now": 60, "seconds": 0}
    assert make(60)["before"] == make(7)["now"] == 60
    with audit.audited("tests.read", by=factories.SETUP):
        responses = list(QuestionnaireResponse.objects.select_related("evaluation", "questionnaire"))
        assert len(responses) == len({response.evaluation.patient_id for response in responses}) == 60
        for response in responses:
            is_as_sent(response)
        visits = Evaluation.objects.filter(starts_at__lt=timezone.now(), status="booked")
        times = {(visit.physio_id, visit.starts_at) for visit in visits}
        assert len(times) == 60
        assert all(timezone.localtime(at).weekday() < 5 for _physio, at in times)
        assert all(7 <= timezone.localtime(at).hour < 19 for _physio, at in times)
        assert not RedFlag.objects.exists()
        statuses = dict(QueueEntry.objects.values_list("status").annotate(Count("pk")))
        # Copies are closed; the patterns, which the product's own functions made, wait to be.
        assert statuses == {"to-review": 12, "in-review": 12, "reviewed": 28, "closed": 8}
        decided = Verdict.objects.values("finding").distinct().count()
        chain = Finding.objects.filter(
            rule__kind=Rule.Kind.CHAIN, response__reviews__finished_at__isnull=False
        )
        assert Review.objects.count() == 48
        assert decided == chain.count() > 0
    reader = factories.make_user("physio")
    with audit.audited("tests.read", by=audit.staff(reader)):
        today = timezone.localdate()
        page = queue.worklist(reader, Filters.read({"day": "past"}, today), timezone.now())
        assert (len(page.rows), page.counts.all) == (queue.PAGE_SIZE, 60)
        assert any(row.badges for row in page.rows)
        someone = Patient.objects.order_by("pk").last()
        found = queue.worklist(reader, Filters.read({"q": str(someone)}, today), timezone.now())
        assert str(someone) in [row.name for row in found.rows]


def is_as_sent(response: QuestionnaireResponse) -> None:
    """The answers, the document and the findings are what sending the form would have stored."""
    definition = response.questionnaire.tree()
    answers = read_answers(response.answers)
    assert prune(definition, answers) == answers
    assert not [*check(definition, answers), *missing(definition, answers)]
    assert response.document == fhir_document(response)
    active = active_rules()
    raised = {(active.keys[one.rule.id], one.side, one.score) for one in screen(active.rules, answers).rules}
    assert set(response.findings.values_list("rule", "side", "score")) == raised


def test_a_batch_that_did_not_end_is_not_there():
    run = crowd.make(70, batch=5)
    for progress in run:
        if progress.made >= 53:
            break
    run.close()
    assert crowd.count() == 53
    assert [progress.made for progress in crowd.make(70, batch=10)] == [53, 63, 70]


def test_refused_outside_the_demo(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo"):
        make(5)
    assert crowd.count() == 0
