"""Somebody asks for a first evaluation: what she types, and what the front desk makes of it."""

import re
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from education.lessons.models import Lesson, LessonRedirect
from education.visitors import limits
from intake.patients import register
from intake.patients.models import Evaluation, EvaluationRequest, Patient

ADULT: Final = 18
REQUESTS_AN_HOUR: Final = 20
# From everybody together: more than a clinic could call back in a week.
REQUESTS_OF_ALL_AN_HOUR: Final = 300
ASKING_WINDOW: Final = timedelta(hours=1)
MAILS_A_DAY: Final = 3
SAME_PERSON_SHOWN: Final = 10

# North American numbers have ten digits; the longest anywhere have fifteen (E.164).
FEWEST_DIGITS: Final = 10
MOST_DIGITS: Final = 15
PHONE: Final = re.compile(r"\+?[0-9 ().\-/]+\Z")


class PhoneProblem(ValueError):
    """What was typed cannot be called."""


class AlreadyClosed(Exception):
    """Somebody else booked or closed this request meanwhile."""


def check_phone(text: str) -> str:
    """The number as typed, without space around it; empty stays empty. Raises `PhoneProblem`."""
    text = text.strip()
    digits = sum(character.isdigit() for character in text)
    if text and (not PHONE.match(text) or not FEWEST_DIGITS <= digits <= MOST_DIGITS):
        raise PhoneProblem(_("Enter a phone number with its area code, like 310 555 0142."))
    return text


def is_minor(birth_date: date, today: date) -> bool:
    """Whether a parent or guardian has to be named."""
    return Patient(birth_date=birth_date).age_on(today) < ADULT


def may_ask(address: str | None) -> bool:
    """Counts one request from this IP address; False after twenty within the hour, or 300 from everybody."""
    return limits.allow(
        "evaluation.request", address, limit=REQUESTS_AN_HOUR, within=ASKING_WINDOW
    ) and limits.allow(
        "evaluation.request", limits.EVERYBODY, limit=REQUESTS_OF_ALL_AN_HOUR, within=ASKING_WINDOW
    )


def may_mail(email: str) -> bool:
    """Counts one mail to this address; False after three within a day, so that nobody floods a stranger."""
    return limits.allow("evaluation.mail", email.lower(), limit=MAILS_A_DAY, within=timedelta(days=1))


def same_person(asked: EvaluationRequest, user: AbstractBaseUser) -> list[Patient]:
    """Patients born on that day who share the family name or a contact: she may be known already.

    What the front desk corrected since counts, not what she wrote. Others who merely asked are not offered:
    nothing of theirs is known to be true.
    """
    pending = asked.evaluation.patient
    alike = Q(family_name__iexact=pending.family_name)
    if pending.email:
        alike |= Q(email__iexact=pending.email)
    if pending.phone:
        alike |= Q(phone=pending.phone)
    known = Patient.objects.visible_to(user).with_standing().filter(asked_only=False)
    found = known.filter(alike, birth_date=pending.birth_date)
    return list(found[:SAME_PERSON_SHOWN])


def patient_from(asked: EvaluationRequest) -> Patient:
    """A new patient as she described herself, not yet kept."""
    return Patient(
        given_name=asked.given_name,
        family_name=asked.family_name,
        birth_date=asked.birth_date,
        email=asked.email,
        phone=asked.phone,
    )


def keep(asked: EvaluationRequest) -> Evaluation:
    """Keep the request, with a patient made from it alone and an evaluation that has no time yet.

    Nobody known is looked up, so who asks learns nothing and changes nothing about anybody.
    """
    patient = patient_from(asked)
    patient.save(force_insert=True)
    evaluation: Evaluation = Evaluation.objects.create(
        patient=patient, status=Evaluation.Status.REQUESTED, minutes=settings.EVALUATION_MINUTES
    )
    asked.evaluation = evaluation
    asked.save(force_insert=True)
    return evaluation


def book(
    asked: EvaluationRequest,
    *,
    patient: Patient | None,
    physio: AbstractBaseUser,
    starts_at: datetime,
    minutes: int,
    by: AbstractBaseUser,
) -> Evaluation:
    """Put the appointment on the evaluation she asked for, so that an intake begun or sent stays with it.

    patient: the known one she is; her evaluation moves there. None: she is new, as she described herself.
    Raises `AlreadyClosed` or `diary.Taken`.
    """
    _close(asked, by=by)
    evaluation: Evaluation = Evaluation.objects.select_related("patient").get(pk=asked.evaluation_id)
    if patient is not None:
        _move(evaluation, patient)
    register.book_asked(evaluation, physio=physio, starts_at=starts_at, minutes=minutes, by=by)
    return evaluation


def _move(evaluation: Evaluation, patient: Patient) -> None:
    """The evaluation is this patient's. A link that went to another address than hers ends."""
    pending = evaluation.patient
    evaluation.patient = patient
    evaluation.save(update_fields=["patient"])
    pending.replaced_by = patient
    pending.save(update_fields=["replaced_by"])
    if pending.email.lower() != patient.email.lower():
        evaluation.invitations.filter(revoked_at=None, ended_at=None).update(revoked_at=timezone.now())


def close(asked: EvaluationRequest, *, by: AbstractBaseUser) -> None:
    """Nothing comes of it: its link opens nothing any more. Raises `AlreadyClosed`."""
    _close(asked, by=by)
    Evaluation.objects.filter(pk=asked.evaluation_id).update(status=Evaluation.Status.CANCELLED)


def _close(asked: EvaluationRequest, *, by: AbstractBaseUser) -> None:
    now = timezone.now()
    open_still = EvaluationRequest.objects.filter(pk=asked.pk, closed_at=None)
    if not open_still.update(closed_at=now, closed_by_id=by.pk):
        raise AlreadyClosed
    asked.closed_at, asked.closed_by_id = now, by.pk


def lesson_title(source: str) -> Coalesce:
    """For a query: the title of the lesson that has or had the slug at this path, else NULL."""
    return Coalesce(
        Subquery(Lesson.objects.filter(slug=OuterRef(source)).values("title")[:1]),
        Subquery(LessonRedirect.objects.filter(slug=OuterRef(source)).values("lesson__title")[:1]),
    )


def came_from(evaluation: Evaluation) -> str:
    """The title of the lesson she came from when she asked for this evaluation; empty for none."""
    asked = EvaluationRequest.objects.filter(evaluation=evaluation.pk)
    return asked.values_list(lesson_title("source"), flat=True).first() or ""
