"""What waits for a physio who leaves: how much it is, and whose time it would clash with.

Whoever keeps accounts need not be let near a patient, so nothing here is scoped by `visible_to` and nothing
that names one leaves. The caller opens the audited context.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.patients import diary
from intake.patients.models import Evaluation
from intake.patients.wording import clock, day
from intake.review.models import QueueEntry


@dataclass(frozen=True, slots=True)
class OpenWork:
    """reviews: intakes that were sent and whose review is not finished. visits: booked ones still to come.

    Of one that is both, both count.
    """

    reviews: int
    visits: int

    def __bool__(self) -> bool:
        return bool(self.reviews or self.visits)


def _open() -> Q:
    status = QueueEntry.Status
    return Q(status__in=[status.TO_REVIEW, status.IN_REVIEW])


def _coming(now: datetime) -> Q:
    return Q(at__gt=now) & ~Q(status=QueueEntry.Status.CANCELLED)


def open_work(physio: AbstractBaseUser) -> OpenWork:
    """What waits for this physio: two numbers."""
    waiting = QueueEntry.objects.filter(physio=physio.pk)
    return OpenWork(
        reviews=waiting.filter(_open()).count(), visits=waiting.filter(_coming(timezone.now())).count()
    )


def evaluations_of(physio: AbstractBaseUser) -> list[Evaluation]:
    """The evaluations behind `open_work`, locked, in order of time."""
    keys = QueueEntry.objects.filter(_open() | _coming(timezone.now()), physio=physio.pk)
    rows = Evaluation.objects.filter(pk__in=keys.values_list("pk")).select_for_update()
    return list(rows.order_by("starts_at", "pk"))


def clash_with(evaluations: list[Evaluation], other: Any) -> Evaluation | None:
    """The first visit of another physio that overlaps with one of these that is still to come."""
    now = timezone.now()
    for one in evaluations:
        if one.status == Evaluation.Status.BOOKED and diary.ends(one) > now:
            found = diary.clash(physio=other, starts_at=diary.starts(one), minutes=one.minutes)
            if found is not None:
                return found
    return None


def words(other: Evaluation) -> str:
    """What is said beside the choice. It names the physio and the time, never whose visit it is."""
    return _(
        "%(physio)s has a visit on %(day)s at %(start)s already. Choose somebody else, or move one first."
    ) % {
        "physio": other.physio,
        "day": day(diary.starts(other)),
        "start": clock(diary.starts(other)),
    }
