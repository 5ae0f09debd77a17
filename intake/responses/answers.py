"""Compact answers of one form: check them, prune them, and write them as FHIR. Pure Python.

Compact answers are ``{linkId: [value, ...]}``. A coding is its code, a decimal a Decimal (a JSON number
when stored), a date its ISO text. Unanswered is absent or ``[]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from intake.conditions import Answers, Value, compare, is_value
from intake.questionnaires.definition import TYPED_WORDS, Definition, Item
from intake.questionnaires.pages import Page, enabled

CODES: Final = (
    "unknown",
    "not-a-question",
    "type",
    "option",
    "min",
    "max",
    "too-long",
    "not-repeating",
    "repeated",
    "exclusive",
    "must-be-true",
)

_INTEGERS: Final = (-(2**31), 2**31 - 1)
"""The range of a FHIR R4 integer."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?\Z", re.ASCII)
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9][0-9](-[0-9][0-9](T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]{1,6})?(Z|[+-][0-9][0-9]:[0-9][0-9]))?)?)?\Z"
)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?\Z", re.ASCII)
_VALUE_FIELD: Final[Mapping[str, str]] = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "date": "valueDate",
    "dateTime": "valueDateTime",
    "time": "valueTime",
    "string": "valueString",
    "text": "valueString",
    "url": "valueUri",
}


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """What is wrong with the answer to one question: a code of CODES and a short sentence part."""

    link_id: str
    code: str
    message: str


def prune(
    definition: Definition, answers: Answers, on: Collection[str] | None = None
) -> dict[str, tuple[Value, ...]]:
    """The answers of enabled questions only, in document order, without empty ones.

    This is what a completed response holds and what rules are run on. Hiding a page for comfort
    (``hides`` of a precaution) does not prune; only enableWhen does. on: what is enabled by the answers,
    where the caller has it.
    """
    on = enabled(definition, answers) if on is None else on
    return {
        item.link_id: tuple(answers[item.link_id])
        for item in definition.questions()
        if item.link_id in on and answers.get(item.link_id)
    }


def check(
    definition: Definition, answers: Mapping[str, Sequence[object]], *, consents: bool = True
) -> list[AnswerProblem]:
    """Every problem of the answers as given, pruned or not; an empty list when there is none.

    Any JSON value may stand in the lists; nothing here raises. Missing required answers are a
    matter of :func:`missing`. With ``consents=False`` an unticked must-be-true box is no problem.
    """
    problems: list[AnswerProblem] = []
    for link_id, values in answers.items():
        item = definition.get(link_id)
        if item is None:
            problems.append(AnswerProblem(link_id, "unknown", "there is no such question"))
        elif not values:
            continue
        elif not item.is_question:
            problems.append(AnswerProblem(link_id, "not-a-question", f"a {item.type} takes no answer"))
        else:
            problems.extend(_check_item(item, values, consents=consents))
    return problems


def missing(
    definition: Definition, answers: Answers, page: Page | None = None, on: Collection[str] | None = None
) -> list[str]:
    """linkIds of required, enabled, unanswered questions in document order, of one page or of all.

    A must-be-true question that is required counts as missing until it is ticked. Hidden and read-only
    questions cannot be answered by the patient and are never missing. on: as in `prune`.
    """
    on = enabled(definition, answers) if on is None else on
    items = page.item.walk() if page else definition.walk()
    return [
        item.link_id
        for item in items
        if item.required
        and item.is_question
        and not (item.hidden or item.read_only)
        and item.link_id in on
        and (not answers.get(item.link_id) or (item.must_be_true and True not in answers[item.link_id]))
    ]


def without_words(definition: Definition, answers: Answers) -> dict[str, tuple[Value, ...]]:
    """The answers without what the patient typed in their own words: no rule may depend on words."""
    return {
        link_id: tuple(values)
        for link_id, values in answers.items()
        if (item := definition.get(link_id)) is not None and item.type not in TYPED_WORDS
    }


def read_answers(data: object) -> dict[str, tuple[Value, ...]]:
    """Compact answers from parsed JSON such as the stored column; floats become exact Decimals.

    A single value may stand for a list of one, null for none. Raises ValueError for another shape.
    """
    if not isinstance(data, Mapping):
        raise ValueError("answers must be an object of linkIds")
    answers: dict[str, tuple[Value, ...]] = {}
    for link_id, given in data.items():
        if given is None:
            continue
        values = given if isinstance(given, list) else [given]
        exact = tuple(Decimal(repr(v)) if isinstance(v, float) else v for v in values)
        if not all(is_value(value) for value in exact):
            raise ValueError(f"{link_id}: an answer must be text, a number, or true or false")
        answers[str(link_id)] = exact
    return answers


def to_json(value: Any) -> Any:
    """The same with each Decimal as the JSON number that reads back as it: for a column of the database."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    # Nearly all of them are dicts, and asking for the protocol takes longer.
    if isinstance(value, (dict, Mapping)):
        return {name: to_json(one) for name, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, (list, tuple)) else value


def to_fhir_items(
    definition: Definition, answers: Answers, on: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """``QuestionnaireResponse.item``: the tree of enabled, answered questions and their groups.

    ``[{"linkId", "text", "item": [...]} | {"linkId", "text", "answer": [{"valueCoding": {...}}, ...]}]``.
    Children of an answered question stand under its first answer, as R4 wants them. An unanswered
    question with answered children keeps them too, as an item without answers. Decimals stay Decimals.
    on: as in `prune`.
    """
    return list(_fhir_items(definition.items, prune(definition, answers, on)))


def fhir_value(item: Item, value: Value) -> dict[str, Any]:
    """One ``answer`` entry: ``{"value[x]": ...}``; a coding carries system, code and display."""
    if item.type not in ("choice", "open-choice"):
        return {_VALUE_FIELD[item.type]: value}
    option = item.option(value)
    if option is None:
        return {"valueString": value}
    if option.system is not None:
        coding = {"system": option.system} if option.system else {}
        return {"valueCoding": {**coding, "code": option.value, "display": option.label}}
    return {"valueInteger" if isinstance(value, int) else "valueString": value}


def _fhir_items(items: Sequence[Item], answers: Answers) -> Iterator[dict[str, Any]]:
    for item in items:
        given = answers.get(item.link_id, ())
        children = list(_fhir_items(item.items, answers))
        if not given and not children:
            continue
        entry: dict[str, Any] = {"linkId": item.link_id}
        if item.text:
            entry["text"] = item.text
        if given:
            entry["answer"] = [fhir_value(item, value) for value in given]
            if children:
                entry["answer"][0]["item"] = children
        else:
            entry["item"] = children
        yield entry


# Checking one question


def _check_item(item: Item, values: Sequence[object], *, consents: bool) -> Iterator[AnswerProblem]:
    sound: list[Value] = []
    for value in values:
        problem = _check_value(item, value)
        if problem is not None:
            yield AnswerProblem(item.link_id, *problem)
        elif is_value(value):
            sound.append(value)
    if len(values) > 1 and not item.repeats:
        yield AnswerProblem(item.link_id, "not-repeating", f"takes one answer, {len(values)} were given")
    elif len({(type(value), value) for value in sound}) < len(sound):
        again = next(value for number, value in enumerate(sound) if value in sound[:number])
        yield AnswerProblem(item.link_id, "repeated", f"{shown(again)} is given twice")
    if len(values) > 1:
        alone = [value for value in sound if (option := item.option(value)) and option.exclusive]
        if alone:
            yield AnswerProblem(
                item.link_id, "exclusive", f"{shown(alone[0])} cannot stand with another answer"
            )
    if consents and item.must_be_true and False in sound:
        yield AnswerProblem(item.link_id, "must-be-true", "must be ticked")


def _check_value(item: Item, value: object) -> tuple[str, str] | None:
    """(code, message) of the first problem of one value, or None."""
    if item.options:
        if is_value(value) and item.option(value) is not None:
            return None
        if item.type != "open-choice":
            return "option", f"{shown(value)} is not one of the options"
    wanted = _KINDS[item.type]
    if not wanted.fits(value) or not is_value(value):
        return "type", f"{shown(value)} is not {wanted.name}"
    if isinstance(value, str) and (problem := _check_text(item, value)) is not None:
        return problem
    low, high = item.min_value, item.max_value
    if item.type == "integer":
        low = _INTEGERS[0] if low is None else low
        high = _INTEGERS[1] if high is None else high
    if low is not None and (order := compare(value, low)) is not None and order < 0:
        return "min", f"{shown(value)} is under the minimum {shown(low)}"
    if high is not None and (order := compare(value, high)) is not None and order > 0:
        return "max", f"{shown(value)} is over the maximum {shown(high)}"
    return None


def _check_text(item: Item, value: str) -> tuple[str, str] | None:
    if _CONTROL.search(value):
        return "type", "the text has characters that cannot be stored"
    if item.max_length is not None and len(value) > item.max_length:
        return "too-long", f"the text has {len(value)} characters, over the maximum {item.max_length}"
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, Decimal) and value.is_finite())


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not _DATE.match(value):
        return False
    return _parses(date.fromisoformat, value + "0000-01-01"[len(value) :])


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str) or not _DATE_TIME.match(value):
        return False
    return _is_date(value) if "T" not in value else _parses(datetime.fromisoformat, value)


def _is_time(value: object) -> bool:
    return isinstance(value, str) and bool(_TIME.match(value)) and _parses(time.fromisoformat, value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    fits: Callable[[object], bool]


_KINDS: Final[Mapping[str, _Kind]] = {
    "boolean": _Kind("true or false", lambda value: isinstance(value, bool)),
    "integer": _Kind("a whole number", _is_whole),
    "decimal": _Kind("a number", _is_number),
    "date": _Kind("a date such as 2026-05-31", _is_date),
    "dateTime": _Kind("a date and time such as 2026-05-31T09:30:00Z", _is_date_time),
    "time": _Kind("a time such as 09:30:00", _is_time),
    "string": _Kind("text", _is_text),
    "text": _Kind("text", _is_text),
    "url": _Kind("an address", _is_text),
    "choice": _Kind("one of the options", _is_text),
    "open-choice": _Kind("text", _is_text),
}


def shown(value: object) -> str:
    """A value in at most some 60 printable characters, as it may stand in a message of one line."""
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, int):
        # A number with thousands of digits cannot be turned into text at all.
        text = str(value) if abs(value) < 10**40 else "a very large number"
    elif isinstance(value, (str, Decimal, float)):
        text = str(value)
    else:
        text = "a list" if isinstance(value, list) else "an object"
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:61])
    return printable[:57] + "..." if len(text) > 60 else printable
