"""A lesson as a page shows it: itself, what stands before and after, and what it rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.urls import reverse

from education.chain.models import Source
from education.lessons.models import SUBHEADING, Lesson

ENTRY = ("slug", "title", "lead", "part", "icon")


@dataclass(frozen=True, slots=True)
class Entry:
    """A lesson as a line of a list; the columns are those of `ENTRY`."""

    slug: str
    title: str
    lead: str
    part: str
    icon: str

    def get_absolute_url(self) -> str:
        return reverse("education:lesson", kwargs={"slug": self.slug})


@dataclass(frozen=True, slots=True)
class Citation:
    """A source a reader can open."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a sub-heading of a lesson, as plain text."""

    text: str
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything of a lesson's page.

    `blocks` are its text, the summary first. `siblings` are the lessons of the same part, this one
    included; `numbers_before` is what to add to their places so that both directions count on in one row,
    as in the list of lessons.
    """

    lesson: Lesson
    blocks: tuple[Block, ...]
    previous: Entry | None
    next: Entry | None
    siblings: tuple[Entry, ...]
    numbers_before: int
    related: tuple[Entry, ...]
    sources: tuple[Citation, ...]

    @property
    def has_headings(self) -> bool:
        return any(block.is_heading for block in self.blocks)


def blocks_of(paragraphs: Iterable[str]) -> tuple[Block, ...]:
    """Paragraphs and sub-headings told apart; what stands right below a sub-heading is a paragraph."""
    blocks: list[Block] = []
    for paragraph in paragraphs:
        if not paragraph.startswith(SUBHEADING):
            blocks.append(Block(paragraph))
            continue
        heading, _, below = paragraph.removeprefix(SUBHEADING).partition("\n")
        blocks.append(Block(heading.strip(), is_heading=True))
        if below.strip():
            blocks.append(Block(below.strip()))
    return tuple(blocks)


def outline() -> tuple[Entry, ...]:
    """Every live lesson in reading order, in one query."""
    return tuple(Entry(*row) for row in Lesson.objects.live().values_list(*ENTRY))


def of_part(entries: Iterable[Entry], *parts: str) -> tuple[Entry, ...]:
    """The entries of these parts, order kept."""
    return tuple(entry for entry in entries if entry.part in parts)


def read(slug: str) -> Reading:
    """The live lesson of this slug with all its page needs, in one query.

    Raises `Lesson.DoesNotExist` for an unknown slug and for a draft.
    """
    live = Lesson.objects.live()
    lesson: Any = (
        live.select_related("author")
        .defer("suggest_when", "suggest_because")
        .annotate(
            outline=ArraySubquery(
                Lesson.objects.live().values(entry=JSONObject(**{name: name for name in ENTRY}))
            ),
            related_slugs=ArraySubquery(
                Lesson.objects.live().filter(related_from=OuterRef("pk")).values("slug")
            ),
            # A source without an address is a note to staff, not something a reader can open.
            citations=ArraySubquery(
                Source.objects.filter(lessons=OuterRef("pk"))
                .exclude(url="")
                .values(entry=JSONObject(title="title", url="url"))
            ),
        )
        .get(slug=slug)
    )
    entries = tuple(Entry(**entry) for entry in lesson.outline)
    here = next(place for place, entry in enumerate(entries) if entry.slug == slug)
    return Reading(
        lesson=lesson,
        blocks=blocks_of(lesson.paragraphs),
        previous=entries[here - 1] if here else None,
        next=entries[here + 1] if here + 1 < len(entries) else None,
        siblings=of_part(entries, lesson.part),
        numbers_before=len(of_part(entries, Lesson.Part.UP)) if lesson.part == Lesson.Part.DOWN else 0,
        related=tuple(entry for entry in entries if entry.slug in lesson.related_slugs),
        sources=tuple(Citation(**entry) for entry in lesson.citations),
    )
