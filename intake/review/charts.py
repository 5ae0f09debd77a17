"""Where the parts of a chart stand: pure arithmetic, no Django, no color and no words of its own.

Widths are parts of a hundred and heights are pixels, so a chart drawn once fits a phone and a desk while its
words keep their size. Every coordinate is a string with a point in it: a template that writes numbers the way
people of a country do cannot break a drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

# The plot begins here, in parts of a hundred; what is before it holds the numbers of the scale.
PLOT_FROM: Final = 12.0
# Room over the highest line for half a number, and under the floor for the words along it.
HEAD: Final = 10.0
FOOT: Final = 24.0
# Part of a column's place that it fills.
FILLED: Final = 0.74
MOST_WORDS: Final = 4


def written(number: float) -> str:
    """A coordinate: at most two decimals, a point between, no exponent."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def percent(number: float) -> str:
    return f"{written(number)}%"


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a column or of a bar. kind: which part, from 0."""

    kind: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Words beside the plot. anchor: `middle` or `end`, as SVG says it."""

    x: str
    y: str
    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Gridline:
    """A line of the scale with its number."""

    y: str
    number: Mark


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """From one dot to the next."""

    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time: its scale, its columns or its line, and the words along its floor."""

    height: str
    left: str
    lines: tuple[Gridline, ...]
    words: tuple[Mark, ...]
    boxes: tuple[Box, ...] = ()
    dots: tuple[Dot, ...] = ()
    strokes: tuple[Stroke, ...] = ()


def steps(highest: int, most: int = 4) -> tuple[int, ...]:
    """The numbers of a scale from 0 to the first one that is not below `highest`: whole and round.

    At most `most` of them beside the 0.
    """
    step = 1
    while step * most < highest:
        # 1, 2, 5, 10, 20, 50 ...
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    count = max(1, -(-highest // step))
    return tuple(step * number for number in range(count + 1))


def columns(stacks: Sequence[Sequence[int]], words: Sequence[str], *, plot: float = 150.0) -> Chart:
    """One column for each place in time, its parts on top of each other in their order, the first below."""
    scale = steps(max((sum(stack) for stack in stacks), default=0))
    place = (100.0 - PLOT_FROM) / max(1, len(stacks))
    boxes = []
    for number, stack in enumerate(stacks):
        left = PLOT_FROM + number * place + place * (1 - FILLED) / 2
        below = 0
        for kind, amount in enumerate(stack):
            below += amount
            if amount:
                boxes.append(
                    Box(
                        kind,
                        percent(left),
                        written(_height(below, scale[-1], plot)),
                        percent(place * FILLED),
                        written(plot * amount / scale[-1]),
                    )
                )
    lines = _gridlines(scale, [f"{number:,}" for number in scale], plot)
    return Chart(written(HEAD + plot + FOOT), percent(PLOT_FROM), lines, _along(words, plot), tuple(boxes))


def line(shares: Sequence[float | None], words: Sequence[str], *, plot: float = 90.0) -> Chart:
    """A share of 1 for each place in time; None leaves a gap."""
    place = (100.0 - PLOT_FROM) / max(1, len(shares))
    dots = [
        None
        if share is None
        else Dot(percent(PLOT_FROM + (number + 0.5) * place), written(_height(share, 1.0, plot)))
        for number, share in enumerate(shares)
    ]
    strokes = [
        Stroke(one.x, one.y, following.x, following.y)
        for one, following in pairwise(dots)
        if one is not None and following is not None
    ]
    return Chart(
        written(HEAD + plot + FOOT),
        percent(PLOT_FROM),
        _gridlines((0.0, 0.5, 1.0), ("0%", "50%", "100%"), plot),
        _along(words, plot),
        dots=tuple(dot for dot in dots if dot is not None),
        strokes=tuple(strokes),
    )


def bar(parts: Sequence[int], longest: int) -> tuple[Box, ...]:
    """One bar from the left, its parts side by side; `longest` would fill the width."""
    boxes = []
    before = 0
    for kind, amount in enumerate(parts):
        if amount:
            x, width = 100.0 * before / longest, 100.0 * amount / longest
            boxes.append(Box(kind, percent(x), "0", percent(width), "100%"))
        before += amount
    return tuple(boxes)


def _height(amount: float, highest: float, plot: float) -> float:
    return HEAD + plot * (1 - amount / highest)


def _gridlines(scale: Sequence[float], numbers: Sequence[str], plot: float) -> tuple[Gridline, ...]:
    found = []
    for amount, number in zip(scale, numbers, strict=True):
        y = _height(amount, scale[-1], plot)
        # Half a capital lower, so that the number stands at its line.
        found.append(Gridline(written(y), Mark(percent(PLOT_FROM - 2), written(y + 4), number, "end")))
    return tuple(found)


def _along(words: Sequence[str], plot: float) -> tuple[Mark, ...]:
    """As many of the words as fit beside each other on a phone, the first always among them."""
    place = (100.0 - PLOT_FROM) / max(1, len(words))
    every = max(1, -(-len(words) // MOST_WORDS))
    y = written(HEAD + plot + FOOT - 6)
    return tuple(
        Mark(percent(PLOT_FROM + (number + 0.5) * place), y, words[number], "middle")
        for number in range(0, len(words), every)
    )
