"""What an editor should know before a lesson is published. A warning never stops anybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from education.editor.words import HARDEST_GRADE, certain_words, grade
from education.lessons.blocks import addresses, raw_blocks
from education.lessons.models import Lesson

# What the names of addresses that readers may open begin with.
ROOMS: Final = ("education", "evaluation")


@dataclass(frozen=True, slots=True)
class Warn:
    """One warning; `code` says of which kind it is: grade, alt, heading, dead-link, ..."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Readable:
    """Live lessons, read once for many: their slugs, their keys, and the keys that another leads to."""

    slugs: frozenset[str]
    keys: frozenset[int]
    reached: frozenset[int]

    @classmethod
    def read(cls) -> "Readable":
        """Of all live lessons, in two queries."""
        lessons = list(Lesson.objects.live().values_list("pk", "slug", "body"))
        by_slug = {slug: key for key, slug, _body in lessons}
        related = Lesson.related.through.objects.filter(from_lesson__live=True)
        reached = set(related.values_list("to_lesson", flat=True))
        for key, _slug, body in lessons:
            reached |= {target for target in linked_lessons(body) if target != key}
            reached |= {by_slug[slug] for link in addresses(body) if (slug := lesson_slug(link)) in by_slug}
        return cls(frozenset(by_slug), frozenset(by_slug.values()), frozenset(reached))


def linked_lessons(body: Any) -> list[int]:
    """Keys of the lessons that blocks of a body point to."""
    return [block["value"] for block in raw_blocks(body) if block["type"] == "lesson"]


def lesson_slug(link: str) -> str | None:
    """The slug of the lesson that an address leads to; None for any other address."""
    room, _slash, slug = urlsplit(link).path.strip("/").partition("/")
    return slug if link.startswith("/learn/") and room == "learn" and slug and "/" not in slug else None


def dead_links(lesson: Lesson, readable: Readable) -> list[str]:
    """Addresses and lessons that this lesson points to and readers cannot open."""
    dead = []
    for link in addresses(lesson.body):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        slug = lesson_slug(link)
        if (slug is not None and slug not in readable.slugs) or not is_page(parts.path):
            dead.append(link)
    missing = [key for key in linked_lessons(lesson.body) if key not in readable.keys]
    return dead + list(Lesson.objects.filter(pk__in=missing).values_list("title", flat=True))


def is_page(path: str) -> bool:
    """Whether a path of this site leads anywhere readers may go."""
    if not path.startswith("/"):
        return False
    try:
        return resolve(path).namespace in ROOMS
    except Resolver404:
        return False


def warnings_of(lesson: Lesson) -> list[Warn]:
    """Everything to know before this draft is published; none for a lesson in good order."""
    return list(_warnings(lesson, Readable.read()))


def _warnings(lesson: Lesson, readable: Readable) -> Iterator[Warn]:
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
            # A draft may have none yet; it is drawn as a section.
            here = int(value["level"] or 2)
            if here > level + 1:
                yield Warn(
                    "heading",
                    _("“%(text)s” is part of a section, but no section stands before it.")
                    % {"text": value["text"]},
                )
            level = here
        elif block["type"] in ("drawing", "picture") and not value["alt"] and not value["decorative"]:
            yield Warn("alt", _("A drawing or picture has no words for people who do not see it."))
    for dead in dead_links(lesson, readable):
        yield Warn("dead-link", _("Leads nowhere: %(link)s") % {"link": dead})
    outside = [link for link in addresses(lesson.body) if urlsplit(link).netloc]
    if outside:
        yield Warn(
            "outside",
            ngettext("A link leaves this site: %(links)s", "Links leave this site: %(links)s", len(outside))
            % {"links": ", ".join(outside)},
        )
    if lesson.pk not in readable.reached:
        yield Warn("unreachable", _("No other lesson links here."))
    if not lesson.sources.all():
        yield Warn("sources", _("No source is listed."))
    if lesson.review_is_overdue:
        yield Warn("review", _("Its review is overdue. Readers are no longer told that it was reviewed."))
