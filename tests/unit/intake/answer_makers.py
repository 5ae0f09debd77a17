"""Random answer sets for a questionnaire, as plain JSON values, valid or nearly blank or dense."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from intake.questionnaires.definition import Definition, Item


def random_answers(definition: Definition, random: Random) -> dict[str, Any]:
    """Answers that pass every check, of questions that may well turn out to be disabled.

    How many questions are answered varies from almost none to all, because rules live at both ends.
    """
    share = random.choice([0.05, 0.2, 0.5, 0.8, 1.0])
    items = [item for item in definition.questions() if random.random() < share]
    random.shuffle(items)
    return {item.link_id: _answer(item, random) for item in items}


def answer_sets(definition: Definition) -> st.SearchStrategy[dict[str, Any]]:
    """The same for Hypothesis, which can then report and shrink by seed."""
    return st.integers(0, 2**32).map(lambda seed: random_answers(definition, Random(seed)))


def _answer(item: Item, random: Random) -> Any:
    if item.options:
        alone = [option.value for option in item.options if option.exclusive]
        others = [option.value for option in item.options if not option.exclusive]
        if alone and random.random() < 0.15:
            return random.choice([alone[:1], alone[0]])
        if not item.repeats:
            value = random.choice(others)
            return random.choice([value, [value]])
        return random.sample(others, random.randint(1, min(len(others), random.choice([1, 3, 30]))))
    if item.type == "boolean":
        return random.random() < 0.7
    if item.type == "integer":
        low, high = item.min_value or 0, item.max_value or 100
        assert isinstance(low, int)
        assert isinstance(high, int)
        return random.choice([low, high, random.randint(low, high), random.randint(low, min(high, 20))])
    return random.choice(["x", "Climb stairs", "\N{RUNNER} <b>run</b>"])


def swapped(answers: dict[str, Any]) -> dict[str, Any]:
    """The same patient in a mirror."""
    return {_swap(link_id): value for link_id, value in answers.items()}


def _swap(link_id: str) -> str:
    if link_id.endswith(".left"):
        return link_id.removesuffix("left") + "right"
    return link_id.removesuffix("right") + "left" if link_id.endswith(".right") else link_id
