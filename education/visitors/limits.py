"""Limits kept in the database, so that they hold for every process and after a restart."""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from education.visitors.models import RecentUse

# The longest window in use is a day.
KEEP: Final = timedelta(days=2)
# What one line of the net gets to choose addresses from.
IPV6_LINE: Final = 64
# Who counts for what all visitors do together.
EVERYBODY: Final = "everybody"


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
        address = ip_address(host)
    except ValueError:
        return None
    # A server that listens on both kinds writes one of the old kind so.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def line_of(address: str) -> tuple[str, str]:
    """The first and the last address of the line that an address is on: counting by one would count nobody.

    Of the old kind it is the address itself; of the new kind everybody has some 10**19.
    """
    if ":" not in address:
        return address, address
    line = ip_network((address, IPV6_LINE), strict=False)
    return str(line[0]), str(line[-1])


def turned_away(response: HttpResponse, within: timedelta) -> HttpResponse:
    """The answer where a limit bites: 429, and when it no longer does."""
    response.status_code = 429
    response.headers["Retry-After"] = str(int(within.total_seconds()))
    return response


# One statement, so that uses at the same moment wait for each other in the database.
_COUNT: Final = """
INSERT INTO education_recentuse AS use (what, who, times, last_at)
VALUES (%(what)s, %(who)s, ARRAY[%(now)s::timestamptz], %(now)s)
ON CONFLICT (what, who) DO UPDATE
SET last_at = EXCLUDED.last_at,
    times = ARRAY(SELECT time FROM unnest(use.times) AS time WHERE time > %(since)s) || EXCLUDED.times
WHERE (SELECT count(*) FROM unnest(use.times) AS time WHERE time > %(since)s) < %(limit)s
RETURNING id
"""


def allow(what: str, who: str | None, *, limit: int, within: timedelta) -> bool:
    """Count one use, unless there were `limit` of them within the time before now: then False.

    Uses at the same moment are counted one after the other. A refused one does not count. Visitors without
    an address (`who` None) share one count, and so does a line of addresses.
    """
    whose = line_of(who)[0] if who and _is_address(who) else who
    key = salted_hmac("education.visitors", f"{what} {whose}", algorithm="sha256").digest()
    now = timezone.now()
    values: dict[str, Any] = {"what": what, "who": key, "now": now, "since": now - within, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return cursor.fetchone() is not None


def _is_address(who: str) -> bool:
    try:
        ip_address(who)
    except ValueError:
        return False
    return True


def forget() -> int:
    """Drop what no limit needs any more. Returns how many."""
    return RecentUse.objects.filter(last_at__lt=timezone.now() - KEEP).delete()[0]
