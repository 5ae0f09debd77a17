"""Whose visit is when: no physio is booked twice at one time, and what happened to a booking stays known.

The rule is a constraint of the database (`evaluation_physio_once`, first migration), so it holds
whoever writes. What stands here tells of it in time, in words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from intake.patients.models import BookingEvent, Evaluation
from intake.patients.wording import clock

CONSTRAINT: Final = "evaluation_physio_once"
# The longest visit there can be: how far back one may begin that is not over yet.
LONGEST: Final = timedelta(minutes=480)


class Taken(Exception):
    """The physio has another visit at that time."""


def clash(
    *, physio: AbstractBaseUser, starts_at: datetime, minutes: int, besides: object = None
) -> Evaluation | None:
    """The physio's first booked visit that overlaps with this time; `besides`: a key not counted."""
    # In UTC: on the clinic's clock adding minutes goes wrong while the clocks change.
    starts_at = starts_at.astimezone(UTC)
    ends_at = starts_at + timedelta(minutes=minutes)
    near = Evaluation.objects.filter(
        physio=physio.pk,
        status=Evaluation.Status.BOOKED,
        starts_at__gt=starts_at - LONGEST,
        starts_at__lt=ends_at,
    ).exclude(pk=besides)
    others: list[Evaluation] = list(near.order_by("starts_at", "pk"))
    return next((one for one in others if ends(one) > starts_at), None)


def starts(evaluation: Evaluation) -> datetime:
    """When a visit that was booked begins. Raises `ValueError` for one that never was."""
    if evaluation.starts_at is None:
        raise ValueError("this evaluation was never booked")
    return evaluation.starts_at.astimezone(UTC)


def ends(evaluation: Evaluation) -> datetime:
    """When a visit that was booked is over. Raises `ValueError` for one that never was."""
    return starts(evaluation) + timedelta(minutes=evaluation.minutes)


def words(other: Evaluation) -> str:
    """What is said beside the field. It names the physio and the time, never whose visit it is."""
    return _("%(physio)s has a visit from %(start)s to %(end)s then. Choose another time.") % {
        "physio": other.physio,
        "start": clock(starts(other)),
        "end": clock(ends(other)),
    }


@contextmanager
def booking(physio: Any) -> Iterator[None]:
    """Around a write that books: `Taken` instead of the database's refusal, with nothing of it written.

    physio: the key. Two who book the same physio at once wait for each other here: at the constraint alone
    they could wait for each other for ever.
    """
    get_user_model().objects.select_for_update(no_key=True).filter(pk=physio).values_list("pk").first()
    try:
        with transaction.atomic():
            yield
    except IntegrityError as problem:
        diagnosis = getattr(problem.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", None) != CONSTRAINT:
            raise
        raise Taken from problem


def note(evaluation: Evaluation, kind: str, *, by: AbstractBaseUser | None, reason: str = "") -> None:
    """Add one line to the history of the booking, with the time and the physio that stand after it."""
    BookingEvent.objects.create(
        evaluation=evaluation,
        kind=kind,
        starts_at=evaluation.starts_at,
        physio_id=evaluation.physio_id,
        reason=reason,
        by_id=by.pk if by else None,
    )


def sequence(evaluation: Evaluation) -> int:
    """How often the booking changed since it was made: a calendar replaces an entry by one with a higher."""
    return int(evaluation.booking_events.exclude(kind=BookingEvent.Kind.BOOKED).count())
