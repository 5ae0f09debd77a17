"""Everything that is kept about one patient, read once and drawn twice (`bundle`, `sheets`)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from education.chain.models import ChainNode
from education.lessons.models import Lesson
from intake import audit
from intake.patients.models import (
    AccessCode,
    AccessEvent,
    BookingEvent,
    Erasure,
    Evaluation,
    EvaluationRequest,
    Invitation,
    LessonShare,
    Patient,
    PatientSession,
    Reminder,
    TabletCode,
)
from intake.responses.models import QuestionnaireResponse
from intake.review import looked
from intake.review.models import (
    Closing,
    Measurement,
    MissedLink,
    Outcome,
    RedFlagContact,
    Review,
    Verdict,
)
from intake.screening.models import Finding, RedFlag, RedFlagEvent, Rule, ScreeningRun


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody saw or changed something of hers. who: by name for staff."""

    at: datetime
    kind: str
    who: str
    action: str


@dataclass(frozen=True, slots=True)
class Titles:
    """What people call that which the record keeps by a short name."""

    lessons: Mapping[str, str]
    places: Mapping[str, str]
    precautions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """people: the patient first, then the rows that turned out to be her.

    looks: every line of the trail about her. told: what staff did, a day at a time and in words for her.
    """

    at: datetime
    people: tuple[Patient, ...]
    evaluations: tuple[Evaluation, ...]
    requests: tuple[EvaluationRequest, ...]
    bookings: tuple[BookingEvent, ...]
    invitations: tuple[Invitation, ...]
    reminders: tuple[Reminder, ...]
    shares: tuple[LessonShare, ...]
    events: tuple[AccessEvent, ...]
    codes: tuple[AccessCode, ...]
    tablet_codes: tuple[TabletCode, ...]
    sessions: tuple[PatientSession, ...]
    responses: tuple[QuestionnaireResponse, ...]
    runs: tuple[ScreeningRun, ...]
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    outcomes: tuple[Outcome, ...]
    flags: tuple[RedFlag, ...]
    flag_events: tuple[RedFlagEvent, ...]
    contacts: tuple[RedFlagContact, ...]
    reviews: tuple[Review, ...]
    closings: tuple[Closing, ...]
    measurements: tuple[Measurement, ...]
    missed: tuple[MissedLink, ...]
    erasures: tuple[Erasure, ...]
    looks: tuple[Look, ...]
    told: tuple[looked.Look, ...]
    titles: Titles
    staff: Mapping[int, AbstractBaseUser] = field(default_factory=dict)

    @property
    def patient(self) -> Patient:
        return self.people[0]

    def of(self, rows: Iterable[Any], name: str, key: object) -> tuple[Any, ...]:
        """Those of the rows whose foreign key `name` is this one."""
        return tuple(row for row in rows if getattr(row, f"{name}_id") == key)


def read(patient_id: UUID) -> Record:
    """All of it, in one audited context of the caller. Raises `Patient.DoesNotExist`."""
    patient = Patient.objects.get(pk=patient_id, replaced_by=None)
    people = _same(patient)
    evaluations = tuple(
        Evaluation.objects.filter(patient__in=people).select_related("physio").order_by("created_at", "pk")
    )
    responses = tuple(
        QuestionnaireResponse.objects.filter(evaluation__in=evaluations)
        .select_related("questionnaire", "evaluation")
        .order_by("started_at", "pk")
    )
    findings = tuple(
        Finding.objects.filter(response__in=responses)
        .select_related("rule")
        .order_by("response", "-score", "pk")
    )
    flags = tuple(
        RedFlag.objects.filter(response__in=responses).select_related("rule").order_by("raised_at", "pk")
    )
    invitations = tuple(Invitation.objects.filter(evaluation__in=evaluations).order_by("created_at", "pk"))
    shares = tuple(LessonShare.objects.filter(evaluation__in=evaluations))
    requests = tuple(EvaluationRequest.objects.filter(evaluation__in=evaluations))
    links = Q(invitation__in=invitations) | Q(share__in=shares)
    keys = {
        "patient": people,
        "evaluation": evaluations,
        "evaluation-request": requests,
        "invitation": invitations,
        "lesson-share": shares,
        "response": responses,
        "red-flag": flags,
    }
    access = audit.current()
    for kind, rows in keys.items():
        access.saw(kind, [row.pk for row in rows])
    access.saw("finding", [finding.pk for finding in findings])
    named = [f"{kind}:{row.pk}" for kind, rows in keys.items() for row in rows]
    staff = {user.pk: user for user in get_user_model()._default_manager.all()}
    return Record(
        at=timezone.now(),
        people=people,
        evaluations=evaluations,
        requests=requests,
        bookings=tuple(BookingEvent.objects.filter(evaluation__in=evaluations)),
        invitations=invitations,
        reminders=tuple(Reminder.objects.filter(evaluation__in=evaluations)),
        shares=shares,
        events=tuple(AccessEvent.objects.filter(links).order_by("at", "pk")),
        codes=tuple(AccessCode.objects.filter(invitation__in=invitations).order_by("asked_at", "pk")),
        tablet_codes=tuple(
            TabletCode.objects.filter(invitation__in=invitations).order_by("started_at", "pk")
        ),
        sessions=tuple(PatientSession.objects.filter(links).order_by("started_at", "pk")),
        responses=responses,
        runs=tuple(ScreeningRun.objects.filter(response__in=responses).order_by("at", "pk")),
        findings=findings,
        verdicts=tuple(Verdict.objects.filter(finding__in=findings)),
        outcomes=tuple(Outcome.objects.filter(finding__in=findings)),
        flags=flags,
        flag_events=tuple(RedFlagEvent.objects.filter(flag__in=flags)),
        contacts=tuple(RedFlagContact.objects.filter(response__in=responses)),
        reviews=tuple(Review.objects.filter(response__in=responses).order_by("started_at", "pk")),
        closings=tuple(Closing.objects.filter(response__in=responses)),
        measurements=tuple(Measurement.objects.filter(response__in=responses)),
        missed=tuple(MissedLink.objects.filter(response__in=responses)),
        erasures=tuple(Erasure.objects.filter(patient_id=patient.pk).order_by("at")),
        looks=who_looked(named, staff),
        told=looked.looks_in(named),
        titles=titles(),
        staff=staff,
    )


def _same(patient: Patient) -> tuple[Patient, ...]:
    """Her and, in turn, the rows that turned out to be her."""
    found, newest = [patient], [patient]
    while newest:
        newest = list(Patient.objects.filter(replaced_by__in=newest).order_by("created_at"))
        found += newest
    return tuple(found)


def titles() -> Titles:
    """Of all versions that there were: a record is older than what runs now."""
    precautions = Rule.objects.filter(kind=Rule.Kind.PRECAUTION).order_by("version")
    return Titles(
        lessons=dict(Lesson.objects.values_list("slug", "title")),
        places=dict(ChainNode.objects.values_list("slug", "name")),
        precautions={rule.rule_id: rule.title for rule in precautions},
    )


def who_looked(keys: list[str], staff: Mapping[int, AbstractBaseUser]) -> tuple[Look, ...]:
    """Every line of the trail that names one of these records, the first one first."""
    lines = audit.AuditEvent.objects.filter(looked.about(keys)).order_by("at", "pk")
    return tuple(Look(line.at, line.actor_kind, _who(line, staff), line.action) for line in lines)


def _who(line: audit.AuditEvent, staff: Mapping[int, AbstractBaseUser]) -> str:
    if line.actor_kind == "staff":
        user = staff.get(int(line.actor_id)) if line.actor_id.isdigit() else None
        return str(user) if user is not None else _("somebody of the staff who is gone")
    names: dict[str, Callable[[], str]] = {
        "patient": lambda: _("the patient"),
        "anonymous": lambda: _("a visitor who was not signed in"),
    }
    name = names.get(line.actor_kind)
    return name() if name else _("the portal itself (%(job)s)") % {"job": line.actor_id}
