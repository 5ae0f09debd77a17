"""Querysets whose SQL is written once a process, then asked again with other values.

What a queryset asks does not change between requests, only the values do. So a module says it once, as
`Kept(build)`, with a `Given` where a value belongs:

    _NOTES: Final = Kept(lambda notes: notes.filter(author=Given("author", IntegerField())))
    _NOTES.rows([Note.objects.visible_to(user)], author=user.pk)
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, Expression, F, Field, Func, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from intake.audit import prepared

# Whoever may see only some rows has SQL of their own; a process keeps so many of each.
SCOPES: Final = 16


@dataclass(frozen=True, slots=True)
class _Name:
    """Stands among the parameters for the value of this name."""

    name: str


class Given(Expression):
    """The place of a value that is known only when the rows are asked for; many: of a list of them."""

    def __init__(self, name: str, output_field: "Field[Any, Any]", *, many: bool = False) -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self.many = many

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        kind = self.output_field.cast_db_type(connection)
        return f"(%s::{kind}{'[]' if self.many else ''})", (_Name(self.name),)


def among(column: str, given: Given) -> Func:
    """The condition that a column is one of the values that are given."""
    return Func(
        F(column), given, template="%(expressions)s", arg_joiner=" = ANY", output_field=BooleanField()
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """The SQL of a queryset: its text, the names of its values in order, and how its rows are read."""

    queryset: Any
    compiler: Any
    converters: Any
    text: str
    names: tuple[str, ...]


class Kept:
    """build: from querysets, each as far as the user may see it, to the one that is asked."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._written: dict[tuple[str, ...], _Written] = {}

    def rows(self, scopes: Sequence[QuerySet[Any, Any]], **values: Any) -> list[Any]:
        """What the queryset brings with these values; nothing where one of the scopes is empty."""
        if any(scope.query.is_empty() for scope in scopes):
            return []
        # All rows of a table is what nearly everybody sees: no need to write that down to know it.
        key = tuple(str(scope.query) if scope.query.where.children else "" for scope in scopes)
        written = self._written.get(key)
        if written is None:
            written = _write(self._build(*scopes))
            if len(self._written) >= SCOPES:
                self._written.clear()
            self._written[key] = written
        return _ask(written, values)


def _write(queryset: QuerySet[Any, Any]) -> _Written:
    compiler = queryset.query.get_compiler(connection=connection)
    text, params = compiler.as_sql()
    names: list[str] = []
    places: list[str] = []
    for value in params:
        if isinstance(value, _Name):
            names.append(value.name)
            places.append("%s")
        else:
            # A value that never changes is part of the text, where partial indexes see it.
            places.append(_literal(value).replace("%", "%%"))
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    return _Written(queryset, compiler, compiler.get_converters(columns), _text(text, places), tuple(names))


def _literal(value: Any) -> str:
    operations: Any = connection.ops
    return str(operations.compose_sql("%s", [value]))


def _text(text: str, places: Sequence[str]) -> str:
    """The statement with its constants in it, still with `%s` for each value."""
    return text.replace("%%", "%%%%") % tuple(places)


def _ask(written: _Written, values: Mapping[str, Any]) -> list[Any]:
    """The rows, as the queryset makes them of what the database answers."""
    compiler = copy.copy(written.compiler)
    compiler.execute_sql = lambda *_args, **_kwargs: [
        _fetch(written.text, [values[name] for name in written.names])
    ]
    compiler.get_converters = lambda _columns: written.converters
    query = copy.copy(written.queryset.query)
    query.get_compiler = lambda *_args, **_kwargs: compiler
    source = written.queryset
    rows = source.__class__(model=source.model, query=query)
    rows._iterable_class, rows._fields = source._iterable_class, source._fields
    return list(rows)


def _fetch(text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows as they come; the database prepares the statement, which is the same every time."""
    with prepared() as cursor:
        cursor.execute(text, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
