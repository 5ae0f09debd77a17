"""Every rule at its threshold and below it, on answers chosen so that any small change of it would show.

`tests/catalog/boundaries.json` is a fixed record, ``{rule id: {"cases": [{"raised", "score", "answers"}],
"unseen": [change]}}``, for the left side or for the person. A rule that is changed on purpose makes cases
fail; they are then made anew (`tests/catalog/make_boundaries.py`) and read by a person.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from intake.responses.answers import check, prune, read_answers
from intake.screening.screen import RuleDefinition, parse_rule, score_of, screen
from tests.catalog.make_boundaries import changes, entries, is_raised
from tests.unit.intake import oracle, shipped
from tests.unit.intake.answer_makers import swapped

RULE_IDS = [rule.id for rule in shipped.rules()]

ALWAYS_AT_THRESHOLD = {
    "dvt-suspected",  # each of the needed signs counts 1, which is the threshold
}


@cache
def record() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = shipped.load(shipped.REPOSITORY / "tests/catalog/boundaries.json")
    return found


def the_rule(rule_id: str) -> RuleDefinition:
    return next(rule for rule in shipped.rules() if rule.id == rule_id)


def raised_sides(rule: RuleDefinition, answers: dict[str, Any]) -> set[str | None]:
    found = screen((rule,), prune(shipped.definition(), read_answers(answers)))
    return {raised.side for raised in (*found.rules, *found.red_flags, *found.precautions)}


def test_every_rule_has_its_cases() -> None:
    assert sorted(record()) == sorted(RULE_IDS)


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_cases_come_out_as_recorded_and_mirrored(rule_id: str) -> None:
    rule = the_rule(rule_id)
    here, there = ("left", "right") if rule.scope == "side" else (None, None)
    for case in record()[rule_id]["cases"]:
        answers = case["answers"]
        assert check(shipped.definition(), read_answers(answers)) == []
        assert (here in raised_sides(rule, answers)) == case["raised"], case
        assert (there in raised_sides(rule, swapped(answers))) == case["raised"], case
        kept = prune(shipped.definition(), read_answers(answers))
        assert score_of(rule.sides[0], kept) == case["score"], case


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_cases_agree_with_the_second_evaluator(rule_id: str) -> None:
    data = shipped.rules_json()
    side = "left" if the_rule(rule_id).scope == "side" else None
    for case in record()[rule_id]["cases"]:
        result = oracle.outcome(shipped.questionnaire_json(), data, case["answers"])
        found = [*result["rules"], *result["redFlags"], *([name, None] for name in result["precautions"])]
        assert ([rule_id, side] in found) == case["raised"], case


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_one_case_is_at_the_threshold_and_one_below_it(rule_id: str) -> None:
    rule = the_rule(rule_id)
    cases = record()[rule_id]["cases"]
    assert any(case["raised"] and case["score"] == rule.threshold for case in cases)
    assert any(not case["raised"] for case in cases)
    if rule.supports and rule_id not in ALWAYS_AT_THRESHOLD:
        assert any(case["score"] == rule.threshold - 1 and not case["raised"] for case in cases)


@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_a_change_of_the_rule_would_show(rule_id: str) -> None:
    entry = next(entry for entry in entries() if entry["id"] == rule_id)
    kept = [
        (prune(shipped.definition(), read_answers(case["answers"])), case["raised"])
        for case in record()[rule_id]["cases"]
    ]
    unseen = []
    for change in changes(entry):
        rule = parse_rule(change.entry)
        if all(is_raised(rule.sides[0], rule.threshold, answers) == raised for answers, raised in kept):
            unseen.append(change.name)
    assert unseen == record()[rule_id]["unseen"]
