"""The list of subscribers as CSV, for a spreadsheet that must not take an address for a formula."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from education.newsletter.models import Subscriber

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_cell(text: str) -> str:
    """A text that every spreadsheet shows as text: one that looks like a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def subscribers_csv(subscribers: Iterable[Subscriber]) -> str:
    """One line a subscriber: e-mail, status, and the days asked, confirmed, left, bounced (ISO)."""
    out = StringIO()
    write = csv.writer(out).writerow
    write([_("E-mail"), _("Status"), _("Asked"), _("Confirmed"), _("Left"), _("Bounced")])
    for one in subscribers:
        times = (one.asked_at, one.confirmed_at, one.left_at, one.bounced_at)
        days = [timezone.localdate(time).isoformat() if time else "" for time in times]
        write([plain_cell(one.email), one.get_status_display(), *days])
    return out.getvalue()
