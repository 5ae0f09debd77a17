"""Times as people in the US say them: "9:30 am", "Tuesday, June 3"."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def clock(moment: datetime) -> str:
    """The time on the clinic's clock, such as `9:30 am`."""
    return date_format(timezone.localtime(moment), "g:i a").replace(".", "").lower()


def moment(at: datetime) -> str:
    """Day and time in a line, such as `Tue Jun 3, 9:10 am`."""
    return f"{date_format(timezone.localtime(at), 'D M j')}, {clock(at)}"


def day(moment: datetime) -> str:
    """The day on the clinic's calendar, such as `Tuesday, June 3`."""
    return date_format(timezone.localtime(moment), "l, F j")
