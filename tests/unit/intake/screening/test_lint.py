"""Mistakes in rules are found before the rules run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.screening.lint import LintProblem, lint, lint_file, lint_suggestion
from intake.screening.suggest import parse_suggestable
from tests.unit.intake.shipped import REPOSITORY, definition, load, rules_json


def condition(question: str, answer: Any, operator: str = "=") -> dict[str, Any]:
    return {"question": question, "operator": operator, "answer": answer}


KNEE = condition("pain.regions.{side}", "knee-front")
ROLLS = condition("gait.foot-roll.{side}", "inward")


def note(**changes: Any) -> dict[str, Any]:
    """A sound rule of kind note, with these fields changed."""
    entry = {
        "id": "a-note",
        "version": 1,
        "kind": "note",
        "title": "A note",
        "scope": "side",
        "source": "{side}",
        "target": "{side}",
        "requires": [{"when": [KNEE]}],
        "supports": [{"id": "rolls", "weight": 1, "label": "rolls", "when": [ROLLS]}],
        "against": [],
        "threshold": 1,
    }
    return {**entry, **changes}


def supports(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"supports": [{"id": "s", "weight": 1, "label": "s", "when": list(conditions), **more}]}


def flag(*conditions: dict[str, Any], tier: str = "same-day") -> dict[str, Any]:
    requires = [{"when": list(conditions)}]
    entry = note(kind="red-flag", tier=tier, patientMessage="Call us.", requires=requires, threshold=0)
    return {k: v for k, v in entry.items() if k not in ("source", "target")} | {"supports": []}


def messages(entry: dict[str, Any], level: str = "error") -> list[str]:
    return [problem.message for problem in lint([entry], definition()) if problem.level == level]


def test_the_shipped_rules_are_clean() -> None:
    assert lint_file(rules_json(), definition()) == []


def test_a_sound_rule_is_clean() -> None:
    assert lint([note()], definition()) == []
    assert lint([flag(KNEE)], definition()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (supports(condition("gait.roll.{side}", "inward")), "there is no question 'gait.roll.left'"),
        (
            supports(condition("gait.foot-roll.{side}", "in")),
            "gait.foot-roll.left: 'in' is not one of its options",
        ),
        (supports(condition("pain.regions", "calf")), "pain.regions: a group has no answer"),
        (supports(condition("pain.now", "8")), "pain.now: '8' is not an answer of type integer"),
        (supports(condition("pain.now", 11)), "pain.now: 11 is outside what may be answered"),
        (supports(condition("pain.now", 10, ">")), "pain.now: no allowed answer is > 10"),
        (supports(condition("pain.now", 0, "<")), "pain.now: no allowed answer is < 0"),
        (
            supports(condition("safety.injury.{side}", 1)),
            "safety.injury.left: 1 is not an answer of type boolean",
        ),
        (
            supports(condition("pain.duration", "over-1y", "<")),
            "pain.duration: operator '<' cannot compare answers of type choice",
        ),
        (
            supports(condition("gait.foot-roll.{side}", ["inward", "inward"])),
            "gait.foot-roll.left: an answer is listed twice",
        ),
        (
            supports(
                condition("gait.foot-roll.{side}", "inward"), condition("gait.foot-roll.{side}", "outer")
            ),
            "its conditions exclude each other, so it never holds",
        ),
        (supports(ROLLS, weight=0), "the weight 0 is not above zero"),
        (supports(ROLLS, label=None), "a weighted group needs an id and a label for staff"),
        ({"threshold": 2}, "the best possible score is 1, so 2 is never reached"),
        (
            {"requires": [], **supports(condition("gait.foot-roll.{side}", "inward", "!="))},
            "a form with no answers would raise it: add a guard",
        ),
        (
            {"requires": [{"when": [condition("pain.now", 8, ">=")]}], **supports(condition("pain.now", 9))},
            "no question depends on the side: it is raised on both or none",
        ),
    ],
)
def test_errors(changes: dict[str, Any], message: str) -> None:
    assert message in messages(note(**changes))


def test_a_threshold_that_only_excluding_answers_could_reach_is_never_reached() -> None:
    both = [
        {"id": value, "weight": 1, "label": value, "when": [condition("gait.foot-roll.{side}", value)]}
        for value in ("inward", "outer")
    ]
    assert "the best possible score is 1, so 2 is never reached" in messages(note(supports=both, threshold=2))


def test_conditions_that_all_hold_on_silence_raise_on_a_blank_form() -> None:
    silent = [condition("pain.regions.{side}", "calf", "!="), condition("pain.now", False, "exists")]
    assert "a form with no answers would raise it: add a guard" in messages(flag(*silent))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            supports(condition("gait.foot-roll.{other}", "inward")),
            "it asks about {other}, though source and target are the same side",
        ),
        (
            supports(condition("gait.foot-roll.left", "inward")),
            "it names a side; {side} or {other} is meant in a rule tried for each side",
        ),
        (
            supports(condition("gait.foot-roll.{side}", "inward", "!=")),
            "it holds when nothing was answered",
        ),
        (
            supports(ROLLS, condition("pain.regions.{side}", "calf", "!=")),
            "a condition in it holds when its question was not answered",
        ),
        (
            supports(condition("activity.other", True, "exists")),
            "activity.other holds typed words: no rule should depend on them",
        ),
        (
            {"threshold": 0},
            "the supporting answers cannot make a difference at a threshold of 0 or less",
        ),
    ],
)
def test_warnings(changes: dict[str, Any], message: str) -> None:
    assert message in messages(note(**changes), "warning")


def test_the_other_side_is_fine_where_source_and_target_differ() -> None:
    entry = note(target="{other}", **supports(condition("gait.foot-roll.{other}", "inward")))
    assert lint([entry], definition()) == []


def test_a_rule_about_the_person_has_no_sides() -> None:
    entry = note(scope="person", source=None, target=None)
    assert "a rule about the person has no {side} or {other}" in messages(entry)


@pytest.mark.parametrize("tier", ["emergency", "same-day"])
def test_nothing_urgent_rests_on_a_self_test(tier: str) -> None:
    entry = flag(KNEE, condition("try.heel-raises.{side}", 0, "<="), tier=tier)
    expected = "an emergency or same-day flag must not depend on a self-test, as try.heel-raises.left does"
    assert expected in messages(entry)
    assert messages({**entry, "tier": "tell-physio"}) == []


def test_what_a_flag_hides_must_exist() -> None:
    problem = LintProblem("a-note", "hides", "there is no item 'page.nowhere' to hide")
    assert lint([{**flag(KNEE), "hides": ["page.try", "page.nowhere"]}], definition()) == [problem]


def test_a_chain_rule_tells_the_patient_about_each_group() -> None:
    requires = [{"id": "sore", "when": [KNEE]}, {"when": [ROLLS]}]
    entry = note(kind="chain", requires=requires, patientBecause={"sore": "It hurts.", "sour": "?"})
    assert messages(entry) == [
        "a group of requires in a chain rule needs an id",
        "there is no such group: 'sour'",
    ]
    assert messages(entry, "warning") == ["no sentence for the patient about 'rolls'"]


def test_ids_are_unique_and_entries_readable() -> None:
    unreadable = note(id="b", version="1")
    found = lint([note(), note(), unreadable, 7], definition())
    assert found == [
        LintProblem("a-note", "id", "another rule has the same id"),
        LintProblem("b", "", "version must be a whole number"),
        LintProblem("entry 4", "", "a rule must be an object"),
    ]
    assert lint_file([], definition())[0].level == "error"


def test_names_from_other_catalogs_are_looked_up_when_given() -> None:
    entry = note(lesson="gone", links=["a--b"], suggestedChecks=["fpi6"])
    found = lint([entry], definition(), lessons=["rolling-in"], links=["a--b"], checks=[])
    assert [(p.place, p.message) for p in found] == [
        ("lesson", "'gone' is not known"),
        ("suggestedChecks", "'fpi6' is not known"),
    ]


def test_the_shipped_lessons_ask_for_answers_that_exist() -> None:
    lessons = load(REPOSITORY / "education" / "catalog" / "lessons.json")["lessons"]
    assert len(lessons) == 18
    for lesson in lessons:
        assert lint_suggestion(parse_suggestable(lesson), definition()) == []


def suggested(*conditions: dict[str, Any]) -> list[str]:
    when = {"scope": "side", "requires": [{"when": list(conditions)}]}
    lesson = parse_suggestable({"slug": "s", "priority": 1, "suggestWhen": when, "because": "So."})
    return [problem.message for problem in lint_suggestion(lesson, definition())]


def test_mistakes_in_when_a_lesson_is_suggested_are_found() -> None:
    assert suggested(ROLLS) == []
    assert "there is no question 'gait.roll.right'" in suggested(condition("gait.roll.{side}", "inward"))
    assert suggested(condition("pain.duration", "for ever"))[0].endswith("is not one of its options")
    assert suggested(condition("pain.now", False, "exists")) == [
        "a form with no answers would suggest it: make it a default"
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(note())), JSON))
def test_no_entry_makes_it_crash(changes: dict[str, Any]) -> None:
    assert isinstance(lint([{**note(), **changes}], definition()), list)
