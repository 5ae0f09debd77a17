"""The clinic's machine, and what happens to it."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from clinic.database import BASE_DIR, Cluster
from tests.browser.product import Product
from tests.conftest import restore_database, template_database
from tests.drills import judge
from tests.patience import PATIENCE_SECONDS


class Machine:
    """The clinic's machine: a Postgres and a web server that are started again whenever they die.

    disk: where Postgres keeps its data, if not in the folder. environment: of the web server, with the usual.
    """

    def __init__(
        self,
        folder: Path,
        database_urls: tuple[str, str],
        *,
        disk: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.cluster = Cluster((disk or folder) / "postgres")
        urls = self.cluster.up()
        restore_database(database_urls[0], template_database(*database_urls), urls.owner)
        self.urls = urls
        self.product = Product(urls, folder)
        self.product.environment |= environment or {}
        self.port = self.product.port

    def tend(self) -> None:
        """What `manage.py run` does for its children."""
        self.product.web.tend()
        if not self.cluster.status().up:
            assert self.cluster.up() == self.urls, "Postgres came back at another address"

    def watch(self, is_over: Callable[[], bool], what: str) -> None:
        """Keep it going until it `is_over`. Fails naming `what` was waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_over():
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for {what}"
            self.tend()
            time.sleep(0.05)

    def end(self) -> None:
        self.product.end()
        self.cluster.remove()

    # What happens to it

    def postgres_dies_whole(self) -> None:
        server = self.cluster.status().pid
        assert server
        kill(server, *children_of(server))

    def postmaster_dies(self) -> None:
        server = self.cluster.status().pid
        assert server
        kill(server)

    def one_backend_dies(self) -> None:
        """Postgres then ends every other one too and recovers by itself."""
        server = self.cluster.status().pid
        assert server
        backends = [pid for pid, words in commands(children_of(server)).items() if "footing_app" in words]
        if backends:
            kill(random.choice(backends))

    def web_server_dies_whole(self) -> None:
        process = self.product.web.process
        if process is not None:
            kill(process.pid, *children_of(process.pid))

    def one_web_worker_dies(self) -> None:
        process = self.product.web.process
        if process is not None:
            kill(*random.sample(children_of(process.pid), 1))

    def both_die(self) -> None:
        self.web_server_dies_whole()
        self.postgres_dies_whole()

    def web_server_reloads(self) -> None:
        """SIGHUP: new workers take over, and the old ones end when they have answered."""
        process = self.product.web.process
        assert process is not None
        old = set(children_of(process.pid))
        process.send_signal(signal.SIGHUP)
        self.watch(lambda: old.isdisjoint(children_of(process.pid)), "the old workers to end")

    @contextlib.contextmanager
    def no_connection_left(self) -> Iterator[None]:
        """Somebody else holds every connection that Postgres gives, and the product's own are cut."""
        held: list[psycopg.Connection[Any]] = []
        try:
            with self._owner() as owner:
                with self._cut_off(owner), contextlib.suppress(psycopg.OperationalError):
                    while True:
                        held.append(psycopg.connect(self.urls.app))
                yield
        finally:
            for connection in held:
                connection.close()

    @contextlib.contextmanager
    def no_writes(self) -> Iterator[None]:
        """The database is set to be read only, as where the disk of a hosted one is full."""
        with self._owner() as owner:
            owner.execute("ALTER DATABASE footing SET default_transaction_read_only = on")
            try:
                with self._cut_off(owner):
                    pass
                yield
            finally:
                owner.execute("ALTER DATABASE footing RESET default_transaction_read_only")
                with self._cut_off(owner):
                    pass

    def _owner(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.urls.owner, autocommit=True)

    @contextlib.contextmanager
    def _cut_off(self, owner: "psycopg.Connection[Any]") -> Iterator[None]:
        """The product's connections are cut, and inside it is held still: a free one is for the fastest."""
        process = self.product.web.process
        assert process is not None
        web = [process.pid, *children_of(process.pid)]
        signal_all(web, signal.SIGSTOP)
        try:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'footing'"
            )
            yield
        finally:
            signal_all(web, signal.SIGCONT)


def kill(*pids: int) -> None:
    signal_all(pids, signal.SIGKILL)


def signal_all(pids: Iterable[int], sign: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)


def children_of(parent: int) -> list[int]:
    rows = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, row.split())) for row in rows.splitlines()]
    return [pid for pid, ppid in pairs if ppid == parent]


def commands(pids: list[int]) -> dict[int, str]:
    rows = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True).stdout
    named = {int(row.split(None, 1)[0]): row for row in rows.splitlines()}
    return {pid: named.get(pid, "") for pid in pids}


def judged(machine: Machine, intakes: list[dict[str, Any]]) -> dict[str, Any]:
    """What `judge` says of them, in a process of its own, which sees the drill's database."""
    done = subprocess.run(
        [sys.executable, "-m", judge.__name__],
        input=json.dumps(intakes),
        capture_output=True,
        text=True,
        cwd=BASE_DIR,
        env=machine.product.environment,
    )
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict
