"""A lesson as a page shows it: itself, what stands before and after, and what it rests on."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse

from education.chain.models import Source
from education.clinic_info.models import ClinicInfo
from education.lessons.chain_map import Step, in_flow, taught_by_lesson
from education.lessons.models import SUBHEADING, Category, Lesson

ENTRY = ("slug", "title", "lead", "part", "icon")
# What a reader's page never says.
NOT_READ = ("suggest_when", "suggest_because", "suggest_default", "suggest_priority", "approved_by")


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
    as in the list of lessons. `steps` are the links it teaches, in the order in which trouble travels;
    `clinic` is None before the clinic's facts are loaded. `version` changes with anything of all this.
    """

    lesson: Lesson
    version: str
    clinic: ClinicInfo | None
    steps: tuple[Step, ...]
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


@dataclass(frozen=True, slots=True)
class Chapter:
    """A lesson as a part of the whole course on one page."""

    lesson: Lesson
    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]


def course() -> tuple[Chapter, ...]:
    """Every live lesson in full, in reading order, in one query."""
    lessons: Any = Lesson.objects.live().defer(*NOT_READ).annotate(taught=taught_by_lesson())
    return tuple(Chapter(lesson, blocks_of(lesson.paragraphs), in_flow(lesson.taught)) for lesson in lessons)


def in_category(slug: str) -> tuple[Category, tuple[Entry, ...]]:
    """A category and its live lessons in reading order, in one query. Raises `Category.DoesNotExist`."""
    category: Any = Category.objects.annotate(
        found=ArraySubquery(
            Lesson.objects.live()
            .filter(category=OuterRef("pk"))
            .values(entry=JSONObject(**{name: name for name in ENTRY}))
        )
    ).get(slug=slug)
    return category, tuple(Entry(**entry) for entry in category.found)


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
        live.select_related("author", "category")
        .defer(*NOT_READ)
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
            taught=taught_by_lesson(),
            clinic=Subquery(
                ClinicInfo.objects.values(
                    entry=JSONObject(**{field.attname: field.attname for field in ClinicInfo._meta.fields})
                )
            ),
        )
        .get(slug=slug)
    )
    entries = tuple(Entry(**entry) for entry in lesson.outline)
    here = next(place for place, entry in enumerate(entries) if entry.slug == slug)
    return Reading(
        lesson=lesson,
        version=_version(lesson),
        clinic=_clinic(lesson.clinic),
        steps=in_flow(lesson.taught),
        blocks=blocks_of(lesson.paragraphs),
        previous=entries[here - 1] if here else None,
        next=entries[here + 1] if here + 1 < len(entries) else None,
        siblings=of_part(entries, lesson.part),
        numbers_before=len(of_part(entries, Lesson.Part.UP)) if lesson.part == Lesson.Part.DOWN else 0,
        related=tuple(entry for entry in entries if entry.slug in lesson.related_slugs),
        sources=tuple(Citation(**entry) for entry in lesson.citations),
    )


def _clinic(entry: dict[str, Any] | None) -> ClinicInfo | None:
    if entry is None:
        return None
    fields = ClinicInfo._meta.fields
    return ClinicInfo(**{field.attname: field.to_python(entry[field.attname]) for field in fields})


def _version(lesson: Lesson) -> str:
    """A short text that is the same only while everything `read` found is the same."""
    columns = {name: value for name, value in vars(lesson).items() if not name.startswith("_")}
    found = json.dumps([columns, str(lesson.author), str(lesson.category)], default=str, sort_keys=True)
    return hashlib.sha256(found.encode()).hexdigest()[:20]
