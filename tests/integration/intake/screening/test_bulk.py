"""Two engines, one truth: what Python raises on one intake, SQL raises on all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from intake.conditions import Answers, Value
from intake.responses.answers import prune, read_answers
from intake.screening.bulk import BulkError, compile_rules
from intake.screening.screen import RuleDefinition, parse_rule, screen
from tests.unit.intake.answer_makers import random_answers
from tests.unit.intake.shipped import cases, definition, rules

pytestmark = pytest.mark.django_db

Found = set[tuple[str, str | None, int]]

SOURCE = (
    "SELECT number AS id, answers FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS e(answers, number)"
)


def in_sql(rules: Sequence[RuleDefinition], many: Sequence[Answers]) -> list[Found]:
    """What each set of answers raises, by the compiled statement, run by Postgres on JSON input."""
    text = json.dumps([{q: list(values) for q, values in a.items()} for a in many], default=_number)
    statement = compile_rules(rules, SOURCE, [text])
    found: list[Found] = [set() for _ in many]
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        for number, rule, side, score in cursor.fetchall():
            found[number - 1].add((rule, side, score))
    return found


def in_python(rules: Sequence[RuleDefinition], many: Sequence[Answers]) -> list[Found]:
    found = []
    for answers in many:
        result = screen(rules, answers)
        raised = (*result.rules, *result.red_flags, *result.precautions)
        found.append({(r.rule.id, r.side, r.score) for r in raised})
    return found


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)


def test_all_shared_cases() -> None:
    many = [prune(definition(), read_answers(case["answers"])) for case in cases()]
    assert in_sql(rules(), many) == in_python(rules(), many)


def test_many_random_patients() -> None:
    many = [prune(definition(), read_answers(random_answers(definition(), Random(n)))) for n in range(300)]
    assert in_sql(rules(), many) == in_python(rules(), many)


QUESTIONS = [
    "plain",
    "pain.{side}",
    "pain.{other}",
    "pain.left",
    'quo"ted %s 100%',
    "back\\slash 'single'",
    "\N{LEG} ünïcode",
    "long." * 20,
]
TEXTS = ["", "a", "b", "A", "%s", '"', "\\", "1", "true", "\N{FOOTPRINTS}", "o'clock"]
DATES = ["2024", "2024-05", "2024-05-06", "2023-12-31", "09:00:00", "10:30:00.5", "2024-05-06T10:00:00Z"]
NUMBERS = st.integers(-3, 12) | st.decimals(-3, 12, places=1) | st.sampled_from([10**20, Decimal("1e3")])
VALUES = st.sampled_from(TEXTS) | st.sampled_from(DATES) | NUMBERS | st.booleans()


def _json(value: Value) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    question = draw(st.sampled_from(QUESTIONS))
    operator = draw(st.sampled_from(["=", "=", "=", "!=", "exists", "<", "<=", ">", ">="]))
    if operator == "exists":
        answer: Any = draw(st.booleans())
    elif operator == "=":
        answer = draw(VALUES.map(_json) | st.lists(VALUES.map(_json), min_size=1, max_size=4))
    elif operator == "!=":
        answer = draw(VALUES.map(_json))
    else:
        dates = st.sampled_from([date for date in DATES if "T" not in date])
        answer = draw(NUMBERS.map(_json) | dates | st.sampled_from(TEXTS))
    return {"question": question, "operator": operator, "answer": answer}


GROUPS = st.fixed_dictionaries(
    {
        "when": st.lists(conditions(), min_size=1, max_size=3),
        "match": st.sampled_from(["all", "any"]),
        "weight": st.integers(-2, 3),
    }
)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[RuleDefinition]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        entry = {
            "id": f"rule-{number}",
            "version": 1,
            "kind": "note",
            "scope": draw(st.sampled_from(["side", "person"])),
            "requires": draw(st.lists(GROUPS, max_size=2)),
            "supports": draw(st.lists(GROUPS, max_size=3)),
            "against": draw(st.lists(GROUPS, max_size=2)),
            "threshold": draw(st.integers(-1, 4)),
        }
        if not entry["requires"]:
            entry["supports"] = [*entry["supports"], draw(GROUPS)]
        made.append(parse_rule(entry))
    return made


ANSWERED = [question.replace("{side}", "left").replace("{other}", "right") for question in QUESTIONS]
ANSWERS = st.dictionaries(st.sampled_from(ANSWERED), st.lists(VALUES, max_size=3), max_size=6)


@given(rule_sets(), st.lists(ANSWERS, min_size=1, max_size=5))
def test_any_rules_on_any_answers(made: list[RuleDefinition], many: list[dict[str, list[Value]]]) -> None:
    assert in_sql(made, many) == in_python(made, many)


@given(st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(DATES), st.sampled_from(DATES))
def test_dates_compare_alike_in_both(operator: str, given_date: str, wanted: str) -> None:
    condition = {"question": "q", "operator": operator, "answer": wanted}
    entry = {"id": "r", "version": 1, "kind": "note", "scope": "person", "threshold": 0}
    rule = parse_rule({**entry, "requires": [{"when": [condition]}]})
    if "T" in wanted:
        with pytest.raises(BulkError, match="cannot be compared in SQL"):
            compile_rules([rule])
    else:
        assert in_sql([rule], [{"q": [given_date]}]) == in_python([rule], [{"q": [given_date]}])


def test_questions_beyond_the_columns_of_a_row() -> None:
    one = {"operator": "=", "answer": "x"}
    many = [{"question": f"q{number}", **one} for number in range(1200)]
    entry = {"id": "r", "version": 1, "kind": "note", "scope": "person", "threshold": 0}
    rule = parse_rule({**entry, "requires": [{"match": "any", "when": many}]})
    answers: list[Answers] = [{"q3": ["x"]}, {"q1199": ["x"]}, {"q1200": ["x"]}]
    assert [len(found) for found in in_sql([rule], answers)] == [1, 1, 0]
