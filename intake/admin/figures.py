"""The clinic's figures as charts, for who may see counts and need not be let near a patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import audit
from intake.admin.audited import member
from intake.review import charts
from intake.review.figures import (
    PERIODS,
    SEES_FIGURES,
    USUAL,
    Durations,
    Figures,
    LinkCount,
    Period,
    figures,
    read_weeks,
)
from intake.screening.models import Tier

CLASS_NAMES: Final = (
    gettext_lazy("Under 5 minutes"),
    gettext_lazy("5 to 10 minutes"),
    gettext_lazy("10 to 15 minutes"),
    gettext_lazy("15 to 20 minutes"),
    gettext_lazy("20 to 30 minutes"),
    gettext_lazy("30 to 60 minutes"),
    gettext_lazy("1 hour to a day"),
    gettext_lazy("A day or more"),
)
# Both ways of the chain are always shown, what else there is only where it was found.
WAYS: Final = (
    ("up", gettext_lazy("Up the chain")),
    ("down", gettext_lazy("Down the chain")),
    ("", gettext_lazy("Within one part")),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a chart of bars: what it is about, and how it is drawn."""

    about: Any
    boxes: tuple[charts.Box, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """The findings of one direction of the chain."""

    code: str
    name: str
    bars: tuple[Bar, ...]


def figures_view(request: HttpRequest) -> HttpResponseBase:
    """The page. The period stands in the address; one that is none is told and the usual one shown."""
    if not request.user.has_perm(SEES_FIGURES):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    wanted = read_weeks(request.GET.get("weeks"))
    period = Period.until(timezone.localdate(), wanted or USUAL)
    with audit.audited("figures.read", by=audit.staff(member(request)), weeks=period.weeks):
        found = figures(period)
        context = {
            **admin.site.each_context(request),
            **drawn(found),
            "title": _("Figures"),
            "figures": found,
            "periods": PERIODS,
            "refused": wanted is None,
            "usual": USUAL,
        }
        response = TemplateResponse(request, "staff/figures/page.html", context)
        response.render()
    return response


def drawn(found: Figures) -> dict[str, Any]:
    """The charts of the page. One with nothing to show is None or empty, and the page says so in words."""
    weeks = [date_format(week, "M j") for week in found.period.mondays]
    stacks = [(week.sent, week.begun - week.sent, week.invited - week.begun) for week in found.intakes]
    invited, sent = sum(week.invited for week in found.intakes), sum(week.sent for week in found.intakes)
    tiers = [week.tiers for week in found.flags]
    return {
        "invited": invited,
        "begun": sum(week.begun for week in found.intakes),
        "sent": sent,
        "share": sent / invited if invited else None,
        "intakes_chart": charts.columns(stacks, weeks) if invited else None,
        "share_chart": charts.line([week.share for week in found.intakes], weeks) if invited else None,
        "duration_bars": bars_of_durations(found.durations),
        "flags": sum(map(sum, tiers)),
        "tiers": [(tier.label, sum(week[place] for week in tiers)) for place, tier in enumerate(Tier)],
        "flags_chart": charts.columns(tiers, weeks) if any(map(sum, tiers)) else None,
        "ways": ways(found.links),
        "opened": sum(lesson.number for lesson in found.lessons),
        "lesson_bars": bars((lesson, (lesson.number,)) for lesson in found.lessons),
    }


def bars(rows: Iterable[tuple[Any, Sequence[int]]]) -> tuple[Bar, ...]:
    """Bars under each other, of which the longest fills the width."""
    rows = list(rows)
    longest = max((sum(parts) for _about, parts in rows), default=0)
    return tuple(Bar(about, charts.bar(parts, longest)) for about, parts in rows)


def bars_of_durations(durations: Durations) -> tuple[Bar, ...]:
    """A bar for each class of durations."""
    if not durations.spread.number:
        return ()
    named = zip(CLASS_NAMES, durations.classes, strict=True)
    return bars(((name, number), (number,)) for name, number in named)


def ways(links: Sequence[LinkCount]) -> tuple[Way, ...]:
    """The findings by direction, all bars to one measure."""
    drawn_bars = bars(
        (link, (link.confirmed, link.refuted, link.provisional + link.undecided)) for link in links
    )
    named = {code for code, _name in WAYS if code}
    found = []
    for code, name in WAYS:
        mine = tuple(
            bar for bar in drawn_bars if (bar.about.direction if bar.about.direction in named else "") == code
        )
        if code or mine:
            found.append(Way(code, str(name), mine))
    return tuple(found)
