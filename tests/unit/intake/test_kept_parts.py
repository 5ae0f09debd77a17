"""`{% kept %}` draws a part once for the same values, and puts a form's token in anew."""

from dataclasses import dataclass

import pytest
from django.template import Context, Template

from intake.patients.models import Patient
from intake.templatetags.kept import PARTS, KeptParts

LOAD = "{% load kept %}"


@dataclass(frozen=True)
class Card:
    title: str


class Counting:
    """Says how often it was drawn."""

    def __init__(self) -> None:
        self.times = 0

    def __str__(self) -> str:
        self.times += 1
        return f"drawing {self.times}"


@pytest.fixture(autouse=True)
def _nothing_kept():
    PARTS.clear()


def test_it_is_drawn_once_for_the_same_values():
    template = Template(LOAD + "{% kept card day %}{{ card.title }} {{ count }}{% endkept %}")
    count = Counting()

    def draw(title: str, day: int) -> str:
        return template.render(Context({"card": Card(title), "day": day, "count": count}))

    assert draw("a", 1) == draw("a", 1) == "a drawing 1"
    assert draw("b", 1) == "b drawing 2"
    assert draw("a", 2) == "a drawing 3"


def test_two_parts_with_the_same_values_stay_apart():
    template = Template(LOAD + "{% kept x %}one {% endkept %}{% kept x %}two{% endkept %}")
    assert [template.render(Context({"x": 1})) for _ in range(2)] == ["one two"] * 2


def test_what_is_kept_was_escaped_when_it_was_drawn():
    template = Template(LOAD + "{% kept words %}{{ words }}{% endkept %}")
    assert template.render(Context({"words": "<b>"})) == "&lt;b&gt;"
    assert template.render(Context({"words": "<b>"})) == "&lt;b&gt;"


def test_every_page_has_its_own_token_also_in_a_part_within_a_part():
    inner = "{% kept x %}{% csrf_token %}{% endkept %}"
    template = Template(LOAD + "{% kept x %}{% csrf_token %}" + inner + "{% endkept %}")
    for token in ("first", "second"):
        drawn = template.render(Context({"x": 1, "csrf_token": token}))
        assert drawn.count(f'value="{token}"') == 2
        assert drawn.count("value=") == 2


def test_a_row_of_the_database_is_no_value():
    template = Template(LOAD + "{% kept patient %}{{ patient }}{% endkept %}")
    with pytest.raises(TypeError, match="a row"):
        template.render(Context({"patient": Patient(given_name="Ana")}))


def test_what_was_used_longest_ago_makes_room():
    parts = KeptParts(most=10)
    parts.keep("a", ("12345",))
    parts.keep("b", ("12345",))
    assert parts.find("a") == ("12345",)
    parts.keep("c", ("123",))
    assert parts.find("b") is None
    assert (parts.find("a"), parts.find("c"), parts.characters) == (("12345",), ("123",), 8)
    parts.keep("d", ("more than there is room for",))
    assert parts.characters == 0
