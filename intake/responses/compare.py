"""What differs between two sets of answers to one form. Pure Python."""

from __future__ import annotations

from dataclasses import dataclass

from intake.conditions import Answers
from intake.questionnaires.definition import Definition
from intake.responses.summary import line_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One question whose answer is another one now, in the words of the form.

    side: as `Line.side`. before, after: empty where there was no answer, or where it is not asked any more.
    """

    link_id: str
    question: str
    side: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def compare(definition: Definition, before: Answers, after: Answers) -> tuple[Difference, ...]:
    """The questions that were answered differently, in the order of the form, and no others.

    Both hold what counts, so prune a draft first. The order in which boxes were ticked is no difference.
    """
    return tuple(
        Difference(
            item.link_id,
            line.question,
            line.side,
            line.answers,
            line_of(definition, item, after).answers,
        )
        for item in definition.questions()
        if set(before.get(item.link_id, ())) != set(after.get(item.link_id, ()))
        for line in (line_of(definition, item, before),)
    )
