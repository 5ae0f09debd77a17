"""What is kept no longer than it is needed: codes and tries that open nothing any more (requirement 43).

A code that was used stays, because the device it was typed on is known by it. What a patient answered and
what staff did is the clinic's record, and no part of this.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from intake.patients.models import AccessCode, TabletCode, TabletTry

# Long enough to look into what a patient or the front desk reports.
KEPT: Final = timedelta(days=30)

_SPENT: Final[dict[str, Callable[[datetime], QuerySet[Any]]]] = {
    "access-code": lambda before: AccessCode.objects.filter(used_at=None, expires_at__lt=before),
    "tablet-code": lambda before: TabletCode.objects.filter(expires_at__lt=before),
    "tablet-try": lambda before: TabletTry.objects.filter(at__lt=before),
}


def count(now: datetime) -> dict[str, int]:
    """How many rows of each kind would go."""
    return {kind: rows(now - KEPT).count() for kind, rows in _SPENT.items()}


def purge(now: datetime) -> dict[str, int]:
    """Remove them. Returns how many of each kind went."""
    return {kind: rows(now - KEPT).delete()[0] for kind, rows in _SPENT.items()}
