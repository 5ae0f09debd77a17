"""The body map: 25 regions of each leg in five views, as data for drawing and for words. No Django models.

Shapes and tick points are ``intake/catalog/bodymap.json`` (units of its ``viewBox``, 358 x 540); what a
region is called and which joint it belongs to is the library's ``body-regions.json``. A region's answer
code is its id, the same on both sides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from education.chain.regions import body_regions
from intake.conditions import SIDES, Side

FILE: Final = Path(__file__).resolve().parent.parent / "catalog" / "bodymap.json"
_COMMAND: Final = re.compile(r"([MLCZ])([^MLCZ]*)")
_NUMBER: Final = re.compile(r"-?\d+")
# How many points one step of each command takes.
_POINTS: Final[Mapping[str, int]] = {"M": 1, "L": 1, "C": 3}
VIEW_BOX: Final = "0 0 358 540"
_TICK: Final = 'fill="currentColor" fill-rule="evenodd" stroke="none"'

_TABS: Final[Mapping[str, Promise]] = {
    "front": _("Front"),
    "back": _("Back"),
    "inner": _("Inner"),
    "outer": _("Outer"),
    "sole": _("Soles"),
}
_SHOW: Final[Mapping[str, Promise]] = {
    "front": _("Show front"),
    "back": _("Show back"),
    "inner": _("Show inner sides"),
    "outer": _("Show outer sides"),
    "sole": _("Show soles"),
}
_CAPTIONS: Final[Mapping[str, Promise]] = {
    "inner": _("The sides that face each other"),
    "outer": _("The sides that face away"),
}
# The box that holds everything drawn in a view, for the small still pictures.
_STILL_BOXES: Final[Mapping[str, str]] = {
    "front": "30 26 298 506",
    "back": "30 26 298 506",
    "inner": "2 26 354 498",
    "outer": "2 26 354 498",
    "sole": "20 26 318 430",
}
_AREAS: Final[Mapping[str, Promise]] = {
    "hip": _("Hip"),
    "thigh": _("Thigh"),
    "knee": _("Knee"),
    "shin": _("Shin and calf"),
    "ankle": _("Ankle"),
    "foot": _("Foot"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One region of one side in one view: an SVG path and the point where its tick stands.

    key: what it is called in `sprite`, such as ``knee-front-v1-left``.
    """

    key: str
    view: View
    d: str
    tick: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One of the five drawings. ``css`` (v1 to v5) shows and hides what belongs to it."""

    id: str
    css: str
    tab: Promise
    show: Promise
    caption: Promise | None
    rest: tuple[str, ...]
    side_at: Mapping[Side, int]
    still_box: str

    @property
    def x_right(self) -> int:
        return self.side_at["right"]

    @property
    def x_left(self) -> int:
        return self.side_at["left"]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region of one side: what it is called there and its shape in every view that shows it."""

    id: str
    side: Side
    name: str
    area: str
    shapes: tuple[Shape, ...]

    @property
    def css(self) -> str:
        """The views that show it, as classes: ``v1 v4``."""
        return " ".join(shape.view.css for shape in self.shapes)


def region_name(side: Side, label: str, area: str) -> str:
    """The side first, then the joint, then the place: "Left knee, outer side".

    A label of one word needs no joint ("Left calf"); the joint is not said twice ("Inner side of knee",
    "Outer thigh").
    """
    words = label.split()
    if len(words) == 1:
        return f"{side.capitalize()} {label.lower()}"
    tail = f" of {area}"
    if tail in label:
        place = label.replace(tail, "", 1)
    elif len(words) == 2 and words[1] == area:
        place = f"{words[0]} side"
    else:
        place = label
    return f"{side.capitalize()} {area}, {place[0].lower()}{place[1:]}"


def by_steps(path: str) -> str:
    """The same SVG path with steps from point to point: a third less to send than where each point lies.

    path: absolute `M`, `L`, `C` and `Z` with whole numbers, as the drawing's file has them.
    """
    words: list[str] = []
    at = start = (0, 0)
    for letter, numbers in _COMMAND.findall(path):
        if letter == "Z":
            words.append("z")
            at = start
            continue
        values = [int(number) for number in _NUMBER.findall(numbers)]
        points = list(zip(values[::2], values[1::2], strict=True))
        for place in range(0, len(points), _POINTS[letter]):
            group = points[place : place + _POINTS[letter]]
            steps = [step for x, y in group for step in (x - at[0], y - at[1])]
            words.append(letter.lower() if words else letter)
            words.append(str(steps[0]) + "".join(f"{'' if step < 0 else ' '}{step}" for step in steps[1:]))
            at = group[-1]
        start = at if letter == "M" else start
    return "".join(words)


@cache
def views() -> tuple[View, ...]:
    """The five views, in the order of their tabs."""
    return tuple(
        View(
            id=entry["id"],
            css=f"v{number}",
            tab=_TABS[entry["id"]],
            show=_SHOW[entry["id"]],
            caption=_CAPTIONS.get(entry["id"]),
            rest=tuple(map(by_steps, entry["rest"])),
            side_at={side: entry["sides"][side] for side in SIDES},
            still_box=_STILL_BOXES[entry["id"]],
        )
        for number, entry in enumerate(_drawing()["views"], start=1)
    )


@cache
def regions(side: Side) -> tuple[Region, ...]:
    """All regions of a side, from hip to foot."""
    shapes = _drawing()["shapes"]
    return tuple(
        Region(
            id=region.id,
            side=side,
            name=region_name(side, region.label, region.area),
            area=region.area,
            shapes=tuple(
                Shape(
                    f"{region.id}-{view.css}-{side}",
                    view,
                    by_steps(drawn[view.id][side]["d"]),
                    tuple(drawn[view.id][side]["tick"]),
                )
                for view in views()
                if view.id in (drawn := shapes[region.id])
            ),
        )
        for region in body_regions()
    )


def area_title(area: str) -> Promise:
    """The heading over the regions of one area in the list."""
    return _AREAS[area]


@dataclass(frozen=True, slots=True)
class Still:
    """A view drawn small, as the marked shapes over the view's two parts of `sprite`; the marks in words."""

    view: View
    marked: tuple[str, ...]
    names: tuple[str, ...]


def stills(left: Collection[str], right: Collection[str]) -> tuple[Still, ...]:
    """The views to draw for these marks: the front always, then those that show a mark not yet shown.

    ``left`` and ``right`` are region ids; codes that are not on the drawing ("none") are passed over.
    """
    marks: Mapping[Side, Collection[str]] = {"left": left, "right": right}
    seen: set[Region] = set()
    drawn = []
    # A mark under the foot says most on the sole, so the sole is asked before the side views.
    for view in sorted(views(), key=lambda view: view.id in ("inner", "outer")):
        marked: list[str] = []
        here: list[Region] = []
        for side in SIDES:
            for region in regions(side):
                shape = next((shape for shape in region.shapes if shape.view is view), None)
                if shape is not None and region.id in marks[side]:
                    marked.append(shape.d)
                    here.append(region)
        if view.id == "front" or not seen.issuperset(here):
            seen.update(here)
            names = tuple(region.name for region in here)
            drawn.append(Still(view, tuple(marked), names))
    return tuple(sorted(drawn, key=lambda still: still.view.css))


def shapes_of(view: View) -> tuple[Shape, ...]:
    """The shape of every region that a view shows, of both sides."""
    shapes = (shape for side in SIDES for region in regions(side) for shape in region.shapes)
    return tuple(shape for shape in shapes if shape.view is view)


def tick_path(at: tuple[int, int]) -> str:
    """A disc of radius 11 with the mark cut out of it, so that what lies behind shows through the mark."""
    x, y = at
    disc = f"M{x - 11} {y}a11 11 0 1 0 22 0a11 11 0 1 0-22 0z"
    down = "m5.8 1.2l3 3a1.75 1.75 0 0 0 2.6-.1l5-6"
    back = "a1.75 1.75 0 0 0-2.7-2.2l-3.8 4.5-1.6-1.6a1.75 1.75 0 0 0-2.5 2.4z"
    return disc + down + back


def sprite() -> str:
    """All that is drawn as one SVG file, `static/svg/legs.svg`, which browsers keep.

    Each view is two parts to `use`: `front` is all its regions, `front-rest` what lies beside them. A region
    is one by itself too, by its shape's `key`. The page's colors reach it as inherited ones: `fill` and
    `stroke` of the region, `color` of its tick, which is always there and seen where that is a color.
    """
    parts = []
    for view in views():
        drawn = "".join(
            f'<g id="{shape.key}"><path d="{shape.d}"/><path {_TICK} d="{tick_path(shape.tick)}"/></g>'
            for shape in shapes_of(view)
        )
        parts += [f'<g id="{view.id}">{drawn}</g>']
        parts += [f'<path id="{view.id}-rest" d="{"".join(view.rest)}"/>'] if view.rest else []
    defs = "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{VIEW_BOX}"><defs>{defs}</defs></svg>'


def marked_names(left: Collection[str], right: Collection[str]) -> tuple[str, ...]:
    """The marked places in words, left before right, hip before foot."""
    marks: Mapping[Side, Collection[str]] = {"left": left, "right": right}
    return tuple(region.name for side in SIDES for region in regions(side) if region.id in marks[side])


@cache
def _drawing() -> Mapping[str, Any]:
    drawing: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return drawing
