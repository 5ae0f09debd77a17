"""What a patient answered before an earlier visit, offered page by page to be confirmed.

Nothing of it is ever taken without a button. Pure Python.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from intake.conditions import Answers, Value
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.pages import Page, enabled
from intake.responses.answers import check, missing
from intake.responses.summary import Line, line_of

# What brings the patient this time, how it is today, and what is agreed to: no earlier form answers that.
# Questions that a rule about safety reads come on top (ADR 0031).
ABOUT_NOW: Final = ("consent.", "why.", "safety.", "pain.", "timeline.", "try.")
# A number is a measurement of its day.
NUMBERS: Final = frozenset({"integer", "decimal"})


@dataclass(frozen=True)
class Offer:
    """Earlier answers to questions of one page that the form asks again in the same words.

    lines: they, as they are read. whole: nothing else is asked on that page.
    """

    sent_at: datetime
    answers: Mapping[str, tuple[Value, ...]]
    lines: tuple[Line, ...]
    whole: bool

    @cached_property
    def mark(self) -> str:
        """Tells this offer from any other: only what was shown can be confirmed."""
        said = repr((self.sent_at.isoformat(), sorted(self.answers.items())))
        return hashlib.sha256(said.encode()).hexdigest()[:20]


def may_offer(page: Page, anew: Collection[str]) -> bool:
    """Whether the page has a question that an earlier answer may be offered for. anew: as in `offer`."""
    return any(_may_stand(item, anew) for item in page.item.walk())


def is_begun(page: Page, answers: Answers, saved_pages: Collection[str]) -> bool:
    """Whether the patient has answered any of the page this time: then nothing is offered on it."""
    return page.link_id in saved_pages or any(answers.get(item.link_id) for item in page.item.walk())


def offer(
    definition: Definition,
    page: Page,
    answers: Answers,
    *,
    before: Definition,
    said: Answers,
    sent_at: datetime,
    anew: Collection[str],
    hide: Collection[str],
) -> Offer | None:
    """What may be confirmed on a page, or None.

    answers: of this form so far. before, said: the earlier form and its answers. anew: questions that are
    never answered by an earlier form. hide: linkIds left out for comfort.
    """
    asked = [
        item
        for item in page.item.walk()
        if item.is_question and not item.read_only and not _is_left_out(definition, item, hide)
    ]
    same = {
        item.link_id: item for item in asked if _may_stand(item, anew) and _is_same(definition, before, item)
    }
    carried = {link_id: tuple(said[link_id]) for link_id in same if said.get(link_id)}
    for problem in check(definition, carried):
        carried.pop(problem.link_id, None)
    together = {**answers, **carried}
    on = enabled(definition, together)
    carried = {link_id: values for link_id, values in carried.items() if link_id in on}
    if not carried:
        return None
    together = {**answers, **carried}
    lacking = missing(definition, together, page)
    return Offer(
        sent_at,
        carried,
        tuple(line_of(definition, same[link_id], carried) for link_id in carried),
        whole=not lacking and all(item.link_id in same for item in asked if item.link_id in on),
    )


def _may_stand(item: Item, anew: Collection[str]) -> bool:
    return (
        item.is_question
        and not item.must_be_true
        and item.type not in NUMBERS
        and item.link_id not in anew
        and not item.link_id.startswith(ABOUT_NOW)
    )


def _is_same(definition: Definition, before: Definition, item: Item) -> bool:
    """Whether the earlier form asked the same: in the same words, of the same side, with the same choices."""
    then = before.get(item.link_id)
    return (
        then is not None
        and (then.type, then.options, then.repeats) == (item.type, item.options, item.repeats)
        and line_of(before, then, {}) == line_of(definition, item, {})
    )


def _is_left_out(definition: Definition, item: Item, hide: Collection[str]) -> bool:
    if item.hidden or item.link_id in hide:
        return True
    parent = definition.parent(item.link_id)
    return parent is not None and _is_left_out(definition, parent, hide)
