"""The operator table of intake.conditions, value by value."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.conditions import (
    Condition,
    ConditionError,
    Group,
    Value,
    compare,
    equal,
    group_holds,
    holds,
    matching,
    on_side,
    parse_condition,
    parse_enable_when,
    parse_group,
)

VALUES = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.decimals(-5, 5, places=1),
    st.sampled_from(["", "a", "b", "1", "true", "2024", "2024-05", "2024-05-06", "09:00:00"]),
)


@pytest.mark.parametrize(
    ("given_values", "operator", "answer", "expected"),
    [
        ([], "=", "a", False),
        ([], "!=", "a", True),
        ([], "<", 5, False),
        ([], ">=", 5, False),
        ([], "exists", True, False),
        ([], "exists", False, True),
        (["x"], "exists", True, True),
        (["x"], "exists", False, False),
        ([False], "exists", True, True),
        (["a", "b"], "=", "a", True),
        (["a", "b"], "!=", "a", False),
        (["b"], "!=", "a", True),
        ([3, 9], "<", 5, True),
        ([3, 9], ">", 5, True),
        ([5], "<", 5, False),
        ([5], "<=", 5, True),
        ([5], ">", 5, False),
        ([5], ">=", 5, True),
        ([Decimal("4.9")], "<", 5, True),
        ([True], "=", 1, False),
        ([1], "=", True, False),
        ([0], "=", False, False),
        ([1], "=", Decimal("1.0"), True),
        (["1"], "=", 1, False),
        ([True], ">=", 1, False),
        (["5"], "<", 9, False),
    ],
)
def test_operator_table(given_values: list[Value], operator: str, answer: Value, expected: bool) -> None:
    assert holds(Condition("q", operator, (answer,)), {"q": given_values}) is expected


def test_several_answers_under_equals_mean_any_of_them() -> None:
    condition = parse_condition({"question": "q", "operator": "=", "answer": ["a", "b"]})
    assert holds(condition, {"q": ["b", "z"]})
    assert not holds(condition, {"q": ["z"]})
    assert matching(condition, {"q": ["z", "b"]}) == ("b",)


@pytest.mark.parametrize(
    ("one", "two", "order"),
    [
        ("2024-05-06", "2024-05-07", -1),
        ("2024-05-06", "2024-05", 0),
        ("2024", "2023-12-31", 1),
        ("2024-05-06", "2024-05-06T23:00:00Z", 0),
        ("2024-05-06T10:00:00+02:00", "2024-05-06T09:00:00Z", -1),
        ("2024-05-06T10:00:00+00:00", "2024-05-06T10:00:00Z", 0),
        ("2024-02-31T10:00:00Z", "2024-02-01T10:00:00Z", None),
        ("09:00:00", "10:00:00", -1),
        ("09:00:00", "2024-05-06", None),
        ("apple", "pear", None),
        ("2024-05-06\n", "2024-05-07", None),
        (True, False, None),
        (1, "1", None),
        (Decimal("0.1"), 0, 1),
    ],
)
def test_only_numbers_dates_and_times_have_an_order(one: Value, two: Value, order: int | None) -> None:
    assert compare(one, two) == order


@given(VALUES, VALUES)
def test_equality_and_order_are_symmetric(one: Value, two: Value) -> None:
    assert equal(one, two) == equal(two, one)
    order, back = compare(one, two), compare(two, one)
    assert (order is None) == (back is None)
    assert order is None or back is None or order == -back


@given(st.lists(VALUES, max_size=4), VALUES)
def test_not_equal_is_the_opposite_of_equal(given_values: list[Value], answer: Value) -> None:
    answers = {"q": given_values}
    assert holds(Condition("q", "=", (answer,)), answers) != holds(Condition("q", "!=", (answer,)), answers)


@given(st.sampled_from(["=", "<", "<=", ">", ">="]), VALUES)
def test_silence_satisfies_no_positive_condition(operator: str, answer: Value) -> None:
    assert not holds(Condition("q", operator, (answer,)), {})


def test_groups_join_by_all_or_any() -> None:
    one, two = Condition("a", "=", ("x",)), Condition("b", "=", ("y",))
    only_one = {"a": ["x"]}
    assert not group_holds(Group((one, two)), only_one)
    assert group_holds(Group((one, two), match="any"), only_one)
    assert group_holds(Group((one, two)), {"a": ["x"], "b": ["y"]})


def test_sides_are_filled_in() -> None:
    group = parse_group(
        {
            "when": [
                {"question": "p.{side}", "operator": "=", "answer": "x"},
                {"question": "p.{other}", "operator": "=", "answer": "y"},
            ]
        }
    )
    assert [c.question for c in on_side(group, "right").conditions] == ["p.right", "p.left"]
    assert on_side(group, None) is group


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "must be an object"),
        ({"question": "q", "operator": "="}, "needs an answer"),
        ({"question": "q", "operator": "~", "answer": 1}, "unknown operator"),
        ({"question": "q", "operator": ["="], "answer": 1}, "unknown operator"),
        ({"question": "", "operator": "=", "answer": 1}, "needs a question"),
        ({"question": "q", "operator": "=", "answer": []}, "empty"),
        ({"question": "q", "operator": "!=", "answer": ["a"]}, "only possible under '='"),
        ({"question": "q", "operator": "=", "answer": {"code": "a"}}, "must be text"),
        ({"question": "q", "operator": "=", "answer": [None]}, "must be text"),
        ({"question": "q", "operator": "=", "answer": float("nan")}, "must be text"),
        ({"question": "q", "operator": "exists", "answer": 1}, "true or false"),
        ({"question": "q", "operator": "<", "answer": True}, "cannot compare"),
        ({"question": "q", "operator": "=", "answer": 1, "anser": 2}, "no field 'anser'"),
    ],
)
def test_what_cannot_be_read_is_named(data: object, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse_condition(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "must be an object"),
        ({"when": []}, "at least one condition"),
        ({"when": [{"question": "q"}]}, "condition 1: a condition needs an answer"),
        ({"when": [{}], "match": "some"}, "match must be"),
        ({"when": [{}], "weight": True}, "whole number"),
        ({"when": [{}], "label": 1}, "label must be text"),
        ({"when": [{}], "whem": 1}, "no field 'whem'"),
    ],
)
def test_groups_that_cannot_be_read_are_named(data: object, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse_group(data)


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ({"answerCoding": {"system": "s", "code": "a", "display": "A"}}, "a"),
        ({"answerBoolean": True}, True),
        ({"answerInteger": 3}, 3),
        ({"answerDecimal": 0.1}, Decimal("0.1")),
        ({"answerString": "x"}, "x"),
        ({"answerDate": "2024-01-01"}, "2024-01-01"),
    ],
)
def test_enable_when_is_the_same_condition(entry: dict[str, object], answer: Value) -> None:
    assert parse_enable_when({"question": "q", "operator": "=", **entry}) == Condition("q", "=", (answer,))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"operator": "=", "answerQuantity": {"value": 1}}, "answerQuantity is not supported"),
        ({"operator": "=", "answerInteger": "1"}, "wrong type"),
        ({"operator": "=", "answerBoolean": "true"}, "wrong type"),
        ({"operator": "=", "answerCoding": {"display": "A"}}, "needs a code"),
        ({"operator": ">", "answerCoding": {"code": "a"}}, "cannot compare a coding"),
        ({"operator": "exists", "answerInteger": 1}, "true or false"),
        ({"operator": "="}, "exactly one answer"),
        ({"operator": "=", "answerInteger": 1, "answerString": "x"}, "exactly one answer"),
    ],
)
def test_enable_when_that_cannot_be_read_is_named(entry: dict[str, object], message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse_enable_when({"question": "q", **entry})
