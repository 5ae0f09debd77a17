"""What the desk quotes from the library: links of the chain, tests, lessons and sources.

It is asked for with every page of the desk and changes with an edition of the library, so a process remembers
it by the edition's mark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import CharField, F, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse

from education.chain.models import ChainLink, PhysioTest, Source
from education.edition.models import Edition
from education.lessons.models import Lesson, LessonRedirect
from intake.kept import Given, Kept, among
from intake.review.places import Step


@dataclass(frozen=True, slots=True)
class Check:
    """A test at the evaluation; threshold says how its result is read."""

    name: str
    threshold: str
    slug: str = ""


@dataclass(frozen=True, slots=True)
class LessonRef:
    """A lesson by title; url is empty while readers cannot open it."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A publication by its code; url may be empty."""

    code: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, eq=False)
class Quoted:
    """By slug or code; what the library does not have (any more) is absent."""

    steps: Mapping[str, Step]
    checks: Mapping[str, Check]
    lessons: Mapping[str, LessonRef]
    sources: Mapping[str, SourceRef]


NOTHING: Final = Quoted({}, {}, {}, {})

_COLUMNS = 6
# What the library said for so many intakes is remembered.
MOST: Final = 256


def quote(
    *,
    links: Iterable[str],
    tests: Iterable[str] = (),
    lessons: Iterable[str] = (),
    sources: Iterable[str] = (),
    mark: UUID | None = None,
) -> Quoted:
    """Everything the library says under these slugs and codes: one small query, none for nothing.

    mark: of the library's edition, where somebody asked for it already: then there is no query while nothing
    changes.
    A lesson that moved is found under its old address too. While nothing changes it is the same object, so
    that what is made of it can be remembered by it.
    """
    asked = _Asked(*(tuple(dict.fromkeys(slugs)) for slugs in (links, tests, lessons, sources)))
    if not any(asked):
        return NOTHING
    mark = mark or Edition.current()
    return _in_words(_said(asked)) if mark is None else _quoted_in(mark, asked)


class _Asked(NamedTuple):
    links: tuple[str, ...]
    tests: tuple[str, ...]
    lessons: tuple[str, ...]
    sources: tuple[str, ...]


@lru_cache(maxsize=MOST)
def _quoted_in(mark: UUID, asked: _Asked) -> Quoted:
    """What is younger than this mark is asked for again with the next one."""
    return _in_words(_said(asked))


def _said(asked: _Asked) -> tuple[tuple[str, ...], ...]:
    return tuple(_QUOTED.rows((), **{name: list(slugs) for name, slugs in asked._asdict().items()}))


@lru_cache(maxsize=MOST)
def _in_words(rows: tuple[tuple[str, ...], ...]) -> Quoted:
    steps: dict[str, Step] = {}
    checks: dict[str, Check] = {}
    found_lessons: dict[str, LessonRef] = {}
    found_sources: dict[str, SourceRef] = {}
    for kind, key, first, second, third, *names in rows:
        if kind == "link":
            steps[key] = Step(first, second, third, *names)
        elif kind == "test":
            checks[key] = Check(first, second, key)
        elif kind == "lesson":
            url = reverse("education:lesson", kwargs={"slug": third}) if second == "true" else ""
            if url or key not in found_lessons:
                found_lessons[key] = LessonRef(first, url)
        else:
            found_sources[key] = SourceRef(key, first, second)
    return Quoted(steps, checks, found_lessons, found_sources)


def _quoted() -> QuerySet[Any, Any]:
    ends = ("from_node__slug", "to_node__slug", "direction", "from_node__name", "to_node__name")

    def those(column: str, name: str) -> Func:
        return among(column, Given(name, CharField(), many=True))

    moved = LessonRedirect.objects.filter(those("slug", "lessons"))
    return _texts("link", ChainLink.objects.filter(those("slug", "links")), "slug", *ends).union(
        _texts("test", PhysioTest.objects.filter(those("slug", "tests")), "slug", "name", "threshold"),
        _texts("lesson", Lesson.objects.filter(those("slug", "lessons")), "slug", "title", "live", "slug"),
        _texts("lesson", moved, "slug", "lesson__title", "lesson__live", "lesson__slug"),
        _texts("source", Source.objects.filter(those("code", "sources")), "code", "title", "url"),
        all=True,
    )


def _texts(kind: str, rows: QuerySet[Any], *fields: str) -> QuerySet[Any, Any]:
    """Rows as texts of the same number of columns, so that different tables fit into one query."""
    columns: list[F | Value] = [*map(F, fields), *[Value("")] * (_COLUMNS - len(fields))]
    return rows.order_by().values_list(
        Value(kind, output_field=CharField()), *(Cast(column, TextField()) for column in columns)
    )


_QUOTED: Final = Kept(_quoted)
