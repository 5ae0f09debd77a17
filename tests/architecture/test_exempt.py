"""Which views do without Django's CSRF check: these two, for the reasons in docs/adr/0014."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

EXEMPT = {"education:newsletter", "education:newsletter_leave"}


def exempt(entries: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from exempt(entry.url_patterns, inner)
        elif getattr(entry.callback, "csrf_exempt", False):
            yield f"{namespace}{entry.name or entry.pattern}"


def test_only_these_are_exempt_from_the_csrf_check():
    assert set(exempt(get_resolver().url_patterns)) == EXEMPT
