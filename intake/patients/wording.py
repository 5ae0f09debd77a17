"""Times as people in the US say them: "9:30 am", "Tuesday, June 3"."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def clock(moment: datetime) -> str:
    """The time on the clinic's clock, such as `9:30 am`."""
    return _time(moment, "g:i a")


def seconds(moment: datetime) -> str:
    """The same to the second, such as `9:30:05 am`."""
    return _time(moment, "g:i:s a")


def _time(moment: datetime, form: str) -> str:
    return date_format(timezone.localtime(moment), form).replace(".", "").lower()


def moment(at: datetime) -> str:
    """Day and time in a line, such as `Tue Jun 3, 9:10 am`."""
    return f"{date_format(timezone.localtime(at), 'D M j')}, {clock(at)}"


def dated(at: datetime) -> str:
    """Day, year and time, where days may lie years back: `Jun 3, 2026, 9:10 am`."""
    return f"{date_format(timezone.localtime(at), 'M j, Y')}, {clock(at)}"


def day(moment: datetime) -> str:
    """The day on the clinic's calendar, such as `Tuesday, June 3`."""
    return date_format(timezone.localtime(moment), "l, F j")
