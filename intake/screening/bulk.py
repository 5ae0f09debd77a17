"""The same rules for all stored intakes at once: one SQL statement made from the parsed conditions.

For "try this rule on past intakes" and for screening again after a rule changed. At submit the answers of
one intake are screened by :mod:`intake.screening.screen`; a test holds the two engines equal. Pure text work:
nothing here opens a connection. Evidence is not computed in SQL but by ``screen``, for the rows that changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from intake.conditions import ORDERING, Condition, Group, Value
from intake.screening.screen import RuleDefinition, SidedRule

SOURCE: Final = "SELECT id, answers FROM intake_questionnaireresponse"

_NAME_BYTES: Final = 63
"""PostgreSQL cuts longer column names (NAMEDATALEN - 1)."""
_MOST_COLUMNS: Final = 1000
"""Well under the 1600 columns of a PostgreSQL row."""

_DAY: Final = "[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
_MOMENT: Final = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})"


class BulkError(ValueError):
    """A condition that cannot be written in SQL: an order between moments, or text with a NUL in it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with ``%s`` placeholders, and their values, for psycopg. Its rows are (id, rule, side, score)."""

    sql: str
    params: tuple[Any, ...]


def compile_rules(
    rules: Iterable[RuleDefinition], source: str = SOURCE, source_params: Sequence[Any] = ()
) -> Statement:
    """One statement that gives a row ``(id, rule id, side or null, score)`` for everything raised.

    ``source`` is trusted SQL that yields the columns ``id`` and ``answers`` (jsonb, compact, pruned). It has
    ``%s`` placeholders for ``source_params``. Raises BulkError for what SQL cannot decide as Python does.
    """
    sided = [(rule, one) for rule in rules for one in rule.sides]
    if not sided:
        raise BulkError("there is no rule")
    writer = _Writer([question for _, one in sided for question in one.questions])
    scores = [writer.score(one) for _, one in sided]
    record = ", ".join(f"{column} jsonb" for column in writer.columns.values())
    given = f" CROSS JOIN LATERAL jsonb_to_record(intake.answers) AS given({record})" if record else ""
    # The scores of all rules are one array, so that every condition is a plain expression of one row.
    # OFFSET 0 keeps the planner from computing them again for each rule.
    sql = "\n".join(
        [
            "SELECT scored.id, raised.rule, raised.side, raised.score FROM (",
            "SELECT intake.id, ARRAY[",
            ",\n".join(score.sql for score in scores),
            f"]::int[] AS scores FROM ({source}) AS intake{given} OFFSET 0",
            ") AS scored CROSS JOIN LATERAL unnest(scored.scores, %s::text[], %s::text[], %s::int[])",
            "AS raised(score, rule, side, threshold) WHERE raised.score >= raised.threshold",
        ]
    )
    params = [param for score in scores for param in score.params]
    names = [rule.id for rule, _ in sided]
    sides = [one.side for _, one in sided]
    thresholds = [rule.threshold for rule, _ in sided]
    return Statement(sql, (*params, *source_params, names, sides, thresholds))


@dataclass(slots=True)
class _Sql:
    sql: str
    params: list[Any]


class _Writer:
    """Writes conditions; reads every question from the JSON once, as a column of the same name."""

    def __init__(self, questions: Iterable[str]) -> None:
        short = [q for q in dict.fromkeys(questions) if len(q.encode()) <= _NAME_BYTES]
        self.columns = {question: _identifier(question) for question in short[:_MOST_COLUMNS]}

    def score(self, sided: SidedRule) -> _Sql:
        """The score; null unless all required groups hold."""
        score = _Sql("0", [])
        for sign, groups in (("+", sided.supports), ("-", sided.against)):
            for group in groups:
                part = self._group(group)
                score.sql += f" {sign} CASE WHEN {part.sql} THEN %s::int ELSE 0 END"
                score.params += [*part.params, group.weight]
        if not sided.requires:
            return score
        needed = _joined([self._group(group) for group in sided.requires], " AND ")
        return _Sql(f"CASE WHEN {needed.sql} THEN {score.sql} END", [*needed.params, *score.params])

    def _group(self, group: Group) -> _Sql:
        parts = [self._condition(condition) for condition in group.conditions]
        return _joined(parts, " AND " if group.match == "all" else " OR ")

    def _condition(self, condition: Condition) -> _Sql:
        """A boolean that is null where Python says false because nothing was answered."""
        given = self._given(condition.question)
        operator = condition.operator
        if operator == "exists":
            test = "IS TRUE" if condition.answer[0] is True else "IS NOT TRUE"
            return _Sql(f"({given.sql} <> '[]') {test}", given.params)
        if operator in ORDERING:
            return self._ordered(given, operator, condition.answer[0])
        equal = self._equal(given, condition.answer)
        return equal if operator == "=" else _Sql(f"({equal.sql}) IS NOT TRUE", equal.params)

    def _given(self, question: str) -> _Sql:
        column = self.columns.get(question)
        if column is not None:
            return _Sql(f"given.{column}", [])
        return _Sql("(intake.answers -> %s::text)", [_text(question)])

    def _equal(self, given: _Sql, wanted: Sequence[Value]) -> _Sql:
        texts = [_text(value) for value in wanted if isinstance(value, str)]
        parts = []
        if len(texts) == 1:
            parts.append(_Sql(f"{given.sql} ? %s::text", [*given.params, texts[0]]))
        elif texts:
            parts.append(_Sql(f"{given.sql} ?| %s::text[]", [*given.params, texts]))
        for value in wanted:
            if not isinstance(value, str):
                parts.append(_Sql(f"{given.sql} @> %s::jsonb", [*given.params, f"[{_json(value)}]"]))
        return _joined(parts, " OR ")

    def _ordered(self, given: _Sql, operator: str, wanted: Value) -> _Sql:
        if not isinstance(wanted, str):
            # A path compares numbers with numbers only; for anything else it gives no answer.
            path = f"$[*] ? (@ {operator} {_json(wanted)})"
            return _Sql(f"jsonb_path_exists({given.sql}, %s::jsonpath)", [*given.params, path])
        if re.fullmatch(_MOMENT, wanted):
            raise BulkError(f"a moment such as {wanted} cannot be compared in SQL")
        if re.fullmatch(_CLOCK, wanted):
            pattern, left, right = _CLOCK, "value", "%s::text"
            params: list[Any] = [wanted]
        elif re.fullmatch(_DAY, wanted):
            pattern = f"({_DAY}|{_MOMENT})"
            # Both are cut to the precision that both have; the day of a moment is its first ten characters.
            length = "least(length(value), %s::int)"
            left, right, params = f"left(value, {length})", f"left(%s::text, {length})", []
            params = [len(wanted), wanted, len(wanted)]
        else:
            return _Sql("false", [])
        sql = (
            f"EXISTS (SELECT FROM jsonb_array_elements({given.sql}) AS each(element), "
            "LATERAL (SELECT each.element #>> '{}') AS plain(value) "
            "WHERE jsonb_typeof(each.element) = 'string' AND value ~ %s::text "
            f'AND {left} COLLATE "C" {operator} {right} COLLATE "C")'
        )
        return _Sql(sql, [*given.params, f"^{pattern}$", *params])


def _joined(parts: Sequence[_Sql], word: str) -> _Sql:
    if len(parts) == 1:
        return parts[0]
    sql = word.join(f"({part.sql})" for part in parts)
    return _Sql(f"({sql})", [param for part in parts for param in part.params])


def _identifier(name: str) -> str:
    """A quoted column name, with ``%`` doubled because the statement has placeholders."""
    return '"' + _text(name).replace('"', '""').replace("%", "%%") + '"'


def _text(text: str) -> str:
    if "\0" in text:
        raise BulkError("text with a NUL cannot be stored in PostgreSQL")
    return text


def _json(value: int | Decimal) -> str:
    return json.dumps(value) if isinstance(value, int) else format(value, "f")
