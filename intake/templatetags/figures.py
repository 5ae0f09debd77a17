"""Durations and shares as the page of figures writes them."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

HOUR = 60
DAY = 24 * HOUR


@register.filter
def lasting(minutes: float) -> str:
    """How long, as near as it helps: "under a minute", "14 min", "2 h 5 min", "3 days 4 h"."""
    whole = round(minutes)
    if whole < 1:
        return _("under a minute")
    if whole < HOUR:
        return _("%(minutes)s min") % {"minutes": whole}
    if whole < DAY:
        hours, rest = divmod(whole, HOUR)
        told = _("%(hours)s h") % {"hours": hours}
        return f"{told} {_('%(minutes)s min') % {'minutes': rest}}" if rest else told
    days, rest = divmod(round(minutes / HOUR), 24)
    told = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    return f"{told} {_('%(hours)s h') % {'hours': rest}}" if rest else told


@register.filter
def share(part: float) -> str:
    """A part of 1 in whole percent: "71%"."""
    return _("%(number)s%%") % {"number": round(part * 100)}
