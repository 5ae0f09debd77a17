"""Which lessons to offer after a form is sent, and the patient's own answer that is the reason.

The rules for this are the ``suggestion`` block of the lessons catalog: from answers alone, without any
finding; lowest priority number first; at most four; filled up to two with the default lessons; none while
an emergency or same-day flag is raised. Pure Python, no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from intake.conditions import (
    SIDES,
    Answers,
    ConditionError,
    Group,
    Side,
    group_holds,
    on_side,
    parse_group,
)

AT_MOST: Final = 4
AT_LEAST: Final = 2


class SuggestError(ValueError):
    """A lesson whose suggestion cannot be read; the message names the lesson."""


@dataclass(frozen=True, slots=True)
class SuggestWhen:
    """Groups that must all hold; with scope ``side`` tried for the left and for the right."""

    by_side: tuple[tuple[Side | None, tuple[Group, ...]], ...]

    def sides(self, answers: Answers) -> tuple[Side | None, ...]:
        """The sides on which it holds; ``(None,)`` when it holds for the person."""
        return tuple(
            side for side, groups in self.by_side if all(group_holds(group, answers) for group in groups)
        )


@dataclass(frozen=True, slots=True)
class Suggestable:
    """What is known of a lesson here: when to suggest it and why. ``when`` None: no condition."""

    slug: str
    default: bool
    priority: int
    when: SuggestWhen | None
    because: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A lesson to offer, with the sentence that says why to the patient."""

    slug: str
    because: str


def suggest(lessons: Iterable[Suggestable], answers: Answers, *, urgent: bool) -> list[Suggestion]:
    """The lessons for these pruned answers, best first.

    ``urgent`` says whether an emergency or same-day flag is raised (``Screening.is_urgent``): then the
    list is empty, because a lesson must not stand beside "call now".
    """
    if urgent:
        return []
    chosen: dict[str, Suggestion] = {}
    ordered = sorted(lessons, key=lambda lesson: (lesson.priority, lesson.slug))
    for lesson in ordered:
        if lesson.default or len(chosen) == AT_MOST:
            continue
        sides = lesson.when.sides(answers) if lesson.when else (None,)
        if sides:
            chosen.setdefault(lesson.slug, Suggestion(lesson.slug, _because(lesson.because, sides)))
    for lesson in ordered:
        if lesson.default and len(chosen) < AT_LEAST:
            chosen.setdefault(lesson.slug, Suggestion(lesson.slug, _because(lesson.because, (None,))))
    return list(chosen.values())


def parse_suggestable(data: object) -> Suggestable:
    """Read ``{"slug", "default", "priority", "suggestWhen", "because"}``; other fields are not looked at.

    Raises SuggestError for any other shape.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("slug"), str):
        raise SuggestError("a lesson must be an object with a slug")
    slug = data["slug"]
    default, priority, because = data.get("default", False), data.get("priority"), data.get("because", "")
    if not isinstance(default, bool):
        raise SuggestError(f"{slug}: default must be true or false")
    if isinstance(priority, bool) or not isinstance(priority, int):
        raise SuggestError(f"{slug}: priority must be a whole number")
    if not isinstance(because, str):
        raise SuggestError(f"{slug}: because must be text")
    return Suggestable(slug, default, priority, _parse_when(slug, data.get("suggestWhen")), because)


def _parse_when(slug: str, data: object) -> SuggestWhen | None:
    if data is None:
        return None
    if not isinstance(data, Mapping) or set(data) - {"scope", "requires"}:
        raise SuggestError(f"{slug}: suggestWhen must be an object with scope and requires")
    requires = data.get("requires")
    if data.get("scope") not in ("side", "person") or not isinstance(requires, list) or not requires:
        raise SuggestError(f"{slug}: suggestWhen needs a scope, 'side' or 'person', and a list requires")
    try:
        groups = tuple(parse_group(entry) for entry in requires)
    except ConditionError as error:
        raise SuggestError(f"{slug}: suggestWhen: {error}") from None
    sides: tuple[Side | None, ...] = SIDES if data["scope"] == "side" else (None,)
    return SuggestWhen(tuple((side, tuple(on_side(g, side) for g in groups)) for side in sides))


def _because(text: str, sides: tuple[Side | None, ...]) -> str:
    named = [side for side in sides if side is not None]
    if not named:
        return text
    there = " and ".join(named)
    opposite = " and ".join(side for side in SIDES if len(named) == 2 or side not in named)
    return text.replace("{side}", there).replace("{other}", opposite)
