"""Lessons offered after the form, by the suggestion rules of the lessons catalog."""

from __future__ import annotations

from typing import Any

import pytest

from intake.conditions import Answers
from intake.screening.suggest import Suggestable, SuggestError, Suggestion, parse_suggestable, suggest


def lesson(slug: str, priority: int, answer: str | None = None, **more: Any) -> Suggestable:
    """A lesson offered when `p.{side}` has this answer."""
    condition = {"question": "p.{side}", "operator": "=", "answer": answer}
    when = {"scope": "side", "requires": [{"when": [condition]}]} if answer else None
    entry = {"slug": slug, "priority": priority, "suggestWhen": when, "because": f"Because {slug}."}
    return parse_suggestable({**entry, **more})


DEFAULTS = [lesson("second", 2, default=True), lesson("first", 1, default=True)]
BUSY = [lesson(slug, number, "x") for number, slug in enumerate("fedcba")]


def slugs(lessons: list[Suggestable], answers: Answers, *, urgent: bool = False) -> list[str]:
    return [suggestion.slug for suggestion in suggest(lessons, answers, urgent=urgent)]


def test_defaults_fill_up_to_two_in_their_order() -> None:
    assert slugs(DEFAULTS, {}) == ["first", "second"]
    assert slugs([*DEFAULTS, lesson("own", 9, "x")], {"p.left": ["x"]}) == ["own", "first"]
    two = [*DEFAULTS, lesson("own", 9, "x"), lesson("more", 8, "x")]
    assert slugs(two, {"p.left": ["x"]}) == ["more", "own"]


def test_at_most_four_with_the_lowest_number_first() -> None:
    assert slugs([*DEFAULTS, *BUSY], {"p.right": ["x"]}) == ["f", "e", "d", "c"]


def test_nothing_stands_beside_an_urgent_flag() -> None:
    assert slugs([*DEFAULTS, *BUSY], {"p.right": ["x"]}, urgent=True) == []


def test_each_lesson_once() -> None:
    twice = [lesson("own", 3, "x"), lesson("own", 4, "x"), *DEFAULTS]
    assert slugs(twice, {"p.left": ["x"]}) == ["own", "first"]


@pytest.mark.parametrize(
    ("answers", "because"),
    [
        ({"p.left": ["x"]}, "Your left knee, not your right."),
        ({"p.right": ["x"]}, "Your right knee, not your left."),
        ({"p.left": ["x"], "p.right": ["x"]}, "Your left and right knee, not your left and right."),
    ],
)
def test_because_names_the_side_or_both_once(answers: Answers, because: str) -> None:
    one = lesson("own", 1, "x", because="Your {side} knee, not your {other}.")
    assert suggest([one, *DEFAULTS], answers, urgent=False)[0] == Suggestion("own", because)


def test_a_lesson_about_the_person_is_tried_once() -> None:
    requires = [{"when": [{"question": "goal", "operator": "=", "answer": "run"}]}]
    one = lesson("own", 1, suggestWhen={"scope": "person", "requires": requires})
    assert suggest([one], {"goal": ["run"]}, urgent=False) == [Suggestion("own", "Because own.")]
    assert suggest([one], {}, urgent=False) == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "must be an object with a slug"),
        ({"slug": "s"}, "priority"),
        ({"slug": "s", "priority": True}, "priority"),
        ({"slug": "s", "priority": 1, "default": "yes"}, "default"),
        ({"slug": "s", "priority": 1, "because": 1}, "because"),
        ({"slug": "s", "priority": 1, "suggestWhen": []}, "suggestWhen must be an object"),
        ({"slug": "s", "priority": 1, "suggestWhen": {"scope": "leg", "requires": [1]}}, "needs a scope"),
        ({"slug": "s", "priority": 1, "suggestWhen": {"scope": "side", "requires": []}}, "needs a scope"),
        (
            {"slug": "s", "priority": 1, "suggestWhen": {"scope": "side", "requires": [{"when": []}]}},
            "s: suggestWhen: a group needs at least one condition",
        ),
    ],
)
def test_what_cannot_be_read_is_named(entry: object, message: str) -> None:
    with pytest.raises(SuggestError, match=message):
        parse_suggestable(entry)
