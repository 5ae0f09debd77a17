"""The whole-chain assess-list: hips, knees, ankles and feet of both legs, flagged ones on top.

What to check comes from the findings that stand (confirmed, to assess or undecided, never dismissed ones) and
from a baseline for each part, so that the list is whole also when nothing was found. Where a test is done is
fixed here for the shipped ones; one that editors add goes where its finding ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from intake.conditions import SIDES as BOTH
from intake.review.library import Check
from intake.review.models import Decision
from intake.review.places import AREAS, SIDES, End, Whereabouts

REGIONS: Final = ("hip", "knee", "ankle", "foot")
WHOLE: Final = ""
# What is looked at on both sides, whatever was answered.
BASELINE: Final[Mapping[str, tuple[str, ...]]] = {
    "hip": ("hip-strength",),
    "knee": ("knee-rom-effusion",),
    "ankle": ("lunge",),
    "foot": ("fpi6",),
}
_REGION_OF_AREA: Final[Mapping[str, str]] = {
    "hip": "hip",
    "thigh": "hip",
    "knee": "knee",
    "shin": "ankle",
    "ankle": "ankle",
    "foot": "foot",
}
_REGION_OF_TEST: Final[Mapping[str, str]] = {
    "fpi6": "foot",
    "navicular-drop": "foot",
    "midfoot-mobility": "foot",
    "palpate-heel": "foot",
    "windlass": "foot",
    "too-many-toes": "foot",
    "lunge": "ankle",
    "heel-raise": "ankle",
    "balance": "ankle",
    "tarsal-tunnel": "ankle",
    "palpate-inner-ankle": "ankle",
    "palpate-shin": "ankle",
    "ankle-stability": "ankle",
    "pfp-cluster": "knee",
    "joint-line": "knee",
    "noble": "knee",
    "quad-strength": "knee",
    "hamstring-strength": "knee",
    "knee-rom-effusion": "knee",
    "sl-squat": "knee",
    "hip-strength": "hip",
    "ober": "hip",
    "step-down": "hip",
    "chair-stand": WHOLE,
    "gait-watch": WHOLE,
    "running-video": WHOLE,
    "two-scales": WHOLE,
    "shoe-check": WHOLE,
    "load-history": WHOLE,
    "neuro-screen": WHOLE,
}


class Decided(Protocol):
    """A decision on a finding."""

    @property
    def decision(self) -> str: ...


class Suggestion(Protocol):
    """A finding with what to check because of it, such as `page.FindingCard`."""

    @property
    def key(self) -> int: ...

    @property
    def title(self) -> str: ...

    @property
    def anchor(self) -> str: ...

    @property
    def place(self) -> Whereabouts: ...

    @property
    def checks(self) -> tuple[Check, ...]: ...

    @property
    def verdict(self) -> Decided | None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """One part on one side: "Left foot". because: the findings that point at it.

    checks: what to do there, the findings' first, then what else belongs to the baseline.
    """

    region: str
    side: str
    name: str
    checks: tuple[Check, ...]
    because: tuple[Suggestion, ...]

    @property
    def flagged(self) -> bool:
        return bool(self.because)

    @property
    def findings(self) -> tuple[int, ...]:
        """Their keys."""
        return tuple(one.key for one in self.because)


@dataclass(frozen=True, slots=True)
class AssessList:
    """places: all eight, flagged ones first, then from hip to foot. whole: what is done with both legs."""

    places: tuple[Place, ...]
    whole: tuple[Check, ...]

    @property
    def flagged(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.flagged)

    @property
    def rest(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if not place.flagged)

    @property
    def told(self) -> tuple[Place, ...]:
        """The flagged places; how a check is read stands at the first place that has it."""
        said: set[str] = set()
        places = []
        for place in self.flagged:
            checks = [replace(one, threshold="") if one.slug in said else one for one in place.checks]
            said.update(one.slug for one in checks)
            places.append(replace(place, checks=tuple(checks)))
        return tuple(places)


def assess_list(found: Iterable[Suggestion], baseline: Mapping[str, Check]) -> AssessList:
    """found: chain findings and notes, strongest first. baseline: the tests of `BASELINE`, by slug."""
    checks: dict[tuple[str, str], dict[str, Check]] = {
        (region, side): {} for region in REGIONS for side in BOTH
    }
    because: dict[tuple[str, str], list[Suggestion]] = {key: [] for key in checks}
    whole: dict[str, Check] = {}
    for one in found:
        if one.verdict is not None and one.verdict.decision == Decision.REFUTED:
            continue
        ends = [end for end in (one.place.source, one.place.target) if end is not None]
        points = [(region, side) for end in ends if (region := _region(end)) for side in _sides(end)]
        sides_of: dict[str, tuple[str, ...]] = {}
        for check in one.checks:
            region = _REGION_OF_TEST.get(check.slug, _region(ends[-1]) if ends else WHOLE)
            if region == WHOLE:
                whole[check.slug] = check
                continue
            # Many checks of a finding are of the same part.
            if region not in sides_of:
                sides_of[region] = _sides_of(region, ends)
                points += [(region, side) for side in sides_of[region]]
            for side in sides_of[region]:
                checks[region, side][check.slug] = check
        for point in dict.fromkeys(points):
            because[point].append(one)
    for (region, _side), there in checks.items():
        for slug in BASELINE[region]:
            if slug in baseline:
                there.setdefault(slug, baseline[slug])
    places = [
        Place(
            region=region,
            side=side,
            name=capfirst(_("%(side)s %(place)s") % {"side": SIDES[side], "place": AREAS[region]}),
            checks=tuple(there.values()),
            because=tuple(because[region, side]),
        )
        for (region, side), there in checks.items()
    ]
    return AssessList(tuple(sorted(places, key=lambda place: not place.flagged)), tuple(whole.values()))


def _region(end: End) -> str:
    return _REGION_OF_AREA.get(end.area, WHOLE)


def _sides(end: End) -> tuple[str, ...]:
    return (end.side,) if end.side else BOTH


def _sides_of(region: str, ends: Sequence[End]) -> tuple[str, ...]:
    """Where a part is checked: on the sides of the ends that lie there, else where the trouble ends."""
    there = [end for end in ends if _region(end) == region] or list(ends[-1:])
    return tuple(dict.fromkeys(side for end in there for side in _sides(end))) or BOTH
