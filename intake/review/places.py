"""Both ends of a finding in words: "left heel, from right knee", and which way it travels.

The ends come from the rule's links: where the first starts, and where the ways end. What an end is called at
the desk, and which part of the leg it belongs to, is fixed here for the shipped parts of the chain; a part
that editors add is called by its own name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain as the library keeps it: slugs and names of its ends, and its direction."""

    start: str
    end: str
    direction: str
    start_name: str = ""
    end_name: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """word: said with a side. area: hip, thigh, knee, shin, ankle, foot or leg; None has no side."""

    word: Promise
    area: str | None
    mechanism: bool = False


_PLACES: Final[Mapping[str, _Place]] = {
    "hip": _Place(_lazy("hip"), "hip"),
    "hip-control": _Place(_lazy("hip"), "hip", mechanism=True),
    "thigh-rotation": _Place(_lazy("thigh"), "thigh", mechanism=True),
    "thigh-muscles": _Place(_lazy("thigh"), "thigh", mechanism=True),
    "knee": _Place(_lazy("knee"), "knee"),
    "knee-front": _Place(_lazy("kneecap"), "knee"),
    "knee-inner": _Place(_lazy("inner knee"), "knee"),
    "knee-outer": _Place(_lazy("outer knee"), "knee"),
    "knee-tendon": _Place(_lazy("tendon below the kneecap"), "knee"),
    "knee-trigger": _Place(_lazy("knee"), "knee"),
    "shank-rotation": _Place(_lazy("shin"), "shin", mechanism=True),
    "shin": _Place(_lazy("shin"), "shin"),
    "ankle": _Place(_lazy("ankle"), "ankle"),
    "ankle-stiffness": _Place(_lazy("ankle"), "ankle", mechanism=True),
    "tib-post": _Place(_lazy("inner ankle tendon"), "ankle"),
    "rearfoot": _Place(_lazy("heel"), "foot"),
    "plantar-fascia": _Place(_lazy("heel"), "foot"),
    "overpronation": _Place(_lazy("foot"), "foot", mechanism=True),
    "oversupination": _Place(_lazy("foot"), "foot", mechanism=True),
    "arch-low": _Place(_lazy("arch"), "foot"),
    "arch-high": _Place(_lazy("arch"), "foot"),
    "foot-outer-edge": _Place(_lazy("foot"), "foot", mechanism=True),
    "forefoot": _Place(_lazy("ball of foot"), "foot"),
    "foot-strength": _Place(_lazy("foot and ankle"), "foot", mechanism=True),
    "foot-overuse": _Place(_lazy("foot and ankle"), "foot"),
    "gait-stiff": _Place(_lazy("leg"), "leg", mechanism=True),
    "weight-shift": _Place(_lazy("leg"), "leg", mechanism=True),
    "leg-fatigue": _Place(_lazy("leg"), "leg"),
    "footwear": _Place(_lazy("shoes"), None),
    "load-jump": _Place(_lazy("a jump in activity"), None),
    "movement-habits": _Place(_lazy("the way of moving"), None),
}
AREAS: Final[Mapping[str, Promise]] = {
    "hip": pgettext_lazy("part of the leg", "hip"),
    "thigh": pgettext_lazy("part of the leg", "thigh"),
    "knee": pgettext_lazy("part of the leg", "knee"),
    "shin": pgettext_lazy("part of the leg", "shin"),
    "ankle": pgettext_lazy("part of the leg", "ankle"),
    "foot": pgettext_lazy("part of the leg", "foot"),
    "leg": pgettext_lazy("part of the leg", "leg"),
}
SIDES: Final[Mapping[str, Promise]] = {"left": _lazy("left"), "right": _lazy("right")}
_DEFAULT_AREAS: Final[Mapping[str, tuple[str, str]]] = {"up": ("foot", "knee"), "down": ("knee", "foot")}


@dataclass(frozen=True, slots=True)
class End:
    """One end of a finding. area: of `AREAS`; side: left, right or None for both."""

    area: str
    side: str | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a finding is and where it comes from.

    where: both ends, "left heel, from right knee". way: up, down, local, modifier or note. course: which way
    it travels, with its sides: "Right knee to left foot"; one place for what stays there. direction: the same
    without sides: "knee to foot". source, target: its ends for a drawing; None for what is no part of a leg.
    """

    where: str
    way: str
    course: str
    direction: str
    source: End | None = None
    target: End | None = None


def whereabouts(
    *, direction: str, steps: Sequence[Step], source_side: str | None, target_side: str | None
) -> Whereabouts:
    """direction: of the rule (up, down, local, note). steps: its links, in order. Sides: of the finding."""
    if not steps:
        side = target_side or source_side
        where = _("%(side)s leg") % {"side": SIDES[side]} if side else _("whole person")
        end = End("leg", side) if side else None
        return Whereabouts(where, "note", capfirst(where), _("note on the answers"), target=end)
    if all(step.direction == "modifier" for step in steps):
        # "Both legs, any place": the node such a link ends in only stands for the sore part.
        target = _with_side(_("leg"), target_side)
        where = _("%(target)s, from %(source)s") % {
            "target": target,
            "source": _word(steps[0].start, steps[0].start_name),
        }
        end = End("leg", target_side)
        return Whereabouts(where, "modifier", capfirst(target), _("adds to it"), target=end)
    source_area, target_area = _areas(direction, steps)
    target = _with_side(_joined(_targets(steps)), target_side)
    source_slug, source_name = steps[0].start, steps[0].start_name
    source_known = _PLACES.get(source_slug)
    source = _word(source_slug, source_name)
    if source_known is None or source_known.area is not None:
        source = _with_side(source, source_side)
    where = _("%(target)s, from %(source)s") % {"target": target, "source": source}
    start = End(source_area, source_side) if source_known is None or source_known.area else None
    end = End(target_area, target_side)
    if direction not in ("up", "down"):
        course = capfirst(_with_side(AREAS[target_area], target_side))
        return Whereabouts(where, "local", course, _("in place"), start, end)
    words = {"source": AREAS[source_area], "target": AREAS[target_area]}
    way = _("%(source)s to %(target)s") % words
    if source_side == target_side or source_side is None or target_side is None:
        course = _with_side(way, target_side or source_side)
    else:
        course = _("%(source_side)s %(source)s to %(target_side)s %(target)s") % {
            **words,
            "source_side": SIDES[source_side],
            "target_side": SIDES[target_side],
        }
    return Whereabouts(where, direction, capfirst(course), way, start, end)


def _targets(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The ends no other link starts from; sore parts before ways of working, which only lead there."""
    starts = {step.start for step in steps}
    ends = {step.end: step.end_name for step in steps if step.end not in starts}
    ends = ends or {steps[-1].end: steps[-1].end_name}
    sore = {slug: name for slug, name in ends.items() if slug not in _PLACES or not _PLACES[slug].mechanism}
    return list((sore or ends).items())


def _areas(direction: str, steps: Sequence[Step]) -> tuple[str, str]:
    default = _DEFAULT_AREAS.get(direction, ("leg", "leg"))
    source, target = _PLACES.get(steps[0].start), _PLACES.get(_targets(steps)[0][0])
    return (source and source.area) or default[0], (target and target.area) or default[1]


def _word(slug: str, name: str) -> str:
    known = _PLACES.get(slug)
    return str(known.word) if known else name[:1].lower() + name[1:] or slug


def _joined(ends: Sequence[tuple[str, str]]) -> str:
    words = list(dict.fromkeys(_word(slug, name) for slug, name in ends))
    if len(words) == 1:
        return words[0]
    return _("%(some)s and %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}


def _with_side(words: str | Promise, side: str | None) -> str:
    return _("%(side)s %(place)s") % {"side": SIDES[side], "place": words} if side else str(words)
