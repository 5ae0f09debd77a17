"""The banner on every staff page: how many intakes have an urgent answer that nobody has dealt with."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake import audit
from intake.patients.models import may
from intake.patients.wording import clock, day
from intake.review import timers

# By hand: it is asked on every staff page, and the index of what waits knows these very words.
_WAITING: Final = """
SELECT
  (SELECT count(*) FROM intake_queueentry WHERE urgent),
  min(raised_at),
  min(raised_at) FILTER (WHERE mail_sent_at IS NULL),
  min(raised_at) FILTER (WHERE tier = 'emergency'),
  min(raised_at) FILTER (WHERE tier = 'same-day')
FROM intake_redflag
WHERE tier IN ('emergency', 'same-day') AND state IN ('open', 'withdrawn')
"""


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
            "%(count)s urgent answer waiting since %(since)s",
            "%(count)s urgent answers waiting since %(since)s",
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
    if known == 0:
        return Waiting()
    # A page about patients has its own line in the trail; elsewhere this question stands alone.
    with nullcontext() if audit.is_open() else audit.covered(), connection.cursor() as cursor:
        cursor.execute(_WAITING)
        count, since, unsent, emergency, same_day = cursor.fetchone()
    count = count if known is None else known
    if not count:
        return Waiting()
    now = timezone.now()
    return Waiting(
        count=count,
        since=since,
        overdue=any(
            first is not None and timers.is_overdue(tier, first, now)
            for tier, first in (("emergency", emergency), ("same-day", same_day))
        ),
        stuck=unsent is not None and timers.notice_is_stuck(unsent, None, now),
    )
