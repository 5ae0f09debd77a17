"""The chain map as a drawing: where each link stands beside the leg. No Django, no database.

Lengths are units of the drawing, which is `WIDTH` wide; y grows downwards. The leg itself is
`templates/education/drawings/leg.svg`, and the numbers here fit around it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parent.parent / "catalog" / "chain-map.json"
LONGEST_LABEL: Final = 13

WIDTH: Final = 360
# The leg and its lines end here; what stands lower makes the drawing longer.
LEG_BOTTOM: Final = 786
CHIP: Final = 46
# 24 CSS pixels, the smallest allowed target, where the drawing is 288 pixels wide on a phone 320 wide.
BADGE: Final = 30
GAP: Final = 2
BETWEEN_GROUPS: Final = 7

# Where links stand: up and down beside the shin, hip beside the thigh, around at the top, ground at the sole.
PLACES: Final = ("up", "down", "hip", "ground", "around")


class DrawingError(ValueError):
    """The drawing's data is not as it should be; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the leg, from hip to foot, and the nodes of the chain that belong to it."""

    id: str
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A link to draw. Marks of one place and one `group` stand together; without a label it is a number."""

    slug: str
    place: str
    group: str
    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark where it stands: a box with its top left corner at x and y."""

    mark: Mark
    x: int
    y: int
    width: int
    height: int

    @property
    def slug(self) -> str:
        return self.mark.slug

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def centre(self) -> int:
        return self.x + self.width // 2

    @property
    def glyph(self) -> int:
        """Where the arrow in front of the words stands, across."""
        return self.x + 11

    @property
    def words(self) -> int:
        """Where the words begin, across."""
        return self.x + 20

    @property
    def baseline(self) -> int:
        return self.middle + 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """All marks in the order in which they are read, and the box that holds them and the leg."""

    marks: tuple[Drawn, ...]
    top: int
    height: int

    @property
    def view_box(self) -> str:
        return f"0 {self.top} {WIDTH} {self.height}"


@dataclass(frozen=True, slots=True)
class _Column:
    x: int
    width: int
    start: int
    upwards: bool = False
    # A band across the knee that groups leave free.
    free: tuple[int, int] = (0, 0)


_COLUMNS: Final = {
    "up": _Column(x=244, width=114, start=677, upwards=True, free=(334, 373)),
    "down": _Column(x=1, width=128, start=392),
    "hip": _Column(x=6, width=118, start=145),
    "around": _Column(x=254, width=104, start=24),
}
_GROUND: Final = _Column(x=1, width=117, start=794)
# Three chips fill the row.
_BETWEEN_CHIPS: Final = 4


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return data


@cache
def labels() -> dict[str, str]:
    """`{link slug: words}`, as `catalog/chain-map.json` has them."""
    found: dict[str, str] = _data()["labels"]
    for slug, words in found.items():
        if not 0 < len(words) <= LONGEST_LABEL:
            raise DrawingError(f"{slug}: {words!r} must have 1 to {LONGEST_LABEL} characters")
    return found


@cache
def areas() -> tuple[Area, ...]:
    """The parts of the leg from hip to foot, then what belongs to all of it."""
    return tuple(Area(entry["id"], entry["name"], tuple(entry["nodes"])) for entry in _data()["areas"])


def draw(marks: Iterable[Mark], *, mirrored: bool = False) -> Drawing:
    """Places every mark; `mirrored` draws the other leg.

    However many there are, none lies on another: columns grow away from the knee and the drawing with them.
    Raises `DrawingError` for a place that is not one of `PLACES`.
    """
    groups: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        if mark.place not in PLACES:
            raise DrawingError(f"{mark.slug}: {mark.place!r} is no place on the map")
        groups.setdefault((mark.place, mark.group), []).append(mark)
    columns: dict[str, list[Drawn]] = {}
    for place, column in _COLUMNS.items():
        if mirrored:
            column = replace(column, x=WIDTH - column.x - column.width)
        columns[place] = _stack(column, [group for (where, _), group in groups.items() if where == place])
    # What stands above another column makes way for it, upwards.
    for above, below in (("hip", "down"), ("around", "up")):
        floor = min([_COLUMNS["down"].start, *(one.y for one in columns[below])]) - BETWEEN_GROUPS
        columns[above] = _lifted(columns[above], floor)
    drawn = [one for found in columns.values() for one in found]
    ground = [mark for (where, _), group in groups.items() if where == "ground" for mark in group]
    deepest = max([LEG_BOTTOM, *(one.y + one.height for one in drawn)])
    drawn += _rows(ground, max(_GROUND.start, deepest + BETWEEN_GROUPS))
    drawn.sort(key=lambda one: one.mark.number)
    top = min([0, *(one.y - GAP for one in drawn)])
    bottom = max([LEG_BOTTOM, *(one.y + one.height + GAP for one in drawn)])
    return Drawing(tuple(drawn), top, bottom - top)


def _stack(column: _Column, groups: Sequence[Sequence[Mark]]) -> list[Drawn]:
    """Groups one after the other, from the column's start away from the knee or towards it."""
    drawn: list[Drawn] = []
    edge = column.start
    for group in groups:
        boxes, height = _boxes(group, column.x, column.width)
        if column.upwards:
            y = edge - height
            above, below = column.free
            if y < below and edge > above:
                y = above - height
            edge = y - BETWEEN_GROUPS
        else:
            y = edge
            edge = y + height + BETWEEN_GROUPS
        drawn += [Drawn(box.mark, box.x, box.y + y, box.width, box.height) for box in boxes]
    return drawn


def _lifted(drawn: list[Drawn], floor: int) -> list[Drawn]:
    """The same boxes, moved up as far as it takes for all to end above `floor`."""
    by = max([0, *(one.y + one.height - floor for one in drawn)])
    return [replace(one, y=one.y - by) for one in drawn]


def _boxes(group: Sequence[Mark], x: int, width: int) -> tuple[list[Drawn], int]:
    """A group's chips, each a line of its own, then its numbers in rows; y counts from the group's top."""
    drawn: list[Drawn] = []
    y = 0
    for mark in group:
        if mark.label:
            drawn.append(Drawn(mark, x, y, width, CHIP))
            y += CHIP + GAP
    numbers = [mark for mark in group if not mark.label]
    in_a_row = (width + GAP) // (BADGE + GAP)
    for place, mark in enumerate(numbers):
        row, column = divmod(place, in_a_row)
        drawn.append(Drawn(mark, x + column * (BADGE + GAP), y + row * (BADGE + GAP), BADGE, BADGE))
    rows = -(-len(numbers) // in_a_row)
    return drawn, y + rows * (BADGE + GAP) - GAP


def _rows(marks: Sequence[Mark], top: int) -> list[Drawn]:
    """Chips and numbers side by side below the foot, in the middle, three to a row."""
    drawn: list[Drawn] = []
    for start in range(0, len(marks), 3):
        row = marks[start : start + 3]
        widths = [_GROUND.width if mark.label else BADGE for mark in row]
        x = (WIDTH - sum(widths) - (len(row) - 1) * _BETWEEN_CHIPS) // 2
        for mark, width in zip(row, widths, strict=True):
            height = CHIP if mark.label else BADGE
            drawn.append(Drawn(mark, x, top + (CHIP - height) // 2, width, height))
            x += width + _BETWEEN_CHIPS
        top += CHIP + BETWEEN_GROUPS
    return drawn
