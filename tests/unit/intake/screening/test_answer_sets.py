"""`screen_answers`: JSON in, JSON out, one line when it is refused."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.screening.answer_sets import AnswerSetError, screen_answer_sets
from tests.unit.intake import oracle
from tests.unit.intake.answer_makers import random_answers
from tests.unit.intake.shipped import cases, definition, questionnaire_json, rules, rules_json

NOTHING: dict[str, list[Any]] = {"rules": [], "redFlags": [], "precautions": []}


def screened(text: str) -> list[dict[str, Any]]:
    return screen_answer_sets(text, definition(), rules())


def refused(text: str) -> str:
    with pytest.raises(AnswerSetError) as caught:
        screened(text)
    line = str(caught.value)
    assert line.isprintable()
    return line


def one(answers: str) -> str:
    return f'[{{"answers": {answers}}}]'


def test_all_cases_in_order_and_sorted() -> None:
    text = json.dumps([{"answers": case["answers"]} for case in cases()])
    for case, found in zip(cases(), screened(text), strict=True):
        expect = case["expect"]
        wanted = [
            sorted(([e["rule"], e["side"]] for e in expect[k]), key=str) for k in ("findings", "redFlags")
        ]
        assert found == {
            "rules": wanted[0],
            "redFlags": wanted[1],
            "precautions": sorted(expect["precautions"]),
        }


def test_random_patients_come_out_as_the_second_evaluator_says() -> None:
    many = [random_answers(definition(), Random(seed)) for seed in range(1000, 1200)]
    found = screened(json.dumps([{"answers": answers} for answers in many]))
    assert found == [oracle.outcome(questionnaire_json(), rules_json(), answers) for answers in many]


def test_nothing_in_nothing_out() -> None:
    assert screened("[]") == []
    assert screened('[{"answers": {}}]') == [NOTHING]


def test_what_stands_beside_the_answers_is_not_looked_at() -> None:
    beside = '"id": "case-1", "id": "again", "expect": {"rules": [], "answers": [1], "answers": 2}'
    assert screened(f'[{{{beside}, "answers": {{"pain.now": 3}}}}]') == [NOTHING]


def test_null_an_empty_list_and_blank_text_are_unanswered() -> None:
    assert screened(one('{"pain.now": null, "health.conditions": [], "why.story": " "}')) == [NOTHING]


def test_a_single_value_may_stand_for_a_list_and_the_other_way_round() -> None:
    assert screened(one('{"health.medicines": "blood-thinner", "pain.now": [9]}')) == [
        {"rules": [], "redFlags": [], "precautions": ["bleeding-risk", "self-tests-off"]}
    ]


def test_required_answers_and_consents_do_not_matter() -> None:
    assert screened(one('{"consent.privacy": false}')) == [NOTHING]


def test_answers_to_disabled_questions_are_checked_and_dropped() -> None:
    sudden = '"pain.regions.left": "calf", "pain.duration": "under-2w", "pain.onset": "unsure"'
    found = screened(f'[{{"answers": {{{sudden}, "try.safe": true, "try.heel-raises.left": 0}}}}]')
    assert ["sudden-no-tiptoe", "left"] in found[0]["redFlags"]
    found = screened(f'[{{"answers": {{{sudden}, "try.safe": false, "try.heel-raises.left": 0}}}}]')
    assert found[0]["redFlags"] == []
    assert refused(one('{"goal.one.score": 11}')) == "entry 1: goal.one.score: 11 is over the maximum 10"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "not JSON: Expecting value (line 1, column 1)"),
        ("[1,]", "not JSON: Expecting value (line 1, column 4)"),
        ("{}", "not a list of answers but an object"),
        ("null", "not a list of answers but null"),
        ('""', "not a list of answers but empty text"),
        ("[" * 100_000, "not a list of answers: it is nested too deeply"),
        ("[1]", "entry 1: not an object with answers but 1"),
        ("[[]]", "entry 1: not an object with answers but a list"),
        ("[{}]", "entry 1: it has no answers"),
        (one("[]"), "entry 1: answers is not an object but a list"),
        ('[{"id": "a"}]', "entry 1: it has no answers"),
        ('[{"answers": {}, "answers": {}}]', "entry 1: answers twice"),
        ('[{"id": 1, "id": 2, "answers": {}, "answers": {}}]', "entry 1: answers twice"),
        (one('{"pain.now": 1, "pain.now": 2}'), "entry 1: pain.now: the question is given twice"),
        (
            '[{"answers": {}}, {"answers": {}}, {"answers": {"pain.now": 11}}]',
            "entry 3: pain.now: 11 is over the maximum 10",
        ),
        (one('{"elbow": 1}'), "entry 1: elbow: there is no such question"),
        (one('{"a\\nb\\ud800": 1}'), "entry 1: a\ufffdb\ufffd: there is no such question"),
        (one('{"pain.now": NaN}'), "entry 1: pain.now: nan is not a whole number"),
        (one('{"pain.now": -Infinity}'), "entry 1: pain.now: -inf is not a whole number"),
        (one('{"pain.now": 5.0}'), "entry 1: pain.now: 5.0 is not a whole number"),
        (one('{"pain.now": 1e99999999999999999999}'), "entry 1: pain.now: inf is not a whole number"),
        (one('{"pain.now": true}'), "entry 1: pain.now: true is not a whole number"),
        (one('{"pain.now": 100000}'), "entry 1: pain.now: 100000 is over the maximum 10"),
        (
            one('{"pain.now": ' + "9" * 99 + "}"),
            "entry 1: pain.now: a very large number is over the maximum 10",
        ),
        (one('{"pain.now": [[1]]}'), "entry 1: pain.now: a list is not a whole number"),
        (one('{"pain.now": {"value": 1}}'), "entry 1: pain.now: an object is not a whole number"),
        (one('{"pain.now": [null]}'), "entry 1: pain.now: null is not a whole number"),
        (one('{"pain.regions": "calf"}'), "entry 1: pain.regions: a group takes no answer"),
        (
            one('{"why.story": "a\\u0000"}'),
            "entry 1: why.story: the text has characters that cannot be stored",
        ),
        (
            one('{"pain.duration": ["under-2w", "3-12m"]}'),
            "entry 1: pain.duration: takes one answer, 2 were given",
        ),
        (
            one('{"health.conditions": ["none", "diabetes"]}'),
            "entry 1: health.conditions: none cannot stand with another answer",
        ),
        (
            one('{"health.conditions": ["diabetes", "diabetes"]}'),
            "entry 1: health.conditions: diabetes is given twice",
        ),
    ],
)
def test_what_is_refused_and_how(text: str, line: str) -> None:
    assert refused(text) == line


def test_a_number_of_many_thousand_digits_is_refused_as_well() -> None:
    assert refused(one('{"pain.now": ' + "9" * 10_000 + "}")).startswith("entry 1: pain.now: 999")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "answers": st.dictionaries(
                st.sampled_from([item.link_id for item in definition().questions()]), JSON, max_size=3
            )
        }
    ),
    max_size=3,
)


@given(st.text(max_size=30) | JSON.map(json.dumps) | ENTRIES.map(json.dumps))
def test_any_text_gives_an_outcome_or_one_line(text: str) -> None:
    try:
        found = screened(text)
    except AnswerSetError:
        assert refused(text)
    else:
        assert all(set(outcome) == set(NOTHING) for outcome in found)
