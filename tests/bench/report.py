"""The table, the JSON and the verdict. Pure: results in, text out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench.operations import Gate

HEAD: Final = (
    "operation",
    "ours ms",
    "pg",
    "floor ms",
    "pg",
    "ratio",
    "bare ms",
    "own q",
    "commits",
    "bytes",
    "req",
    "gate",
    "wall ms ours/floor",
    "other queries",
)
LEFT: Final = (0, 11, 13)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds an operation: CPU of the web server's processes, CPU of Postgres, and the clock's."""

    app: float
    postgres: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.app + self.postgres


@dataclass(frozen=True, slots=True)
class Result:
    """An operation measured. Costs and counts are None where the operation has none, as in a first view.

    `others`: statements that are not the page's own, by kind. `flaws`: why a cache could not keep the answer.
    """

    name: str
    gate: Gate
    bytes: int
    ours: Cost | None = None
    floor: Cost | None = None
    bare: Cost | None = None
    queries: int | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    commits: int | None = None
    requests: int = 1
    flaws: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        return self.ours.cpu / self.floor.cpu if self.ours and self.floor else None

    def broken(self) -> list[str]:
        """What of the gate does not hold, in words."""
        gate, found = self.gate, list[str]()
        if gate.later:
            return found
        if gate.ratio is not None and (self.ratio is None or self.ratio > gate.ratio):
            found.append(f"{number(self.ratio)} times the floor, at most {gate.ratio:g}")
        if gate.ms is not None and (self.ours is None or self.ours.cpu > gate.ms):
            found.append(f"{number(cpu(self.ours))} ms, at most {gate.ms:g}")
        if gate.queries is not None and (self.queries is None or self.queries > gate.queries):
            found.append(f"{number(self.queries)} queries, at most {gate.queries}")
        if gate.commits is not None and self.commits != gate.commits:
            found.append(f"{number(self.commits)} commits instead of {gate.commits}")
        if gate.bytes is not None and self.bytes > gate.bytes:
            found.append(f"{self.bytes} bytes, at most {gate.bytes}")
        if gate.requests is not None and self.requests > gate.requests:
            found.append(f"{self.requests} requests, at most {gate.requests}")
        if gate.cacheable:
            found += self.flaws
        return found


def cpu(cost: Cost | None) -> float | None:
    return cost.cpu if cost else None


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def table(results: Sequence[Result]) -> str:
    """Aligned columns; `!` marks a gate that does not hold."""
    rows = [HEAD, *(_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in LEFT else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(result: Result) -> tuple[str, ...]:
    ours, floor = result.ours, result.floor
    others = [f"{count} {kind}" for kind, count in result.others.items() if count]
    return (
        result.name,
        number(cpu(ours)),
        number(ours.postgres if ours else None),
        number(cpu(floor)),
        number(floor.postgres if floor else None),
        number(result.ratio),
        number(cpu(result.bare)),
        number(result.queries),
        number(result.commits),
        str(result.bytes),
        str(result.requests),
        f"{'!' if result.broken() else ' '} {result.gate}",
        "/".join(f"{cost.wall:.1f}" for cost in (ours, floor) if cost) or "-",
        ", ".join(others) or "-",
    )


def as_json(results: Sequence[Result]) -> str:
    """`[{name, ours_ms, floor_ms, ratio, gate, queries, commits, bytes, ...}]`: CPU milliseconds.

    `gate` is the highest ratio allowed, null where there is none or not yet; `limits` is the whole gate in
    words, `broken` what of it does not hold. `other_queries` counts what is not the page's own, by kind.
    """
    return json.dumps([_entry(result) for result in results], indent=1) + "\n"


def _entry(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "ours_ms": _rounded(cpu(result.ours)),
        "floor_ms": _rounded(cpu(result.floor)),
        "ratio": _rounded(result.ratio),
        "gate": None if result.gate.later else result.gate.ratio,
        "queries": result.queries,
        "commits": result.commits,
        "bytes": result.bytes,
        "other_queries": dict(result.others),
        "requests": result.requests,
        "limits": str(result.gate),
        "broken": result.broken(),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def verdict(results: Sequence[Result]) -> list[str]:
    """A line for every operation whose gate does not hold."""
    return [f"{result.name}: {'; '.join(broken)}" for result in results if (broken := result.broken())]
