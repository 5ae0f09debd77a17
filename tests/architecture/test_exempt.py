"""Which views do without Django's CSRF check: these two, for the reasons in docs/adr/0014.

The editor's package brings an API whose views do without, too; none of it can be reached.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import make_user

EXEMPT = {"education:newsletter", "education:newsletter_leave"}


def exempt(entries: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from exempt(entry.url_patterns, inner)
        elif getattr(entry.callback, "csrf_exempt", False):
            yield f"{namespace}{entry.name or entry.pattern}"


def test_only_these_are_exempt_from_the_csrf_check():
    found = set(exempt(get_resolver().url_patterns))
    assert {key for key in found if not key.startswith("wagtailadmin_api:")} == EXEMPT


@pytest.mark.parametrize(
    "path", ["pages/", "pages/1/", "pages/find/", "images/", "images/1/", "documents/1/"]
)
def test_the_api_of_the_editors_package_is_not_there(db: None, path: str):
    client = Client()
    client.force_login(make_user("owner"))
    for method in (client.get, client.post, client.put, client.delete):
        assert method(f"/editor/api/main/{path}").status_code == 404
