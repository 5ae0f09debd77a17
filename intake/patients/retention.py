"""What is kept no longer than it is needed, and how long that is (requirement 43, ADR 0044).

Codes and tries open nothing after minutes; they stay 30 days for questions about them. A code that was used
stays, because the device it was typed on is known by it. The secret of a link goes once the link has been
over for that long and the visit with it; the row stays, because the clinic's figures count it. The trail is
no part of this: its chain may not lose a line, and it has to be there for six years at least.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from intake.patients.models import (
    AccessCode,
    AccessEvent,
    Evaluation,
    Invitation,
    LessonShare,
    Patient,
    PatientSession,
    Reminder,
    TabletCode,
    TabletTry,
)

# Rows that go in one transaction, so that nobody waits long for one of them and a stop loses little.
BATCH: Final = 500

Rows = Callable[[datetime], QuerySet[Any]]


def kept() -> timedelta:
    """How long codes, drafts and links are kept that nobody uses any more."""
    return timedelta(days=settings.UNUSED_DAYS)


def over(before: datetime) -> Q:
    """Links that were over by then, and whose visit was too: one for a visit to come can still be renewed."""
    begun = Q(evaluation__starts_at=None) | Q(evaluation__starts_at__lt=before)
    return Q(expires_at__lt=before) & begun


def _of_links_over(before: datetime) -> Q:
    invitations = Invitation.objects.filter(over(before)).values("pk")
    shares = LessonShare.objects.filter(over(before)).values("pk")
    return Q(invitation__in=invitations) | Q(share__in=shares)


def _sessions(before: datetime) -> QuerySet[Any]:
    """A device that opened a form is known again by its cookie as long as that lives."""
    return PatientSession.objects.filter(
        _of_links_over(before), started_at__lt=before - settings.DEVICE_COOKIE_AGE
    )


REMOVED: Final[Mapping[str, Rows]] = {
    "access-code": lambda before: AccessCode.objects.filter(used_at=None, expires_at__lt=before),
    "tablet-code": lambda before: TabletCode.objects.filter(expires_at__lt=before),
    "tablet-try": lambda before: TabletTry.objects.filter(at__lt=before),
    # What counts wrong dates looks back for a day.
    "link-event": lambda before: AccessEvent.objects.filter(_of_links_over(before), at__lt=before),
    "session": _sessions,
}
EMPTIED: Final[Mapping[str, Rows]] = {
    "link": lambda before: Invitation.objects.filter(over(before), token_hash__isnull=False),
    "link-to-lessons": lambda before: LessonShare.objects.filter(over(before), token_hash__isnull=False),
    "link-of-reminder": lambda before: Reminder.objects.filter(
        Q(token_hash__isnull=False) | Q(stop_hash__isnull=False), starts_at__lt=before
    ),
}


def remove(kind: str, before: datetime) -> int:
    """One batch of a kind of `REMOVED`. Returns how many rows went."""
    rows = REMOVED[kind](before)
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    return int(rows.model._default_manager.filter(pk__in=keys).delete()[0])


def empty(kind: str, before: datetime) -> int:
    """The secrets of one batch of a kind of `EMPTIED`. Returns how many rows lost theirs."""
    rows = EMPTIED[kind](before)
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    secrets = {"token_hash": None, **({"stop_hash": None} if rows.model is Reminder else {})}
    return int(rows.model._default_manager.filter(pk__in=keys).update(**secrets))


def never_came(before: datetime) -> QuerySet[Any]:
    """People who asked for an evaluation that the clinic closed without one, and who sent nothing."""
    hers = Evaluation.objects.filter(patient=OuterRef("pk"))
    closed = Q(starts_at=None, request__closed_at__lt=before)
    return Patient.objects.filter(
        Exists(hers.filter(closed)),
        ~Exists(hers.exclude(closed)),
        ~Exists(hers.filter(responses__authored__isnull=False)),
        ~Exists(Patient.objects.filter(replaced_by=OuterRef("pk"))),
        replaced_by=None,
    )
