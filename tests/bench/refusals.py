"""Refusals that nobody may tell apart by the time they take (R5): each pair in turns, the ratio of medians.

Wall time, as whoever knocks has it; a pair whose ratio leaves the gate tells something.
"""

import http.client
import secrets
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final
from urllib.parse import urlencode, urlsplit

from tests.bench.measure import BenchError, Server
from tests.bench.people import CSRF
from tests.browser.product import Reception

SAMPLES: Final = 200
WARM_UP: Final = 20
GATE: Final = (0.8, 1.25)
# A link takes so many wrong dates without a rest, and one more than that with it.
WRONG_EACH: Final = 4
# Nobody's date of birth.
DATE: Final = {"month": "1", "day": "2", "year": "1901"}

NOT_LIVE: Final = "refused: unknown link / ended link"
NOT_LIVE_LOOK: Final = "refused look: unknown link / ended link"
NOT_OPENED: Final = "refused: wrong date / resting link"
NAMES: Final = (NOT_LIVE, NOT_LIVE_LOOK, NOT_OPENED)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Two refusals of one class: medians of milliseconds."""

    name: str
    first: float
    second: float

    @property
    def ratio(self) -> float:
        return self.first / self.second

    def broken(self) -> list[str]:
        low, high = GATE
        return [] if low <= self.ratio <= high else [f"{self.name}: ratio {self.ratio:.2f}, {low} to {high}"]

    def __str__(self) -> str:
        mark = "!" if self.broken() else " "
        low, high = GATE
        times = f"{self.first:6.2f} / {self.second:6.2f} ms"
        return f"{self.name:45} {times}  {self.ratio:.2f} {mark} {low} to {high}"

    def entry(self) -> dict[str, object]:
        return {
            "name": self.name,
            "first_ms": round(self.first, 3),
            "second_ms": round(self.second, 3),
            "ratio": round(self.ratio, 3),
            "gate": list(GATE),
            "broken": self.broken(),
        }


def compare(server: Server, environment: Mapping[str, str], names: Sequence[str]) -> list[Refusals]:
    """The pairs of these names, against a running server that takes a visitor's address from its proxy."""
    with server.connection() as connection:
        knock = _Knocks(server, connection)
        links = _links(environment)
        knock.come(links.open[0])
        for _ in range(5):
            knock.types(links.resting)
        fresh = iter([link for link in links.open for _ in range(WRONG_EACH)])
        pairs: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            NOT_LIVE: (lambda: knock.types(_unknown(), 404), lambda: knock.types(links.ended, 404)),
            NOT_LIVE_LOOK: (lambda: knock.looks(_unknown()), lambda: knock.looks(links.ended)),
            NOT_OPENED: (lambda: knock.types(next(fresh)), lambda: knock.types(links.resting)),
        }
        return [_measured(name, *pairs[name]) for name in names]


def _measured(name: str, first: Callable[[], None], second: Callable[[], None]) -> Refusals:
    times: tuple[list[float], list[float]] = [], []
    for number in range(WARM_UP + SAMPLES):
        # Each goes first as often as the other.
        for place, ask in ((0, first), (1, second))[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            ask()
            if number >= WARM_UP:
                times[place].append(1000 * (time.perf_counter() - began))
    return Refusals(name, statistics.median(times[0]), statistics.median(times[1]))


@dataclass(frozen=True, slots=True)
class _Links:
    """Paths of links. open: enough of them for every wrong date."""

    open: list[str]
    resting: str
    ended: str


def _links(environment: Mapping[str, str]) -> _Links:
    reception = Reception(environment)
    try:
        needed = -(-(WARM_UP + SAMPLES) // WRONG_EACH)
        made = reception("visits", count=needed + 2)
        *live, resting, ended = [urlsplit(one["link"]).path for one in made]
        reception("another_link", evaluation=made[-1]["evaluation"])
    finally:
        reception.end()
    return _Links(live, resting, ended)


def _unknown() -> str:
    return f"/intake/open/{secrets.token_urlsafe(32)}/"


class _Knocks:
    """Somebody with a date and a link, from another address each time."""

    def __init__(self, server: Server, connection: http.client.HTTPConnection) -> None:
        self.server = server
        self.connection = connection
        self.numbers = count(1)
        self.headers: dict[str, str] = {}
        self.body = ""

    def come(self, path: str) -> None:
        """The page's cookie and the token that goes with it, once for all."""
        headers = self._send("GET", path, 200)
        cookie = next(one for one in headers.get_all("Set-Cookie") or [] if one.startswith(CSRF))
        token = cookie.split(";")[0].partition("=")[2]
        self.headers = {**self.server.people.headers("", is_form=True), "Cookie": f"{CSRF}={token}"}
        self.body = urlencode({"csrfmiddlewaretoken": token, **DATE})

    def types(self, path: str, status: int = 200) -> None:
        self._send("POST", path, status)

    def looks(self, path: str) -> None:
        self._send("GET", path, 404)

    def _send(self, method: str, path: str, status: int) -> http.client.HTTPMessage:
        number = next(self.numbers)
        headers = {
            **(self.headers if method == "POST" else self.server.people.headers("", is_form=False)),
            "X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}",
        }
        self.connection.request(method, path, self.body if method == "POST" else None, headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != status:
            raise BenchError(f"{path} answers {answer.status}, not {status}")
        return answer.headers
