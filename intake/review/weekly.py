"""What a week of the trail adds up to, for whoever reviews it, and that somebody did (ADR 0043)."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.audit import AuditEvent
from intake.review import who_acted
from intake.review.decide import NotAllowed
from intake.review.looked import Filters, Line, as_lines, start_of
from intake.review.trail_words import EMERGENCY, GROUPS, OPENS, WORDS, actions_of
from intake.trail import WeekReviewed

WEEK: Final = timedelta(days=7)
# A form is read ahead of a visit, and written up after it: visits so near to a week explain a look in it.
NEAR: Final = timedelta(days=14)
# Weeks before these are not asked for any more.
ASKED_FOR: Final = 26
# Lines of a kind that are shown in full; the trail itself has all.
SHOWN: Final = 50
LINKS_LOCKED: Final = ("link.rested", "link.ended")
SIGN_INS_FAILED: Final = ("signin.failed", "signin.locked-out", "stepup.failed")
COUNTED: Final = ("read", "changed", "copied", "refused")


def monday_of(day: date) -> date:
    """The week of a day."""
    return day - timedelta(days=day.weekday())


def last_week(today: date) -> date:
    """The newest week that is over."""
    return monday_of(today) - WEEK


@dataclass(frozen=True, slots=True)
class Person:
    """What one member of staff did. counts: by kind; opened: of how many patients they opened a record.

    strangers: patients among these who had no visit with them near that week; None for who has no visits.
    """

    who: str
    role: str
    counts: tuple[int, ...]
    opened: int
    strangers: int | None
    query: str


@dataclass(frozen=True, slots=True)
class Check:
    """The last look at the chain in the week, or none."""

    at: datetime
    whole: bool
    lines: int


@dataclass(frozen=True, slots=True)
class Some:
    """Lines of one kind: the newest, and how many there are."""

    lines: tuple[Line, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Week:
    """A week as it is reviewed. first, last: its days; before, after: the weeks beside it, where there are.

    begun: the day of the trail's first line. too_early: it is after this week.
    """

    first: date
    last: date
    before: date | None
    after: date | None
    begun: date | None
    too_early: bool
    people: tuple[Person, ...]
    broken: Some
    copied: Some
    refused: Some
    links: int
    sign_ins: int
    check: Check | None
    nights: int
    is_over: bool
    after_is_over: bool
    reviewed: WeekReviewed | None

    @property
    def headings(self) -> tuple[Any, ...]:
        return tuple(GROUPS[group] for group in COUNTED)


@dataclass(frozen=True, slots=True)
class OpenWeek:
    """A week that nobody has reviewed; overdue: another whole week has passed since."""

    first: date
    overdue: bool


def begun() -> date | None:
    """The day of the first line; None without any."""
    at = AuditEvent.objects.aggregate(first=Min("at"))["first"]
    return timezone.localdate(at) if at is not None else None


def newest(today: date) -> date:
    """The week to begin with: the newest that is over, or the running one where the trail began in it."""
    week, first = last_week(today), begun()
    return week if first is not None and first < week + WEEK else monday_of(today)


def read(week: date, today: date) -> Week:
    """The week that begins on this Monday. Reads the trail by time, so its length does not count."""
    rows = AuditEvent.objects.filter(at__gte=start_of(week), at__lt=start_of(week + WEEK))
    actions = Counter(dict(rows.values_list("action").annotate(Count("pk"))))
    checked = rows.filter(action="trail.checked").order_by("-at", "-pk")
    last = checked.first()
    following = week + WEEK
    first = begun()
    return Week(
        first=week,
        last=week + timedelta(days=6),
        before=week - WEEK if first is not None and week > first else None,
        after=following if following <= today else None,
        begun=first,
        too_early=first is not None and first >= following,
        people=people(rows, week),
        broken=some(rows.filter(Q(detail__has_key="break_glass") | Q(action__in=EMERGENCY))),
        copied=some(rows.filter(action__in=actions_of("copied"))),
        refused=some(rows.filter(action="access.refused")),
        links=sum(actions[action] for action in LINKS_LOCKED),
        sign_ins=sum(actions[action] for action in SIGN_INS_FAILED),
        check=Check(last.at, bool(last.detail.get("whole")), last.detail.get("lines", 0)) if last else None,
        nights=actions["trail.checked"],
        is_over=following <= today,
        after_is_over=following + WEEK <= today,
        reviewed=WeekReviewed.objects.filter(week=week).select_related("by").first(),
    )


def some(rows: QuerySet[AuditEvent]) -> Some:
    return Some(tuple(as_lines(rows.order_by("-at", "-pk")[:SHOWN])), rows.count())


# Whose records each member of staff opened. Ids are texts in the trail; a kind decides what its ids are.
_OPENED: Final = """
WITH seen AS (
  SELECT DISTINCT line.actor_id, kind.key AS kind, id.value AS id
  FROM intake_auditevent line, jsonb_each(line.objects_seen) kind, jsonb_array_elements_text(kind.value) id
  WHERE line.at >= %(begins)s AND line.at < %(ends)s AND line.actor_kind = 'staff'
    AND line.action = ANY(%(opens)s) AND kind.key IN ('patient', 'evaluation', 'response')
),
opened AS (
  SELECT actor_id, id::uuid AS patient FROM seen WHERE kind = 'patient'
  UNION
  SELECT seen.actor_id, visit.patient_id FROM seen
  JOIN intake_evaluation visit ON visit.id = CASE seen.kind WHEN 'evaluation' THEN seen.id::uuid END
  UNION
  SELECT seen.actor_id, visit.patient_id FROM seen
  JOIN intake_questionnaireresponse intake
    ON intake.id = CASE seen.kind WHEN 'response' THEN seen.id::uuid END
  JOIN intake_evaluation visit ON visit.id = intake.evaluation_id
)
SELECT opened.actor_id, count(*), count(*) FILTER (
  WHERE NOT EXISTS (
    SELECT FROM intake_evaluation visit
    WHERE visit.patient_id = opened.patient AND visit.physio_id = opened.actor_id::bigint
      AND visit.starts_at >= %(near_before)s AND visit.starts_at < %(near_after)s
  )
),
EXISTS (SELECT FROM intake_evaluation visit WHERE visit.physio_id = opened.actor_id::bigint)
FROM opened GROUP BY opened.actor_id
"""


def people(rows: QuerySet[AuditEvent], week: date) -> tuple[Person, ...]:
    """Every member of staff with a line in the week, by name."""
    counts: dict[str, Counter[str]] = {}
    done = rows.filter(actor_kind="staff").values_list("actor_id", "action").annotate(Count("pk"))
    for actor, action, number in done:
        word = WORDS.get(action)
        counts.setdefault(actor, Counter())[word.group if word else ""] += number
    begins, ends = start_of(week), start_of(week + WEEK)
    with connection.cursor() as cursor:
        near = {"near_before": begins - NEAR, "near_after": ends + NEAR}
        cursor.execute(_OPENED, {"begins": begins, "ends": ends, **near, "opens": list(OPENS)})
        opened = {actor: rest for actor, *rest in cursor.fetchall()}
    staff = who_acted.find(counts, since=begins)
    found = []
    for actor, groups in counts.items():
        number, strangers, has_visits = opened.get(actor, (0, 0, True))
        found.append(
            Person(
                who=staff.name(actor),
                role=staff.roles(actor, begins, ends),
                counts=tuple(groups[group] for group in COUNTED),
                opened=number,
                strangers=strangers if has_visits else None,
                query=Filters.read({"who": actor}).query(),
            )
        )
    return tuple(sorted(found, key=lambda one: one.who))


def open_weeks(today: date) -> tuple[OpenWeek, ...]:
    """Weeks that are over and that nobody has reviewed, oldest first, from the first line of the trail on."""
    first = begun()
    if first is None:
        return ()
    last = last_week(today)
    week = max(monday_of(first), last - (ASKED_FOR - 1) * WEEK)
    reviewed = set(WeekReviewed.objects.filter(week__gte=week).values_list("week", flat=True))
    found = []
    while week <= last:
        if week not in reviewed:
            found.append(OpenWeek(week, overdue=week < last))
        week += WEEK
    return tuple(found)


def sign(week: date, *, by: AbstractBaseUser, today: date) -> WeekReviewed:
    """Somebody reviewed the week.

    Raises `NotAllowed` before it is over, for one before the trail began, and for one that is reviewed.
    """
    if monday_of(week) != week or week > last_week(today):
        raise NotAllowed(_("This week is not over yet: review it from Monday on."))
    first = begun()
    if first is None or first >= week + WEEK:
        raise NotAllowed(_("The trail began after this week: there is nothing to review."))
    reviewed, made = WeekReviewed.objects.get_or_create(week=week, defaults={"by_id": by.pk})
    if not made:
        raise NotAllowed(_("%(name)s reviewed this week before; that stands.") % {"name": reviewed.by})
    return reviewed
