"""Every URL pattern of the product, found by walking the URLconf."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Pattern:
    """One URL pattern. key: its full name, or its route where it has no name."""

    key: str
    route: str


def patterns() -> list[Pattern]:
    """Those of our own pages. The editor's come by the hundred, see `editor_patterns`."""
    return [pattern for pattern in _walk(get_resolver().url_patterns, "", "") if not of_editor(pattern)]


def editor_patterns() -> list[Pattern]:
    """Those under /editor/, for which one rule holds: `test_editor_urls.py`."""
    return list(filter(of_editor, _walk(get_resolver().url_patterns, "", "")))


def of_editor(pattern: Pattern) -> bool:
    return pattern.route.startswith("editor/")


def _walk(entries: list[URLPattern | URLResolver], before: str, namespace: str) -> Iterator[Pattern]:
    for entry in entries:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, route, inner)
        else:
            yield Pattern(namespace + entry.name if entry.name else route, route)
