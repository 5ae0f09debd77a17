"""The chain of one intake as a drawing: both legs from the front, marked places, an arrow for each finding.

Arrows are told apart without colour: up is a solid line, down a dashed one, what stays in place a dotted one,
and each carries the numbers of its findings. In the units of the body map; templates and the PDF draw it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import atan2, cos, pi, sin
from typing import Final

from django.utils.translation import gettext as _

from intake.responses import body
from intake.review.places import End, Whereabouts

# Wider than the body map: arrows along a leg run beside it.
LEFT: Final = -92
VIEW_BOX: Final = (LEFT, -14, 542, 552)
VIEW_BOX_TEXT: Final = " ".join(map(str, VIEW_BOX))
_MIRROR: Final = 358
# Where a part of the right leg is, and how far its outer edge is from its middle. The figure faces you.
_POINTS: Final[Mapping[str, tuple[int, int, int]]] = {
    "hip": (92, 84, 44),
    "thigh": (92, 165, 40),
    "knee": (110, 250, 40),
    "shin": (108, 350, 40),
    "ankle": (110, 444, 12),
    "foot": (110, 504, 46),
    "leg": (108, 315, 42),
}
_LANES: Final = (2, -34, -70, -100)
_HEAD: Final = 15
LABEL_HEIGHT: Final = 36


@dataclass(frozen=True, slots=True)
class Label:
    """The numbers of findings, with the middle of the box they stand in."""

    text: str
    at: tuple[float, float]

    @property
    def width(self) -> int:
        return 15 * len(self.text) + 13

    @property
    def corner(self) -> tuple[float, float]:
        return self.at[0] - self.width / 2, self.at[1] - LABEL_HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one end to the other. start, bend_one, bend_two, tip: a cubic curve. way: up, down or local."""

    way: str
    start: tuple[float, float]
    bend_one: tuple[float, float]
    bend_two: tuple[float, float]
    tip: tuple[float, float]
    head: tuple[tuple[float, float], ...]
    label: Label

    @property
    def d(self) -> str:
        bends = (self.bend_one, self.bend_two, self.tip)
        return f"M{_pair(self.start)}C{' '.join(map(_pair, bends))}"

    @property
    def points(self) -> str:
        return " ".join(map(_pair, self.head))


@dataclass(frozen=True, slots=True)
class Drawing:
    """plain, marked: the outlines of the body map as paths.

    unseen: what is marked and cannot be seen from the front, by the view that shows it: "Back: left calf".
    """

    plain: tuple[str, ...]
    marked: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    spots: tuple[Label, ...]
    unseen: str

    @property
    def view_box(self) -> str:
        return VIEW_BOX_TEXT

    @property
    def labels(self) -> tuple[Label, ...]:
        """Of the arrows, and of the findings about one place."""
        return (*(arrow.label for arrow in self.arrows), *self.spots)

    @property
    def legend(self) -> str:
        """How to read it."""
        faces = _("The figure faces you.")
        if not self.arrows and not self.spots:
            return faces
        return _("Solid: up the leg. Dashed: down. Dotted: in place. Numbers are findings.") + " " + faces

    @property
    def right_at(self) -> int:
        return 108

    @property
    def left_at(self) -> int:
        return _MIRROR - 108


def draw(
    *, left: Collection[str], right: Collection[str], findings: Iterable[tuple[int, Whereabouts]]
) -> Drawing:
    """left, right: the marked regions of each leg. findings: number and place; without a side left out."""
    front, *others = body.stills(left, right)
    courses: dict[tuple[End, End, str], list[int]] = {}
    spots: dict[End, list[int]] = {}
    for number, place in findings:
        source, target = place.source or place.target, place.target or place.source
        if source is None or target is None or not (source.side or target.side):
            continue
        source = End(source.area, source.side or target.side)
        target = End(target.area, target.side or source.side)
        if source == target:
            spots.setdefault(source, []).append(number)
        else:
            courses.setdefault((source, target, place.way), []).append(number)
    lanes = {"left": 0, "right": 0}
    arrows = []
    crossing = 0
    for (source, target, way), numbers in courses.items():
        if source.side == target.side and source.side is not None:
            lane = _LANES[min(lanes[source.side], len(_LANES) - 1)]
            lanes[source.side] += 1
            arrows.append(_beside(source, target, way, _words(numbers), lane))
        else:
            arrows.append(_across(source, target, way, _words(numbers), crossing))
            crossing += 1
    return Drawing(
        plain=tuple(shape.d for shape in body.shapes_of(front.view)),
        marked=front.marked,
        arrows=tuple(arrows),
        spots=tuple(Label(_words(numbers), _point(end)[:2]) for end, numbers in spots.items()),
        unseen=_unseen(front, others),
    )


def _unseen(front: body.Still, others: Iterable[body.Still]) -> str:
    said = set(front.names)
    views = []
    # As `stills` asks them: a mark under the foot says most on the sole.
    for still in sorted(others, key=lambda still: still.view.id in ("inner", "outer")):
        names = [name for name in still.names if name not in said]
        said.update(names)
        views.append(f"{still.view.tab}: {'; '.join(name[:1].lower() + name[1:] for name in names)}")
    return ". ".join(views)


def _words(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _pair(point: tuple[float, float]) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _point(end: End) -> tuple[float, float, float]:
    x, y, reach = _POINTS.get(end.area, _POINTS["leg"])
    return (x, y, -reach) if end.side == "right" else (_MIRROR - x, y, reach)


def _beside(source: End, target: End, way: str, numbers: str, lane: int) -> Arrow:
    """Along the outer side of one leg."""
    x1, y1, reach1 = _point(source)
    x2, y2, reach2 = _point(target)
    outer = lane if source.side == "right" else _MIRROR - lane
    start, tip = (x1 + reach1, y1), (x2 + reach2, y2)
    bend_one, bend_two = (outer, y1), (outer, y2)
    toward = 0.0 if source.side == "right" else pi
    middle = (start[0] + 6 * outer + tip[0]) / 8
    label = Label(numbers, (round(middle, 1), (y1 + y2) / 2))
    return Arrow(way, start, bend_one, bend_two, tip, _head(tip, toward), label)


def _across(source: End, target: End, way: str, numbers: str, number: int) -> Arrow:
    """From one leg to the other, a little apart from the arrow before."""
    x1, y1, _reach = _point(source)
    x2, y2, _reach = _point(target)
    shift = 18 * number
    start, tip = (x1, y1 + shift), (x2, y2 - shift)
    angle = atan2(tip[1] - start[1], tip[0] - start[0])
    third = ((tip[0] - start[0]) / 3, (tip[1] - start[1]) / 3)
    bend_one = (round(start[0] + third[0], 1), round(start[1] + third[1], 1))
    bend_two = (round(tip[0] - third[0], 1), round(tip[1] - third[1], 1))
    at = (round((start[0] + tip[0]) / 2, 1), round((start[1] + tip[1]) / 2, 1))
    return Arrow(way, start, bend_one, bend_two, tip, _head(tip, angle), Label(numbers, at))


def _head(tip: tuple[float, float], angle: float) -> tuple[tuple[float, float], ...]:
    wings = (angle + pi - 0.45, angle + pi + 0.45)
    return (
        tip,
        *((round(tip[0] + _HEAD * 1.4 * cos(a), 1), round(tip[1] + _HEAD * 1.4 * sin(a), 1)) for a in wings),
    )
