"""Who looked at what: the trail as people read it, newest first, by patient, person, kind of action and day.

A patient's lines are those of all her records: ids are found through her, lines by the keys they are kept
under (ADR 0043). The caller has opened an audited context.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, F, Func, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.audit import AuditEvent, TrailIds, TrailKeys
from intake.patients.models import (
    AccessCode,
    Evaluation,
    EvaluationRequest,
    Invitation,
    LessonShare,
    Patient,
    Reminder,
)
from intake.responses.models import QuestionnaireResponse
from intake.review import who_acted
from intake.review.keys import key_or_none, number_or_none
from intake.review.trail_details import in_words
from intake.review.trail_words import GROUPS, KINDS, TOLD, WORDS, actions_of, label
from intake.review.who_acted import Staff
from intake.screening.models import Finding, RedFlag

PAGE_SIZE: Final = 50
CHUNK: Final = 2_000
# A line of the worklist names every visit on it.
RECORDS_SHOWN: Final = 4
# Kinds of records that are accounts of the staff.
ACCOUNTS: Final = ("staff", "account")
# What a patient is shown of the past.
TOLD_SHOWN: Final = 200

# A key of who came by a link, beside the keys of records.
BY: Final = "by"
# Each kind of record: where it is kept, and the way from it to the patient.
PATHS: Final[dict[str, tuple[Any, str]]] = {
    "evaluation": (Evaluation, "patient"),
    "evaluation-request": (EvaluationRequest, "evaluation__patient"),
    "invitation": (Invitation, "evaluation__patient"),
    "access-code": (AccessCode, "invitation__evaluation__patient"),
    "reminder": (Reminder, "evaluation__patient"),
    "lesson-share": (LessonShare, "evaluation__patient"),
    "response": (QuestionnaireResponse, "evaluation__patient"),
    "finding": (Finding, "response__evaluation__patient"),
    "red-flag": (RedFlag, "response__evaluation__patient"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for. record: as `kind:id`; after: the last line of the page before."""

    patient: UUID | None = None
    record: str = ""
    who: int | None = None
    group: str = ""
    day: date | None = None
    after: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """What does not fit is left out: the page shows which filters hold."""
        kind, _colon, key = query.get("record", "").partition(":")
        fits = kind in KINDS and (number_or_none(key) is not None or key_or_none(key) is not None)
        group = query.get("what", "")
        return cls(
            patient=key_or_none(query.get("patient", "")),
            record=f"{kind}:{key}" if fits else "",
            who=number_or_none(query.get("who", "")),
            group=group if group in GROUPS else "",
            day=day_or_none(query.get("day", "")),
            after=number_or_none(query.get("after", "")),
        )

    def changed(self, **other: Any) -> "Filters":
        """The same from the first page on, with other filters."""
        return replace(self, **{"after": None, **other})

    def query(self) -> str:
        """As the address says it; no name stands in it."""
        found = QueryDict(mutable=True)
        found.update(
            {
                name: str(value)
                for name, value in (
                    ("patient", self.patient),
                    ("record", self.record),
                    ("who", self.who),
                    ("what", self.group),
                    ("day", self.day),
                    ("after", self.after),
                )
                if value
            }
        )
        return found.urlencode(safe=":")


def day_or_none(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2999 else None


def start_of(day: date) -> datetime:
    """When a day begins at the clinic."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def keys_of(patient: UUID) -> list[str]:
    """The keys of all records about a patient, of rows included that turned out to be her."""
    people = [patient, *Patient.objects.filter(replaced_by=patient).values_list("pk", flat=True)]
    keys = [f"patient:{key}" for key in people]
    for kind, (model, path) in PATHS.items():
        ids = list(model.objects.filter(**{f"{path}__in": people}).values_list("pk", flat=True))
        keys += [f"{kind}:{key}" for key in ids]
        if kind in ("invitation", "lesson-share"):
            keys += [f"{BY}:{key}" for key in ids]
    return keys


def patient_of(record: str) -> UUID | None:
    """Whose a record is; None for one that is nobody's, or is gone."""
    kind, _colon, key = record.partition(":")
    if kind == "patient":
        return key_or_none(key)
    if kind not in PATHS:
        return None
    model, path = PATHS[kind]
    is_number = model._meta.pk.get_internal_type() == "BigAutoField"
    if (number_or_none(key) is None) if is_number else (key_or_none(key) is None):
        return None
    found: UUID | None = model.objects.filter(pk=key).values_list(path, flat=True).first()
    return found


def about(keys: list[str]) -> Func:
    """The condition that a line has one of these keys.

    Found in a statement of its own: where many keys are asked for, the planner takes walking back through the
    whole trail to be shorter than the index.
    """
    records = [(kind, key) for kind, _colon, key in (one.partition(":") for one in keys)]
    named = Q(ids__has_any_keys=[key for kind, key in records if kind != BY], keys__overlap=keys)
    hers = Q(actor_kind="patient", actor_id__in=[key for kind, key in records if kind == BY])
    lines = AuditEvent.objects.alias(ids=TrailIds(), keys=TrailKeys())
    found = lines.filter(named | hers).order_by().values("pk")
    return Func(
        F("pk"),
        ArraySubquery(found, template="(ARRAY(%(subquery)s))"),
        template="%(expressions)s",
        arg_joiner=" = ANY",
        output_field=BooleanField(),
    )


def lines(filters: Filters) -> QuerySet[AuditEvent]:
    """The lines that the filters ask for, newest first."""
    rows = AuditEvent.objects.order_by("-at", "-pk")
    if filters.patient is not None:
        rows = rows.filter(about(keys_of(filters.patient)))
    if filters.record:
        rows = rows.filter(about([filters.record]))
    if filters.who is not None:
        rows = rows.filter(actor_kind="staff", actor_id=str(filters.who))
    if filters.group:
        rows = rows.filter(action__in=actions_of(filters.group))
    if filters.day is not None:
        begins, ends = start_of(filters.day), start_of(filters.day + timedelta(days=1))
        rows = rows.filter(at__gte=begins, at__lt=ends)
    return rows


def beyond(rows: QuerySet[AuditEvent], last: AuditEvent) -> QuerySet[AuditEvent]:
    """What comes after a line in that order."""
    return rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk), at__lte=last.at)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that a line names. query: the filter that shows its lines. name: whose account it is."""

    kind: str
    key: str
    query: str
    name: str = ""

    @property
    def words(self) -> str:
        """`visit 1a2b3c4d`: enough to tell two apart on a page."""
        return self.name or f"{KINDS.get(self.kind, self.kind)} {self.key[:8]}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown. who_query: the filter of whoever acted; broken: behind broken glass."""

    key: int
    at: datetime
    who: str
    role: str
    who_query: str
    action: str
    group: str
    records: tuple[Record, ...]
    detail: str
    broken: bool

    @property
    def first_records(self) -> tuple[Record, ...]:
        return self.records[:RECORDS_SHOWN]

    @property
    def more_records(self) -> tuple[Record, ...]:
        return self.records[RECORDS_SHOWN:]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the trail; after: the filters of the next one when there are more lines."""

    lines: tuple[Line, ...]
    after: str


def page(filters: Filters) -> Page:
    """The lines of one page. An unknown `after` is the first page."""
    rows = lines(filters)
    last = AuditEvent.objects.filter(pk=filters.after).first() if filters.after else None
    if last is not None:
        rows = beyond(rows, last)
    found = list(rows[: PAGE_SIZE + 1])
    shown = tuple(as_lines(found[:PAGE_SIZE]))
    more = len(found) > PAGE_SIZE
    return Page(shown, filters.changed(after=shown[-1].key).query() if more else "")


def as_lines(events: Iterable[AuditEvent]) -> Iterator[Line]:
    """The lines in words; who acted is read in three statements for all of them."""
    events = list(events)
    staff = who_acted.find(
        (key for event in events for key in accounts_of(event)),
        since=min((event.at for event in events), default=None),
    )
    for event in events:
        who, role = actor_words(event, staff)
        is_staff = event.actor_kind == "staff"
        word = WORDS.get(event.action)
        yield Line(
            key=event.pk,
            at=event.at,
            who=who,
            role=role,
            who_query=Filters(who=number_or_none(event.actor_id)).query() if is_staff else "",
            action=label(event.action),
            group=str(GROUPS[word.group]) if word else "",
            records=tuple(
                Record(kind, key, record_query(kind, key), account_words(kind, key, staff))
                for kind, keys in event.objects_seen.items()
                for key in keys
            ),
            detail=in_words(event.action, event.detail, staff),
            broken=bool(event.detail.get("break_glass")),
        )


def accounts_of(event: AuditEvent) -> Iterator[str]:
    """The accounts that a line names: whose line it is, and whom it is about."""
    if event.actor_kind == "staff":
        yield event.actor_id
    for kind in ACCOUNTS:
        yield from map(str, event.objects_seen.get(kind, ()))


def account_words(kind: str, key: str, staff: Staff) -> str:
    """Whose account a record is; empty where it is none."""
    if kind not in ACCOUNTS or key not in staff.people:
        return ""
    return _("account of %(name)s") % {"name": staff.name(key)}


def record_query(kind: str, key: str) -> str:
    if kind == "patient":
        return Filters(patient=key_or_none(key)).query()
    return Filters.read({"record": f"{kind}:{key}"}).query()


def actor_words(event: AuditEvent, staff: Staff) -> tuple[str, str]:
    """Who acted, and in which role."""
    if event.actor_kind == "staff":
        return staff.name(event.actor_id), staff.role(event.actor_id, event.at)
    if event.actor_kind == "patient":
        return _("The patient"), ""
    if event.actor_kind == "system":
        return _("The system"), event.actor_id
    return _("Nobody signed in"), ""


# ---- looking a patient up


def whose(key: UUID) -> list[UUID]:
    """The patient with this number, or whose record has it. One that was erased is in the trail still."""
    for kind, (model, _path) in PATHS.items():
        if model._meta.pk.get_internal_type() == "UUIDField":
            found = patient_of(f"{kind}:{key}")
            if found is not None:
                return [found]
    known = Patient.objects.filter(pk=key).exists()
    return [key] if known or lines(Filters(record=f"patient:{key}")).exists() else []


def find_people(*, given_name: str, family_name: str, birth_date: date) -> list[UUID]:
    """Patients of exactly this name and date of birth, newest first: who looks them up knows all three."""
    found = Patient.objects.filter(
        given_name__iexact=given_name,
        family_name__iexact=family_name,
        birth_date=birth_date,
        replaced_by=None,
    )
    return list(found.order_by("-created_at").values_list("pk", flat=True)[:20])


# ---- what the patient reads


@dataclass(frozen=True, slots=True)
class Look:
    """What a member of staff did on one day, as the patient reads it. number: how often that day."""

    who: str
    role: str
    what: str
    at: datetime
    number: int


def looks_at(evaluation: Evaluation) -> tuple[Look, ...]:
    """Who of the staff looked at the patient of a visit, latest first; nothing of what was found."""
    return looks_in(keys_of(evaluation.patient_id))[:TOLD_SHOWN]


def looks_in(keys: list[str]) -> tuple[Look, ...]:
    """The same for records by the keys they are kept under, of all times."""
    rows = (
        AuditEvent.objects.filter(about(keys), actor_kind="staff", action__in=TOLD)
        .annotate(day=TruncDate("at"))
        .values("actor_id", "action", "day")
        .annotate(last=Max("at"), number=Count("pk"))
        .order_by("-last")
    )
    found = list(rows)
    staff = who_acted.find(
        (row["actor_id"] for row in found), since=min((row["last"] for row in found), default=None)
    )
    looks: dict[tuple[str, date, str], Look] = {}
    for row in found:
        person = staff.people.get(row["actor_id"])
        what = str(WORDS[row["action"]].patient)
        key = (row["actor_id"], row["day"], what)
        before = looks.get(key)
        if before is not None:
            looks[key] = replace(before, number=before.number + row["number"])
            continue
        looks[key] = Look(
            who=person.formal_name if person else _("Somebody who has left the clinic"),
            role=staff.role(row["actor_id"], row["last"]),
            what=what,
            at=row["last"],
            number=row["number"],
        )
    return tuple(looks.values())
