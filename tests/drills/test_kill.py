"""kill -9 of Postgres and of the web server while intakes stream in: what was acknowledged stands."""

import itertools
import json
import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.browser.product import Reception
from tests.drills.machine import Machine, judged
from tests.drills.stream import Journal, Phone

pytestmark = pytest.mark.drill

PHONES: Final = 6
FAULTS: Final[tuple[Callable[[Machine], None], ...]] = (
    Machine.postgres_dies_whole,
    Machine.web_server_dies_whole,
    Machine.postmaster_dies,
    Machine.one_web_worker_dies,
    Machine.one_backend_dies,
    Machine.both_die,
)
logger = logging.getLogger("tests.drills")


@pytest.fixture(scope="module")
def machine(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"), database_urls)
    try:
        machine.product.start(worker=False)
        yield machine
    finally:
        machine.end()


@pytest.mark.parametrize(
    "rounds",
    [pytest.param(1, id="short"), pytest.param(12, id="long", marks=pytest.mark.deep)],
)
def test_what_was_acknowledged_stands(machine: Machine, tmp_path: Path, rounds: int) -> None:
    """Each round is every fault once, in another order each time, whenever some intakes have come through."""
    # Its own, and gone before Postgres dies.
    reception = Reception(machine.product.environment)
    intakes = reception("visits", count=150 + 100 * rounds)
    reception.end()
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for intake in intakes:
        waiting.put(intake)
    journal = Journal(tmp_path / "acknowledged.jsonl")
    ends = threading.Event()
    phones = [Phone(machine.port, waiting, journal, ends) for _ in range(PHONES)]
    for phone in phones:
        phone.start()
    began = time.monotonic()
    for fault in itertools.chain.from_iterable(random.sample(FAULTS, len(FAULTS)) for _ in range(rounds)):
        enough, moment = journal.written + random.randint(2, 4), time.monotonic() + random.uniform(0, 0.5)
        machine.watch(
            lambda enough=enough, moment=moment: journal.written >= enough and time.monotonic() > moment,
            "intakes to come through",
        )
        fault(machine)
    # It comes back by itself and takes intakes again; everything begun is sent.
    enough = journal.written + PHONES
    machine.watch(lambda: journal.written >= enough, "intakes after the last fault")
    ends.set()
    machine.watch(lambda: not any(phone.is_alive() for phone in phones), "the last intakes")
    journal.close()

    assert [phone.failure for phone in phones] == [""] * PHONES
    seen = sum((phone.seen for phone in phones), Counter())
    # Whatever broke: a cut connection or "come back in a moment", never an error page.
    assert [what for what in seen if what.isdigit() and what != "503"] == []

    lines = [json.loads(line) for line in (tmp_path / "acknowledged.jsonl").read_text().splitlines()]
    acknowledged = {line["evaluation"] for line in lines}
    verdict = judged(
        machine,
        [
            {
                "evaluation": intake["evaluation"],
                "acknowledged": intake["evaluation"] in acknowledged,
                "answers": {
                    name: values for page in intake["answers"].values() for name, values in page.items()
                },
            }
            for intake in intakes
        ],
    )
    logger.info(
        "%s acknowledged in %.0f s, longest silence %.1f s, clients saw %s, verdict %s",
        len(acknowledged),
        time.monotonic() - began,
        journal.longest_silence,
        dict(seen),
        verdict,
    )
    assert verdict["wrong"] == {}
    assert len(lines) == len(acknowledged) == verdict["stand"]
    assert verdict["findings"] > 0
    assert verdict["red_flags"] > 0
    assert seen, "no client noticed anything: nothing was killed"
    assert "Traceback" not in machine.product.said()


def test_the_machine_keeps_what_it_says(machine: Machine) -> None:
    """kill -9 cannot show what a power cut would: a commit reaches the disk before it is acknowledged."""
    with psycopg.connect(machine.urls.app) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",), setting
