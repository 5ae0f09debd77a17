"""The table, the JSON and the verdict. Pure: results in, text out."""

import json
from collections.abc import Collection, Mapping, Sequence
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
VIEWS_HEAD: Final = ("on a slow phone", "bytes", "req", "LCP ratio", "shift", "gate", "LCP ms ours/floor")
VIEWS_LEFT: Final = (0, 5)


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
class Paint:
    """What a phone saw. lcp: milliseconds until the largest part was painted. shift: how much moved (CLS)."""

    lcp: float
    floor_lcp: float
    shift: float

    @property
    def ratio(self) -> float:
        return self.lcp / self.floor_lcp


@dataclass(frozen=True, slots=True)
class Result:
    """An operation or a view measured. Costs and counts are None where there are none, as in a view.

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
    paint: Paint | None = None
    flaws: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        return self.ours.cpu / self.floor.cpu if self.ours and self.floor else None

    def broken(self) -> list[str]:
        """What of the gate does not hold, in words."""
        gate, found = self.gate, list[str]()
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
        if (
            gate.lcp is not None
            and not gate.lcp_shown
            and (self.paint is None or self.paint.ratio > gate.lcp)
        ):
            ratio = self.paint.ratio if self.paint else None
            found.append(f"painted after {number(ratio)} times the floor, at most {gate.lcp:g}")
        if gate.shift is not None and (self.paint is None or self.paint.shift > gate.shift):
            shift = self.paint.shift if self.paint else None
            found.append(f"shifts by {number(shift, 4)}, at most {gate.shift:g}")
        if gate.cacheable:
            found += self.flaws
        return found


def cpu(cost: Cost | None) -> float | None:
    return cost.cpu if cost else None


def number(value: float | None, places: int = 2) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{places}f}"


def table(results: Sequence[Result]) -> str:
    """Operations, and below them views. `!` marks a gate that does not hold."""
    operations = [_row(result) for result in results if result.paint is None]
    views = [_view_row(result, result.paint) for result in results if result.paint is not None]
    tables = [aligned([HEAD, *operations], LEFT)] if operations else []
    if views:
        tables.append(aligned([VIEWS_HEAD, *views], VIEWS_LEFT))
    return "\n\n".join(tables)


def aligned(rows: Sequence[Sequence[str]], left: Collection[int]) -> str:
    """Columns; `left`: which of them are words."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _mark(result: Result) -> str:
    return f"{'!' if result.broken() else ' '} {result.gate}"


def _view_row(result: Result, paint: Paint) -> tuple[str, ...]:
    return (
        result.name,
        str(result.bytes),
        str(result.requests),
        number(paint.ratio),
        number(paint.shift, 4),
        _mark(result),
        f"{paint.lcp:.0f}/{paint.floor_lcp:.0f}",
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
        _mark(result),
        "/".join(f"{cost.wall:.1f}" for cost in (ours, floor) if cost) or "-",
        ", ".join(others) or "-",
    )


def as_json(results: Sequence[Result]) -> str:
    """`[{name, ours_ms, floor_ms, ratio, gate, queries, commits, bytes, ...}]`: CPU milliseconds.

    `gate` is the highest ratio allowed, null where there is none or not yet; `limits` is the whole gate in
    words, `broken` what of it does not hold. `other_queries` counts what is not the page's own, by kind.
    `lcp_ratio`, `lcp_ms` and `shift` are a view's, null for anything else.
    """
    return json.dumps([_entry(result) for result in results], indent=1) + "\n"


def _entry(result: Result) -> dict[str, Any]:
    paint = result.paint
    return {
        "name": result.name,
        "ours_ms": _rounded(cpu(result.ours)),
        "floor_ms": _rounded(cpu(result.floor)),
        "ratio": _rounded(result.ratio),
        "gate": result.gate.ratio,
        "queries": result.queries,
        "commits": result.commits,
        "bytes": result.bytes,
        "other_queries": dict(result.others),
        "requests": result.requests,
        "lcp_ratio": _rounded(paint and paint.ratio),
        "lcp_ms": _rounded(paint and paint.lcp),
        "shift": _rounded(paint and paint.shift),
        "limits": str(result.gate),
        "broken": result.broken(),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def verdict(results: Sequence[Result]) -> list[str]:
    """A line for every operation whose gate does not hold."""
    return [f"{result.name}: {'; '.join(broken)}" for result in results if (broken := result.broken())]
