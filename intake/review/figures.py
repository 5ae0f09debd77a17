"""What the clinic's charts show: counts by week and by link. Six queries, whatever the period; no patient.

Whoever may see the figures (`SEES_FIGURES`) need not be let near a patient, so nothing here is scoped by
`visible_to` and nothing that names one leaves. The caller opens the audited context.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Count,
    DateField,
    DurationField,
    Exists,
    Expression,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Extract, Greatest, Least, TruncWeek
from django.utils import timezone

from intake.patients.asking import lesson_title
from intake.patients.models import Invitation
from intake.responses.models import SENT_STATUSES, QuestionnaireResponse
from intake.review.models import ACKNOWLEDGING, Decision, LessonOpening, RedFlagContact, Verdict
from intake.review.opened import monday
from intake.screening.models import Finding, RedFlag, Rule, Tier
from intake.screening.screen import URGENT

SEES_FIGURES: Final = "intake.see_figures"

PERIODS: Final = (4, 12, 52)
USUAL: Final = 12
# Fewer decisions than this say nothing about a link.
ENOUGH: Final = 10
# Minutes at which one class of durations ends and the next begins.
CLASSES: Final = (5, 10, 15, 20, 30, 60, 24 * 60)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks from a Monday on; the last one is still running."""

    weeks: int
    first: date

    @classmethod
    def until(cls, today: date, weeks: int) -> "Period":
        return cls(weeks, monday(today) - timedelta(weeks=weeks - 1))

    @property
    def mondays(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(weeks=week) for week in range(self.weeks))

    @property
    def since(self) -> datetime:
        """The moment it begins on the clinic's clock."""
        return timezone.make_aware(datetime.combine(self.first, time()))


def read_weeks(text: str | None) -> int | None:
    """The number of weeks an address asks for, the usual one where it asks for none. None for any other."""
    if not text:
        return USUAL
    return next((weeks for weeks in PERIODS if text == str(weeks)), None)


@dataclass(frozen=True, slots=True)
class IntakeWeek:
    """Who was first invited in this week, and how far these same people have come by now."""

    week: date
    invited: int = 0
    begun: int = 0
    sent: int = 0

    @property
    def share(self) -> float | None:
        """The part of those invited who sent it."""
        return self.sent / self.invited if self.invited else None


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in minutes: the middle half and its middle; None where nothing ended."""

    number: int = 0
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Durations:
    """From opening the form to sending it. classes: how many below each of `CLASSES`, and those above."""

    spread: Spread
    classes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlagWeek:
    """Red flags raised in one week. tiers: how many of each tier, in the order of `Tier`."""

    week: date
    tiers: tuple[int, ...] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How soon flags of a tier were answered: from raised to the call that settled it first."""

    tier: Tier
    raised: int = 0
    waiting: int = 0
    spread: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """What became of the findings of one rule, all its versions together.

    decided: confirmed or dismissed. What is to be assessed waits for the visit and says nothing yet.
    """

    rule_id: str
    title: str
    direction: str
    confirmed: int = 0
    refuted: int = 0
    provisional: int = 0
    undecided: int = 0

    @property
    def raised(self) -> int:
        return self.confirmed + self.refuted + self.provisional + self.undecided

    @property
    def decided(self) -> int:
        return self.confirmed + self.refuted

    @property
    def share(self) -> float | None:
        """The confirmed part of the decided ones; None where they are too few to say."""
        return self.confirmed / self.decided if self.decided >= ENOUGH else None


@dataclass(frozen=True, slots=True)
class LessonCount:
    title: str
    number: int


@dataclass(frozen=True, slots=True)
class Figures:
    period: Period
    intakes: tuple[IntakeWeek, ...]
    durations: Durations
    flags: tuple[FlagWeek, ...]
    response_times: tuple[ResponseTime, ...]
    links: tuple[LinkCount, ...]
    lessons: tuple[LessonCount, ...]


def figures(period: Period) -> Figures:
    """Everything the page of figures shows about a period."""
    return Figures(
        period,
        _intakes(period),
        _durations(period),
        _flags(period),
        _response_times(period),
        _links(period),
        _lessons(period),
    )


class Quartiles(Aggregate):
    """The quarter, the middle and the three quarters of what it is given, in the database."""

    function = "percentile_cont"
    template = "%(function)s(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())


def _minutes(start: Any, end: Any) -> Expression:
    """From one moment to the other; clocks that disagree make no time negative."""
    between = ExpressionWrapper(end - start, output_field=DurationField())
    return Greatest(Extract(between, "epoch") / Value(60.0), Value(0.0), output_field=FloatField())


def _spread(row: dict[str, Any]) -> Spread:
    lower, median, upper = row["quartiles"] or (None, None, None)
    return Spread(row["number"], lower, median, upper, row["longest"])


def _by_week(moment: str) -> TruncWeek:
    return TruncWeek(moment, output_field=DateField())


def _intakes(period: Period) -> tuple[IntakeWeek, ...]:
    earlier = Invitation.objects.filter(
        evaluation=OuterRef("evaluation"), created_at__lt=OuterRef("created_at")
    )
    rows = (
        Invitation.objects.filter(~Exists(earlier), created_at__gte=period.since)
        .annotate(
            week=_by_week("created_at"),
            response=FilteredRelation(
                # One at most: neither a change that was begun nor what a sent one replaced is a second form.
                "evaluation__responses",
                condition=Q(
                    evaluation__responses__status__in=SENT_STATUSES, evaluation__responses__replaced_at=None
                )
                | Q(
                    evaluation__responses__status=QuestionnaireResponse.Status.IN_PROGRESS,
                    evaluation__responses__replaces=None,
                ),
            ),
        )
        .order_by("week")
        .values("week")
        .annotate(
            invited=Count("evaluation", distinct=True),
            begun=Count("response", distinct=True),
            sent=Count("response", distinct=True, filter=Q(response__authored__isnull=False)),
        )
    )
    found = {row["week"]: IntakeWeek(**row) for row in rows}
    return tuple(found.get(week, IntakeWeek(week)) for week in period.mondays)


def _durations(period: Period) -> Durations:
    # The first time the link was opened; a form handed over another way begins with its first page.
    opened = Least(F("invitation__opened_at"), F("started_at"))
    edges = (None, *CLASSES, None)
    classes = {
        f"class_{place}": Count("pk", filter=_between(low, high))
        for place, (low, high) in enumerate(pairwise(edges))
    }
    row = (
        # A change of it is no second form, and tells nothing of how long one takes.
        QuestionnaireResponse.objects.filter(
            authored__gte=period.since, status__in=SENT_STATUSES, replaces=None
        )
        .annotate(minutes=_minutes(opened, F("authored")))
        .aggregate(number=Count("pk"), quartiles=Quartiles("minutes"), longest=Max("minutes"), **classes)
    )
    return Durations(_spread(row), tuple(row[name] for name in classes))


def _between(low: int | None, high: int | None) -> Q:
    found = Q()
    if low is not None:
        found &= Q(minutes__gte=low)
    if high is not None:
        found &= Q(minutes__lt=high)
    return found


def _flags(period: Period) -> tuple[FlagWeek, ...]:
    rows = (
        RedFlag.objects.filter(raised_at__gte=period.since)
        .annotate(week=_by_week("raised_at"))
        .order_by("week")
        .values_list("week", "tier")
        .annotate(number=Count("pk"))
    )
    found = {(week, tier): number for week, tier, number in rows}
    return tuple(
        FlagWeek(week, tuple(found.get((week, tier), 0) for tier in Tier.values)) for week in period.mondays
    )


def _response_times(period: Period) -> tuple[ResponseTime, ...]:
    # A contact settles every flag of its intake that waits then, so the first one after it is the one.
    settled = RedFlagContact.objects.filter(
        response=OuterRef("response"), outcome__in=list(ACKNOWLEDGING), at__gte=OuterRef("raised_at")
    ).order_by("at", "pk")
    rows = (
        RedFlag.objects.filter(raised_at__gte=period.since, tier__in=URGENT)
        .annotate(called_at=Subquery(settled.values("called_at")[:1]))
        .annotate(minutes=_minutes(F("raised_at"), F("called_at")))
        .order_by("tier")
        .values("tier")
        .annotate(
            raised=Count("pk"),
            waiting=Count("pk", filter=~Q(state=RedFlag.State.ACKNOWLEDGED)),
            number=Count("called_at"),
            quartiles=Quartiles("minutes", filter=Q(called_at__isnull=False)),
            longest=Max("minutes", filter=Q(called_at__isnull=False)),
        )
    )
    found = {
        row["tier"]: ResponseTime(Tier(row["tier"]), row["raised"], row["waiting"], _spread(row))
        for row in rows
    }
    return tuple(found.get(tier, ResponseTime(Tier(tier))) for tier in Tier.values if tier in URGENT)


def _links(period: Period) -> tuple[LinkCount, ...]:
    last = Verdict.objects.filter(finding=OuterRef("pk")).order_by("-at", "-pk").values("decision")[:1]
    rows = (
        Finding.objects.filter(
            response__authored__gte=period.since,
            response__status__in=SENT_STATUSES,
            response__replaced_at=None,
            rule__kind=Rule.Kind.CHAIN,
        )
        .annotate(
            decision=Subquery(last),
            rule_name=F("rule__rule_id"),
            version=F("rule__version"),
            title=F("rule__title"),
        )
        .order_by("version")
        .values("rule_name", "version", "title", "direction", "decision")
        .annotate(number=Count("pk"))
    )
    found: dict[str, LinkCount] = {}
    for rule_id, of_rule in _grouped(rows).items():
        counts: Counter[Any] = Counter()
        for row in of_rule:
            counts[row["decision"]] += row["number"]
        newest = of_rule[-1]
        found[rule_id] = LinkCount(
            rule_id,
            newest["title"],
            newest["direction"],
            confirmed=counts[Decision.CONFIRMED],
            refuted=counts[Decision.REFUTED],
            provisional=counts[Decision.PROVISIONAL],
            # Undone is undecided again.
            undecided=counts[Decision.UNCONFIRMED] + counts[None],
        )
    return tuple(sorted(found.values(), key=lambda link: (-link.raised, link.title)))


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["rule_name"], []).append(row)
    return found


def _lessons(period: Period) -> tuple[LessonCount, ...]:
    rows = (
        LessonOpening.objects.filter(week__gte=period.first)
        .values("lesson")
        .annotate(opened=Sum("number"), title=lesson_title("lesson"))
        .order_by("-opened", "lesson")
    )
    return tuple(LessonCount(row["title"] or row["lesson"], row["opened"]) for row in rows)
