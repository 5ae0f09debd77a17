"""The banner on every staff page: how many intakes have an urgent answer that nobody has dealt with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake import audit
from intake.patients.models import may
from intake.patients.wording import clock, day
from intake.review import timers
from intake.review.models import QueueEntry, RedFlag
from intake.screening.screen import URGENT


@dataclass(frozen=True, slots=True)
class Waiting:
    """count: intakes that wait. since: the first of their flags. overdue, stuck: see `timers`."""

    count: int = 0
    since: datetime | None = None
    overdue: bool = False
    stuck: bool = False

    @property
    def words(self) -> str:
        """What the banner says; empty for none."""
        if not self.count or self.since is None:
            return ""
        today = timezone.localdate(self.since) == timezone.localdate()
        shown = {"count": self.count, "since": clock(self.since) if today else day(self.since)}
        text = ngettext(
            "%(count)s urgent answer waits since %(since)s",
            "%(count)s urgent answers wait since %(since)s",
            self.count,
        )
        parts = [text % shown]
        if self.overdue:
            parts.append(_("overdue"))
        if self.stuck:
            parts.append(_("the e-mail to whoever is on call has not left"))
        return ", ".join(parts)


def waiting(user: AbstractBaseUser | AnonymousUser, *, known: int | None = None) -> Waiting:
    """What waits, for those who may see the worklist. Names nobody, so it writes no row into the trail.

    known: how many there are, where the page has counted them already.
    """
    if not may(user, "intake.see_worklist"):
        return Waiting()
    with audit.covered():
        count = QueueEntry.objects.filter(urgent=True).count() if known is None else known
        if not count:
            return Waiting()
        flags = RedFlag.objects.filter(
            tier__in=URGENT, state__in=(RedFlag.State.OPEN, RedFlag.State.WITHDRAWN)
        )
        first: dict[str, Any] = flags.aggregate(
            since=Min("raised_at"),
            unsent=Min("raised_at", filter=Q(mail_sent_at=None)),
            **{tier: Min("raised_at", filter=Q(tier=tier)) for tier in URGENT},
        )
    now = timezone.now()
    return Waiting(
        count=count,
        since=first["since"],
        overdue=any(first[tier] is not None and timers.is_overdue(tier, first[tier], now) for tier in URGENT),
        stuck=first["unsent"] is not None and timers.notice_is_stuck(first["unsent"], None, now),
    )
