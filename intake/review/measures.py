"""What can be measured at the evaluation: units, and between which ends a value is possible at all.

The guides beside the fields are those of `education/catalog/chain.json`, whose sources they name: navicular
drop over 10 mm (S27, S28), Foot Posture Index -12 to +12 (S29), lunge 30 to 38 degrees or about 10 cm (S61,
S62), lateral step-down 0 to 6 (S30), heel raises (S32, S60), one-leg stance (S59), strength (S21).

The ends are wider than any norm; they catch slips of the keyboard. Two of them belong to the score itself
(Foot Posture Index, step-down). The others are general knowledge: an arch that drops 30 mm, an ankle that
bends 60 degrees or 25 cm, 100 heel raises or 60 seconds on one leg are past what anybody is reported with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SIDES: Final = ("left", "right")


@dataclass(frozen=True, slots=True)
class Measure:
    """One test, taken of each leg. whole: only whole numbers make sense. spoken: the unit read out loud."""

    kind: str
    label: str | Promise
    unit: str | Promise
    spoken: str | Promise
    low: int
    high: int
    whole: bool
    guide: str | Promise


MEASURES: Final[Mapping[str, Measure]] = {
    one.kind: one
    for one in (
        Measure(
            "navicular-drop",
            gettext_lazy("Navicular drop"),
            "mm",
            gettext_lazy("millimeters"),
            0,
            30,
            False,
            gettext_lazy("Over 10 is a large drop. Never read alone"),
        ),
        Measure(
            "fpi6",
            gettext_lazy("Foot Posture Index, total"),
            gettext_lazy("pts"),
            gettext_lazy("points"),
            -12,
            12,
            True,
            gettext_lazy("-12 to +12. From +6 rolls in, below 0 rolls out"),
        ),
        Measure(
            "lunge-angle",
            gettext_lazy("Knee-to-wall lunge, angle"),
            "°",
            gettext_lazy("degrees"),
            0,
            60,
            False,
            gettext_lazy("30 to 38 is often called normal"),
        ),
        Measure(
            "lunge-distance",
            gettext_lazy("Knee-to-wall lunge, toe to wall"),
            "cm",
            gettext_lazy("centimeters"),
            0,
            25,
            False,
            gettext_lazy("Angle or distance. About 10 is a rough cut"),
        ),
        Measure(
            "heel-raises",
            gettext_lazy("Single-leg heel raises"),
            gettext_lazy("reps"),
            gettext_lazy("repetitions"),
            0,
            100,
            True,
            gettext_lazy("Full height, knee straight"),
        ),
        Measure(
            "step-down",
            gettext_lazy("Lateral step-down"),
            gettext_lazy("pts"),
            gettext_lazy("points"),
            0,
            6,
            True,
            gettext_lazy("0 to 1 good, 2 to 3 medium, from 4 poor"),
        ),
        Measure(
            "balance",
            gettext_lazy("One-leg balance"),
            gettext_lazy("sec"),
            gettext_lazy("seconds"),
            0,
            60,
            False,
            gettext_lazy("Eyes open, best of 3. Under 10 is low"),
        ),
        Measure(
            "quad-strength",
            gettext_lazy("Quadriceps, weaker by"),
            "%",
            gettext_lazy("percent weaker than the other side"),
            0,
            100,
            False,
            gettext_lazy("On the weaker side. 20 to 40 is common with knee arthritis"),
        ),
        Measure(
            "hip-strength",
            gettext_lazy("Hip, weaker by"),
            "%",
            gettext_lazy("percent weaker than the other side"),
            0,
            100,
            False,
            gettext_lazy("On the weaker side. Over 10 to 15 is a difference"),
        ),
    )
}
# A difference between the sides: one of them is the weaker one.
ONE_SIDE: Final = frozenset({"quad-strength", "hip-strength"})


class Impossible(ValueError):
    """No possible value; the message says what to type."""


def read_value(measure: Measure, text: str) -> Decimal | None:
    """What was typed, as a number; None for an empty field. Raises `Impossible`."""
    typed = text.strip().replace("\N{MINUS SIGN}", "-").replace(",", ".")
    if not typed:
        return None
    try:
        value = Decimal(typed)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not measure.low <= value <= measure.high:
        raise Impossible(
            _("Type a number from %(low)s to %(high)s.") % {"low": measure.low, "high": measure.high}
        )
    if measure.whole and value != value.to_integral_value():
        raise Impossible(_("Type a whole number."))
    if value != round(value, 1):
        raise Impossible(_("Type at most one digit after the point."))
    return round(value, 1)


def written(measure: Measure, value: Decimal | None) -> str:
    """A value as it is typed: "11", "4.5", with a sign where the scale has two."""
    if value is None:
        return ""
    number = f"{value.normalize():f}"
    return f"+{number}" if measure.low < 0 < value else number
