"""Checking, pruning and exporting answers of the shipped form."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.conditions import Answers
from intake.questionnaires.definition import HL7, read_definition
from intake.questionnaires.pages import pages
from intake.responses.answers import (
    AnswerProblem,
    check,
    missing,
    prune,
    read_answers,
    shown,
    to_fhir_items,
    to_json,
    without_words,
)
from intake.responses.draft import PartState, minutes_left
from tests.unit.intake.answer_makers import answer_sets
from tests.unit.intake.shipped import cases, definition


@pytest.mark.parametrize(
    ("link_id", "values", "code", "message"),
    [
        ("pain.now", [11], "max", "11 is over the maximum 10"),
        ("pain.now", [-1], "min", "-1 is under the minimum 0"),
        ("pain.now", [5.0], "type", "5.0 is not a whole number"),
        ("pain.now", [Decimal("5.5")], "type", "5.5 is not a whole number"),
        ("pain.now", [True], "type", "true is not a whole number"),
        ("pain.now", ["5"], "type", "5 is not a whole number"),
        ("pain.now", [float("nan")], "type", "nan is not a whole number"),
        ("pain.now", [10**5000], "max", "a very large number is over the maximum 10"),
        ("pain.now", [[5]], "type", "a list is not a whole number"),
        ("pain.now", [{}], "type", "an object is not a whole number"),
        ("pain.now", [None], "type", "null is not a whole number"),
        ("pain.now", [1, 2], "not-repeating", "takes one answer, 2 were given"),
        ("pain.duration", ["forever"], "option", "forever is not one of the options"),
        ("pain.duration", [1], "option", "1 is not one of the options"),
        ("pain.regions.left", [["none"]], "option", "a list is not one of the options"),
        ("pain.regions.left", ["calf", "calf"], "repeated", "calf is given twice"),
        ("pain.regions.left", ["none", "calf"], "exclusive", "none cannot stand with another answer"),
        ("consent.contact", ["yes"], "type", "yes is not true or false"),
        ("consent.contact", [1], "type", "1 is not true or false"),
        ("consent.privacy", [False], "must-be-true", "must be ticked"),
        ("why.story", ["x" * 501], "too-long", "the text has 501 characters, over the maximum 500"),
        ("why.story", ["a\0b"], "type", "the text has characters that cannot be stored"),
        ("why.story", ["\ud800"], "type", "the text has characters that cannot be stored"),
        ("why.story", [7], "type", "7 is not text"),
        ("why.story", [" \n"], "type", " \N{REPLACEMENT CHARACTER} is not text"),
        ("no.such", ["x"], "unknown", "there is no such question"),
        ("no.such", [], "unknown", "there is no such question"),
        ("pain.regions", ["calf"], "not-a-question", "a group takes no answer"),
        ("page.about.intro", ["x"], "not-a-question", "a display takes no answer"),
    ],
)
def test_each_fault_is_named(link_id: str, values: list[object], code: str, message: str) -> None:
    assert check(definition(), {link_id: values})[0] == AnswerProblem(link_id, code, message)


def test_sound_answers_have_no_problem() -> None:
    words = {"why.story": ["Line one\nline two\t\N{RUNNER} <script>"], "goal.one.activity": ["x" * 80]}
    assert check(definition(), words) == []
    assert check(definition(), {"pain.now": [], "about.age": [120], "try.balance.left": [0]}) == []


def test_a_refused_consent_can_be_let_through() -> None:
    assert check(definition(), {"consent.privacy": [False]}, consents=False) == []


def test_every_problem_is_listed() -> None:
    found = check(definition(), {"pain.now": [11], "x": [1], "pain.regions.left": ["none", "elbow"]})
    assert [problem.code for problem in found] == ["max", "unknown", "option", "exclusive"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.decimals(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
LINK_IDS = st.sampled_from([item.link_id for item in definition().walk()]) | st.text(max_size=5)


@given(st.dictionaries(LINK_IDS, st.lists(JSON_VALUES, max_size=3), max_size=6))
def test_no_value_makes_the_check_fail(answers: dict[str, list[object]]) -> None:
    for problem in check(definition(), answers):
        assert problem.link_id in answers
        assert problem.message.isprintable()


@given(JSON_VALUES)
def test_a_shown_value_is_short_and_printable(value: object) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 60


def test_dates_and_times_are_checked_as_written() -> None:
    form = read_definition(
        {
            "resourceType": "Questionnaire",
            "url": "urn:x",
            "item": [
                {
                    "linkId": "day",
                    "type": "date",
                    "extension": [{"url": HL7 + "minValue", "valueDate": "2020-01-01"}],
                },
                {"linkId": "moment", "type": "dateTime"},
                {"linkId": "time", "type": "time"},
                {"linkId": "other", "type": "open-choice", "answerOption": [{"valueCoding": {"code": "a"}}]},
            ],
        }
    )
    good: dict[str, list[object]] = {
        "day": ["2024-02-29"],
        "moment": ["2024-02-29T10:00:00+01:00"],
        "time": ["23:59:59"],
        "other": ["my own words"],
    }
    assert check(form, good) == []
    assert check(form, {"day": ["2024"], "moment": ["2024-02"]}) == []
    bad: dict[str, list[object]] = {
        "day": ["2023-02-29"],
        "moment": ["2024-02-29T10:00:00"],
        "time": ["24:00:00"],
        "other": [3],
    }
    assert [problem.code for problem in check(form, bad)] == ["type"] * 4
    assert check(form, {"day": ["2019-12-31"]})[0].message == "2019-12-31 is under the minimum 2020-01-01"


def test_pruning_drops_what_is_not_asked() -> None:
    answers = read_answers({"try.safe": False, "try.chair-stands": 9, "pain.now": 3, "why.story": []})
    assert prune(definition(), answers) == {"pain.now": (3,), "try.safe": (False,)}


def test_a_goal_that_is_not_named_has_no_score() -> None:
    assert prune(definition(), {"goal.one.score": (4,)}) == {}
    named: Answers = {"goal.one.score": (4,), "goal.one.activity": ("Run",)}
    assert set(prune(definition(), named)) == set(named)


@given(answer_sets(definition()))
def test_pruning_twice_is_pruning_once(answers: dict[str, Any]) -> None:
    once = prune(definition(), read_answers(answers))
    assert prune(definition(), once) == once


@given(answer_sets(definition()), st.integers())
def test_the_order_of_answers_does_not_matter(answers: dict[str, Any], seed: int) -> None:
    shuffled = list(answers.items())
    Random(seed).shuffle(shuffled)
    assert prune(definition(), read_answers(dict(shuffled))) == prune(definition(), read_answers(answers))


def test_missing_names_what_must_be_answered_on_the_path() -> None:
    where = pages(definition())[3]
    assert missing(definition(), {}, where) == ["pain.regions.left", "pain.regions.right"]
    assert missing(definition(), {"pain.regions.left": ("none",)}, where) == ["pain.regions.right"]
    about = pages(definition())[0]
    needed = missing(definition(), {"about.age": (17,), "consent.understand": (False,)}, about)
    assert needed == ["consent.understand", "consent.privacy", "about.guardian", "why.main-problem"]
    assert "about.guardian" not in missing(definition(), {"about.age": (18,)})


def test_typed_words_can_be_left_out() -> None:
    answers: Answers = {"why.story": ("Hurts",), "pain.now": (3,), "goal.one.activity": ("Run",)}
    assert without_words(definition(), answers) == {"pain.now": (3,)}


def test_answers_are_read_exactly_from_stored_json() -> None:
    assert read_answers({"a": 0.1, "b": None, "c": [1, "x"]}) == {"a": (Decimal("0.1"),), "c": (1, "x")}
    wrong: list[object] = [[], {"a": {}}, {"a": [None]}, {"a": float("inf")}]
    for data in wrong:
        with pytest.raises(ValueError, match="answer"):
            read_answers(data)


def test_the_fhir_tree_holds_groups_texts_and_codings() -> None:
    answers = read_answers({"pain.regions.left": ["calf"], "pain.now": 3, "try.chair-stands": 5})
    assert to_fhir_items(definition(), answers) == [
        {
            "linkId": "page.where",
            "text": "Where it hurts",
            "item": [
                {
                    "linkId": "pain.regions",
                    "text": "Tap where it hurts.",
                    "item": [
                        {
                            "linkId": "pain.regions.left",
                            "text": "Left side",
                            "answer": [
                                {
                                    "valueCoding": {
                                        "system": "https://clinic.example/fhir/CodeSystem/"
                                        "foot-knee-intake/pain.regions",
                                        "code": "calf",
                                        "display": "Calf",
                                    }
                                }
                            ],
                        }
                    ],
                }
            ],
        },
        {
            "linkId": "page.pain",
            "text": "Your pain",
            "item": [
                {
                    "linkId": "pain.score",
                    "text": "How bad is the pain?",
                    "item": [{"linkId": "pain.now", "text": "Right now", "answer": [{"valueInteger": 3}]}],
                }
            ],
        },
    ]


def test_children_of_an_answered_question_stand_under_its_answer() -> None:
    form = read_definition(
        {
            "resourceType": "Questionnaire",
            "url": "urn:x",
            "item": [{"linkId": "a", "type": "boolean", "item": [{"linkId": "b", "type": "decimal"}]}],
        }
    )
    both = to_fhir_items(form, {"a": (True,), "b": (Decimal("1.50"),)})
    nested = [{"linkId": "b", "answer": [{"valueDecimal": Decimal("1.50")}]}]
    assert both == [{"linkId": "a", "answer": [{"valueBoolean": True, "item": nested}]}]
    assert to_fhir_items(form, {"b": (Decimal("1.50"),)}) == [{"linkId": "a", "item": nested}]


def test_every_shared_case_becomes_fhir_json() -> None:
    for case in cases():
        answers = read_answers(case["answers"])
        assert check(definition(), answers) == []
        text = json.dumps(to_fhir_items(definition(), answers))
        assert all(json.dumps(link_id) in text for link_id in prune(definition(), answers))


@pytest.mark.parametrize(
    ("parts", "minutes"),
    [
        ([], 0),
        ([("done", 3, 5)], 0),
        ([("started", 4, 4)], 1),
        ([("started", 1, 2), ("done", 3, 5)], 1),
        ([("not-started", 0, 4), ("started", 1, 2)], 2),
        ([("not-started", 0, 60)], 13),
    ],
)
def test_thirteen_seconds_a_question_rounded_up(parts, minutes):
    states = [PartState(pages(definition())[0], state, answered, asked) for state, answered, asked in parts]
    assert minutes_left(states) == minutes


def test_numbers_go_into_the_database_as_they_come_back() -> None:
    """JSON has no decimals of its own."""
    answers = {"a": (Decimal("1.5"), Decimal("-7")), "b": (True, "x"), "c": (Decimal("999999999.999999"),)}
    kept = json.loads(json.dumps(to_json(answers)))
    assert kept == {"a": [1.5, -7], "b": [True, "x"], "c": [999999999.999999]}
    assert read_answers(kept) == answers
