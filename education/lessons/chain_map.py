"""The chain map: every link a lesson teaches, drawn and in words, and what leads in and out of a part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from education.chain.drawing import Area, Drawing, Drawn, Mark, areas, draw, labels
from education.chain.models import ChainLink, ChainNode
from education.lessons.models import Lesson

SIDES: Final = ("left", "right")

# In the words the lessons use for the same grades.
HOW_SURE: Final[dict[str, Promise]] = {
    ChainLink.Evidence.STRONG: _("well shown"),
    ChainLink.Evidence.MODERATE: _("fairly well shown"),
    ChainLink.Evidence.LIMITED: _("only a few studies"),
    ChainLink.Evidence.CONFLICTING: _("studies disagree"),
    ChainLink.Evidence.EXPERT: _("reasoning, no direct study"),
}

_ROW: Final = {
    "slug": "slug",
    "start": "from_node__slug",
    "start_name": "from_node__name",
    "end": "to_node__slug",
    "end_name": "to_node__name",
    "direction": "direction",
    "laterality": "laterality",
    "mechanism": "mechanism",
    "grade": "evidence_grade",
    "note": "evidence_note",
    "lesson": "lesson__slug",
    "lesson_title": "lesson__title",
    "part": "lesson__part",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain with the live lesson that explains it; the columns are those of `_ROW`."""

    slug: str
    start: str
    start_name: str
    end: str
    end_name: str
    direction: str
    laterality: str
    mechanism: str
    grade: str
    note: str
    lesson: str
    lesson_title: str
    part: str

    def get_absolute_url(self) -> str:
        """Where the lesson speaks of this link."""
        return f"{reverse('education:lesson', kwargs={'slug': self.lesson})}#{self.slug}"

    @property
    def label(self) -> str:
        """Two words for the drawing; empty where the catalog has none."""
        return labels().get(self.slug, "")

    @property
    def place(self) -> str:
        """Where it stands on the map, one of `drawing.PLACES`: what helps and what adds to it stand apart."""
        if self.direction in (ChainLink.Direction.START, ChainLink.Direction.MODIFIER):
            return "around"
        if self.part in (Lesson.Part.HELP, Lesson.Part.VISIT):
            return "hip" if self.direction == ChainLink.Direction.DOWN else "ground"
        if self.direction == ChainLink.Direction.LOCAL:
            return "down" if self.part == Lesson.Part.DOWN else "up"
        return self.direction

    @property
    def way(self) -> str | Promise:
        """Which way it goes, in words: `foot to knee`."""
        if self.place == "hip":
            return _("hip to knee")
        return ChainLink.Direction(self.direction).label

    @property
    def how_sure(self) -> Promise:
        """How well studies support it, in plain words."""
        return HOW_SURE[self.grade]

    @property
    def crosses(self) -> bool:
        """Whether it ends in the other leg."""
        return self.laterality == ChainLink.Laterality.OPPOSITE


@dataclass(frozen=True, slots=True)
class Numbered:
    """A step with its number on the map and in the list beside it."""

    number: int
    step: Step
    drawn: Drawn


@dataclass(frozen=True, slots=True)
class ChainMap:
    """The map of one leg: `side` and `other` are left and right.

    The four lists are its links in words; `numbered` holds them all, in the order of the drawing.
    """

    side: str
    drawing: Drawing
    numbered: tuple[Numbered, ...]

    @property
    def other(self) -> str:
        return SIDES[1 - SIDES.index(self.side)]

    def _at(self, *places: str) -> tuple[Numbered, ...]:
        return tuple(one for one in self.numbered if one.step.place in places)

    @property
    def up(self) -> tuple[Numbered, ...]:
        return self._at("up")

    @property
    def down(self) -> tuple[Numbered, ...]:
        return self._at("down")

    @property
    def helps(self) -> tuple[Numbered, ...]:
        return self._at("hip", "ground")

    @property
    def around(self) -> tuple[Numbered, ...]:
        return self._at("around")

    @property
    def parts(self) -> tuple[tuple[Area, tuple[tuple[str, str], ...]], ...]:
        """Each area with the slug and name of its nodes that a link touches."""
        names: dict[str, str] = {}
        for one in self.numbered:
            names[one.step.start], names[one.step.end] = one.step.start_name, one.step.end_name
        found = [
            (area, tuple((slug, names[slug]) for slug in area.nodes if slug in names)) for area in areas()
        ]
        return tuple((area, nodes) for area, nodes in found if nodes)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the chain, a node or a whole area, with what leads into it and out of it.

    `within` are links between two nodes of the same area. `nodes` are the area's own parts, slug and name;
    `area` is where a node belongs. `lessons` are slug and title of what explains the links, each once.
    """

    slug: str
    name: str
    into: tuple[Step, ...]
    out_of: tuple[Step, ...]
    within: tuple[Step, ...]
    nodes: tuple[tuple[str, str], ...]
    area: Area | None

    @property
    def lessons(self) -> tuple[tuple[str, str], ...]:
        steps = (*self.into, *self.within, *self.out_of)
        return tuple(dict.fromkeys((step.lesson, step.lesson_title) for step in steps))


def _taught() -> QuerySet[ChainLink]:
    return ChainLink.objects.filter(lesson__live=True).order_by("lesson__order", "number", "slug")


def steps() -> tuple[Step, ...]:
    """Every link that a live lesson explains, by the reading order of the lessons, in one query."""
    return tuple(Step(*row) for row in _taught().values_list(*_ROW.values()))


def chain_map(side: str) -> ChainMap:
    """The map of the left or the right leg, in one query. Raises `ValueError` for any other side."""
    if side not in SIDES:
        raise ValueError(f"{side!r} is neither left nor right")
    # From the ground up, then down from the knee, then what stands apart; words before numbers.
    in_order: list[Step] = []
    found = steps()
    for places in (("up",), ("down",), ("hip",), ("ground",), ("around",)):
        here = [step for step in found if step.place in places]
        for lesson in dict.fromkeys(step.lesson for step in here):
            of_lesson = [step for step in here if step.lesson == lesson]
            in_order += sorted(of_lesson, key=lambda step: not step.label)
    marks = [
        Mark(step.slug, step.place, step.lesson, number, step.label)
        for number, step in enumerate(in_order, start=1)
    ]
    drawing = draw(marks, mirrored=side == "right")
    return ChainMap(
        side,
        drawing,
        tuple(
            Numbered(drawn.mark.number, step, drawn)
            for step, drawn in zip(in_order, drawing.marks, strict=True)
        ),
    )


def part(slug: str) -> Part:
    """A node or an area by its slug, in one query. Raises `ChainNode.DoesNotExist` for neither."""
    area = next((area for area in areas() if area.id == slug), None)
    home = area or next((area for area in areas() if slug in area.nodes), None)
    wanted = Q(slug=slug) | Q(slug__in=area.nodes if area else [])
    rows = list(
        ChainNode.objects.filter(wanted)
        .annotate(into=_steps_of(to_node=OuterRef("pk")), out_of=_steps_of(from_node=OuterRef("pk")))
        .values_list("slug", "name", "into", "out_of")
    )
    if not rows:
        raise ChainNode.DoesNotExist(slug)
    names = {name: words for name, words, _into, _out in rows}
    into = [Step(**entry) for _slug, _name, entries, _out in rows for entry in entries]
    out_of = [Step(**entry) for _slug, _name, _into, entries in rows for entry in entries]
    inside = set(names)
    return Part(
        slug=slug,
        name=area.name if area else names[slug],
        into=tuple(step for step in into if step.start not in inside),
        out_of=tuple(step for step in out_of if step.end not in inside),
        within=tuple(step for step in out_of if step.end in inside),
        nodes=tuple((name, names[name]) for name in area.nodes if name in names) if area else (),
        area=None if area else home,
    )


def taught_by_lesson() -> ArraySubquery:
    """For a query of lessons: the links each of them teaches, as entries for `in_flow`."""
    return _steps_of(lessons=OuterRef("pk"))


def in_flow(entries: Iterable[dict[str, str]]) -> tuple[Step, ...]:
    """Steps in the order in which trouble travels: one that ends where another starts comes before it.

    Otherwise their order is kept, also where steps go in a circle.
    """
    left = [Step(**entry) for entry in entries]
    ordered: list[Step] = []
    while left:
        last = ordered[-1].end if ordered else None
        ends = {step.end for step in left}
        on = next((step for step in left if step.start == last), None)
        ordered.append(on or next((step for step in left if step.start not in ends), left[0]))
        left.remove(ordered[-1])
    return tuple(ordered)


def _steps_of(**condition: Any) -> ArraySubquery:
    return ArraySubquery(_taught().filter(**condition).values(entry=JSONObject(**_ROW)))
