"""The chain as a pure graph: what leads where, and the ways trouble can travel. No Django, no database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Longer ways exist once a way may turn round (knee to foot to knee); nobody can follow them on a page.
LONGEST_WAY = 8


class ChainError(ValueError):
    """A link or a way that cannot be: it says which one and why."""


@dataclass(frozen=True, slots=True)
class Link:
    """One step from `start` to `end`, both slugs of parts.

    `direction` is up, down, local, modifier or start; `laterality` is same, opposite or both.
    """

    slug: str
    start: str
    end: str
    direction: str
    laterality: str


@dataclass(frozen=True, slots=True)
class Way:
    """Links that follow each other; never empty."""

    links: tuple[Link, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The parts on the way, first to last."""
        return (self.links[0].start, *(link.end for link in self.links))

    @property
    def directions(self) -> frozenset[str]:
        return frozenset(link.direction for link in self.links)

    @property
    def laterality(self) -> str:
        """Which leg the way ends in, seen from the leg it starts in.

        Each link already compares with the start of the trouble, so two opposite links in a row do not come
        back to the first leg: sparing a sore knee, then the other heel, is `opposite`.
        """
        sides = {link.laterality for link in self.links}
        return "opposite" if "opposite" in sides else "both" if "both" in sides else "same"


class Chain:
    """An immutable set of links to ask questions of. Answers keep the order in which the links were given.

    Raises `ChainError` for a link to itself and for two links with one slug.
    """

    def __init__(self, links: Iterable[Link]) -> None:
        self._links: dict[str, Link] = {}
        self._out: dict[str, list[Link]] = {}
        self._into: dict[str, list[Link]] = {}
        for link in links:
            if link.start == link.end:
                raise ChainError(f"{link.slug}: a link cannot lead to where it starts")
            if link.slug in self._links:
                raise ChainError(f"{link.slug}: two links have this name")
            self._links[link.slug] = link
            self._out.setdefault(link.start, []).append(link)
            self._into.setdefault(link.end, []).append(link)

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(self._links.values())

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every part that a link touches, each once."""
        return tuple(dict.fromkeys(node for link in self.links for node in (link.start, link.end)))

    def out_of(self, node: str) -> tuple[Link, ...]:
        """The links that start at `node`."""
        return tuple(self._out.get(node, ()))

    def into(self, node: str) -> tuple[Link, ...]:
        """The links that end at `node`."""
        return tuple(self._into.get(node, ()))

    def neighbours(self, node: str) -> tuple[str, ...]:
        """The parts one link away, in or out, each once."""
        return tuple(
            dict.fromkeys(
                [*(link.start for link in self.into(node)), *(link.end for link in self.out_of(node))]
            )
        )

    def cascades(
        self, node: str, directions: Iterable[str] | None = None, longest: int = LONGEST_WAY
    ) -> tuple[Way, ...]:
        """Every way that trouble at `node` can travel as far as it goes, no part visited twice.

        `directions` keeps to links of these directions (all when None); `longest` is a number of links.
        """
        kept = None if directions is None else frozenset(directions)
        return tuple(Way(links) for links in self._walk((), node, {node}, kept, longest))

    def _walk(
        self, so_far: tuple[Link, ...], node: str, seen: set[str], kept: frozenset[str] | None, longest: int
    ) -> Iterator[tuple[Link, ...]]:
        onward = [
            link
            for link in self.out_of(node)
            if link.end not in seen and (kept is None or link.direction in kept)
        ]
        if so_far and (not onward or len(so_far) >= longest):
            yield so_far
            return
        for link in onward:
            yield from self._walk((*so_far, link), link.end, seen | {link.end}, kept, longest)

    def ways_up(self, node: str) -> tuple[Way, ...]:
        """The cascades from `node` towards the knee and hip."""
        return self.cascades(node, ("up",))

    def ways_down(self, node: str) -> tuple[Way, ...]:
        """The cascades from `node` towards the ankle and foot."""
        return self.cascades(node, ("down",))

    def ways(self, start: str, end: str, directions: Iterable[str] | None = None) -> tuple[Way, ...]:
        """Every way from `start` to `end`, no part visited twice, the shortest first."""
        kept = None if directions is None else frozenset(directions)
        found = [Way(links) for links in self._reach((), start, end, {start}, kept)]
        return tuple(sorted(found, key=lambda way: len(way.links)))

    def _reach(
        self, so_far: tuple[Link, ...], node: str, end: str, seen: set[str], kept: frozenset[str] | None
    ) -> Iterator[tuple[Link, ...]]:
        if len(so_far) >= LONGEST_WAY:
            return
        for link in self.out_of(node):
            if link.end in seen or (kept is not None and link.direction not in kept):
                continue
            if link.end == end:
                yield (*so_far, link)
            else:
                yield from self._reach((*so_far, link), link.end, end, seen | {link.end}, kept)

    def way(self, slugs: Sequence[str]) -> Way:
        """The way made of these links. Raises `ChainError` for none, an unknown link, or a gap."""
        if not slugs:
            raise ChainError("a way needs at least one link")
        unknown = [slug for slug in slugs if slug not in self._links]
        if unknown:
            raise ChainError(f"{unknown[0]}: no such link")
        links = tuple(self._links[slug] for slug in slugs)
        for before, after in pairwise(links):
            if before.end != after.start:
                raise ChainError(f"{after.slug} does not start where {before.slug} ends")
        return Way(links)
