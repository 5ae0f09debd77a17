"""The chain map's geometry: nothing lies on anything else, however many links there are."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from education.chain.drawing import (
    BADGE,
    CHIP,
    LEG_BOTTOM,
    PLACES,
    WIDTH,
    Drawing,
    DrawingError,
    Drawn,
    Mark,
    areas,
    draw,
    labels,
)


def mark(number: int, place: str = "up", group: str = "one", label: str = "") -> Mark:
    return Mark(f"link-{number}", place, group, number, label)


def overlap(one: Drawn, two: Drawn) -> bool:
    return (
        one.x < two.x + two.width
        and two.x < one.x + one.width
        and one.y < two.y + two.height
        and two.y < one.y + one.height
    )


def inside(drawing: Drawing, one: Drawn) -> bool:
    bottom = drawing.top + drawing.height
    return one.x >= 0 and one.x + one.width <= WIDTH and drawing.top <= one.y and one.y + one.height <= bottom


@st.composite
def marks(draw: st.DrawFn) -> list[Mark]:
    kinds = draw(
        st.lists(
            st.tuples(st.sampled_from(PLACES), st.sampled_from("abcdef"), st.sampled_from(["", "Flat arch"])),
            max_size=40,
        )
    )
    return [mark(number, *kind) for number, kind in enumerate(kinds, start=1)]


@given(marks(), st.booleans())
def test_no_two_links_lie_on_each_other_and_all_are_in_the_picture(some: list[Mark], mirrored: bool) -> None:
    drawing = draw(some, mirrored=mirrored)
    assert [one.mark for one in drawing.marks] == some
    assert all(inside(drawing, one) for one in drawing.marks)
    assert not any(overlap(one, two) for one, two in combinations(drawing.marks, 2))
    assert drawing.top + drawing.height >= LEG_BOTTOM


def test_words_are_a_wide_box_and_a_number_a_small_one() -> None:
    words, number = draw([mark(1, label="Flat arch"), mark(2)]).marks
    assert (words.width, words.height) == (114, CHIP)
    assert (number.width, number.height) == (BADGE, BADGE)
    assert number.y > words.y
    assert number.x == words.x


def test_up_grows_from_the_ground_and_down_from_the_knee() -> None:
    first, second, third, fourth = draw(
        [
            mark(1, "up", "a", "Rolls in"),
            mark(2, "up", "b", "Flat arch"),
            mark(3, "down", "c", "Weight shift"),
            mark(4, "down", "d", "Weak thigh"),
        ]
    ).marks
    assert second.y < first.y
    assert third.y < fourth.y
    assert third.x < WIDTH // 2 < first.x


def test_the_other_leg_is_the_mirror_image_but_numbers_still_count_from_left_to_right() -> None:
    some = [mark(1, "down", "a", "Weight shift"), mark(2, "down", "a"), mark(3, "down", "a")]
    left, right = draw(some), draw(some, mirrored=True)
    assert left.marks[0].x + left.marks[0].width == WIDTH - right.marks[0].x
    assert [one.y for one in left.marks] == [one.y for one in right.marks]
    assert left.marks[1].x < left.marks[2].x
    assert right.marks[1].x < right.marks[2].x


def test_an_unknown_place_is_named() -> None:
    with pytest.raises(DrawingError, match="link-1: 'elbow'"):
        draw([mark(1, "elbow")])


def test_words_on_the_map_are_short_and_each_node_has_one_area() -> None:
    assert len(set(labels().values())) == len(labels())
    nodes = [node for area in areas() for node in area.nodes]
    assert len(set(nodes)) == len(nodes)
    assert [area.name for area in areas()][:3] == ["Hip", "Thigh", "Knee"]
