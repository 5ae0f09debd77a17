"""What the shipped rules raise: all cases exactly, and properties over many random patients."""

from __future__ import annotations

import copy
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given

from intake.responses.answers import check, prune, read_answers
from intake.screening.screen import (
    TIERS,
    Raised,
    RuleError,
    Screening,
    highest_tier,
    parse_rule,
    parse_rules,
    screen,
)
from tests.unit.intake import oracle
from tests.unit.intake.answer_makers import answer_sets, random_answers, swapped
from tests.unit.intake.shipped import cases, definition, questionnaire_json, rules, rules_json

CASES = {case["id"]: case for case in cases()}


def screened(answers: dict[str, Any]) -> Screening:
    return screen(rules(), prune(definition(), read_answers(answers)))


def pairs(raised: tuple[Raised, ...]) -> list[tuple[str, str | None]]:
    return sorted(((r.rule.id, r.side) for r in raised), key=str)


def expected(listed: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return sorted(((entry["rule"], entry.get("side")) for entry in listed), key=str)


def outcome(answers: dict[str, Any]) -> dict[str, list[Any]]:
    found = screened(answers)
    return {
        "rules": [list(pair) for pair in pairs(found.rules)],
        "redFlags": [list(pair) for pair in pairs(found.red_flags)],
        "precautions": sorted(raised.rule.id for raised in found.precautions),
    }


def test_the_shipped_catalog_is_complete() -> None:
    kinds = Counter(rule.kind for rule in rules())
    assert kinds == {"chain": 21, "note": 2, "red-flag": 17, "precaution": 5}


@pytest.mark.parametrize("case_id", CASES)
def test_case_is_exact(case_id: str) -> None:
    case = CASES[case_id]
    found = screened(case["answers"])
    assert pairs(found.rules) == expected(case["expect"]["findings"])
    assert pairs(found.red_flags) == expected(case["expect"]["redFlags"])
    assert sorted(r.rule.id for r in found.precautions) == sorted(case["expect"]["precautions"])


@pytest.mark.parametrize("case_id", [name for name, case in CASES.items() if case["mustNotRaise"]])
def test_what_must_not_be_raised_is_not_nor_on_the_mirrored_side(case_id: str) -> None:
    answers = CASES[case_id]["answers"]
    here, mirrored = screened(answers), screened(swapped(answers))
    other = {"left": "right", "right": "left", None: None}
    for entry in CASES[case_id]["mustNotRaise"]:
        named = entry["rule"], entry["side"]
        assert named not in pairs(here.rules) + pairs(here.red_flags), entry["because"]
        named = entry["rule"], other[entry["side"]]
        assert named not in pairs(mirrored.rules) + pairs(mirrored.red_flags), entry["because"]


@pytest.mark.parametrize("case_id", CASES)
def test_case_in_the_mirror_is_mirrored(case_id: str) -> None:
    other = {"left": "right", "right": "left", None: None}
    case = CASES[case_id]
    found = screened(swapped(case["answers"]))
    wanted = [(rule, other[side]) for rule, side in expected(case["expect"]["findings"])]
    assert pairs(found.rules) == sorted(wanted, key=str)


def test_no_answer_raises_nothing() -> None:
    assert screened({}) == Screening((), (), ())


def test_two_evaluators_agree_on_many_random_patients() -> None:
    """Four hundred patients, and nearly every rule is raised among them, so agreement says something."""
    raised: Counter[str] = Counter()
    for seed in range(400):
        answers = random_answers(definition(), Random(seed))
        assert check(definition(), read_answers(answers), consents=False) == []
        found = outcome(answers)
        assert found == oracle.outcome(questionnaire_json(), rules_json(), answers), seed
        raised.update(pair[0] for pair in found["rules"] + found["redFlags"])
        raised.update(found["precautions"])
    assert len(raised) >= 43


@given(answer_sets(definition()))
def test_swapping_the_sides_of_all_answers_swaps_the_findings(answers: dict[str, Any]) -> None:
    other = {"left": "right", "right": "left", None: None}
    one, two = screened(answers), screened(swapped(answers))
    for mine, theirs in ((one.rules, two.rules), (one.red_flags, two.red_flags)):
        mirrored = [(r.rule.id, other[r.side], other[r.source_side], other[r.target_side]) for r in mine]
        found = [(r.rule.id, r.side, r.source_side, r.target_side) for r in theirs]
        assert sorted(mirrored, key=str) == sorted(found, key=str)
    assert pairs(one.precautions) == pairs(two.precautions)


@given(answer_sets(definition()))
def test_evidence_adds_up(answers: dict[str, Any]) -> None:
    kept = prune(definition(), read_answers(answers))
    found = screen(rules(), kept)
    for raised in (*found.rules, *found.red_flags, *found.precautions):
        plus = sum(group.weight for group in raised.supports)
        assert raised.score == plus - sum(group.weight for group in raised.against)
        assert raised.score >= raised.rule.threshold
        assert len(raised.required) == len(raised.rule.requires)
        for group in (*raised.required, *raised.supports, *raised.against):
            for link_id, values in group.matched:
                assert values
                assert set(values) <= set(kept[link_id])
        assert not set(raised.not_answered) & set(kept)


@given(answer_sets(definition()))
def test_findings_are_sorted_by_score_and_flags_by_urgency(answers: dict[str, Any]) -> None:
    found = screened(answers)
    scores = [raised.score for raised in found.rules]
    assert scores == sorted(scores, reverse=True)
    tiers = [TIERS.index(raised.rule.tier) for raised in found.red_flags if raised.rule.tier]
    assert tiers == sorted(tiers)


def test_a_finding_names_source_and_target() -> None:
    found = screened(
        {
            "pain.regions.right": ["knee-inner"],
            "pain.regions.left": ["sole-heel"],
            "gait.leg-use.right": "spare",
            "gait.leg-use.left": "more",
        }
    )
    (raised,) = (r for r in found.rules if r.rule.id == "weight-shift-heel")
    assert (raised.side, raised.source_side, raised.target_side) == ("right", "right", "left")
    assert [group.label for group in raised.supports] == [
        "says this leg is spared",
        "says the other leg takes more",
    ]
    assert "timeline.first" in raised.not_answered


def test_the_notice_is_that_of_the_highest_tier_with_the_lines_of_all() -> None:
    found = screened(
        {
            "safety.body-signs": ["chest-breath"],
            "safety.leg-signs.left": ["calf-swollen", "joint-hot-swollen"],
            "safety.leg-signs.right": ["calf-swollen"],
        }
    )
    assert found.tier == "emergency"
    assert found.is_urgent
    notice = found.notice
    assert notice is not None
    assert "911" in notice.message
    assert notice.extra_lines == (
        "Please do not rub or massage the leg.",
        "If you get a fever or shivers, or feel very ill, go to an emergency room now.",
    )


def test_a_quiet_flag_is_not_urgent() -> None:
    found = screened({"pain.morning-stiff": "over-60", "health.conditions": ["psoriasis"]})
    assert (found.tier, found.is_urgent) == ("tell-physio", False)
    assert found.hides == frozenset()


@pytest.mark.parametrize(
    ("answers", "hidden"),
    [
        ({}, set()),
        ({"health.conditions": ["diabetes"]}, {"foot.footprint"}),
        ({"health.medicines": ["quinolone"]}, {"page.try"}),
        ({"safety.leg-signs.left": ["calf-swollen"]}, {"page.try"}),
        ({"safety.body-signs": ["bladder-bowel"]}, {"page.try"}),
    ],
)
def test_flags_and_precautions_hide_pages_and_steps(answers: dict[str, Any], hidden: set[str]) -> None:
    assert screened(answers).hides == hidden


def test_every_urgent_flag_hides_the_self_tests() -> None:
    assert all(("page.try" in rule.hides) == rule.is_urgent for rule in rules() if rule.kind == "red-flag")


def test_the_highest_of_some_tiers() -> None:
    assert highest_tier(["tell-physio", "emergency", None]) == "emergency"
    assert highest_tier([]) is None


def sample(**changes: Any) -> dict[str, Any]:
    entry = copy.deepcopy(rules_json()["rules"][0])
    entry.update(changes)
    return {key: value for key, value in entry.items() if value is not ...}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "a rule must be an object"),
        ({}, "a rule needs an id"),
        (sample(kind="hunch"), "kind must be one of"),
        (sample(tier="emergency"), "a chain has no field 'tier'"),
        (sample(scope="leg"), "scope must be"),
        (sample(source="left"), "source must be"),
        (sample(scope="person"), "source must be .* null for a person"),
        (sample(threshold="3"), "threshold must be a whole number"),
        (sample(threshold=...), "threshold must be a whole number"),
        (sample(version=True), "version must be a whole number"),
        (sample(title=1), "title must be text"),
        (sample(links="x"), "links must be a list of texts"),
        (sample(requires={}), "requires must be a list of groups"),
        (sample(requires=[], supports=[]), "no condition at all"),
        (sample(requires=[{"when": []}]), "requires 1: a group needs at least one condition"),
        (sample(supports=[{"when": [{"question": "q", "operator": "=", "answer": 1}]}]), "needs a weight"),
        (sample(requires=sample()["supports"][:1]), "two groups have the id 'roll-in'"),
        (sample(evidence=[{"link": 1}]), "evidence must list"),
        (sample(evidence=["x"]), "evidence must list"),
        (sample(patientBecause={"a": 1}), "patientBecause must map"),
        (sample(patientBecause=[]), "patientBecause must map"),
    ],
)
def test_rules_that_cannot_be_read_are_named(entry: object, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        parse_rule(entry)


def test_a_red_flag_needs_a_tier_and_a_message() -> None:
    flag = copy.deepcopy(rules_json()["redFlags"][0])
    with pytest.raises(RuleError, match="needs a tier"):
        parse_rule({**flag, "tier": "soon"})
    with pytest.raises(RuleError, match="needs a patientMessage"):
        parse_rule({**flag, "patientMessage": ""})


def test_a_rule_file_is_checked_whole() -> None:
    with pytest.raises(RuleError, match="used twice"):
        parse_rules({"rules": [sample(), sample()]})
    with pytest.raises(RuleError, match="must be an object"):
        parse_rules([])
    with pytest.raises(RuleError, match="redFlags must be a list"):
        parse_rules({"redFlags": {}})
