"""Twenty clients ask for all they can, and a patient fills in and sends her form meanwhile (R36)."""

import itertools
import logging
import os
import queue
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.browser.product import Product, on_a_copy
from tests.drills.plain import PlainBrowser, Wire
from tests.drills.stream import Journal, Phone
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.drill, pytest.mark.deep]

CLIENTS: Final = 20
ADDRESSES: Final = (
    "/learn/search/?q=stairs",
    "/intake/open/nobody-has-this/",
    "/learn/search/?q=heel",
    "/intake/lessons/nobody-has-this/",
    "/evaluation/ask/",
    "/staff/login/",
    "/chain/",
)
logger = logging.getLogger("tests.drills")


@pytest.fixture
def product(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("hammer")
    with on_a_copy(database_urls, f"footing_hammer_{os.getpid()}", folder) as product:
        product.environment |= {"WEB_WORKERS": "2", "TRUSTED_PROXY": "127.0.0.1"}
        yield product.start(worker=False)


class Hammer(threading.Thread):
    """One client that never waits. bare: how many refusals did not say when to come again."""

    def __init__(self, port: int, address: str, ends: threading.Event) -> None:
        super().__init__(daemon=True)
        self.browser = PlainBrowser(port, Wire(), address)
        self.ends = ends
        self.seen: Counter[int] = Counter()
        self.bare = 0
        self.failure = ""

    def run(self) -> None:
        try:
            for path in itertools.cycle(ADDRESSES):
                if self.ends.is_set():
                    break
                status, _where, _page = self.browser.read("GET", path)
                self.seen[status] += 1
                headers = self.browser.headers
                self.bare += status == 429 and not (headers and headers.get("Retry-After", "").isdigit())
        except Exception as error:
            self.failure = type(error).__name__
        finally:
            self.browser.hang_up()


class Timed(Phone):
    """A patient who does not know of the others. took: seconds of each answer."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.took: list[float] = []

    def read(self, *args: Any) -> tuple[int, str, str]:
        began = time.monotonic()
        answer = super().read(*args, {"X-Forwarded-For": "203.0.113.200"})
        self.took.append(time.monotonic() - began)
        return answer


def test_nobody_else_is_turned_away(product: Product, tmp_path: Any) -> None:
    intakes: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    visits = product.reception("visits", count=3)
    journal, ends = Journal(tmp_path / "sent.jsonl"), threading.Event()
    hammers = [Hammer(product.port, f"203.0.113.{last}", ends) for last in range(CLIENTS)]
    for hammer in hammers:
        hammer.start()
    patient = Timed(product.port, intakes, journal, ends)
    try:
        # Until each of them was told to wait.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(hammer.seen[429] for hammer in hammers):
            assert time.monotonic() < deadline, [dict(hammer.seen) for hammer in hammers]
            time.sleep(0.2)
        for visit in visits:
            patient.fill_in(visit)
    finally:
        ends.set()
        for hammer in hammers:
            hammer.join()
        patient.hang_up()
        journal.close()
    seen = sum((hammer.seen for hammer in hammers), Counter[int]())
    logger.info(
        "%s answers to %s clients: %s; the patient waited %.2f s in the median, %.2f s at most",
        seen.total(),
        CLIENTS,
        dict(seen),
        statistics.median(patient.took),
        max(patient.took),
    )
    assert patient.seen == {}
    assert journal.written == len(visits)
    assert seen.keys() == {200, 404, 429}
    assert [hammer.failure for hammer in hammers if hammer.failure] == []
    assert sum(hammer.bare for hammer in hammers) == 0
