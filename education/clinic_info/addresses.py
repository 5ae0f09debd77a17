"""Addresses in mails, feeds, tags and texts: built from and compared with `SITE_URL`, never a request."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def absolute(path: str) -> str:
    """The whole address of a path of this site, whatever host a request named."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def within_site(address: str) -> str:
    """The path, query and fragment of a whole address of this site; any other address as it is."""
    address = address.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    is_ours = (
        parts.scheme in ("http", "https", "") and parts.netloc.lower() == urlsplit(settings.SITE_URL).netloc
    )
    return urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment)) if is_ours else address
