"""`manage.py check`: the shipped library holds together; with `--database default` the tables do too."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError, transaction

from education.catalog.health import Problem, map_problems, problems
from education.catalog.load import CatalogError, read_catalog, read_tables
from education.chain.drawing import DrawingError


@register("catalog")
def shipped(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Errors in the files; nothing is loaded while there are any."""
    try:
        shelf = read_catalog()
        found = [*problems(shelf), *map_problems(shelf)]
    except (CatalogError, DrawingError, KeyError) as broken:
        return [Error(f"the library cannot be read: {broken}", id="library.E001")]
    return [Error(words(problem), id="library.E002") for problem in found]


@register(Tags.database)
def stored(
    app_configs: Sequence[AppConfig] | None, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warnings about what editors keep: a change of theirs must not stop a deploy.

    `migrate` asks too, while tables or columns may still be missing: then there is nothing to say yet.
    """
    if not databases:
        return []
    try:
        with transaction.atomic():
            shelf = read_tables()
    except DatabaseError:
        return []
    return [CheckWarning(words(problem), id="library.W001") for problem in problems(shelf)]


def words(problem: Problem) -> str:
    return f"{problem.entry}: {problem.message}"
