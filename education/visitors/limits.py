"""Limits kept in the database, so that they hold for every process and after a restart."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from education.visitors.models import RecentUse

# The longest window in use is a day.
KEEP: Final = timedelta(days=2)


def visitor_address(request: HttpRequest) -> str | None:
    """The visitor's IP address. Behind a named proxy, the one the proxy added last; otherwise the peer's.

    None where what stands there is no address: the limit for each link holds without one.
    """
    found = str(request.META.get("REMOTE_ADDR") or "")
    if settings.TRUSTED_PROXY and found == settings.TRUSTED_PROXY:
        found = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()
    # Some proxies add the port.
    host = found.rsplit(":", 1)[0] if found.count(":") == 1 else found.strip("[]")
    try:
        return str(ip_address(host))
    except ValueError:
        return None


@transaction.atomic
def allow(what: str, who: str | None, *, limit: int, within: timedelta) -> bool:
    """Count one use, unless there were `limit` of them within the time before now: then False.

    Uses at the same moment are counted one after the other. A refused one does not count. Visitors without
    an address (`who` None) share one count.
    """
    key = salted_hmac("education.visitors", f"{what} {who}", algorithm="sha256").digest()
    RecentUse.objects.bulk_create([RecentUse(what=what, who=key)], ignore_conflicts=True)
    use = RecentUse.objects.select_for_update().get(what=what, who=key)
    now = timezone.now()
    recent = [time for time in use.times if time > now - within]
    if len(recent) >= limit:
        return False
    use.times, use.last_at = [*recent, now], now
    use.save(update_fields=["times", "last_at"])
    return True


def forget() -> int:
    """Drop what no limit needs any more. Returns how many."""
    return RecentUse.objects.filter(last_at__lt=timezone.now() - KEEP).delete()[0]
