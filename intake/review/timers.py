"""How long an urgent answer may wait for somebody of the clinic, and when its notice counts as stuck.

Nothing published says so for an outpatient clinic: these numbers are ours, for the clinic to decide. The
rules themselves say "call now" and "call today".
"""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.utils import timezone

# An emergency: whoever sees the banner calls. Fifteen minutes is a visit that cannot be left at once.
EMERGENCY: Final = timedelta(minutes=15)
# Call today: by the end of the clinic's day; an answer that comes after it has the next day.
END_OF_DAY: Final = time(18)
# A mail is sent within seconds; the retries of a job that failed twice have begun by then.
NOTICE: Final = timedelta(minutes=10)


def due_at(tier: str, raised_at: datetime) -> datetime:
    """By when the clinic has called, by the tier of the flag."""
    if tier == "emergency":
        return raised_at.astimezone(UTC) + EMERGENCY
    day = timezone.localdate(raised_at)
    end = datetime.combine(day, END_OF_DAY, tzinfo=timezone.get_current_timezone())
    if raised_at >= end:
        end += timedelta(days=1)
    return end


def is_overdue(tier: str, raised_at: datetime, now: datetime) -> bool:
    return now >= due_at(tier, raised_at)


def notice_is_stuck(raised_at: datetime, sent_at: datetime | None, now: datetime) -> bool:
    """Whether the e-mail to whoever is on call should have left and has not."""
    return sent_at is None and now >= raised_at + NOTICE
