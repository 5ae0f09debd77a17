"""Geometry of the charts: nothing outside of the drawing, nothing lost, no number a country could rewrite."""

import re
from dataclasses import astuple, fields, is_dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.review import charts

COORDINATE = re.compile(r"-?\d+(\.\d{1,2})?%?")
AMOUNTS = st.lists(st.tuples(*[st.integers(0, 3000)] * 3), max_size=60)
SHARES = st.lists(st.none() | st.floats(0, 1), max_size=60)


def number(text: str) -> float:
    return float(text.removesuffix("%"))


def coordinates(part):
    """Every coordinate of a chart, however deep."""
    if isinstance(part, tuple):
        for one in part:
            yield from coordinates(one)
    elif is_dataclass(part):
        for field in fields(part):
            if field.name not in ("words", "anchor", "kind") or isinstance(getattr(part, field.name), tuple):
                yield from coordinates(getattr(part, field.name))
    else:
        yield part


@pytest.mark.parametrize(
    ("highest", "scale"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (4, (0, 1, 2, 3, 4)),
        (5, (0, 2, 4, 6)),
        (9, (0, 5, 10)),
        (37, (0, 10, 20, 30, 40)),
        (41, (0, 20, 40, 60)),
        (1001, (0, 500, 1000, 1500)),
    ],
)
def test_a_scale_is_whole_and_round(highest, scale):
    assert charts.steps(highest) == scale


@given(st.integers(0, 10**7))
def test_a_scale_reaches_what_it_shows_and_has_few_lines(highest):
    scale = charts.steps(highest)
    assert scale[0] == 0
    assert scale[-1] >= highest
    assert 2 <= len(scale) <= 5


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12.0, "12"), (12.5, "12.5"), (33.333333, "33.33"), (1e-9, "0"), (120000.0, "120000")],
)
def test_a_coordinate_is_written_one_way(value, text):
    assert charts.written(value) == text


@given(AMOUNTS)
def test_columns_stay_inside_and_stand_on_each_other(stacks):
    chart = charts.columns(stacks, [f"week {week}" for week in range(len(stacks))])
    assert all(COORDINATE.fullmatch(text) for text in coordinates(chart)), astuple(chart)
    assert len(chart.boxes) == sum(bool(amount) for stack in stacks for amount in stack)
    floor = number(chart.lines[0].y)
    foot = dict.fromkeys({box.x for box in chart.boxes}, floor)
    for box in chart.boxes:
        assert charts.PLOT_FROM <= number(box.x) <= number(box.x) + number(box.width) <= 100
        assert number(box.y) >= charts.HEAD - 0.01
        assert number(box.y) + number(box.height) == pytest.approx(foot[box.x], abs=0.03)
        foot[box.x] = number(box.y)


@given(SHARES)
def test_a_line_has_a_gap_where_there_is_no_share(shares):
    chart = charts.line(shares, [f"week {week}" for week in range(len(shares))])
    assert all(COORDINATE.fullmatch(text) for text in coordinates(chart))
    assert len(chart.dots) == sum(share is not None for share in shares)
    pairs = pairwise(shares)
    assert len(chart.strokes) == sum(one is not None and other is not None for one, other in pairs)
    low, high = number(chart.lines[0].y), number(chart.lines[-1].y)
    assert all(high <= number(dot.y) <= low for dot in chart.dots)


@pytest.mark.parametrize("count", [0, 1, 4, 12, 52])
def test_no_more_words_than_fit_on_a_phone(count):
    words = [f"Sep {week}" for week in range(count)]
    marks = charts.columns([(1,)] * count, words).words
    assert [mark.words for mark in marks][:1] == words[:1]
    assert len(marks) <= charts.MOST_WORDS
    assert all(charts.PLOT_FROM <= number(mark.x) <= 100 for mark in marks)


def test_a_bar_says_its_parts_side_by_side():
    assert charts.bar((3, 0, 1), 8) == (
        charts.Box(0, "0%", "0", "37.5%", "100%"),
        charts.Box(2, "37.5%", "0", "12.5%", "100%"),
    )
    assert charts.bar((0, 0), 8) == ()
    assert charts.bar((0,), 0) == ()
