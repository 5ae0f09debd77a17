"""What an editor should know before a lesson is published. A warning never stops anybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from education.editor.words import HARDEST_GRADE, certain_words, grade
from education.lessons.blocks import Html, raw_blocks
from education.lessons.models import Lesson


@dataclass(frozen=True, slots=True)
class Warn:
    """One warning; `code` says of which kind it is: grade, alt, heading, dead-link, ..."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lessons may point to, read once for many: live slugs, live keys, and who links to whom by key."""

    slugs: frozenset[str]
    keys: frozenset[int]
    reached: frozenset[int]

    @classmethod
    def read(cls) -> "Shelf":
        """Of all live lessons, in two queries."""
        slugs: set[str] = set()
        keys: set[int] = set()
        reached: set[int] = set()
        for key, slug, body in Lesson.objects.live().values_list("pk", "slug", "body"):
            slugs.add(slug)
            keys.add(key)
            reached |= {target for target in linked_lessons(body) if target != key}
        by_slug = dict(Lesson.objects.live().values_list("slug", "pk"))
        related = Lesson.related.through.objects.filter(from_lesson__live=True)
        reached |= set(related.values_list("to_lesson", flat=True))
        for body in Lesson.objects.live().values_list("body", flat=True):
            reached |= {by_slug[slug] for slug in lesson_addresses(body) if slug in by_slug}
        return cls(frozenset(slugs), frozenset(keys), frozenset(reached))


def linked_lessons(body: Any) -> list[int]:
    """Keys of the lessons that blocks of a body point to."""
    return [block["value"] for block in raw_blocks(body) if block["type"] == "lesson"]


def addresses(body: Any) -> list[str]:
    """Every address that the words of a body link to."""
    return [
        link for block in raw_blocks(body) if block["type"] == "text" for link in Html(block["value"]).links
    ]


def lesson_addresses(body: Any) -> list[str]:
    """Slugs of the lessons that the words of a body link to."""
    found = []
    for link in addresses(body):
        path = urlsplit(link).path
        if link.startswith("/learn/") and path.strip("/").count("/") == 1:
            found.append(path.strip("/").split("/")[1])
    return found


def dead_links(lesson: Lesson, shelf: Shelf) -> list[str]:
    """Addresses and lessons that this lesson points to and readers cannot open."""
    dead = []
    for link in addresses(lesson.body):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        slugs = lesson_addresses([{"type": "text", "value": f'<a href="{link}"></a>'}])
        if (slugs and slugs[0] not in shelf.slugs) or not is_page(parts.path):
            dead.append(link)
    missing = [key for key in linked_lessons(lesson.body) if key not in shelf.keys]
    return dead + list(Lesson.objects.filter(pk__in=missing).values_list("title", flat=True))


def is_page(path: str) -> bool:
    """Whether a path of this site leads anywhere readers may go."""
    if not path.startswith("/"):
        return False
    try:
        return bool(resolve(path).namespace == "education")
    except Resolver404:
        return False


def warnings_of(lesson: Lesson, shelf: Shelf | None = None) -> list[Warn]:
    """Everything to know before this draft is published; none for a lesson in good order."""
    return list(_warnings(lesson, shelf or Shelf.read()))


def _warnings(lesson: Lesson, shelf: Shelf) -> Iterator[Warn]:
    texts = [lesson.title, lesson.lead, *lesson.paragraphs, *lesson.key_points]
    reads_at = grade([*lesson.paragraphs, *lesson.key_points])
    if reads_at > HARDEST_GRADE:
        yield Warn(
            "grade", _("Reads at grade %(grade)d. Aim for grade 8 or lower.") % {"grade": round(reads_at)}
        )
    if certain := certain_words(texts):
        yield Warn(
            "certainty",
            _("Sounds certain: %(words)s. Say “can lead to” unless a source supports it.")
            % {"words": ", ".join(certain)},
        )
    level = 1
    for block in raw_blocks(lesson.body):
        value = block["value"]
        if block["type"] == "heading":
            if int(value["level"]) > level + 1:
                yield Warn(
                    "heading",
                    _("“%(text)s” is part of a section, but no section stands before it.")
                    % {"text": value["text"]},
                )
            level = int(value["level"])
        elif block["type"] in ("drawing", "picture") and not value["alt"] and not value["decorative"]:
            yield Warn("alt", _("A drawing or picture has no words for people who do not see it."))
    for dead in dead_links(lesson, shelf):
        yield Warn("dead-link", _("Leads nowhere: %(link)s") % {"link": dead})
    outside = [link for link in addresses(lesson.body) if urlsplit(link).netloc]
    if outside:
        yield Warn(
            "outside",
            ngettext("A link leaves this site: %(links)s", "Links leave this site: %(links)s", len(outside))
            % {"links": ", ".join(outside)},
        )
    if lesson.pk not in shelf.reached:
        yield Warn("unreachable", _("No other lesson links here."))
    if not lesson.sources.all():
        yield Warn("sources", _("No source is listed."))
    if lesson.review_is_overdue:
        yield Warn("review", _("Its review is overdue. Readers are no longer told that it was reviewed."))
