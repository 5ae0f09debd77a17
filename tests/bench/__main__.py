"""`python -m tests.bench`: measures, prints the table, writes the JSON. Exit 1: a gate does not hold."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from clinic.database import BASE_DIR, Urls, urls
from tests.bench.measure import FLOOR, OURS, Bench, BenchError, Server, count, environment, result
from tests.bench.operations import FIRST_VIEWS, OPERATIONS, PLAIN, Ask, Gate, Operation
from tests.bench.people import PATIENT, SESSION, People
from tests.bench.report import Result, as_json, table, verdict
from tests.bench.weight import first_views
from tests.browser.browser import NoBrowserError
from tests.conftest import address, copy_database, drop_database, template_database

FOLDER: Final = BASE_DIR / ".local" / "bench"
JSON: Final = BASE_DIR / ".local" / "bench.json"
ROUNDS: Final = 25

FLOOR_TABLES: Final = sql.SQL(
    "CREATE TABLE bench_page (path text PRIMARY KEY, title text NOT NULL, body text NOT NULL);"
    "CREATE TABLE bench_intake (token text PRIMARY KEY, answers jsonb NOT NULL, revision int NOT NULL);"
    "GRANT SELECT, UPDATE ON bench_page, bench_intake TO {}"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="operations whose name matches")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}; more are steadier")
    parser.add_argument("--json", type=Path, default=JSON, help="where the results go")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        return refuse("The bench reads processes' CPU clocks as Linux gives them; run it on Linux.")
    operations = [operation for operation in OPERATIONS if re.search(options.only, operation.name)]
    views = tuple(view for view in FIRST_VIEWS if re.search(options.only, view[0]))
    if not operations and not views:
        return refuse(f"Nothing is called {options.only!r}.")
    try:
        with throw_away() as where:
            results = measured(where, operations, options.rounds, views)
    except (BenchError, NoBrowserError) as error:
        return refuse(str(error))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(as_json(results))
    say(table(results) + "\n")
    broken = verdict(results)
    say("\n" + ("\n".join(["These gates do not hold:", *broken]) if broken else "All gates hold.") + "\n")
    return 1 if broken else 0


@contextmanager
def throw_away(name: str = "") -> Iterator[Urls]:
    """A database with all a clinic starts with and the floor's tables; gone afterwards."""
    server = urls()
    name = name or f"footing_bench_{os.getpid()}"
    copy_database(server.owner, template_database(server.owner, server.app), name)
    where = Urls(app=address(server.app, name), owner=address(server.owner, name))
    try:
        with psycopg.connect(where.owner) as owner:
            owner.execute(FLOOR_TABLES.format(sql.Identifier(where.app_role)))
        yield where
    finally:
        drop_database(server.owner, name)


def measured(
    where: Urls, operations: list[Operation], rounds: int, views: tuple[tuple[str, str, Gate], ...]
) -> list[Result]:
    words = environment(where)
    FOLDER.mkdir(parents=True, exist_ok=True)
    collect_files(words)
    people = People()
    with ExitStack() as stack:

        def server(role: str, application: str, config: str = "clinic.server", **more: str) -> Server:
            started = Server(role, application, {**words, **more}, FOLDER / f"{role}.log", people, config)
            stack.callback(started.end)
            started.start()
            return started

        wire = FOLDER / "wire.txt"
        wire.write_bytes(b"")
        counting = server("footing", OURS, "tests.bench.counted", BENCH_WIRE=str(wire))
        with counting.connection() as connection:
            people.come(words, connection)
        draw_floor(where, counting, operations)
        counts = {operation.name: count(counting, wire, operation) for operation in operations}
        first = first_views(counting.port, views)
        counting.end()
        sides = {
            "ours": server("footing", OURS),
            "floor": server("floor", FLOOR),
            "bare": server("floor-bare", FLOOR, BENCH_MIDDLEWARE="none"),
        }
        bench = Bench(where, sides)
        stack.callback(bench.close)
        costs = bench.rounds(operations, rounds, say)
    return [result(one, costs[one.name], *counts[one.name]) for one in operations] + first


def collect_files(words: dict[str, str]) -> None:
    """The static files as production serves them: compressed, named by content. Raises `BenchError`."""
    shutil.rmtree(FOLDER / "static", ignore_errors=True)
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    done = subprocess.run(command, cwd=BASE_DIR, env=words, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"collectstatic:\n{done.stdout}{done.stderr}")


def draw_floor(where: Urls, ours: Server, operations: list[Operation]) -> None:
    """Lay our own pages and the patient's answers into the floor's tables: both sides send the same text."""
    asks = {ask.path: ask for operation in operations for ask in operation.floor}
    with ours.connection() as connection, psycopg.connect(where.owner) as owner:
        for path, ask in asks.items():
            if "?" not in path and not ask.answers:
                (answer,) = ours.do(connection, [Ask(path, PLAIN, who=ask.who)])
                text = answer.body.decode()
                row = [path, within(text, "title"), within(text, "body")]
                owner.execute("INSERT INTO bench_page VALUES (%s, %s, %s)", row)
        session, answers = ours.people.cookies[PATIENT][SESSION], Jsonb(ours.people.answers["pain"])
        owner.execute("INSERT INTO bench_intake VALUES (%s, %s, 0)", [session, answers])


def within(text: str, tag: str) -> str:
    """What stands in the first element of this name."""
    found = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.DOTALL)
    if not found:
        raise BenchError(f"A page of ours has no <{tag}>.")
    return found[1]


def say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


def refuse(words: str) -> int:
    sys.stderr.write(words + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
