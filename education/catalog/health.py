"""What is wrong with a library as a whole: lessons nothing leads to, dead links, claims without a source.

Pure: it reads a `Shelf` in the shape of the catalog, whether that came from the files or from the tables.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from education.catalog.load import Content, Shelf
from education.chain.drawing import areas, labels

# A lesson's address in running text, such as /learn/flat-feet/.
ADDRESS: Final = re.compile(r"/learn/([-a-zA-Z0-9_]+)/")
# Where entries name others: the key, and the kind it leads to.
RELATIONS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "lesson": (("related", "lesson"), ("links", "link"), ("sources", "source"), ("category", "category")),
    "link": (
        ("lesson", "lesson"),
        ("from", "node"),
        ("to", "node"),
        ("sources", "source"),
        ("tests", "test"),
    ),
    "test": (("sources", "source"),),
}
is_address: Final = URLValidator(schemes=["http", "https"])
OTHER_PAGES: Final = frozenset({"category", "course", "feed", "search"})


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is orphan, dead-link, no-source or map; `entry` names what it is about: `lesson flat-feet`."""

    rule: str
    entry: str
    message: str


def problems(shelf: Shelf) -> list[Problem]:
    """All of them, each once, in the order of the shelf."""
    lessons, links = shelf.get("lesson", {}), shelf.get("link", {})
    return [
        *_orphans(lessons),
        *(problem for kind in RELATIONS for problem in _dead_links(kind, shelf)),
        *_dead_addresses(lessons),
        *_no_addresses(shelf.get("source", {})),
        *_no_source("lesson", lessons),
        *_no_source("link", links),
        *_nothing_to_open(lessons, shelf.get("source", {})),
    ]


def map_problems(shelf: Shelf) -> list[Problem]:
    """Words and areas of the chain map for links and nodes that are not there."""
    found = [
        Problem("map", f"link {slug}", "has words on the chain map but does not exist")
        for slug in labels()
        if slug not in shelf.get("link", {})
    ]
    nodes = {node for area in areas() for node in area.nodes}
    known = set(shelf.get("node", {}))
    return found + [
        Problem("map", f"node {slug}", "is not both in the chain and in an area of the chain map")
        for slug in sorted(nodes ^ known)
    ]


def _orphans(lessons: dict[str, Content]) -> Iterator[Problem]:
    reached = {
        other for slug, lesson in lessons.items() for other in lesson.get("related") or [] if other != slug
    }
    for slug in lessons:
        if slug not in reached:
            yield Problem("orphan", f"lesson {slug}", "no other lesson leads to it")


def _dead_links(kind: str, shelf: Shelf) -> Iterator[Problem]:
    for key, entry in shelf.get(kind, {}).items():
        for name, target in RELATIONS[kind]:
            value = entry.get(name) or []
            for other in [value] if isinstance(value, str) else value:
                if other not in shelf.get(target, {}):
                    yield Problem("dead-link", f"{kind} {key}", f"{name}: there is no {target} {other!r}")
        if kind == "link" and not entry.get("lesson"):
            yield Problem("dead-link", f"{kind} {key}", "no lesson explains it")


def _dead_addresses(lessons: dict[str, Content]) -> Iterator[Problem]:
    for slug, lesson in lessons.items():
        text = f"{lesson.get('summary', '')}\n{lesson.get('body', '')}"
        for other in dict.fromkeys(ADDRESS.findall(text)):
            if other not in lessons and other not in OTHER_PAGES:
                yield Problem(
                    "dead-link", f"lesson {slug}", f"its text leads to /learn/{other}/, which is no page"
                )


def _no_addresses(sources: dict[str, Content]) -> Iterator[Problem]:
    for key, source in sources.items():
        address = source.get("url") or ""
        try:
            if address:
                is_address(address)
        except ValidationError:
            yield Problem("dead-link", f"source {key}", f"{address!r} is no address of a page")


def _nothing_to_open(lessons: dict[str, Content], sources: dict[str, Content]) -> Iterator[Problem]:
    """A lesson that names sources of which a reader can open none. A dead one is told elsewhere."""
    for key, lesson in lessons.items():
        named = [sources[code] for code in lesson.get("sources") or [] if code in sources]
        if named and not any(source.get("url") for source in named):
            yield Problem("no-source", f"lesson {key}", "names no source that can be opened")


def _no_source(kind: str, entries: dict[str, Content]) -> Iterator[Problem]:
    for key, entry in entries.items():
        if not entry.get("sources"):
            yield Problem("no-source", f"{kind} {key}", "names no source")
