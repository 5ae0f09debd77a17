"""Everything that can happen to the clinic's machine while pages are saved and intakes are sent.

What was acknowledged stands, once, as it was typed, with its row in the trail. Whatever was refused was told
to come again in a moment.
"""

import json
import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.browser.product import Reception
from tests.drills.clock import Clock, shifted_clock
from tests.drills.disk import Disk, small_disk
from tests.drills.machine import Machine, judged
from tests.drills.stream import Journal
from tests.drills.writer import Seen, Writer
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.drill, pytest.mark.deep]

WRITERS: Final = 6
ENOUGH: Final = 5_000
# Saved and sent between two faults, at least.
BETWEEN: Final = 200
HOURS: Final = 26
HELD_SECONDS: Final = 5.0
WORKERS: Final = "2"
logger = logging.getLogger("tests.drills")


@dataclass
class Place:
    """A machine on a disk and with a clock of its own. Without the rights for a disk, or a compiler: None."""

    machine: Machine
    disk: Disk | None
    clock: Clock | None
    seen: Seen = field(default_factory=Seen)

    def disk_is_full(self) -> None:
        if self.disk is None:
            return
        self.disk.fill()
        try:
            self.hold()
        finally:
            self.disk.clear()

    def connections_are_gone(self) -> None:
        with self.machine.no_connection_left():
            self.hold()

    def database_takes_no_writes(self) -> None:
        with self.machine.no_writes():
            self.hold()

    def hold(self) -> None:
        """As it is, until clients notice and for some seconds after. Nobody mends anything meanwhile."""
        before, deadline = self.seen.so_far(), time.monotonic() + PATIENCE_SECONDS
        while self.seen.so_far() == before:
            assert time.monotonic() < deadline, "nobody noticed"
            time.sleep(0.05)
        time.sleep(HELD_SECONDS)

    def clock_is_off(self, journal: Journal, hours: int) -> None:
        if self.clock is None:
            return
        self.clock.put_off(hours=hours)
        try:
            with psycopg.connect(self.machine.urls.app) as connection:
                told = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
            assert told is not None
            assert abs(float(told[0]) - time.time() - hours * 3600) < 60, "Postgres goes by another clock"
            enough = journal.written + BETWEEN
            self.machine.watch(lambda: journal.written >= enough, f"saves {hours} hours off")
        finally:
            self.clock.put_off(hours=0)


@pytest.fixture
def place(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with small_disk() as disk, shifted_clock() as clock:
        if disk is None:
            logger.warning("NO DISK OF ITS OWN (mounting takes root): the fault 'disk full' does NOT run")
        if clock is None:
            logger.warning("NO CLOCK OF ITS OWN (it takes a C compiler): the fault 'clock off' does NOT run")
        machine = Machine(
            tmp_path_factory.mktemp("outages"),
            database_urls,
            disk=disk and disk.folder,
            environment={"WEB_WORKERS": WORKERS, **(clock.environment if clock else {})},
        )
        try:
            machine.product.start(worker=False)
            yield Place(machine, disk, clock)
        finally:
            machine.end()


def test_every_outage_loses_nothing(place: Place, tmp_path: Path) -> None:
    machine, seen = place.machine, place.seen
    reception = Reception(machine.product.environment)
    intakes = reception("visits", count=700)
    reception.end()
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for number, intake in enumerate(intakes):
        waiting.put({**intake, "number": number})
    journal = Journal(tmp_path / "acknowledged.jsonl")
    ends = threading.Event()
    writers = [Writer(machine.port, waiting, journal, ends, seen) for _ in range(WRITERS)]

    faults: list[tuple[str, Callable[[], None]]] = [
        *(("Postgres killed", partial(kind, machine)) for kind in POSTGRES_DIES),
        *(("web workers killed", partial(kind, machine)) for kind in WEB_DIES),
        *[("graceful reload", machine.web_server_reloads)] * 3,
        ("disk full", place.disk_is_full),
        ("connections exhausted", place.connections_are_gone),
        ("database read-only", place.database_takes_no_writes),
        (f"clock +{HOURS} h", partial(place.clock_is_off, journal, HOURS)),
        (f"clock -{HOURS} h", partial(place.clock_is_off, journal, -HOURS)),
    ]
    random.shuffle(faults)

    def watch(is_over: Callable[[], bool], what: str) -> None:
        machine.watch(is_over, what)
        assert [writer.failure for writer in writers] == [""] * WRITERS

    began = time.monotonic()
    for writer in writers:
        writer.start()
    noticed: dict[str, Counter[str]] = {}
    silences: dict[str, float] = {}
    for name, fault in faults:
        enough = journal.written + random.randint(BETWEEN, BETWEEN + 60)
        watch(lambda enough=enough: journal.written >= enough, "saves to come through")
        before, journal.longest_silence = seen.so_far(), 0.0
        fault()
        enough = journal.written + 2 * WRITERS
        watch(lambda enough=enough: journal.written >= enough, f"saves after {name}")
        found = seen.so_far() - before
        noticed[name] = noticed.get(name, Counter()) + found
        silences[name] = max(silences.get(name, 0.0), journal.longest_silence)
        logger.info("%s: silence %.1f s, clients saw %s", name, journal.longest_silence, dict(found))
    watch(lambda: journal.written >= ENOUGH + BETWEEN, "the last saves")
    ends.set()
    machine.watch(lambda: not any(writer.is_alive() for writer in writers), "the last intakes")
    journal.close()
    seconds = time.monotonic() - began

    lines = [json.loads(line) for line in (tmp_path / "acknowledged.jsonl").read_text().splitlines()]
    sent = {line["evaluation"]: line["key"] for line in lines if "key" in line}
    saves = [line for line in lines if "key" not in line]
    verdict = judged(machine, to_judge(lines, seen))
    statuses = Counter({what: count for what, count in seen.so_far().items() if what.isdigit()})
    logger.info(
        "%s acknowledged in %.0f s: %s saves (%s in two tabs at once), %s submissions, %s drafts",
        *(len(lines), seconds, len(saves), seen.together, len(sent), verdict["drafts"]),
    )
    logger.info("faults %s", dict(Counter(name for name, _fault in faults)))
    logger.info("longest silences %s", {name: round(silence, 1) for name, silence in silences.items()})
    logger.info(
        "clients saw %s; %s saves cut; 503 without Retry-After %s; typed page not kept %s; verdict %s",
        *(dict(seen.so_far()), sum(seen.cut.values()), seen.bare, seen.not_kept, verdict),
    )
    assert [writer.failure for writer in writers] == [""] * WRITERS
    assert verdict["wrong"] == {}
    assert len(lines) >= ENOUGH
    assert len(sent) == verdict["stand"] == sum("key" in line for line in lines)
    assert verdict["saves"] >= len(saves)
    assert statuses.keys() <= {"503"}
    assert (seen.bare, seen.not_kept) == (0, 0)
    assert noticed["graceful reload"] == {}
    assert noticed["connections exhausted"]["503"] > 0
    assert noticed["database read-only"]["503"] > 0
    assert place.disk is None or noticed["disk full"]["503"] > 0
    assert place.clock is None or any(
        noticed[f"clock {sign}{HOURS} h"]["date of birth asked again"] for sign in "+-"
    )
    assert "Traceback" not in machine.product.said()


POSTGRES_DIES: Final = (
    Machine.postgres_dies_whole,
    Machine.postgres_dies_whole,
    Machine.postmaster_dies,
    Machine.one_backend_dies,
    Machine.both_die,
)
WEB_DIES: Final = (
    *[Machine.one_web_worker_dies] * 3,
    *[Machine.web_server_dies_whole] * 2,
)


def to_judge(lines: list[dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
    """What was acknowledged for each intake, later answers in the place of earlier ones."""
    found: dict[str, dict[str, Any]] = {}
    saves: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        evaluation = line["evaluation"]
        intake = found.setdefault(
            evaluation, {"evaluation": evaluation, "acknowledged": False, "answers": {}}
        )
        if "key" in line:
            intake["acknowledged"] = True
        else:
            saves[evaluation, line["page"], line["action"]] += 1
            intake["answers"] |= line["answers"]
    for intake in found.values():
        mine = {key for key in saves.keys() | seen.cut.keys() if key[0] == intake["evaluation"]}
        intake["saves"] = [[*key[1:], saves[key], seen.cut[key]] for key in sorted(mine)]
    return list(found.values())
