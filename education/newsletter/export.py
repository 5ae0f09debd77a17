"""The list of subscribers as CSV."""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from education.clinic_info.sheets import csv_line
from education.newsletter.models import Subscriber


def subscribers_csv(subscribers: Iterable[Subscriber]) -> str:
    """One line a subscriber: e-mail, status, and the days asked, confirmed, left, bounced (ISO)."""
    lines = [csv_line([_("E-mail"), _("Status"), _("Asked"), _("Confirmed"), _("Left"), _("Bounced")])]
    for one in subscribers:
        times = (one.asked_at, one.confirmed_at, one.left_at, one.bounced_at)
        days = [timezone.localdate(time).isoformat() if time else "" for time in times]
        lines.append(csv_line([one.email, one.get_status_display(), *days]))
    return "".join(lines)
