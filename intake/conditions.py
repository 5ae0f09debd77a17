"""One condition language for showing questions and for raising findings. Pure Python, no Django.

A condition asks one question of a form: ``{"question": linkId, "operator": "=", "answer": value}``.
It has the shape of FHIR R4 ``enableWhen``; a list of answers under ``=`` means any one of them.

It is evaluated on *compact answers*, ``{linkId: [value, ...]}``: a coding is its code, a date is its
ISO text, and an unanswered question is absent or ``[]``.

=========  ===========================================================  ==============
operator   holds when                                                   on no answer
=========  ===========================================================  ==============
exists     the question has an answer, or has none if ``answer`` false  as asked
=          at least one answer is equal                                 false
!=         no answer is equal                                           true
> < >= <=  at least one answer compares so                              false
=========  ===========================================================  ==============

``true`` never equals ``1`` and text never equals a number. Whole and decimal numbers compare by value.
Only numbers, dates and times have an order; dates compare at the precision both have (``2024-05`` is
neither before nor after ``2024``), and anything else is not comparable, so the condition is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias, TypeGuard

Value: TypeAlias = str | int | bool | Decimal
Answers: TypeAlias = Mapping[str, Sequence[Value]]
Match: TypeAlias = Literal["all", "any"]
Side: TypeAlias = Literal["left", "right"]

SIDES: Final[tuple[Side, Side]] = ("left", "right")
OPERATORS: Final = ("exists", "=", "!=", ">", "<", ">=", "<=")
ORDERING: Final = (">", "<", ">=", "<=")

_ORDER: Final[Mapping[str, Callable[[int], bool]]] = {
    ">": lambda order: order > 0,
    "<": lambda order: order < 0,
    ">=": lambda order: order >= 0,
    "<=": lambda order: order <= 0,
}
_DATE = re.compile(r"(\d{4})(-\d\d(-\d\d)?)?\Z", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9][0-9]-[0-9][0-9])T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]+)?(Z|[+-][0-9][0-9]:[0-9][0-9])\Z"
)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?\Z", re.ASCII)


class ConditionError(ValueError):
    """A condition or a group that cannot be read; the message says what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One question, an operator, and the answer or answers it is compared with.

    ``question`` may hold ``{side}`` or ``{other}`` until :func:`on_side` fills them in.
    """

    question: str
    operator: str
    answer: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by ``match``; ``id``, ``weight`` and ``label`` are what a rule says of them."""

    conditions: tuple[Condition, ...]
    match: Match = "all"
    id: str | None = None
    weight: int = 0
    label: str | None = None


def is_value(value: object) -> TypeGuard[Value]:
    """Is this a value that a compact answer may hold? Not-a-number and infinity are none."""
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, (str, int))


def other_side(side: Side) -> Side:
    return "right" if side == "left" else "left"


def fill(text: str, side: Side | None) -> str:
    """``text`` with ``{side}`` and ``{other}`` filled in; unchanged for a rule about the whole person."""
    if side is None:
        return text
    return text.replace("{side}", side).replace("{other}", other_side(side))


def on_side(group: Group, side: Side | None) -> Group:
    """The same group with the questions of one side."""
    if side is None:
        return group
    conditions = tuple(replace(c, question=fill(c.question, side)) for c in group.conditions)
    return replace(group, conditions=conditions)


# Reading


def parse_condition(data: object) -> Condition:
    """Read ``{"question": linkId, "operator": op, "answer": value or [values]}``.

    Raises ConditionError for any other shape, an unknown operator, a list under an operator other
    than ``=``, ``exists`` without a boolean, and an order asked of a boolean.
    """
    if not isinstance(data, Mapping):
        raise ConditionError("a condition must be an object")
    unknown = sorted(str(key) for key in data if key not in ("question", "operator", "answer"))
    if unknown:
        raise ConditionError(f"a condition has no field {unknown[0]!r}")
    if "answer" not in data:
        raise ConditionError("a condition needs an answer")
    return _condition(data.get("question"), data.get("operator"), data["answer"])


def parse_enable_when(data: object) -> Condition:
    """Read one FHIR R4 ``enableWhen`` entry (``answerCoding``, ``answerInteger``, ...).

    A coding becomes its code. Raises ConditionError as :func:`parse_condition` does, and for a
    quantity or a reference, which compact answers do not hold.
    """
    if not isinstance(data, Mapping):
        raise ConditionError("enableWhen must be an object")
    fields = [key for key in data if isinstance(key, str) and key.startswith("answer")]
    if len(fields) != 1:
        raise ConditionError("enableWhen needs exactly one answer[x]")
    kind, answer = fields[0].removeprefix("answer"), data[fields[0]]
    operator = data.get("operator")
    if kind == "Coding":
        answer = answer.get("code") if isinstance(answer, Mapping) else None
        if not isinstance(answer, str):
            raise ConditionError("answerCoding needs a code")
        if operator in ORDERING:
            raise ConditionError(f"operator {operator!r} cannot compare a coding")
    elif kind == "Decimal" and isinstance(answer, float):
        answer = Decimal(repr(answer))
    elif kind not in _ENABLE_WHEN_TYPES:
        raise ConditionError(f"{fields[0]} is not supported here")
    if kind in _ENABLE_WHEN_TYPES and not _ENABLE_WHEN_TYPES[kind](answer):
        raise ConditionError(f"{fields[0]} has a value of the wrong type")
    return _condition(data.get("question"), operator, answer)


def parse_group(data: object) -> Group:
    """Read ``{"when": [condition, ...], "match": "all"|"any", "id", "weight", "label"}``.

    Raises ConditionError for any other shape and for an empty list of conditions.
    """
    if not isinstance(data, Mapping):
        raise ConditionError("a group must be an object")
    unknown = sorted(str(key) for key in data if key not in ("id", "match", "when", "weight", "label"))
    if unknown:
        raise ConditionError(f"a group has no field {unknown[0]!r}")
    when = data.get("when")
    if not isinstance(when, list) or not when:
        raise ConditionError("a group needs at least one condition in 'when'")
    match = data.get("match", "all")
    if match not in ("all", "any"):
        raise ConditionError("match must be 'all' or 'any'")
    weight = data.get("weight", 0)
    if isinstance(weight, bool) or not isinstance(weight, int):
        raise ConditionError("weight must be a whole number")
    for name in ("id", "label"):
        if data.get(name) is not None and not isinstance(data[name], str):
            raise ConditionError(f"{name} must be text")
    conditions = []
    for number, entry in enumerate(when, start=1):
        try:
            conditions.append(parse_condition(entry))
        except ConditionError as error:
            raise ConditionError(f"condition {number}: {error}") from None
    return Group(tuple(conditions), match, data.get("id"), weight, data.get("label"))


def _condition(question: object, operator: object, answer: object) -> Condition:
    if not isinstance(question, str) or not question:
        raise ConditionError("a condition needs a question (a linkId)")
    if operator not in OPERATORS or not isinstance(operator, str):
        raise ConditionError(f"unknown operator {operator!r}")
    if isinstance(answer, list):
        if operator != "=":
            raise ConditionError(f"a list of answers is only possible under '=', not {operator!r}")
        if not answer:
            raise ConditionError("the list of answers is empty")
        answers = tuple(_exact(value) for value in answer)
    else:
        answers = (_exact(answer),)
    for value in answers:
        if not is_value(value):
            raise ConditionError("an answer must be text, a number, or true or false")
    if operator == "exists" and not isinstance(answers[0], bool):
        raise ConditionError("operator 'exists' needs true or false")
    if operator in ORDERING and isinstance(answers[0], bool):
        raise ConditionError(f"operator {operator!r} cannot compare true or false")
    return Condition(question, operator, tuple(value for value in answers if is_value(value)))


def _exact(value: object) -> object:
    """Plain ``json.loads`` gives floats; as decimals they compare by what was written."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_ENABLE_WHEN_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "Boolean": lambda value: isinstance(value, bool),
    "Integer": _is_whole,
    "Decimal": lambda value: _is_whole(value) or isinstance(value, Decimal),
    "Date": _is_text,
    "DateTime": _is_text,
    "Time": _is_text,
    "String": _is_text,
}


# Evaluating


def holds(condition: Condition, answers: Answers) -> bool:
    """Does the condition hold on these answers? Answers of disabled questions are dropped before."""
    given = answers.get(condition.question)
    operator = condition.operator
    if not given:
        return operator == "!=" or (operator == "exists" and condition.answer[0] is False)
    if operator == "exists":
        return condition.answer[0] is True
    if operator in ("=", "!="):
        wanted = condition.answer
        for value in given:
            if is_one_of(value, wanted):
                return operator == "="
        return operator == "!="
    return any(_ordered(operator, value, condition.answer[0]) for value in given)


def all_or_any_hold(conditions: Iterable[Condition], match: Match, answers: Answers) -> bool:
    """Do the conditions hold, all or any as ``match`` says? No conditions hold as all, not as any."""
    # A loop: asked hundreds of times a form, a generator would cost more than what it asks.
    decides = match == "any"
    for condition in conditions:
        if holds(condition, answers) is decides:
            return decides
    return not decides


def group_holds(group: Group, answers: Answers) -> bool:
    """Do the conditions of the group hold, all or any as its ``match`` says?"""
    return all_or_any_hold(group.conditions, group.match, answers)


def matching(condition: Condition, answers: Answers) -> tuple[Value, ...]:
    """The given answers that make the condition hold; empty when it does not or needs none."""
    given = answers.get(condition.question, ())
    if not holds(condition, answers):
        return ()
    if condition.operator == "=":
        return tuple(value for value in given if is_one_of(value, condition.answer))
    if condition.operator in ORDERING:
        return tuple(v for v in given if _ordered(condition.operator, v, condition.answer[0]))
    return tuple(given)


def holds_on_silence(condition: Condition) -> bool:
    """Is the condition satisfied by a form with no answers at all?"""
    return holds(condition, {})


def questions_of(groups: Iterable[Group]) -> tuple[str, ...]:
    """The linkIds that the groups ask about, each once, in order."""
    return tuple(dict.fromkeys(c.question for group in groups for c in group.conditions))


def equal(one: Value, two: Value) -> bool:
    """Equality of two answers: by value for numbers, and never across kinds (``True != 1``)."""
    if isinstance(one, str) or isinstance(two, str):
        return one == two
    return isinstance(one, bool) == isinstance(two, bool) and one == two


def is_one_of(value: Value, wanted: tuple[Value, ...]) -> bool:
    """Is the value equal to one of those?"""
    if isinstance(value, str):
        return value in wanted
    return any(equal(value, other) for other in wanted)


def compare(one: Value, two: Value) -> int | None:
    """Negative, zero or positive as ``one`` is before, level with or after ``two``; None if no order."""
    if isinstance(one, bool) or isinstance(two, bool):
        return None
    if isinstance(one, str) and isinstance(two, str):
        return _compare_dates(one, two)
    if isinstance(one, str) or isinstance(two, str):
        return None
    return (one > two) - (one < two)


def _ordered(operator: str, value: Value, wanted: Value) -> bool:
    order = compare(value, wanted)
    return order is not None and _ORDER[operator](order)


def _compare_dates(one: str, two: str) -> int | None:
    if _TIME.match(one) and _TIME.match(two):
        return (one > two) - (one < two)
    moments = _MOMENT.match(one), _MOMENT.match(two)
    if moments[0] and moments[1]:
        try:
            left, right = datetime.fromisoformat(one), datetime.fromisoformat(two)
        except ValueError:
            return None
        return (left > right) - (left < right)
    days = [m.group(1) if m else text for m, text in zip(moments, (one, two), strict=True)]
    if not all(_DATE.match(day) for day in days):
        return None
    precision = min(len(day) for day in days)
    first, second = days[0][:precision], days[1][:precision]
    return (first > second) - (first < second)
