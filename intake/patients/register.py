"""The front desk's writes: people and their visits."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from intake.patients import diary
from intake.patients.models import BookingEvent, Evaluation, Patient

# A link has to end after it was made (a constraint of the table), also when a visit moves into the past.
SHORTEST_LIFE: Final = timedelta(seconds=1)


class NotBooked(Exception):
    """There is no booked visit to cancel: somebody else was faster."""


class NotCancelled(Exception):
    """There is no cancelled visit to book again: somebody else was faster."""


def add_patient(patient: Patient, *, by: AbstractBaseUser) -> None:
    """Keep a new patient."""
    patient.created_by_id = by.pk
    patient.save(force_insert=True)


def change_patient(patient: Patient) -> None:
    """Keep what was corrected: the name, the date of birth, how to reach her, whether she is reminded."""
    patient.save(update_fields=["given_name", "family_name", "birth_date", "email", "phone", "reminders_off"])


def add_evaluation(evaluation: Evaluation, *, by: AbstractBaseUser) -> None:
    """Book a visit. Raises `diary.Taken`; nothing is stored then."""
    evaluation.created_by_id = by.pk
    with diary.booking(evaluation.physio_id):
        evaluation.save(force_insert=True)
    diary.note(evaluation, BookingEvent.Kind.BOOKED, by=by)


def change_evaluation(evaluation: Evaluation, *, by: AbstractBaseUser) -> bool:
    """Keep a visit's new time, physio or length; False when all stayed as it was.

    Its live link then lives until a day after it. Raises `diary.Taken`; nothing is stored then.
    """
    before = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
    if (before.physio_id, before.starts_at, before.minutes) == (
        evaluation.physio_id,
        evaluation.starts_at,
        evaluation.minutes,
    ):
        return False
    evaluation.booked_at = before.booked_at if before.starts_at == evaluation.starts_at else timezone.now()
    _book(evaluation, BookingEvent.Kind.MOVED, by=by)
    return True


def book_asked(
    evaluation: Evaluation,
    *,
    physio: AbstractBaseUser,
    starts_at: datetime,
    minutes: int,
    by: AbstractBaseUser,
) -> None:
    """Give one that was asked for its time. Raises `diary.Taken`."""
    _set_time(evaluation, physio=physio, starts_at=starts_at, minutes=minutes)
    _book(evaluation, BookingEvent.Kind.BOOKED, by=by)


def cancel(evaluation: Evaluation, *, reason: str, by: AbstractBaseUser) -> None:
    """The visit does not take place. The link opens nothing meanwhile; answers stay. Raises `NotBooked`."""
    booked = Evaluation.objects.filter(pk=evaluation.pk, status=Evaluation.Status.BOOKED)
    if not booked.update(status=Evaluation.Status.CANCELLED):
        raise NotBooked
    evaluation.status = Evaluation.Status.CANCELLED
    diary.note(evaluation, BookingEvent.Kind.CANCELLED, by=by, reason=reason)


def rebook(
    evaluation: Evaluation,
    *,
    physio: AbstractBaseUser,
    starts_at: datetime,
    minutes: int,
    by: AbstractBaseUser,
) -> None:
    """A cancelled visit takes place after all: same evaluation, so answers and link are there again.

    Raises `NotCancelled` or `diary.Taken`; nothing is stored then.
    """
    cancelled = Evaluation.objects.select_for_update().filter(pk=evaluation.pk)
    if not cancelled.filter(status=Evaluation.Status.CANCELLED).exists():
        raise NotCancelled
    _set_time(evaluation, physio=physio, starts_at=starts_at, minutes=minutes)
    _book(evaluation, BookingEvent.Kind.REBOOKED, by=by)


def hand_over(evaluation: Evaluation, *, to: AbstractBaseUser, by: AbstractBaseUser) -> None:
    """Another physio has it from now on, at the same time. Raises `diary.Taken`; nothing is stored then.

    A visit that is over stands beside what the other physio did then, so it takes nobody's time.
    """
    evaluation.physio_id = to.pk
    evaluation.double_booked = evaluation.status == Evaluation.Status.BOOKED and (
        diary.ends(evaluation) <= timezone.now()
    )
    with diary.booking(to.pk):
        evaluation.save(update_fields=["physio", "double_booked"])
    diary.note(evaluation, BookingEvent.Kind.MOVED, by=by)


def _set_time(evaluation: Evaluation, *, physio: AbstractBaseUser, starts_at: datetime, minutes: int) -> None:
    evaluation.status = Evaluation.Status.BOOKED
    evaluation.physio_id, evaluation.starts_at, evaluation.minutes = physio.pk, starts_at, minutes
    evaluation.booked_at = timezone.now()


def _book(evaluation: Evaluation, kind: str, *, by: AbstractBaseUser) -> None:
    evaluation.double_booked = False
    with diary.booking(evaluation.physio_id):
        evaluation.save(
            update_fields=["physio", "starts_at", "minutes", "status", "booked_at", "double_booked"]
        )
    for invitation in evaluation.invitations.filter(revoked_at=None, ended_at=None):
        invitation.expires_at = max(evaluation.link_ends_at, invitation.created_at + SHORTEST_LIFE)
        invitation.save(update_fields=["expires_at"])
    diary.note(evaluation, kind, by=by)
