"""The visit as a calendar file (RFC 5545): the clinic's time, no word about health, no patient's name."""

from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from education.clinic_info.models import ClinicInfo
from intake.patients import diary
from intake.patients.models import Evaluation

NAME: Final = "visit.ics"
TYPE: Final = "text/calendar"


def visit_file(evaluation: Evaluation, *, sequence: int, now: datetime) -> bytes:
    """A booked or cancelled visit. The same visit keeps its UID for ever.

    sequence: `diary.sequence`. A calendar that has the entry replaces it by one with a higher sequence.
    """
    # It takes 0.2 seconds and 11 MB to load, and most requests never need it.
    from icalendar import Calendar, Event

    clinic = ClinicInfo.current()
    zone = timezone.get_default_timezone()
    starts_at = timezone.localtime(diary.starts(evaluation), zone)
    ends_at = timezone.localtime(diary.ends(evaluation), zone)
    cancelled = evaluation.status == Evaluation.Status.CANCELLED
    event = Event()
    event.add("uid", f"{evaluation.pk}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("sequence", sequence)
    event.add("dtstamp", now)
    event.add("dtstart", starts_at)
    event.add("dtend", ends_at)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("summary", _("Appointment at %(clinic)s") % {"clinic": clinic.name})
    where = (clinic.name, clinic.street_address, clinic.city, clinic.region, clinic.postal_code)
    event.add("location", ", ".join(part for part in where if part))
    event.add("description", _("To change it, call us: %(phone)s") % {"phone": clinic.phone_display})
    calendar = Calendar()
    calendar.add("prodid", f"-//{urlsplit(settings.SITE_URL).hostname}//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    # The rules of that year alone, not those since 1970.
    calendar.add_missing_timezones(date(starts_at.year - 1, 12, 1), date(starts_at.year + 1, 2, 1))
    for times in calendar.timezones:
        # The library's note on those years would be read as ours.
        times.pop("COMMENT", None)
    found: bytes = calendar.to_ical()
    return found
