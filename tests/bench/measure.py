"""Starts the servers and measures them in turns, so that whatever disturbs the machine disturbs all alike."""

import http.client
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from clinic.database import Urls
from clinic.processes import Child
from tests.bench import clocks
from tests.bench.operations import FLOOR as FLOOR_SIDE
from tests.bench.operations import Ask, Operation
from tests.bench.people import DRAFT, People
from tests.bench.report import Cost, Result
from tests.bench.statements import Asked, read_wire

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60
# One measurement: some tens of milliseconds, short beside what others do on the machine.
BATCH: Final = 20
WARM_UP: Final = 40
# How often an operation is done to count what it asks; the last one counts.
COUNTED: Final = 4
# What a server still does once its answer is out, such as giving back a connection.
SETTLE_SECONDS: Final = 0.002
# Of each side's measurements, cheapest first, the one at a quarter: disturbances only ever add.
QUANTILE: Final = 0.25

OURS_SIDE: Final = "ours"
BARE_SIDE: Final = "bare"
OURS: Final = "clinic.wsgi:application"
UNWATCHED: Final = "tests.bench.unwatched:application"
FLOOR: Final = "tests.bench.floor:application"


class BenchError(RuntimeError):
    """A server did not start or did not answer as the operation says; the message names it."""


def environment(urls: Urls) -> dict[str, str]:
    """A production like a clinic's, behind a proxy that ends TLS, with one worker."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.bench.served",
        "CLINIC_MODE": "production",
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SITE_URL": "https://intake.clinic.example",
        "ALLOWED_HOSTS": f"{HOST},intake.clinic.example",
        "BEHIND_TLS_PROXY": "1",
        # Limits are per address, and all of this comes from one.
        "TRUSTED_PROXY": HOST,
        "EMAIL_HOST": "mail.clinic.example",
        "DEFAULT_FROM_EMAIL": "visits@clinic.example",
        "ON_CALL_EMAIL": "on-call@clinic.example",
        "WEB_WORKERS": "1",
        "WEB_LOG_LEVEL": "warning",
    }


class Answer:
    """What came back: status, headers, bytes of the body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def flaws(self) -> tuple[str, ...]:
        """Why a cache that everybody shares could not keep it or ask whether it changed."""
        found = []
        if self.headers["Set-Cookie"]:
            found.append("sets a cookie")
        if "cookie" in (self.headers["Vary"] or "").lower():
            found.append("varies by cookie")
        if not self.headers["ETag"]:
            found.append("has no ETag")
        return tuple(found)


class Server:
    """gunicorn with one worker on a socket of its own. `role` is how its connections call themselves."""

    def __init__(
        self,
        role: str,
        application: str,
        environment: Mapping[str, str],
        log: Path,
        people: People,
        config: str = "clinic.server",
    ) -> None:
        self.role = role
        self.application = application
        self.log = log
        self.people = people
        self.sent = 0
        self.listener = socket.create_server((HOST, 0), backlog=64)
        self.port = int(self.listener.getsockname()[1])
        self.output = log.open("wb")
        command = [sys.executable, "-m", "gunicorn", "--config", f"python:{config}", application]
        command += ["--bind", f"fd://{self.listener.fileno()}"]
        keep = [self.listener.fileno()]
        self.child = Child(
            role, command, keep=keep, env=dict(environment), stdout=self.output, stderr=self.output
        )
        self.etags: dict[Ask, str] = {}

    def start(self) -> None:
        """Raises `BenchError` when it does not serve within a minute."""
        self.child.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            if not self.child.is_alive() or time.monotonic() > deadline:
                raise BenchError(f"The {self.role} server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        try:
            with self.connection() as connection:
                return self.send(connection, Ask("/healthz")).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def end(self) -> None:
        self.child.ask_to_end()
        self.child.end(seconds=15)
        self.listener.close()
        self.output.close()

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def send(self, connection: http.client.HTTPConnection, ask: Ask) -> Answer:
        self.people.turn(ask.who)
        path = ask.path.format_map(self.people.words)
        headers = self.people.headers(ask.who, is_form=bool(ask.answers))
        headers["Accept-Encoding"] = ask.encoding
        if ask.again:
            headers["If-None-Match"] = self.etags[ask]
        if not ask.answers:
            connection.request("GET", path, headers=headers)
            return Answer(connection.getresponse())
        self.sent += 1
        fields = self.people.fields(ask.answers, self.sent)
        connection.request("POST", path, self.people.body(ask.who, fields), headers)
        return Answer(connection.getresponse())

    def do(self, connection: http.client.HTTPConnection, asks: Sequence[Ask]) -> list[Answer]:
        """Raises `BenchError` when the server answers otherwise than the operation says."""
        answers = []
        for ask in asks:
            if ask.again and ask not in self.etags:
                self.etags[ask] = self.send(connection, Ask(ask.path, ask.encoding)).headers["ETag"] or ""
            answer = self.send(connection, ask)
            if answer.status != ask.status:
                raise BenchError(f"{self.role}: {ask.path} answers {answer.status}, not {ask.status}")
            answers.append(answer)
        return answers

    def pids(self) -> list[int]:
        assert self.child.process is not None
        return clocks.tree(self.child.process.pid)


class Bench:
    """The sides, and the database they share."""

    def __init__(self, urls: Urls, sides: Mapping[str, Server]) -> None:
        self.sides = sides
        # Not one of the sides: it only looks who is connected.
        self.database = psycopg.connect(urls.app, autocommit=True, application_name="bench")

    def close(self) -> None:
        self.database.close()

    def backends(self, role: str) -> list[int]:
        rows = self.database.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
            [role],
        )
        return [pid for (pid,) in rows.fetchall()]

    def sides_of(self, operation: Operation) -> Mapping[str, Server]:
        """Ours, what it stands beside, and beside the floor also one without middleware."""
        names = [OURS_SIDE]
        if operation.floor:
            names += [operation.beside, *([BARE_SIDE] if operation.beside == FLOOR_SIDE else [])]
        return {name: self.sides[name] for name in names}

    def batch(self, server: Server, asks: Sequence[Ask], times: int = BATCH) -> Cost | None:
        """What one operation costs, from `times` in a row; None when a process came or went meanwhile."""
        with server.connection() as connection:
            server.do(connection, asks)
            app = clocks.read(server.pids())
            backends = clocks.read(self.backends(server.role))
            began = time.perf_counter()
            for _ in range(times):
                server.do(connection, asks)
            wall = time.perf_counter() - began
            time.sleep(SETTLE_SECONDS)
            try:
                app_spent = clocks.spent(app, clocks.read(server.pids()))
                postgres_spent = clocks.spent(backends, clocks.read(self.backends(server.role)))
            except OSError:
                return None
        if app_spent is None or postgres_spent is None:
            return None
        return Cost(*(1000 * seconds / times for seconds in (app_spent, postgres_spent, wall)))

    def rounds(
        self,
        operations: Sequence[Operation],
        rounds: int,
        say: Callable[[str], None],
        before: Callable[[], None],
    ) -> dict[str, dict[str, Cost]]:
        """`{operation: {side: cost}}`. Every round takes every operation on every side, in changing order.

        before: what is done ahead of each round.
        """
        for operation in operations:
            for server in self.sides_of(operation).values():
                self.batch(server, asks_of(operation, server), WARM_UP)
        seen: dict[str, dict[str, list[Cost]]] = {
            operation.name: {side: [] for side in self.sides_of(operation)} for operation in operations
        }
        for number in range(rounds):
            before()
            turn = -1 if number % 2 else 1
            for operation in operations[::turn]:
                for side, server in list(self.sides_of(operation).items())[::turn]:
                    if cost := self.batch(server, asks_of(operation, server)):
                        seen[operation.name][side].append(cost)
            say(f"\rround {number + 1} of {rounds}")
        say("\n")
        return {
            name: {side: quiet(costs, f"{name}, {side}") for side, costs in sides.items()}
            for name, sides in seen.items()
        }


def drafts_needed(operations: Sequence[Operation], rounds: int) -> int:
    """How many drafts `count` and `rounds` send, on all sides: each batch is asked for once more than it is
    measured.
    """
    sides = 3
    a_side = WARM_UP + 1 + rounds * (BATCH + 1)
    asks = [ask for operation in operations for ask in operation.ours]
    return sum(COUNTED + sides * a_side for ask in asks if ask.who == DRAFT)


def asks_of(operation: Operation, server: Server) -> Sequence[Ask]:
    return operation.ours if server.application == OURS else operation.floor


def quiet(costs: Sequence[Cost], what: str) -> Cost:
    """One measurement as it was, of those that were little disturbed. Raises `BenchError` for none."""
    if not costs:
        raise BenchError(f"{what}: no round came through undisturbed")
    return sorted(costs, key=lambda cost: cost.cpu)[int(QUANTILE * len(costs))]


def count(server: Server, wire: Path, operation: Operation) -> tuple[list[Answer], Asked]:
    """The answers of one operation and what the database was asked for them, once all is warm.

    The last reply of the database reaches the file only with the next question. So one operation is what lies
    between two readings after the same operation.
    """
    with server.connection() as connection:
        for _ in range(COUNTED - 1):
            server.do(connection, operation.ours)
        time.sleep(SETTLE_SECONDS)
        before = read_wire(wire.read_text())
        answers = server.do(connection, operation.ours)
        time.sleep(SETTLE_SECONDS)
    return answers, read_wire(wire.read_text()).since(before)


def result(
    operation: Operation, costs: Mapping[str, Cost], answers: Sequence[Answer], asked: Asked
) -> Result:
    return Result(
        name=operation.name,
        gate=operation.gate,
        bytes=sum(len(answer.body) for answer in answers),
        ours=costs.get(OURS_SIDE),
        floor=costs.get(operation.beside),
        bare=costs.get(BARE_SIDE),
        queries=asked.own,
        others=asked.others(),
        commits=asked.commits,
        requests=len(answers),
        flaws=tuple(dict.fromkeys(flaw for answer in answers for flaw in answer.flaws())),
    )
