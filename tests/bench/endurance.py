"""`make bench-endurance`: what a web worker holds after 20,000 requests, and what a cold start costs.

Memory is what the system counts for one worker (RSS, in MB of 1,000,000 bytes), pages that it shares with its
master included. A cold start is the CPU time from exec to the first 200 of a lesson, ours beside the floor's.
Exit 1: a gate does not hold.
"""

import argparse
import copy
import dataclasses
import json
import statistics
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clinic.database import BASE_DIR, Urls
from tests.bench import clocks
from tests.bench.__main__ import FOLDER, collect_files, draw_floor, refuse, say, throw_away
from tests.bench.measure import FLOOR, OURS, OURS_SIDE, BenchError, Server, environment
from tests.bench.operations import LESSON, REVIEWS, STEP, Ask
from tests.bench.people import PATIENT, PHYSIO, SESSION, People
from tests.bench.report import aligned, number

JSON: Final = BASE_DIR / ".local" / "endurance.json"
REQUESTS: Final = 20_000
STARTS: Final = 5
# Until every kind of page was seen by every thread, and what is kept for a process is there.
WARM_UP: Final = 1_000
SAMPLES: Final = 20
# As many as a worker has threads.
CLIENTS: Final = 4

MEMORY_MB: Final = 116.0
GROWTH: Final = 0.03
COLD_BY_FLOOR: Final = 2.5

# In turns, so that no kind of page has a time of its own.
STREAM: Final = (
    Ask(LESSON),
    *STEP,
    Ask("/intake/", who=PATIENT),
    Ask("/staff/intake/evaluation/", who=PHYSIO),
    Ask(f"{REVIEWS}{{response_10}}/review/", who=PHYSIO),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker held after so many requests since it was warm."""

    requests: int
    mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured. cold: CPU seconds of each start, by side."""

    held: Sequence[Held]
    cold: Mapping[str, Sequence[float]]

    @property
    def growth(self) -> float:
        """How much more is held at the end, as a share of what was held once warm."""
        return self.held[-1].mb / self.held[0].mb - 1

    @property
    def cold_ratio(self) -> float:
        return middle(self.cold[OURS_SIDE]) / middle(self.cold["floor"])

    def broken(self) -> list[str]:
        """What of the gates does not hold, in words."""
        found = []
        most = max(one.mb for one in self.held)
        if most > MEMORY_MB:
            found.append(f"a worker holds {most:.1f} MB, at most {MEMORY_MB:g}")
        if self.growth > GROWTH:
            found.append(f"a worker grows by {self.growth:.1%}, at most {GROWTH:.0%}")
        if self.cold_ratio > COLD_BY_FLOOR:
            found.append(f"a cold start costs {number(self.cold_ratio)} floors, at most {COLD_BY_FLOOR:g}")
        return found

    def __str__(self) -> str:
        held = [("requests", "MB"), *((f"{one.requests:,}", f"{one.mb:.1f}") for one in self.held)]
        ours, floor = (middle(self.cold[side]) for side in (OURS_SIDE, "floor"))
        return "\n".join(
            [
                aligned(held, ()),
                "",
                f"Grown by {self.growth:.1%} (<= {GROWTH:.0%}), at most {MEMORY_MB:g} MB.",
                f"Cold start: {ours:.2f} s of CPU, the floor's {floor:.2f} s: "
                f"{number(self.cold_ratio)} times (<= {COLD_BY_FLOOR:g}).",
            ]
        )

    def as_json(self) -> str:
        """`{held: [{requests, mb}], growth, cold: {side: [seconds]}, cold_ratio, broken}`."""
        words: dict[str, Any] = {
            "held": [dataclasses.asdict(one) for one in self.held],
            "growth": round(self.growth, 4),
            "cold": {side: [round(seconds, 3) for seconds in starts] for side, starts in self.cold.items()},
            "cold_ratio": round(self.cold_ratio, 3),
            "broken": self.broken(),
        }
        return json.dumps(words, indent=1) + "\n"


def middle(starts: Sequence[float]) -> float:
    return statistics.median(starts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.endurance", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=REQUESTS, help=f"after the worker is warm; {REQUESTS}"
    )
    parser.add_argument("--starts", type=int, default=STARTS, help=f"cold starts a side, default {STARTS}")
    parser.add_argument("--json", type=Path, default=JSON, help="where the figures go")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        return refuse("The bench reads what Linux says about processes; run it on Linux.")
    if options.requests < SAMPLES or options.starts < 1:
        return refuse(f"{SAMPLES} requests and one start are the least.")
    try:
        with throw_away() as where:
            figures = measured(where, options.requests, options.starts)
    except BenchError as error:
        return refuse(str(error))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(figures.as_json())
    broken = figures.broken()
    say(f"{figures}\n\n")
    say(("\n".join(["These gates do not hold:", *broken]) if broken else "All gates hold.") + "\n")
    return 1 if broken else 0


def measured(where: Urls, requests: int, starts: int) -> Figures:
    words = environment(where)
    FOLDER.mkdir(parents=True, exist_ok=True)
    collect_files(words)
    people = People()
    with ExitStack() as stack:

        def server(role: str, application: str) -> Server:
            made = Server(role, application, words, FOLDER / f"{role}.log", people)
            stack.callback(made.end)
            return made

        ours = server("footing", OURS)
        ours.start()
        with ours.connection() as connection:
            people.come(words, connection, CLIENTS)
        draw_floor(where, ours, [])
        held = endured(ours, requests)
        ours.end()
        sides = {OURS_SIDE: ("footing", OURS), "floor": ("floor", FLOOR)}
        cold: dict[str, list[float]] = {side: [] for side in sides}
        # The first of each side reads files that the system then keeps.
        for turn in range(starts + 1):
            for side, (role, application) in sides.items():
                made = server(role, application)
                seconds = cold_start(made)
                made.end()
                if turn:
                    cold[side].append(seconds)
            say(f"\rcold start {turn} of {starts}")
        say("\n")
    return Figures(held, cold)


def cold_start(server: Server) -> float:
    """CPU seconds of all processes from exec to the first 200. Raises `BenchError`.

    The socket listens already, so one request waits there until somebody takes it: nothing is asked twice.
    """
    server.child.start()
    with server.connection() as connection:
        server.do(connection, [Ask(LESSON)])
        return sum(clocks.read(server.pids()).values())


def endured(server: Server, requests: int) -> list[Held]:
    """What the worker holds at the start, at every twentieth of the way, and at the end."""
    _master, worker = server.pids()
    patients = [as_patient(server, session) for session in server.people.drafts]
    stream(patients, WARM_UP)
    held, done = [Held(0, resident_mb(worker))], 0
    began = time.monotonic()
    for sample in range(1, SAMPLES + 1):
        done += stream(patients, requests * sample // SAMPLES - done)
        held.append(Held(done, resident_mb(worker)))
        say(f"\r{done:,} of {requests:,} requests, {time.monotonic() - began:.0f} s")
    say("\n")
    if server.pids()[1:] != [worker]:
        raise BenchError(f"The worker was replaced:\n{server.log.read_text()}")
    return held


def as_patient(server: Server, session: str) -> Server:
    """The same server as somebody sees it whose own form is open."""
    seen = copy.copy(server)
    cookies = server.people.cookies
    own = {**cookies, PATIENT: {**cookies[PATIENT], SESSION: session}}
    seen.people = dataclasses.replace(server.people, cookies=own)
    return seen


def stream(patients: Sequence[Server], requests: int) -> int:
    """At least so many requests from all of them at once; how many it was.

    Raises `BenchError` for the first that went wrong.
    """
    rounds = -(-requests // (len(STREAM) * len(patients)))
    wrong: list[BaseException] = []

    def work(patient: Server) -> None:
        try:
            with patient.connection() as connection:
                for _ in range(rounds):
                    patient.do(connection, STREAM)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=[patient], daemon=True) for patient in patients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise BenchError(f"A request of the stream: {wrong[0]}") from wrong[0]
    return rounds * len(STREAM) * len(patients)


def resident_mb(pid: int) -> float:
    """What the system counts for a process (VmRSS), in 1,000,000 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1_000_000
    raise BenchError(f"Process {pid} holds nothing.")


if __name__ == "__main__":
    sys.exit(main())
