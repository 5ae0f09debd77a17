"""A lesson as a page shows it: itself, what stands before and after, and what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.safestring import SafeString

from education.chain.models import ChainLink, Source
from education.clinic_info.models import ClinicInfo
from education.lessons import pictures
from education.lessons.blocks import Raw, items_of, raw_blocks
from education.lessons.chain_map import Step, in_flow, taught_by_lesson
from education.lessons.models import NOT_READ, Category, Lesson, SelfCheck

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
class Told:
    """A link of the chain as a block tells it."""

    start: str
    end: str
    direction: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An editor's picture as readers get it; width and height in pixels, alt empty for a decorative one."""

    url: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a lesson's text; `kind` says which template draws it and what `value` is.

    paragraph: str. heading: `{"text", "level"}`. text: HTML. key_points: list of str. callout:
    `{"tone", "title", "text"}`. drawing: `{"drawing", "alt", "decorative", "caption"}`. picture:
    `Picture`. self_check: `SelfCheck`. lesson: `Entry`. chain_link: `Told`. source: `Citation`.
    """

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything of a lesson's page.

    `blocks` are its text, the summary first. `siblings` are the lessons of the same part, this one
    included; `numbers_before` is what to add to their places so that both directions count on in one row,
    as in the list of lessons. `steps` are the links it teaches, in the order in which trouble travels;
    `clinic` is None before the clinic's facts are loaded.
    """

    lesson: Lesson
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
        return any(block.kind == "heading" for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Named:
    """What the blocks of a text may point to, by primary key; what is not here is left out of the page."""

    lessons: Mapping[int, Entry]
    steps: Mapping[int, Told]
    sources: Mapping[int, Citation]
    pictures: Mapping[int, Mapping[str, Any]]


def blocks_of(lesson: Lesson, named: Named) -> tuple[Block, ...]:
    """The summary's paragraphs, then the body."""
    summary = lesson.summary.replace("\r\n", "\n").split("\n\n")
    blocks = [Block("paragraph", words.strip()) for words in summary if words.strip()]
    for raw in raw_blocks(lesson.body):
        value = value_of(raw, named)
        if value is not None:
            blocks.append(Block(raw["type"], value))
    return tuple(blocks)


def value_of(raw: Raw, named: Named) -> Any:
    """What `Block.value` says for its kind; None for what readers cannot open."""
    kind, value = raw["type"], raw["value"]
    if kind == "text":
        # The editor's link button makes links as they stand in a page, and offers no embeds: there is nothing
        # to look up in it, so the editor is not loaded to read it.
        return SafeString(value)
    if kind == "key_points":
        return items_of(value)
    if kind == "self_check":
        options = items_of(value["options"])
        # A draft may not say yet which one fits.
        if not 1 <= (value["answer"] or 0) <= len(options):
            return None
        return SelfCheck(value["question"], tuple(options), options[value["answer"] - 1], value["why"])
    if kind == "drawing":
        return value if value["drawing"] else None
    if kind == "picture":
        found = named.pictures.get(value["image"])
        alt = "" if value["decorative"] else value["alt"]
        return found and Picture(
            pictures.address(found["file"]), found["width"], found["height"], alt, value["caption"]
        )
    pointed: Mapping[str, Mapping[int, Any]] = {
        "lesson": named.lessons,
        "chain_link": named.steps,
        "source": named.sources,
    }
    return pointed[kind].get(value) if kind in pointed else value


def named_in_body(kind: str, *, key: str = "pk", inside: str = "") -> Func:
    """Whether a row's key stands in the outer lesson's body: the value of such a block, or `inside` it."""
    path = f"'$[*] ? (@.type == \"{kind}\").value{inside}'"
    return Func(
        Func(OuterRef("body"), template=f"jsonb_path_query_array(%(expressions)s, {path})"),
        Func(F(key), function="to_jsonb"),
        template="(%(expressions)s)",
        arg_joiner=" @> ",
        output_field=BooleanField(),
    )


TOLD = {
    "start": "from_node__name",
    "end": "to_node__name",
    "direction": "direction",
    "mechanism": "mechanism",
}


def pointed_to() -> dict[str, ArraySubquery]:
    """Columns with the links of the chain and the sources that blocks of a body point to."""
    return {
        "told": ArraySubquery(
            ChainLink.objects.live()
            .annotate(named=named_in_body("chain_link"))
            .filter(named=True)
            .values(entry=JSONObject(id="id", **TOLD))
        ),
        "cited": ArraySubquery(
            Source.objects.annotate(named=named_in_body("source"))
            .filter(named=True)
            .exclude(url="")
            .values(entry=JSONObject(id="id", title="title", url="url"))
        ),
        "pictured": ArraySubquery(
            pictures.sized()
            .annotate(named=named_in_body("picture", key="image_id", inside=".image"))
            .filter(named=True)
            .values(entry=JSONObject(**pictures.COLUMNS))
        ),
    }


def named_by(lesson: Any, lessons: Mapping[int, Entry]) -> Named:
    """What a lesson read with `pointed_to` points to, of these lessons."""
    return Named(
        lessons=lessons,
        steps={row["id"]: Told(*(row[name] for name in TOLD)) for row in lesson.told},
        sources={row["id"]: Citation(row["title"], row["url"]) for row in lesson.cited},
        pictures={row["id"]: row for row in lesson.pictured},
    )


@dataclass(frozen=True, slots=True)
class Chapter:
    """A lesson as a part of the whole course on one page."""

    lesson: Lesson
    blocks: tuple[Block, ...]
    steps: tuple[Step, ...]


def course() -> tuple[Chapter, ...]:
    """Every live lesson in full, in reading order, in one query."""
    lessons: Any = Lesson.objects.live().defer(*NOT_READ)
    lessons = list(lessons.annotate(taught=taught_by_lesson(), **pointed_to()))
    entries = {lesson.pk: Entry(*(getattr(lesson, name) for name in ENTRY)) for lesson in lessons}
    # Part by part, wherever an editor placed a lesson.
    parts = list(Lesson.Part.values)
    lessons.sort(key=lambda lesson: parts.index(lesson.part))
    return tuple(
        Chapter(lesson, blocks_of(lesson, named_by(lesson, entries)), in_flow(lesson.taught))
        for lesson in lessons
    )


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
    return reading_of(with_surroundings().get(live=True, slug=slug))


def preview(draft: Lesson) -> Reading:
    """The page of a lesson as it would be if this draft were live, in a few queries."""
    stored: Any = with_surroundings().filter(pk=draft.pk).first()
    shown: Any = draft
    entries = [entry for entry in (stored.outline if stored else []) if entry["id"] != draft.pk]
    if not stored:
        entries = list(Lesson.objects.live().values("id", "order", *ENTRY))
    mine = {name: getattr(draft, name) for name in ("id", "order", *ENTRY)}
    shown.outline = sorted([*entries, mine], key=lambda entry: (entry["order"] or 0, entry["slug"]))
    shown.related_slugs = [other.slug for other in draft.related.all()]
    shown.citations = [{"title": s.title, "url": s.url} for s in draft.sources.all() if s.url]
    raw = raw_blocks(draft.body)

    def keys(kind: str) -> list[int]:
        return [block["value"] for block in raw if block["type"] == kind]

    told = ChainLink.objects.filter(pk__in=keys("chain_link")).values("id", *TOLD.values())
    shown.told = [{"id": row["id"], **{name: row[path] for name, path in TOLD.items()}} for row in told]
    shown.taught = stored.taught if stored else []
    shown.clinic = stored.clinic if stored else None
    shown.cited = list(
        Source.objects.filter(pk__in=keys("source")).exclude(url="").values("id", "title", "url")
    )
    pictures.make(raw)
    found = pictures.sized().filter(image__in=pictures.keys(raw)).values(*pictures.COLUMNS.values())
    shown.pictured = [{name: row[column] for name, column in pictures.COLUMNS.items()} for row in found]
    return reading_of(shown)


def with_surroundings() -> Any:
    """Lessons with everything their page needs beside themselves, as JSON columns of the same query."""
    return (
        Lesson.objects.select_related("author", "category")
        .defer(*NOT_READ)
        .annotate(
            outline=ArraySubquery(
                Lesson.objects.live().values(
                    entry=JSONObject(**{name: name for name in ("id", "order", *ENTRY)})
                )
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
            **pointed_to(),
        )
    )


def reading_of(lesson: Any) -> Reading:
    """The page of a lesson that carries its surroundings (`with_surroundings`)."""
    by_key = {row["id"]: Entry(*(row[name] for name in ENTRY)) for row in lesson.outline}
    entries = tuple(by_key.values())
    here = next(place for place, entry in enumerate(entries) if entry.slug == lesson.slug)
    return Reading(
        lesson=lesson,
        clinic=_clinic(lesson.clinic),
        steps=in_flow(lesson.taught),
        blocks=blocks_of(lesson, named_by(lesson, by_key)),
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
