"""Screen a JSON list of answer sets: what `manage.py screen_answers` does. Pure Python, no Django.

In: ``[{"answers": {linkId: value or [values]}}, ...]``.
Out: ``[{"rules": [[id, side]], "redFlags": [[id, side]], "precautions": [id]}, ...]`` in the same order, each
list sorted, side ``"left"``, ``"right"`` or null; chain rules and notes both stand in ``rules``.

Decided here: ``null``, ``[]`` and blank text are unanswered; a single value is a list of one; whether an
answer is required, or a consent ticked, does not matter. An answer to a disabled question is checked like
any other and then dropped. What stands in an entry beside ``answers``, such as the id of a case, is not
looked at. Entries are counted from 1. The first problem refuses the whole file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from intake.conditions import is_value
from intake.questionnaires.definition import Definition
from intake.responses.answers import check, prune, shown
from intake.screening.screen import Raised, RuleDefinition, screen

_MOST_DIGITS: Final = 4000
"""Python refuses to read whole numbers of more than 4300 digits."""


class AnswerSetError(ValueError):
    """The file is refused; the message is one printable line that names the entry and the question."""


class _Object(dict[str, object]):
    """A JSON object that remembers keys written twice, which ``json`` would silently drop."""

    doubled: tuple[str, ...] = ()


def screen_answer_sets(
    text: str, definition: Definition, rules: Iterable[RuleDefinition]
) -> list[dict[str, Any]]:
    """The outcome of every entry of the JSON text. Raises AnswerSetError; never anything else."""
    entries = _read(text)
    rules = tuple(rules)
    outcomes = []
    for number, entry in enumerate(entries, start=1):
        try:
            outcomes.append(_outcome(entry, definition, rules))
        except AnswerSetError as problem:
            raise AnswerSetError(f"entry {number}: {problem}") from None
    return outcomes


def _read(text: str) -> list[object]:
    try:
        data = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except json.JSONDecodeError as error:
        raise AnswerSetError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise AnswerSetError("not a list of answers: it is nested too deeply") from None
    if not isinstance(data, list):
        raise AnswerSetError(f"not a list of answers but {_kind(data)}")
    return data


def _outcome(entry: object, definition: Definition, rules: tuple[RuleDefinition, ...]) -> dict[str, Any]:
    answers = _answers(entry)
    for link_id, values in answers.items():
        item = definition.get(link_id)
        if item is not None and item.type in ("string", "text"):
            answers[link_id] = [v for v in values if not isinstance(v, str) or v.strip()]
    problems = check(definition, answers, consents=False)
    if problems:
        raise AnswerSetError(f"{shown(problems[0].link_id)}: {problems[0].message}")
    sound = {link_id: [v for v in values if is_value(v)] for link_id, values in answers.items()}
    found = screen(rules, prune(definition, sound))
    return {
        "rules": _pairs(found.rules),
        "redFlags": _pairs(found.red_flags),
        "precautions": sorted({raised.rule.id for raised in found.precautions}),
    }


def _answers(entry: object) -> dict[str, list[object]]:
    if not isinstance(entry, _Object):
        raise AnswerSetError(f"not an object with answers but {_kind(entry)}")
    if "answers" not in entry:
        raise AnswerSetError("it has no answers")
    if "answers" in entry.doubled:
        raise AnswerSetError("answers twice")
    answers = entry["answers"]
    if not isinstance(answers, _Object):
        raise AnswerSetError(f"answers is not an object but {_kind(answers)}")
    if answers.doubled:
        raise AnswerSetError(f"{shown(answers.doubled[0])}: the question is given twice")
    return {
        link_id: [] if given is None else list(given) if isinstance(given, list) else [given]
        for link_id, given in answers.items()
    }


def _pairs(raised: Iterable[Raised]) -> list[list[str | None]]:
    return sorted(([r.rule.id, r.side] for r in raised), key=lambda pair: (pair[0] or "", pair[1] or ""))


def _object(pairs: list[tuple[str, object]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        made.doubled = tuple(key for key, count in counts.items() if count > 1)
    return made


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MOST_DIGITS else Decimal(digits)


def _decimal(digits: str) -> Decimal | float:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return float(digits)


def _kind(data: object) -> str:
    if isinstance(data, Mapping):
        return "an object"
    return "a list" if isinstance(data, list) else shown(data) or "empty text"
