"""All findings come out the same from the versions, the answers and the rules of their time (R25)."""

import json
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction

from intake import audit
from intake.audit import AuditEvent
from intake.questionnaires.models import Status
from intake.screening.models import Finding, Rule, ScreeningRun
from tests.factories import CALM, ROLLING_IN, SETUP, make_response
from tests.integration.intake.tables import digests

pytestmark = pytest.mark.django_db


def replayed(**options) -> dict:
    said, progress = StringIO(), StringIO()
    code = 0
    try:
        call_command("replay_findings", json=True, stdout=said, stderr=progress, **options)
    except SystemExit as left:
        code = left.code
    return {**json.loads(said.getvalue()), "code": code, "progress": progress.getvalue().split("\n")}


def make_newer(rule: Rule) -> None:
    """Another version of a rule stands in its place, as after an edit."""
    Rule.objects.filter(pk=rule.pk).update(status=Status.RETIRED)
    Rule.objects.create(
        rule_id=rule.rule_id,
        version=rule.version + 1,
        kind=rule.kind,
        title="Another",
        status=Status.DRAFT,
        definition={**rule.definition, "version": rule.version + 1, "threshold": 99},
    )


@pytest.fixture
def intake():
    make_response(CALM)
    return make_response({**ROLLING_IN, "health.conditions": ["diabetes", "numb-feet"]})


def test_every_finding_comes_out_the_same_and_nothing_is_written(intake):
    with audit.audited("tests.changed", by=SETUP):
        make_newer(Finding.objects.filter(response=intake).first().rule)
    before = digests()
    found = replayed()
    assert (found["runs"], found["differs"], found["code"]) == (2, [], 0)
    assert found["findings"] >= 1
    assert found["progress"][0] == "2 of 2"
    assert digests() == before
    line = AuditEvent.objects.get(action="findings.replayed")
    assert line.detail == {"runs": 2, "findings": found["findings"], "differs": 0}
    said = StringIO()
    call_command("replay_findings", stdout=said, verbosity=0)
    assert said.getvalue() == f"2 runs with {found['findings']} findings, all the same\n"


def change(how: str, response: UUID) -> None:
    finding = Finding.objects.filter(response=response).order_by("pk").first()
    rows = Finding.objects.filter(pk=finding.pk)
    if how == "score":
        rows.update(score=finding.score + 1)
    elif how == "side":
        rows.update(source_side="left" if finding.source_side == "right" else "right")
    elif how == "evidence":
        rows.update(evidence={"for": [], "against": []})
    elif how == "gone":
        rows.delete()
    elif how == "invented":
        rows.update(rule=Rule.objects.exclude(findings__response=response).filter(kind="chain").first())
    elif how == "version":
        ScreeningRun.objects.filter(response=response).update(rule_versions={finding.rule.rule_id: 99})
    else:
        ScreeningRun.objects.filter(response=response).update(precautions=["made-up"])


def test_what_was_changed_afterwards_is_named_without_an_answer(intake):
    for how in ("score", "side", "evidence", "gone", "invented", "version", "precautions"):
        with transaction.atomic():
            with audit.audited("tests.changed", by=SETUP):
                change(how, intake.pk)
            found = replayed(verbosity=0)
            transaction.set_rollback(True)
        assert found["code"] == 1, how
        assert {one["response"] for one in found["differs"]} == {str(intake.pk)}
        assert len(found["differs"]) == (2 if how == "invented" else 1), how
        assert "nward" not in json.dumps(found)


@pytest.mark.deep
def test_nor_does_a_thousand_made_up_intakes_differ(db):
    """As `make_intakes` writes them, with the bulk paths of the product."""
    call_command("make_intakes", 1000, stdout=StringIO(), stderr=StringIO())
    found = replayed(verbosity=0)
    assert found["runs"] >= 500
    assert found["differs"] == []
