"""`make bench-scale`: what the desk's pages cost with a thousand and with a million intakes in the table.

A throw-away database for each size, filled by `manage.py make_intakes`; all are measured in turns, so that
whatever disturbs the machine disturbs all alike. Exit 1: a gate does not hold. (ADR 0024)
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from clinic.database import BASE_DIR, Urls
from tests.bench.__main__ import FOLDER, collect_files, refuse, say, throw_away
from tests.bench.measure import (
    OURS,
    OURS_SIDE,
    WARM_UP,
    Bench,
    BenchError,
    Server,
    count,
    environment,
    quiet,
    result,
)
from tests.bench.operations import SHOWN, Ask, Gate, Operation
from tests.bench.people import PHYSIO, People
from tests.bench.report import Cost, Result, as_json, cpu, number, table, verdict

JSON: Final = BASE_DIR / ".local" / "bench-scale.json"
SIZES: Final = "1000,100000,1000000"
ROUNDS: Final = 15
# The most that the last page may cost beside the first, and any page at the largest size beside the smallest.
LAST_BY_FIRST: Final = 1.5
LARGEST_BY_SMALLEST: Final = 1.2

FIRST, LAST = "worklist, past, first page", "worklist, past, last page"
LIST: Final = "/staff/intake/evaluation/"
# More people bear them in a larger table, so more rows are shown.
COMMON, BOTH = "search, a common name", "search, both names"
GATE: Final = Gate(ms=12, queries=4)


def page(name: str, path: str, gate: Gate = GATE) -> Operation:
    return Operation(name, (Ask(path, who=PHYSIO),), gate=gate)


OPERATIONS: Final = (
    page("worklist, today", LIST),
    page(FIRST, f"{LIST}?day=past"),
    page(LAST, LIST + "?day=past&after={last}"),
    page("worklist, past, to review", f"{LIST}?day=past&status=to-review"),
    page("worklist, past, foot to knee", f"{LIST}?day=past&direction=up"),
    page("worklist, past, mine", f"{LIST}?day=past&mine=1"),
    page(COMMON, f"{LIST}?q=nguyen"),
    page("search, many names", f"{LIST}?q=an"),
    page(BOTH, f"{LIST}?q=jordan+lee"),
    page("search, a rare name", f"{LIST}?q=zzyzx"),
    page("review page", "/staff/intake/questionnaireresponse/{made}/review/", SHOWN),
)
# The cursor of the page with the oldest visits, and an intake that is in a table of any size.
WORDS: Final = """
SELECT 'n.' || (extract(epoch FROM at) * 1000000)::bigint || '.' || evaluation_id,
  (SELECT response_id FROM intake_queueentry WHERE status = 'reviewed' ORDER BY at DESC LIMIT 1)
FROM intake_queueentry ORDER BY at, evaluation_id OFFSET 25 LIMIT 1
"""


@dataclass(slots=True)
class Sized:
    """A database with so many intakes, its server and what was measured there."""

    size: int
    bench: Bench
    seconds: float
    counts: Mapping[str, Any]
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    @property
    def server(self) -> Server:
        return self.bench.sides[OURS_SIDE]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help=f"intakes in the table, default {SIZES}")
    parser.add_argument("--only", default="", metavar="REGEX", help="operations whose name matches")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}; more are steadier")
    parser.add_argument("--json", type=Path, default=JSON, help="where the results go")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        return refuse("The bench reads processes' CPU clocks as Linux gives them; run it on Linux.")
    operations = [operation for operation in OPERATIONS if re.search(options.only, operation.name)]
    try:
        sizes = sorted({int(size) for size in options.sizes.split(",")})
    except ValueError:
        return refuse("--sizes takes numbers with commas between them.")
    if not operations or sizes[0] < 100:
        return refuse("Nothing is called that." if not operations else "100 intakes are the least.")
    try:
        with ExitStack() as stack:
            all_sizes = [prepare(stack, size, operations, first=size == sizes[0]) for size in sizes]
            measure(all_sizes, operations, options.rounds)
            found = {one.size: results(one, operations) for one in all_sizes}
    except BenchError as error:
        return refuse(str(error))
    for size, rows in found.items():
        say(f"\n{size:,} intakes\n{table(rows)}\n")
    broken = [f"{size:,} intakes: {line}" for size, rows in found.items() for line in verdict(rows)]
    broken += growth(found)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(words(all_sizes, found, broken))
    say("\n" + ("\n".join(["These gates do not hold:", *broken]) if broken else "All gates hold.") + "\n")
    return 1 if broken else 0


def prepare(stack: ExitStack, size: int, operations: Sequence[Operation], *, first: bool) -> Sized:
    """A database of this size with a server on it, warm."""
    where = stack.enter_context(throw_away(f"footing_scale_{size}_{os.getpid()}"))
    settings = environment(where)
    FOLDER.mkdir(parents=True, exist_ok=True)
    if first:
        collect_files(settings)
    people = People()
    wire = FOLDER / f"wire-{size}.txt"
    wire.write_bytes(b"")

    def server(name: str, config: str, **more: str) -> Server:
        log = FOLDER / f"{name}-{size}.log"
        started = Server("footing", OURS, {**settings, **more}, log, people, config)
        stack.callback(started.end)
        started.start()
        return started

    counting = server("counting", "tests.bench.counted", BENCH_WIRE=str(wire))
    with counting.connection() as connection:
        people.come(settings, connection)
    seconds = fill(where, size)
    with psycopg.connect(where.owner) as owner:
        row = owner.execute(WORDS).fetchone()
    assert row is not None
    people.words |= {"last": str(row[0]), "made": str(row[1])}
    counts = {operation.name: count(counting, wire, operation) for operation in operations}
    counting.end()
    bench = Bench(where, {OURS_SIDE: server("footing", "clinic.server")})
    stack.callback(bench.close)
    for operation in operations:
        bench.batch(bench.sides[OURS_SIDE], operation.ours, WARM_UP)
    return Sized(size, bench, seconds, counts)


def fill(where: Urls, size: int) -> float:
    """The seconds that `make_intakes` took. Raises `BenchError`."""
    began = time.monotonic()
    say(f"making {size:,} intakes ... ")
    demo = {**os.environ, "CLINIC_MODE": "demo", "DATABASE_URL": where.app, "DATABASE_OWNER_URL": where.owner}
    command = [sys.executable, "manage.py", "make_intakes", str(size), "--json"]
    done = subprocess.run(command, cwd=BASE_DIR, env=demo, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"make_intakes:\n{done.stdout}{done.stderr}")
    seconds = time.monotonic() - began
    say(f"{seconds:.0f} s\n")
    return seconds


def measure(all_sizes: Sequence[Sized], operations: Sequence[Operation], rounds: int) -> None:
    for turn in range(rounds):
        way = -1 if turn % 2 else 1
        for operation in operations[::way]:
            for one in all_sizes[::way]:
                if cost := one.bench.batch(one.server, operation.ours):
                    one.costs.setdefault(operation.name, []).append(cost)
        say(f"\rround {turn + 1} of {rounds}")
    say("\n")


def results(one: Sized, operations: Sequence[Operation]) -> list[Result]:
    return [
        result(
            operation,
            {OURS_SIDE: quiet(one.costs.get(operation.name, []), operation.name)},
            *one.counts[operation.name],
        )
        for operation in operations
    ]


def growth(found: Mapping[int, Sequence[Result]]) -> list[str]:
    """What costs more at the end of the list, or with more in the table, than it may."""
    broken = []
    costs = {size: {row.name: cpu(row.ours) or 0 for row in rows} for size, rows in found.items()}
    for size, by_name in costs.items():
        if FIRST in by_name and LAST in by_name and by_name[LAST] > LAST_BY_FIRST * by_name[FIRST]:
            ratio = by_name[LAST] / by_name[FIRST]
            broken.append(f"{size:,} intakes: the last page costs {number(ratio)} times the first")
    smallest, largest = min(costs), max(costs)
    for name, least in costs[smallest].items():
        ratio = costs[largest][name] / least
        say(f"{name}: {number(ratio)} times from {smallest:,} to {largest:,}\n")
        if ratio > LARGEST_BY_SMALLEST and name not in (COMMON, BOTH):
            broken.append(f"{name}: {number(ratio)} times as much with {largest:,} as with {smallest:,}")
    return broken


def words(all_sizes: Sequence[Sized], found: Mapping[int, Sequence[Result]], broken: Sequence[str]) -> str:
    """`{sizes: [{intakes, seconds, results}], broken}`; results as in `make bench`."""
    sizes = [
        {
            "intakes": one.size,
            "seconds": round(one.seconds, 1),
            "results": json.loads(as_json(found[one.size])),
        }
        for one in all_sizes
    ]
    return json.dumps({"sizes": sizes, "broken": list(broken)}, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
