"""Somebody asks for a first evaluation: what she types, and what the front desk makes of it."""

import re
from datetime import date, timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from education.visitors import limits
from intake.patients import register
from intake.patients.models import Evaluation, EvaluationRequest, Patient

ADULT: Final = 18
REQUESTS_AN_HOUR: Final = 20
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
    """Counts one request from this IP address; False after twenty within the hour."""
    return limits.allow("evaluation.request", address, limit=REQUESTS_AN_HOUR, within=timedelta(hours=1))


def may_mail(email: str) -> bool:
    """Counts one note to this address; False after three within a day, so that nobody floods a stranger."""
    return limits.allow("evaluation.mail", email.lower(), limit=MAILS_A_DAY, within=timedelta(days=1))


def same_person(asked: EvaluationRequest, user: AbstractBaseUser) -> list[Patient]:
    """Patients born on that day who share the family name or a contact: she may be known already."""
    alike = Q(family_name__iexact=asked.family_name)
    if asked.email:
        alike |= Q(email__iexact=asked.email)
    if asked.phone:
        alike |= Q(phone=asked.phone)
    found = Patient.objects.visible_to(user).filter(alike, birth_date=asked.birth_date)
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


def book(
    asked: EvaluationRequest, *, patient: Patient | None, evaluation: Evaluation, by: AbstractBaseUser
) -> None:
    """Book the evaluation; patient None makes one from the request. Raises `AlreadyClosed`."""
    close(asked, by=by)
    if patient is None:
        patient = patient_from(asked)
        register.add_patient(patient, by=by)
    evaluation.patient = patient
    register.add_evaluation(evaluation, by=by)
    asked.evaluation = evaluation
    asked.save(update_fields=["evaluation"])


def close(asked: EvaluationRequest, *, by: AbstractBaseUser) -> None:
    """Nothing more is to be done about it. Raises `AlreadyClosed`."""
    now = timezone.now()
    open_still = EvaluationRequest.objects.filter(pk=asked.pk, closed_at=None)
    if not open_still.update(closed_at=now, closed_by_id=by.pk):
        raise AlreadyClosed
    asked.closed_at, asked.closed_by_id = now, by.pk
