"""The worklist: evaluations with the status of their intake; urgent ones first, by how soon somebody has to
be called, the others by time.

Those that need an appointment have no time: they stand in a list of their own, the longest waiting first, in
no day's list, and, like all others, on top of every list while they are urgent. Those that are over and not
closed are "to close": no status says so, since time passes without a write; `at` does.

Lists, counts and filters read the indexed rows of `QueueEntry`, a page at a time by key, so they cost the
same with a thousand intakes and with a million. What is filtered stands in the URL and is read by
`Filters.read`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet, UUIDField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from education.chain.regions import body_regions
from intake.kept import Given, Kept, among
from intake.patients.asking import lesson_title
from intake.patients.models import REVIEWS, Patient, age_on, may, named_in_full
from intake.patients.search import search_words, ways
from intake.responses.models import QuestionnaireResponse
from intake.review.decide import formal_name, titled
from intake.review.library import Quoted, quote
from intake.review.models import QueueEntry
from intake.review.places import AREAS, SIDES, whereabouts
from intake.review.rules import definition, definitions
from intake.review.timers import due_at
from intake.screening.models import Finding, RedFlag
from intake.screening.screen import URGENT

Status = QueueEntry.Status
ResponseStatus = QuestionnaireResponse.Status

PAGE_SIZE: Final = 25
# Counting a million rows to say how many there are helps nobody.
COUNTED_AT_MOST: Final = 1000
# On one page many rows say the same, and on the next page they say it again.
MOST_WORDS: Final = 1024
# Whoever types one letter does not want to read thousands of names either.
FOUND_AT_MOST: Final = 50
# In the order that names are searched in, none goes on with anything that comes after this.
HIGHEST: Final = chr(0x10FFFF)
COMING: Final = "coming"
PAST: Final = "past"
ONLY_URGENT: Final = "urgent"
NEEDS_APPOINTMENT: Final = "needs-appointment"
TO_CLOSE: Final = "to-close"
# What `status=` in the URL stands for.
STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "to-review": (Status.TO_REVIEW,),
    "in-review": (Status.IN_REVIEW,),
    "reviewed": (Status.REVIEWED,),
    "closed": (Status.CLOSED,),
    "not-started": (Status.NOT_STARTED,),
    "in-progress": (Status.IN_PROGRESS,),
    "not-sent": (Status.NOT_STARTED, Status.IN_PROGRESS),
}
TO_DO: Final = (Status.TO_REVIEW, Status.IN_REVIEW)
SENT: Final = (*TO_DO, Status.REVIEWED)
# The briefs of a day stand in one document; no clinic sees more people in one.
PRINTED_AT_MOST: Final = 60
_STANDS: Final = "status <> 'cancelled'"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# How a cursor writes a tier: the list has two parts, those who wait for a call and the others.
_PARTS: Final = {"emergency": "e", "same-day": "s", "": "n"}
_TIERS: Final = {part: tier for tier, part in _PARTS.items()}


# What is asked for


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before, by what it is ordered by.

    tier: the highest of its answers that wait for a call, empty where none does. at: since when that one
    waits, else the time of the visit.
    """

    tier: str
    at: datetime
    key: UUID

    def __str__(self) -> str:
        moment = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{_PARTS[self.tier]}.{moment}.{self.key}"

    @property
    def urgent(self) -> bool:
        return bool(self.tier)

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """None for anything that is no cursor."""
        try:
            part, moment, key = text.split(".")
            return cls(_TIERS[part], _EPOCH + timedelta(microseconds=int(moment)), UUID(key))
        except (KeyError, ValueError, OverflowError):
            return None


# Says in an address that there is a search, whose words are a patient's name.
SOUGHT: Final = "sought"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the worklist shows. All but the words of a search stand in the URL; a search looks at all days.

    day: one day, or `coming` or `past`. status: a key of `STATUSES`, `urgent`, `needs-appointment` or
    `to-close` (both of any day), or empty. direction: up, down or empty. mine: only the reader's own visits,
    and what is nobody's yet. search: how a name begins.
    """

    day: date | str
    status: str = ""
    direction: str = ""
    mine: bool = False
    search: str = ""
    after: Cursor | None = None
    today: date | None = None

    @classmethod
    def read(cls, params: Mapping[str, Any], today: date, sought: str = "") -> "Filters":
        """From a query string, parsed. What is not understood counts as not asked for.

        sought: the words of the search that the query string may say there is.
        """

        def text(name: str) -> str:
            return str(params.get(name) or "").replace("\x00", "").strip()

        status, direction = text("status"), text("direction")
        return cls(
            day=_read_day(text("day"), today),
            status=status if status in (*STATUSES, ONLY_URGENT, NEEDS_APPOINTMENT, TO_CLOSE) else "",
            direction=direction if direction in ("up", "down") else "",
            mine=text("mine") == "1",
            search=search_words(text("q")) or (sought if text(SOUGHT) == "1" else ""),
            after=Cursor.read(text("after")),
            today=today,
        )

    def changed(self, **changes: Any) -> "Filters":
        """Other filters begin at the first page again."""
        return replace(self, **{"after": None, **changes})

    def query(self) -> str:
        """The query string, empty for the list of today; never holds anything but known filters."""
        day = (
            "" if self.day == self.today else self.day if isinstance(self.day, str) else self.day.isoformat()
        )
        pairs = {
            "day": day,
            "status": self.status,
            "direction": self.direction,
            "mine": "1" if self.mine else "",
            SOUGHT: "1" if self.search else "",
            "after": str(self.after) if self.after else "",
        }
        return urlencode({name: value for name, value in pairs.items() if value})

    @property
    def latest_first(self) -> bool:
        if self.needs_appointment:
            return False
        return self.to_close or self.day == PAST or bool(self.search)

    @property
    def needs_appointment(self) -> bool:
        return self.status == NEEDS_APPOINTMENT

    @property
    def one_day(self) -> bool:
        return isinstance(self.day, date) and not self.search and not self.any_day

    @property
    def to_close(self) -> bool:
        return self.status == TO_CLOSE

    @property
    def any_day(self) -> bool:
        """Whether the list is of no day."""
        return self.needs_appointment or self.to_close

    @property
    def narrowed(self) -> bool:
        """Whether more than a day was chosen."""
        return bool(self.status or self.direction or self.mine or self.search)


def _read_day(text: str, today: date) -> date | str:
    if text in (COMING, PAST):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if 1900 < day.year < 2200 else today


# What is shown


@dataclass(frozen=True, slots=True)
class Badge:
    """Findings that travel one way between two places: "Right knee to left foot". way: up, down, ..."""

    way: str
    course: str
    number: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A red flag in words. waits: for a call."""

    words: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One evaluation. concern, flags and badges are empty for those who may not read answers.

    call_by: when whoever waits for a call should have had it. overdue: it is later than that.
    to_close: it is over and waits for its outcome. response: the intake to open for review, None where
    there is none to read. amended: the patient changed answers after sending, and nobody has decided on what
    they are now. starts_at: None before there is a visit. request: what she asked with, while it
    needs an appointment. came_from: the lesson she asked from.
    """

    evaluation: UUID
    response: UUID | None
    request: UUID | None
    starts_at: datetime | None
    asked_at: datetime | None
    came_from: str
    name: str
    age: int
    phone: str
    email: str
    physio: str
    mine: bool
    status: str
    label: str
    to_close: bool
    amended: bool
    urgent: bool
    call_by: datetime | None
    overdue: bool
    flags: tuple[Flag, ...]
    badges: tuple[Badge, ...]
    concern: str
    sent_at: datetime | None

    @property
    def wants_outcome(self) -> bool:
        """Whether its name leads to what the evaluation showed rather than to the review before it."""
        return not self.urgent and (
            self.status == Status.CLOSED or (self.to_close and self.status == Status.REVIEWED)
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are, of at most `COUNTED_AT_MOST`.

    here, here_to_review: of the days asked for. The others count urgent ones of other days too, as the list
    shows them. waiting: urgent ones of the whole clinic. needs_appointment and to_close: of any day.
    """

    here: int
    here_to_review: int
    all: int
    urgent: int
    to_review: int
    in_review: int
    reviewed: int
    not_sent: int
    with_up: int
    with_down: int
    up: int
    down: int
    waiting: int
    needs_appointment: int
    to_close: int
    next_visit: datetime | None

    @property
    def capped(self) -> bool:
        return self.all > COUNTED_AT_MOST

    @property
    def elsewhere(self) -> int:
        """Urgent ones of other days, which the list shows first."""
        return self.all - self.here


@dataclass(frozen=True, slots=True)
class Worklist:
    """One page of the worklist, with the cursor of the next one.

    next_response: as `next_to_review` says it of these filters. cut: a search fits more than `FOUND_AT_MOST`
    people, and not all of their past visits are looked through.
    """

    filters: Filters
    rows: tuple[Row, ...]
    counts: Counts
    more: Cursor | None
    sees_answers: bool
    next_response: UUID | None
    cut: bool


@dataclass(frozen=True, slots=True)
class NextDay:
    """The next day with visits, for an empty list. unsent: (name, evaluation) of forms not sent yet."""

    day: date
    evaluations: int
    sent: int
    unsent: tuple[tuple[str, UUID], ...]


def worklist(user: AbstractBaseUser, filters: Filters, now: datetime) -> Worklist:
    """The page of the worklist that these filters ask for: three queries at most."""
    sees_answers = may(user, REVIEWS)
    if not sees_answers and filters.direction:
        filters = filters.changed(direction="")
    found = _overview(user, filters, now)
    shown = found.keys[:PAGE_SIZE]
    entries = {entry.pk: entry for entry in _entries(user, shown, sees_answers)} if shown else {}
    rows = [entries[key] for key in shown if key in entries]
    last = rows[-1] if len(found.keys) > PAGE_SIZE and rows else None
    return Worklist(
        filters=filters,
        rows=_rows(rows, user, sees_answers, now, found.calls),
        counts=found.counts,
        more=(found.calls.get(last.pk) or Cursor("", last.at, last.pk)) if last else None,
        sees_answers=sees_answers,
        next_response=found.next_response if sees_answers else None,
        cut=found.cut,
    )


def next_to_review(user: AbstractBaseUser, filters: Filters, *, but_not: UUID | None = None) -> UUID | None:
    """The intake to read next under these filters: urgent ones first, then the next visit's, or, among those
    that need an appointment, that of who asked first.

    but_not: an intake just read. None when nothing is left.
    """
    return _overview(user, filters, timezone.now(), but_not=but_not).next_response


def sent_on_day(user: AbstractBaseUser, filters: Filters) -> list[UUID]:
    """The sent intakes of the visits on the day asked for, by time: of one's own visits or of all.

    Status and direction narrow a list, not the day that is ahead. Empty where the filters ask for no
    single day. Urgent ones of other days are on the list, not in the day.
    """
    if not (isinstance(filters.day, date) and filters.one_day):
        return []
    start, end = _bounds(filters.day)
    entries = QueueEntry.objects.visible_to(user).filter(
        at__gte=start, at__lt=end, needs_appointment=False, status__in=SENT
    )
    if filters.mine:
        entries = entries.filter(Q(physio=user.pk) | Q(physio=None))
    found = entries.exclude(response=None).order_by("at", "evaluation_id").values_list("response", flat=True)
    return [UUID(str(key)) for key in found[:PRINTED_AT_MOST]]


def next_day(user: AbstractBaseUser, after: date) -> NextDay | None:
    """The next day after this one that has visits."""
    _start, end = _bounds(after)
    entries = QueueEntry.objects.visible_to(user)
    booked = entries.filter(needs_appointment=False).exclude(status=Status.CANCELLED)
    first = booked.filter(at__gte=end).order_by("at").values_list("at", flat=True).first()
    if first is None:
        return None
    day = timezone.localdate(first)
    start, end = _bounds(day)
    there = list(
        booked.filter(at__gte=start, at__lt=end)
        .select_related("evaluation__patient")
        .order_by("at", "evaluation_id")[:PAGE_SIZE]
    )
    unsent = [entry for entry in there if entry.status in STATUSES["not-sent"]]
    return NextDay(
        day=day,
        evaluations=len(there),
        sent=len(there) - len(unsent),
        unsent=tuple((str(entry.evaluation.patient), entry.pk) for entry in unsent),
    )


# Which rows


def _bounds(day: date) -> tuple[datetime, datetime]:
    """The day on the clinic's calendar, as moments."""
    return (
        timezone.make_aware(datetime.combine(day, time.min)),
        timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)),
    )


# A page in one question: which rows, how many of each kind, and what is next


@dataclass(frozen=True, slots=True)
class _Overview:
    """keys: of the page's rows and one more, in order. calls: of those who wait for one, where they stand."""

    keys: tuple[UUID, ...]
    counts: Counts
    next_response: UUID | None
    cut: bool = False
    calls: Mapping[UUID, Cursor] = field(default_factory=dict)


# `{}` stand for conditions and orders written in this module, never for what somebody typed. Of the tiers in
# `u`, "emergency" sorts before "same-day".
_OVERVIEW: Final = """
WITH v AS NOT MATERIALIZED ({visible}), {people} q AS {kept} ({found}), u AS MATERIALIZED (
  SELECT q.*, COALESCE(f.tier, 'same-day') AS tier, COALESCE(f.raised_at, q.at) AS since
  FROM q LEFT JOIN LATERAL (
    SELECT tier, raised_at FROM intake_redflag
    WHERE response_id = q.response_id AND tier IN ('emergency', 'same-day') AND state IN ('open', 'withdrawn')
    ORDER BY tier, raised_at LIMIT 1
  ) f ON true
  WHERE {urgent}
)
SELECT
  ARRAY(SELECT jsonb_build_array(tier, since, evaluation_id) FROM u WHERE {urgent_page}
    ORDER BY tier, since, evaluation_id LIMIT %(limit)s),
  ARRAY(SELECT evaluation_id FROM q WHERE {calm_page}
    ORDER BY at {way}, evaluation_id {way} LIMIT %(limit)s),
  (SELECT to_jsonb(c) FROM (
    SELECT
      count(*) FILTER (WHERE here) AS here,
      count(*) FILTER (WHERE here AND status = 'to-review') AS here_to_review,
      count(*) AS "all",
      count(*) FILTER (WHERE urgent) AS urgent,
      count(*) FILTER (WHERE status = 'to-review') AS to_review,
      count(*) FILTER (WHERE status = 'in-review') AS in_review,
      count(*) FILTER (WHERE status = 'reviewed') AS reviewed,
      count(*) FILTER (WHERE status IN ('not-started', 'in-progress')) AS not_sent,
      count(*) FILTER (WHERE up > 0) AS with_up,
      count(*) FILTER (WHERE down > 0) AS with_down,
      coalesce(sum(up), 0) AS up,
      coalesce(sum(down), 0) AS down
    FROM (
      (SELECT *, {here} AS here FROM q WHERE urgent AND {whose} LIMIT %(counted)s)
      UNION ALL
      (SELECT *, true FROM q WHERE NOT urgent AND {here} AND {whose_visit}
        ORDER BY at {way} LIMIT %(counted)s)
      LIMIT %(counted)s
    ) scope
  ) c),
  (SELECT min(at) FROM (
    (SELECT at FROM q WHERE NOT urgent AND {here} AND {whose_visit} AND at >= %(now)s ORDER BY at LIMIT 1)
    UNION ALL
    (SELECT at FROM q WHERE urgent AND {here} AND {whose} AND at >= %(now)s LIMIT %(counted)s)
  ) coming),
  (SELECT count(*) FROM v WHERE urgent),
  (SELECT count(*) FROM {asking} WHERE needs_appointment),
  (SELECT count(*) FROM (
    SELECT FROM q WHERE {over} AND {whose} ORDER BY at DESC LIMIT %(counted)s) past),
  coalesce(
    (SELECT response_id FROM u WHERE {urgent_next} AND response_id <> %(but_not)s
      ORDER BY tier, since, evaluation_id LIMIT 1),
    (SELECT response_id FROM q WHERE {calm_next} AND status IN ('to-review', 'in-review')
      AND response_id <> %(but_not)s ORDER BY at, evaluation_id LIMIT 1)),
  {people_found}
"""
# By the order of an index, which is read no further than to the limit. The names are as the indexes have them
# and as `intake.patients.search` compares them.
_PEOPLE: Final = """
s AS NOT MATERIALIZED (
  SELECT id, upper(family) COLLATE "C" AS family, upper(given) COLLATE "C" AS given
  FROM ({patients}) patients (id, family, given)
),
p (id) AS MATERIALIZED (SELECT id FROM ({each}) fits LIMIT %(most)s),
"""
_EACH: Final = "(SELECT id FROM s WHERE {begins} ORDER BY {order} LIMIT %(most)s)"
# Of people with names that many bear, those who come next are found whatever else is.
_FOUND: Final = """
SELECT v.* FROM p JOIN intake_evaluation e ON e.patient_id = p.id JOIN v ON v.evaluation_id = e.id
UNION
SELECT soon.* FROM (
  SELECT * FROM v WHERE (SELECT count(*) = %(most)s FROM p)
    AND (urgent OR needs_appointment OR at >= %(today)s)
  ORDER BY at LIMIT %(counted)s
) soon WHERE EXISTS (
  SELECT FROM (SELECT patient_id FROM intake_evaluation e WHERE e.id = soon.evaluation_id OFFSET 0) e
  JOIN s ON s.id = e.patient_id WHERE {begins} OFFSET 0
)
"""
_COLUMNS: Final = (
    "evaluation_id",
    "response_id",
    "physio_id",
    "at",
    "status",
    "needs_appointment",
    "urgent",
    "up",
    "down",
)
_NOBODY: Final = Counts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None)


def _overview(
    user: AbstractBaseUser, filters: Filters, now: datetime, *, but_not: UUID | None = None
) -> _Overview:
    """One query. Each part of it reads an index in order and stops at its limit. but_not: never the next."""
    try:
        visible, words = _named_sql(QueueEntry.objects.visible_to(user).values_list(*_COLUMNS), "visible")
    except EmptyResultSet:
        return _Overview((), _NOBODY, None)
    words |= {
        "limit": PAGE_SIZE + 1,
        "counted": COUNTED_AT_MOST + 1,
        "now": now,
        "me": user.pk,
        # No intake has this key, and a row without an intake equals none.
        "but_not": but_not or UUID(int=0),
        **_days_of(filters),
    }
    people, found = "", "SELECT * FROM v"
    if filters.search:
        people, found, more = _search_sql(user, filters.search)
        today, _tomorrow = _bounds(timezone.localdate(now))
        words |= {**more, "today": today}
    whose = "(physio_id = %(me)s OR physio_id IS NULL)" if filters.mine else "true"
    # Whoever has a visit has a physio, so one index gives them in order.
    whose_visit = "physio_id = %(me)s" if filters.mine and not filters.search else whose
    here = _here_sql(filters)
    unclosed = "status IN ('to-review', 'in-review', 'reviewed') AND NOT needs_appointment"
    over = f"at <= %(now)s AND {unclosed}"
    after = _inside(filters, words, now)
    calm = f"NOT urgent AND {_here_sql(filters, after)} AND {whose_visit}"
    calm_next = f"NOT urgent AND {here} AND {whose_visit}"
    if filters.needs_appointment:
        calm = calm_next = f"NOT urgent AND needs_appointment AND {_STANDS} AND {whose}"
    elif filters.to_close:
        calm = f"NOT urgent AND {unclosed if _goes_on(after) else over} AND {whose_visit}"
    urgent = f"urgent AND {whose}"
    direction = f" AND {filters.direction} > 0" if filters.direction in ("up", "down") else ""
    asked = " AND needs_appointment" if filters.needs_appointment else ""
    narrowed = direction + asked
    if filters.status in STATUSES:
        words["statuses"] = list(STATUSES[filters.status])
        one = len(words["statuses"]) == 1
        narrowed += " AND status = (%(statuses)s::text[])[1]" if one else " AND status = ANY(%(statuses)s)"
    urgent_page, calm_page = urgent + narrowed, calm + narrowed
    if filters.to_close:
        urgent_page += f" AND {over}"
    if after is not None:
        words |= {"after_tier": after.tier, "after_at": after.at, "after_key": after.key}
        if after.urgent:
            urgent_page += " AND (tier, since, evaluation_id) > (%(after_tier)s, %(after_at)s, %(after_key)s)"
        else:
            sign = "<" if filters.latest_first else ">"
            calm_page += f" AND (at, evaluation_id) {sign} (%(after_at)s, %(after_key)s)"
            urgent_page = "false"
    if filters.status == ONLY_URGENT:
        calm_page = "false"
    statement = _OVERVIEW.format(
        visible=visible,
        people=people,
        found=found,
        kept="MATERIALIZED" if filters.search else "NOT MATERIALIZED",
        way="DESC" if filters.latest_first else "ASC",
        here=here,
        whose=whose,
        whose_visit=whose_visit,
        urgent=urgent,
        urgent_page=urgent_page,
        calm_page=calm_page,
        urgent_next=urgent + direction + asked,
        calm_next=calm_next + direction + asked,
        over=over,
        asking="q" if filters.search else "v",
        people_found="(SELECT count(*) FROM p)" if filters.search else "0",
    )
    with connection.cursor() as cursor:
        # On one line it is short enough for the driver to remember how it is read.
        cursor.execute(" ".join(statement.split()), words)
        (row,) = cursor.fetchall()
    urgent_rows, calm_keys, counts, next_visit, waiting, asking, to_close, next_response, people_found = row
    calls = [
        Cursor(tier, datetime.fromisoformat(since), UUID(key))
        for tier, since, key in map(json.loads, urgent_rows)
    ]
    return _Overview(
        keys=(*(call.key for call in calls), *calm_keys)[: PAGE_SIZE + 1],
        calls={call.key: call for call in calls},
        counts=Counts(
            **json.loads(counts),
            next_visit=next_visit,
            waiting=waiting,
            needs_appointment=asking,
            to_close=to_close,
        ),
        next_response=next_response,
        cut=people_found > FOUND_AT_MOST,
    )


def _search_sql(user: AbstractBaseUser, search: str) -> tuple[str, str, dict[str, Any]]:
    """The people of a search and their visits, with the values of both. Raises `EmptyResultSet`."""
    visible = Patient.objects.visible_to(user)
    patients, words = _named_sql(visible.values_list("id", "family_name", "given_name"), "patients")
    words["most"] = FOUND_AT_MOST + 1
    each, all_ways = [], []
    for number, (family, given) in enumerate(ways(search)):
        begins = []
        for name, beginning in (("family", family), ("given", given)):
            if beginning:
                key = f"{name}_{number}"
                words |= {key: beginning, f"{key}_ends": beginning + HIGHEST}
                begins.append(f"{name} >= %({key})s AND {name} < %({key}_ends)s")
        order = "family, given" if family else "given, family"
        all_ways.append(" AND ".join(begins) or "true")
        each.append(_EACH.format(begins=all_ways[-1], order=order))
    people = _PEOPLE.format(patients=patients, each=" UNION ".join(each) or "SELECT id FROM s WHERE false")
    return people, _FOUND.format(begins=f"({' OR '.join(all_ways) or 'false'})"), words


def _named_sql(rows: QuerySet[Any, Any], name: str) -> tuple[str, dict[str, Any]]:
    """The SQL of a query with named parameters, so that it fits into another. Raises `EmptyResultSet`."""
    text, values = rows.order_by().query.sql_with_params()
    names = [f"{name}_{place}" for place in range(len(values))]
    return text % tuple(f"%({one})s" for one in names), dict(zip(names, values, strict=True))


def _days_of(filters: Filters) -> dict[str, datetime]:
    day = filters.day if isinstance(filters.day, date) else filters.today or timezone.localdate()
    start, end = _bounds(day)
    return {"start": start, "end": end}


def _inside(filters: Filters, words: Mapping[str, Any], now: datetime) -> Cursor | None:
    """The cursor, if it is a place in the list that `filters` asks for."""
    after = filters.after
    if after is None or after.urgent or filters.search or filters.needs_appointment:
        return after
    if filters.to_close:
        return after if after.at <= now else None
    if filters.day == PAST:
        return after if after.at < words["start"] else None
    return after if after.at >= words["start"] else None


def _goes_on(after: Cursor | None) -> bool:
    return after is not None and not after.urgent


def _here_sql(filters: Filters, after: Cursor | None = None) -> str:
    """The visits of the days asked for; a search looks at all, cancelled ones too.

    after: a calm one says itself where its list goes on. With a second bound on that side Postgres would
    begin to read at the list's beginning.
    """
    if filters.search:
        return "true"
    begins = "at < %(start)s" if filters.day == PAST else "at >= %(start)s"
    bounds = [] if _goes_on(after) else [begins]
    if isinstance(filters.day, date):
        bounds.append("at < %(end)s")
    return f"({' AND '.join([*bounds, 'NOT needs_appointment', _STANDS])})"


_OF_PATIENT: Final = ("given_name", "family_name", "birth_date", "phone", "email")
_OF_PHYSIO: Final = ("title", "first_name", "last_name", "username")


def _shown(entries: Any) -> Any:
    """The rows of a page with all that is shown of them but answers."""
    # As values, not as rows of four tables, of which each line of the page would need one.
    return entries.filter(among("evaluation", Given("keys", UUIDField(), many=True))).annotate(
        **{f"patient_{name}": F(f"evaluation__patient__{name}") for name in _OF_PATIENT},
        **{f"physio_{name}": F(f"physio__{name}") for name in _OF_PHYSIO},
        starts_at=F("evaluation__starts_at"),
        sent_at=F("response__authored"),
        version=F("response__status"),
        request=F("evaluation__request"),
        came_from=lesson_title("evaluation__request__source"),
    )


def _read(entries: Any, flags: Any, findings: Any) -> Any:
    """The same, with what their intakes say."""
    raised = flags.filter(response=OuterRef("response"))
    return _shown(entries).annotate(
        left=KeyTransform("pain.regions.left", "response__answers"),
        right=KeyTransform("pain.regions.right", "response__answers"),
        flags=ArraySubquery(
            raised.order_by("tier", "raised_at", "pk").values(
                json=JSONObject(
                    title="rule__title", side="side", tier="tier", state="state", withdrawn="withdrawn_at"
                )
            )
        ),
        findings=ArraySubquery(
            findings.filter(response=OuterRef("response"))
            .order_by("-score", "pk")
            .values(
                json=JSONObject(
                    rule="rule_id", direction="direction", source="source_side", target="target_side"
                )
            )
        ),
    )


_SHOWN: Final = Kept(_shown)
_READ: Final = Kept(_read)


def _entries(user: AbstractBaseUser, keys: Sequence[UUID], sees_answers: bool) -> list[Any]:
    """The rows of a page, as much of them as this user may see."""
    entries = QueueEntry.objects.visible_to(user)
    if not sees_answers:
        return _SHOWN.rows([entries], keys=list(keys))
    scopes = entries, RedFlag.objects.visible_to(user), Finding.objects.visible_to(user)
    return _READ.rows(scopes, keys=list(keys))


# How a row reads


def _rows(
    entries: Sequence[Any],
    user: AbstractBaseUser,
    sees_answers: bool,
    now: datetime,
    calls: Mapping[UUID, Cursor],
) -> tuple[Row, ...]:
    today = timezone.localdate(now)
    rules = definitions(one["rule"] for entry in entries if sees_answers for one in entry.findings)
    links = {slug for rule in rules.values() if rule.kind == "chain" for slug in rule.links}
    library, language = quote(links=sorted(links)), get_language()
    labels = {value: str(label) for value, label in Status.choices}
    due = {key: due_at(call.tier, call.at) for key, call in calls.items()}
    return tuple(
        Row(
            evaluation=entry.pk,
            response=entry.readable if sees_answers else None,
            request=entry.request if entry.needs_appointment else None,
            starts_at=entry.starts_at,
            asked_at=entry.at if entry.needs_appointment else None,
            came_from=entry.came_from or "",
            name=named_in_full(entry.patient_given_name, entry.patient_family_name),
            age=age_on(entry.patient_birth_date, today),
            phone=entry.patient_phone,
            email=entry.patient_email,
            physio=formal_name(
                entry.physio_title,
                entry.physio_first_name,
                entry.physio_last_name,
                entry.physio_username,
            )
            if entry.physio_id
            else "",
            mine=entry.physio_id == user.pk,
            status=entry.status,
            label=labels[entry.status],
            to_close=entry.is_over(now),
            amended=entry.status == Status.TO_REVIEW and entry.version == ResponseStatus.AMENDED,
            urgent=entry.urgent,
            call_by=due.get(entry.pk),
            overdue=entry.pk in due and now >= due[entry.pk],
            flags=tuple(sorted(map(_flag, entry.flags), key=_waits_not)) if sees_answers else (),
            badges=_badges(library, _as_key(entry.findings), language) if sees_answers else (),
            concern=_concern(_codes(entry.left), _codes(entry.right), language) if sees_answers else "",
            sent_at=entry.sent_at,
        )
        for entry in entries
    )


def _flag(one: Mapping[str, Any]) -> Flag:
    words = titled(one["title"], one["side"])
    called = one["state"] == RedFlag.State.ACKNOWLEDGED
    if one["withdrawn"]:
        words = _("%(flag)s (patient took it back)") % {"flag": words}
    if called:
        words = _("%(flag)s: called") % {"flag": words}
    return Flag(words, waits=one["tier"] in URGENT and not called)


def _waits_not(flag: Flag) -> bool:
    return not flag.waits


# Rule, direction, source side and target side of a finding.
_Course = tuple[int, str, str | None, str | None]


def _as_key(findings: Iterable[Mapping[str, Any]]) -> tuple[_Course, ...]:
    return tuple((one["rule"], one["direction"], one["source"], one["target"]) for one in findings)


def _codes(answers: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(answers or ())


@lru_cache(maxsize=MOST_WORDS)
def _badges(library: Quoted, findings: tuple[_Course, ...], _language: str | None) -> tuple[Badge, ...]:
    steps = library.steps
    numbers: dict[tuple[str, str], int] = {}
    for rule_key, direction, source, target in findings:
        rule = definition(rule_key)
        if rule.kind != "chain":
            continue
        place = whereabouts(
            direction=direction,
            steps=[steps[slug] for slug in rule.links if slug in steps],
            source_side=source,
            target_side=target,
        )
        if place.way in ("up", "down"):
            key = (place.way, place.course)
            numbers[key] = numbers.get(key, 0) + 1
    return tuple(Badge(way, course, number) for (way, course), number in numbers.items())


@lru_cache(maxsize=MOST_WORDS)
def _concern(left: tuple[str, ...], right: tuple[str, ...], _language: str | None) -> str:
    """Where it hurts, by joint: "Left knee and foot, right hip"."""
    areas = {region.id: region.area for region in body_regions()}
    parts = []
    for side, codes in (("left", left), ("right", right)):
        names = list(dict.fromkeys(str(AREAS[areas[code]]) for code in codes if code in areas))
        if not names:
            continue
        joined = (
            names[0]
            if len(names) == 1
            else _("%(some)s and %(last)s")
            % {
                "some": ", ".join(names[:-1]),
                "last": names[-1],
            }
        )
        parts.append(_("%(side)s %(place)s") % {"side": SIDES[side], "place": joined})
    words = ", ".join(parts)
    return words[:1].upper() + words[1:]
