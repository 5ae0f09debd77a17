"""Addresses that leave the site, in mails, feeds and tags: built from `SITE_URL`, never from a request."""

from django.conf import settings


def absolute(path: str) -> str:
    """The whole address of a path of this site, whatever host a request named."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"
