"""Check your answers: what the patient said, grouped by page, sides in words."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from intake.conditions import Answers, Value
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.pages import Page, enabled


@dataclass(frozen=True, slots=True)
class Line:
    """One question and what was answered; `answers` is empty where it was left out."""

    link_id: str
    question: str
    side: str
    answers: tuple[str, ...]
    needed: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one page."""

    page: Page
    lines: tuple[Line, ...]

    @property
    def rows(self) -> tuple[tuple[str, tuple[Line, ...]], ...]:
        """The lines by question: what was asked of both legs is one row with a line for each."""
        return tuple((question, tuple(lines)) for question, lines in groupby(self.lines, _question))


def _question(line: Line) -> str:
    return line.question


def summarize(
    definition: Definition,
    answers: Answers,
    path: tuple[Page, ...],
    missing: Collection[str] = frozenset(),
    *,
    hide: Collection[str] = frozenset(),
) -> tuple[Section, ...]:
    """Every enabled question of the path. hide: linkIds left out for comfort."""
    on = enabled(definition, answers)
    return tuple(
        Section(
            page,
            tuple(
                line_of(definition, item, answers, needed=item.link_id in missing)
                for item in page.item.walk()
                if item.is_question and item.link_id in on and not _left_out(definition, item, hide)
            ),
        )
        for page in path
    )


def said(definition: Definition, answers: Answers, path: tuple[Page, ...]) -> tuple[Section, ...]:
    """What was answered on the path and nothing else, as the patient keeps it."""
    found = (
        Section(section.page, tuple(line for line in section.lines if line.answers))
        for section in summarize(definition, answers, path)
    )
    return tuple(section for section in found if section.lines)


def _left_out(definition: Definition, item: Item, hide: Collection[str]) -> bool:
    if item.link_id in hide:
        return True
    parent = definition.parent(item.link_id)
    return parent is not None and _left_out(definition, parent, hide)


def line_of(definition: Definition, item: Item, answers: Answers, *, needed: bool = False) -> Line:
    """One question in the words of the form, its side apart, with what was answered."""
    parent = definition.parent(item.link_id)
    question, side = item.text, ""
    if parent is not None and parent.sided:
        question, side = parent.text, item.text
    elif parent is not None and parent.type == "group" and definition.parent(parent.link_id) is not None:
        side = item.text
        question = parent.text
    return Line(
        item.link_id,
        question,
        side,
        tuple(answer_words(item, value) for value in answers.get(item.link_id, ())),
        needed,
    )


def answer_words(item: Item, value: Value) -> str:
    """One answer in the words of the form."""
    option = item.option(value)
    if option is not None:
        return option.label
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if item.control == "radio-button" and item.max_value is not None:
        return _("%(number)s out of %(most)s") % {"number": value, "most": item.max_value}
    return str(value)
