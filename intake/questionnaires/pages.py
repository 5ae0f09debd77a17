"""The pages of a questionnaire and the path that is enabled for given answers. Pure Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from intake.conditions import Answers, Value, all_or_any_hold
from intake.questionnaires.definition import Definition, Item

RESERVED: Final = frozenset(
    {
        *(
            "open",
            "code",
            "lessons",
            "reminders",
            "earlier",
            "start",
            "stay",
            "leave",
            "left",
            "advice",
            "check",
        ),
        *("sent", "status", "answers", "change", "keep", "lesson", "tablet"),
    }
)
"""Words under /intake/ that are other pages; no page of a questionnaire may be called so."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the form: a top-level group. ``slug`` is its linkId without ``page.``."""

    link_id: str
    slug: str
    title: str
    item: Item


def pages(definition: Definition) -> tuple[Page, ...]:
    """One page for each top-level item that is not hidden, in order."""
    return tuple(
        Page(item.link_id, item.link_id.removeprefix("page."), item.text, item)
        for item in definition.items
        if not item.hidden
    )


def enabled(definition: Definition, answers: Answers) -> frozenset[str]:
    """The linkIds of all enabled items: groups, questions and display texts.

    FHIR: an item is disabled when its parent is, or when its enableWhen does not hold. Answers of
    disabled questions do not count, so items are looked at in dependency order.
    """
    on: set[str] = set()
    counted: dict[str, tuple[Value, ...]] = {}
    for item, parent in definition.dependency_order:
        if parent is not None and parent not in on:
            continue
        if item.enable_when and not all_or_any_hold(item.enable_when, item.enable_behavior, counted):
            continue
        on.add(item.link_id)
        given = answers.get(item.link_id)
        if given and item.is_question:
            counted[item.link_id] = tuple(given)
    return frozenset(on)
