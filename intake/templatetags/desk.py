"""Times and directions as the desk writes them."""

import re
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from intake.patients.wording import clock

register = template.Library()


@register.filter
def calendar_day(day: date) -> str:
    """A day with its weekday: "Tuesday, June 3"; with the year when it is another one."""
    return date_format(day, "l, F j" if day.year == timezone.localdate().year else "l, F j, Y")


@register.filter
def on_day(moment: datetime) -> str:
    """The day, as near as people say it: today, yesterday, tomorrow, "Jun 3", "Jun 3, 2024"."""
    return _on_day(timezone.localdate(moment), timezone.localdate(), get_language())


# A page of visits says few days many times.
@lru_cache(maxsize=512)
def _on_day(day: date, today: date, _language: str | None) -> str:
    match (day - today).days:
        case 0:
            return _("today")
        case -1:
            return _("yesterday")
        case 1:
            return _("tomorrow")
    return date_format(day, "M j" if day.year == today.year else "M j, Y")


@register.filter
def when(moment: datetime) -> str:
    """Day and time: "today at 9:30 am", "May 27 at 9:52 am"."""
    return _("%(day)s at %(time)s") % {"day": on_day(moment), "time": clock(moment)}


@register.filter
def ago(moment: datetime | None) -> str:
    """How long since, while that says more than the day: "18 min ago", then "yesterday", "May 27"."""
    if moment is None:
        return ""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(count)s min ago", "%(count)s min ago", minutes) % {"count": minutes}
    day, today = timezone.localdate(moment), timezone.localdate()
    return clock(moment) if day == today else _on_day(day, today, get_language())


@register.filter
def on_date(moment: datetime) -> date:
    """The date on the clinic's calendar."""
    return timezone.localdate(moment)


@register.filter
def dialed(phone: str) -> str:
    """A phone number as a link dials it: "(310) 555-0111" is 3105550111."""
    return re.sub(r"(?!^\+)\D", "", phone.strip())


@register.filter(is_safe=True)
def on_one_line(html: str) -> str:
    """The same to look at: every gap is one space. Not for what people typed into a larger field."""
    return " ".join(html.split())
