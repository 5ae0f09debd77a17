"""Brings the shipped content (`*.json` beside this file) into the tables, once, without undoing an editor.

A row is created where its entry is new, and updated while it still says what was last shipped. A row that an
editor changed or deleted is left alone, and the report names it as kept. Rows that the catalog no longer
names stay.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from wagtail.models import DraftStateMixin, RevisionMixin

from education.catalog.models import ShippedEntry
from education.chain.models import ChainLink, ChainNode, PhysioTest, Source
from education.chain.publishing import remember, tell, untold, without_history
from education.clinic_info import witness
from education.clinic_info.models import ClinicInfo
from education.lessons.blocks import blocks_of_text, raw_blocks, text_of_blocks
from education.lessons.models import Category, Lesson, LessonRedirect

FOLDER = Path(__file__).resolve().parent
# Any number nobody else locks: two loaders started at once take turns.
LOCK = 7_140_553_001

Content = dict[str, Any]
# A shipped text is due for a review a year after it came; editors set their own dates.
REVIEW_AFTER = timedelta(days=365)
# What the date is called among the keys of entries, though no entry has it.
NEXT_REVIEW = "nextReview"
# Keys of lessons with the slugs that they were shipped under.
Moved = Mapping[int, str]
# {kind: {key: content}}
Shelf = dict[str, dict[str, Content]]


class CatalogError(ValueError):
    """The catalog cannot be loaded; the text names file or entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How entries of one kind become rows of one table.

    `fields` maps JSON keys to columns; `one` and `many` map them to (relation, kind it points to). `texts`
    are those of the fields whose column holds blocks.
    """

    name: str
    model: type[models.Model]
    key_column: str
    fields: Mapping[str, str]
    one: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    many: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()
    at_first: Callable[[], Content] = dict
    at_update: Callable[[], Content] = dict

    @property
    def known(self) -> set[str]:
        return {*self.fields, *self.one, *self.many}

    @property
    def manager(self) -> Any:
        return self.model._default_manager


# In the order in which rows may refer to each other; `many` relations are set after all rows stand.
KINDS = (
    Kind(
        "clinic",
        ClinicInfo,
        "id",
        {
            "name": "name",
            "streetAddress": "street_address",
            "city": "city",
            "region": "region",
            "postalCode": "postal_code",
            "phone": "phone",
            "phoneDisplay": "phone_display",
            "hours": "hours",
            "hoursNote": "hours_note",
            "bookingUrl": "booking_url",
        },
    ),
    Kind("source", Source, "code", {"title": "title", "url": "url", "used": "used_for"}),
    Kind(
        "test",
        PhysioTest,
        "slug",
        {"name": "name", "how": "how", "unit": "unit", "threshold": "threshold"},
        many={"sources": ("sources", "source")},
    ),
    Kind("node", ChainNode, "slug", {"name": "name", "kind": "kind"}),
    Kind("category", Category, "slug", {"name": "name"}),
    Kind(
        "lesson",
        Lesson,
        "slug",
        {
            "title": "title",
            "lead": "lead",
            "part": "part",
            "icon": "icon",
            "order": "order",
            "summary": "summary",
            "body": "body",
            "keyPoints": "key_points",
            "path": "path",
            "selfCheck": "self_check",
            "default": "suggest_default",
            "priority": "suggest_priority",
            "suggestWhen": "suggest_when",
            "because": "suggest_because",
            "published": "published_on",
        },
        one={"category": ("category", "category")},
        many={
            "links": ("links", "link"),
            "related": ("related", "lesson"),
            "sources": ("sources", "source"),
        },
        texts=frozenset({"body"}),
        at_first=lambda: {"live": True},
        # A physio approved the words that stood there before, not these.
        at_update=lambda: {
            "approved_by": None,
            "reviewed_on": None,
            "reviewed_by": "",
            "updated_on": timezone.localdate(),
        },
    ),
    Kind(
        "link",
        ChainLink,
        "slug",
        {
            "no": "number",
            "direction": "direction",
            "laterality": "laterality",
            "inArticle": "in_article",
            "mechanismPlain": "mechanism",
            "clinicalNote": "clinical_note",
            "evidenceGrade": "evidence_grade",
            "evidenceNote": "evidence_note",
            "evidence": "evidence",
        },
        one={"from": ("from_node", "node"), "to": ("to_node", "node"), "lesson": ("lesson", "lesson")},
        many={"tests": ("tests", "test"), "sources": ("sources", "source")},
    ),
)


@dataclass(slots=True)
class Report:
    """What a load did: numbers by kind, and entries left alone with the reason."""

    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    kept: list[dict[str, str]] = field(default_factory=list)
    withdrawn: list[dict[str, str]] = field(default_factory=list)

    def keep(self, kind: Kind, key: str, reason: str) -> None:
        self.kept.append({"kind": kind.name, "entry": key, "reason": reason})

    @staticmethod
    def count(into: dict[str, int], kind: Kind) -> None:
        into[kind.name] = into.get(kind.name, 0) + 1


def read_catalog(folder: Path = FOLDER) -> Shelf:
    """The entries of `clinic.json`, `chain.json` and `lessons.json`, keys we do not store left out.

    Raises `CatalogError` for a missing or broken file, an entry without its name, and a name used twice.
    """
    chain, lessons = _file(folder / "chain.json"), _file(folder / "lessons.json")
    listed: dict[str, tuple[str, Iterable[Any]]] = {
        "clinic": ("id", [{"id": "1", **_file(folder / "clinic.json")}]),
        "source": ("id", chain.get("sources", [])),
        "test": ("id", chain.get("tests", [])),
        "node": ("id", chain.get("nodes", [])),
        "category": ("slug", lessons.get("categories", [])),
        "lesson": ("slug", lessons.get("lessons", [])),
        "link": ("id", chain.get("links", [])),
    }
    shelf: Shelf = {}
    for kind in KINDS:
        key_name, entries = listed[kind.name]
        shelf[kind.name] = {}
        for entry in entries:
            key = entry.get(key_name)
            if not isinstance(key, str) or not key:
                raise CatalogError(f"{kind.name}: an entry has no {key_name}")
            if key in shelf[kind.name]:
                raise CatalogError(f"{kind.name} {key}: stands twice in the catalog")
            shelf[kind.name][key] = {
                name: sorted(value) if name in kind.many else value
                for name, value in entry.items()
                if name in kind.known
            }
    return shelf


def read_tables() -> Shelf:
    """What the tables hold, in the shape of the catalog; no drafts."""
    shelf: Shelf = {}
    for kind in KINDS:
        relations = [relation for relation, _ in (*kind.one.values(), *kind.many.values())]
        rows = kind.manager.prefetch_related(*relations)
        if issubclass(kind.model, DraftStateMixin):
            rows = rows.filter(live=True)
        shelf[kind.name] = {_key_of(kind, row): _content_of(kind, row) for row in rows}
    return shelf


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a row says something else than the catalog. field: None where there is no row at all.

    state: new (nothing was shipped for it yet), edited (loading leaves it alone), outdated (loading updates
    it) or deleted (an editor did, so loading does not make it again). here, shipped: JSON values.
    """

    kind: str
    entry: str
    state: str
    field: str | None
    here: Any
    shipped: Any


def differences(folder: Path = FOLDER) -> list[Difference]:
    """Every field in which tables and catalog differ, in the catalog's order. Changes nothing.

    Raises `CatalogError` for a catalog that cannot be read.
    """
    load = _Load(read_catalog(folder))
    return [one for kind in KINDS for key in load.shelf[kind.name] for one in load.differences(kind, key)]


def load(folder: Path = FOLDER, *, dry_run: bool = False) -> Report:
    """Loads the catalog in one transaction and says what it did; with `dry_run` it leaves no trace.

    Where nothing new was shipped it costs three queries. Raises `CatalogError` and changes nothing where an
    entry is wrong.
    """
    shelf = read_catalog(folder)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        report = _Load(shelf).run()
        if report.created or report.updated:
            witness.tell("library.shipped", created=report.created, updated=report.updated)
        if dry_run:
            transaction.set_rollback(True)
    return report


class _Load:
    """One run; `rows` fills with the tables that something new was shipped for or points to."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.report = Report()
        self.shipped = {(entry.kind, entry.key): entry for entry in ShippedEntry.objects.all()}
        self.rows: dict[str, dict[str, Any]] = {}
        self.reviews: dict[tuple[str, str], date | None] = {}

    def run(self) -> Report:
        written = [
            (kind, key, row) for kind in KINDS for key in self._news(kind) if (row := self._write(kind, key))
        ]
        for kind, key, row in written:
            self._relate(kind, key, row)
        self._remember((kind, key) for kind, key, _ in written)
        self._begin_history(row for _, _, row in written)
        self.report.withdrawn = [
            {"kind": name, "entry": key}
            for name, key in sorted(self.shipped)
            if key not in self.shelf.get(name, {})
        ]
        return self.report

    def differences(self, kind: Kind, key: str) -> list[Difference]:
        """Of one entry, see `Difference`."""
        shipped, row = self.shelf[kind.name][key], self._rows(kind.name).get(key)
        before = self.shipped.get((kind.name, key))
        if row is None:
            state = "new" if before is None else "deleted"
            return [Difference(kind.name, key, state, None, None, None)]
        here = _content_of(kind, row, self.moved)
        is_edited = before is None or self._changed_here(kind, key, row, before.content)
        state = "edited" if is_edited else "outdated"
        found = [
            Difference(kind.name, key, state, name, here[name], value)
            for name, value in _as_stored(kind, shipped).items()
            if here[name] != value
        ]
        if isinstance(row, Lesson) and self._set_its_review(kind, key, row):
            loaded = before.next_review_on if before else None
            days = (_iso(row.next_review_on), _iso(loaded))
            found.append(Difference(kind.name, key, "edited", NEXT_REVIEW, *days))
        return found

    def _set_its_review(self, kind: Kind, key: str, row: Lesson) -> bool:
        """Whether an editor chose the day of the row's next review."""
        before = self.shipped.get((kind.name, key))
        return before is None or bool(row.next_review_on != before.next_review_on)

    def _news(self, kind: Kind) -> list[str]:
        news = []
        for key, content in self.shelf[kind.name].items():
            before = self.shipped.get((kind.name, key))
            if before is not None and before.content == content:
                self.report.count(self.report.unchanged, kind)
            else:
                news.append(key)
        return news

    def _rows(self, name: str) -> dict[str, Any]:
        if name not in self.rows:
            kind = next(kind for kind in KINDS if kind.name == name)
            queryset = kind.manager.select_related(*(relation for relation, _ in kind.one.values()))
            self.rows[name] = {_key_of(kind, row, self.moved): row for row in queryset}
        return self.rows[name]

    @cached_property
    def moved(self) -> Moved:
        """Lessons that have another address than the one they were shipped under."""
        return {
            lesson: slug
            for slug, lesson in LessonRedirect.objects.values_list("slug", "lesson")
            if ("lesson", slug) in self.shipped
        }

    def _write(self, kind: Kind, key: str) -> Any:
        """The row created or updated for this entry; None where an editor has a say in it."""
        before, row = self.shipped.get((kind.name, key)), self._rows(kind.name).get(key)
        if row is None and before is not None:
            self.report.keep(kind, key, "deleted here")
            return None
        if row is not None and before is None:
            self.report.keep(kind, key, "made here under the same name")
            return None
        if row is not None and before is not None and self._changed_here(kind, key, row, before.content):
            self.report.keep(kind, key, "changed here")
            return None
        if row is None:
            row = kind.model(**{kind.key_column: key, **kind.at_first()})
            self._rows(kind.name)[key] = row
            self.report.count(self.report.created, kind)
        else:
            for column, value in kind.at_update().items():
                setattr(row, column, value)
            self.report.count(self.report.updated, kind)
        if isinstance(row, Lesson):
            if before is not None and self._set_its_review(kind, key, row):
                self.report.keep(kind, key, "next review set here")
                self.reviews[kind.name, key] = before.next_review_on
            else:
                row.next_review_on = timezone.localdate() + REVIEW_AFTER
                self.reviews[kind.name, key] = row.next_review_on
        content = self.shelf[kind.name][key]
        for name, column in kind.fields.items():
            if name in content:
                setattr(row, column, blocks_of_text(content[name]) if name in kind.texts else content[name])
        for name, (relation, target) in kind.one.items():
            if name in content:
                setattr(row, relation, self._find(kind, key, target, content[name]))
        try:
            row.clean_fields(exclude=[relation for relation, _ in kind.one.values()])
            row.save()
        except ValidationError as error:
            column, messages = next(iter(error.message_dict.items()))
            raise CatalogError(f"{kind.name} {key}: {column}: {messages[0]}") from error
        except IntegrityError as error:
            raise CatalogError(f"{kind.name} {key}: {str(error).splitlines()[0]}") from error
        return row

    def _relate(self, kind: Kind, key: str, row: Any) -> None:
        content = self.shelf[kind.name][key]
        for name, (relation, target) in kind.many.items():
            if target == kind.name and key in content.get(name, []):
                raise CatalogError(f"{kind.name} {key}: {name}: names itself")
            found = [self._find(kind, key, target, other) for other in content.get(name, [])]
            getattr(row, relation).set([other for other in found if other is not None])
        if kind.many:
            row.save()

    def _remember(self, written: Iterable[tuple[Kind, str]]) -> None:
        ShippedEntry.objects.bulk_create(
            [
                ShippedEntry(
                    kind=kind.name,
                    key=key,
                    content=self.shelf[kind.name][key],
                    next_review_on=self.reviews.get((kind.name, key)),
                )
                for kind, key in written
            ],
            update_conflicts=True,
            unique_fields=["kind", "key"],
            update_fields=["content", "next_review_on"],
        )

    def _begin_history(self, written: Iterable[Any]) -> None:
        """Revisions of what was written and of what releases before the editor wrote, all listed."""
        kept: dict[tuple[type[models.Model], int], Any] = {
            (type(row), row.pk): row for row in written if isinstance(row, RevisionMixin)
        }
        for model in (Lesson, ChainLink):
            for row in without_history(model):
                for revision in untold(model).filter(object_id=str(row.pk)).order_by("pk"):
                    tell(row, revision)
                if row.latest_revision_id is None:
                    kept[model, row.pk] = row
        for row in kept.values():
            remember(row)

    def _find(self, kind: Kind, key: str, target: str, name: Any) -> Any:
        """The row `name` of kind `target`; None where nothing is named, or where an editor deleted it."""
        if name is None:
            return None
        row = self._rows(target).get(name)
        if row is None and name not in self.shelf[target]:
            raise CatalogError(f"{kind.name} {key}: there is no {target} {name!r}")
        return row

    def _changed_here(self, kind: Kind, key: str, row: Any, shipped: Content) -> bool:
        """Whether the row no longer says what was shipped; keys no longer stored do not count.

        A field that is shipped for the first time counts where an editor had filled it before.
        """
        now, content, blank = (
            _content_of(kind, row, self.moved),
            self.shelf[kind.name][key],
            _fields_of(kind, kind.model()),
        )
        before = _as_stored(kind, shipped)
        return any(now[name] != before[name] for name in before if name in kind.known) or any(
            now[name] != content[name] and now[name] != blank[name]
            for name in kind.fields
            if name in content and name not in shipped
        )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _as_stored(kind: Kind, entry: Content) -> Content:
    """The entry with its texts as blocks would say them, which is blind to how many lines stand empty."""
    return {
        name: text_of_blocks(blocks_of_text(said)) if name in kind.texts else said
        for name, said in entry.items()
    }


def _key_of(kind: Kind, row: Any, moved: Moved = MappingProxyType({})) -> str:
    """What the catalog calls the row."""
    slug = moved.get(row.pk) if isinstance(row, Lesson) else None
    return slug or str(getattr(row, kind.key_column))


def _content_of(kind: Kind, row: Any, moved: Moved = MappingProxyType({})) -> Content:
    """The row in the shape of a catalog entry."""

    def key_of(other: Any, target: str) -> str:
        return _key_of(next(k for k in KINDS if k.name == target), other, moved)

    content = _fields_of(kind, row)
    for name, (relation, target) in kind.one.items():
        other = getattr(row, relation)
        content[name] = None if other is None else key_of(other, target)
    for name, (relation, target) in kind.many.items():
        content[name] = sorted(key_of(other, target) for other in getattr(row, relation).all())
    return content


def _fields_of(kind: Kind, row: Any) -> Content:
    """The row's own columns in the shape of a catalog entry; blocks beyond plain text stay blocks."""
    content: Content = {}
    for name, column in kind.fields.items():
        value = getattr(row, column)
        if name in kind.texts:
            raw = raw_blocks(value)
            text = text_of_blocks(raw)
            content[name] = raw if text is None else text
        else:
            content[name] = value.isoformat() if isinstance(value, date) else _with_plain_lines(value)
    return content


def _with_plain_lines(value: Any) -> Any:
    """A text with the line ends of the catalog, since forms send others; anything else as it is."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _file(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"{path.name}: cannot be read") from error
    except ValueError as error:
        raise CatalogError(f"{path.name}: is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise CatalogError(f"{path.name}: is not a JSON object")
    return data
