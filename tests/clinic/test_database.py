"""The embedded Postgres as its callers see it. Every cluster here is a throw-away one."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from clinic import database
from clinic.database import Cluster, Urls
from tests.patience import PATIENCE_SECONDS

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("DATABASE_URL", "DATABASE_OWNER_URL", "DJANGO_SETTINGS_MODULE")
}
START = "import sys; from clinic.database import Cluster; print(Cluster(sys.argv[1], fast=True).up().app)"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="footing-"))
    made.chmod(0o755)
    yield made
    Cluster(made / "postgres").remove()
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    made = Path(tempfile.mkdtemp(prefix="footing-"))
    made.chmod(0o755)
    cluster = Cluster(made / "postgres", fast=True)
    cluster.up()
    yield cluster
    cluster.remove()
    shutil.rmtree(made)


def ask(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(question.encode())
        return found.fetchall() if found.description else []


def keep_a_row(urls: Urls) -> None:
    ask(urls.owner, "CREATE TABLE IF NOT EXISTS kept (word text PRIMARY KEY)")
    ask(urls.app, "INSERT INTO kept VALUES ('here') ON CONFLICT DO NOTHING")


def kept(urls: Urls) -> bool:
    return ask(urls.app, "SELECT word FROM kept") == [("here",)]


def process(*arguments: str, cwd: Path | str = database.BASE_DIR) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
    )


def finish(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = running.communicate(timeout=PATIENCE_SECONDS)
    return running.returncode, out.strip(), err.strip()


# ----------------------------------------------------------------------------------------- up, down, up again
def test_a_second_up_finds_the_server_of_the_first(folder: Path) -> None:
    cluster = Cluster(folder / "postgres", fast=True)
    urls = cluster.up()
    pid = cluster.status().pid
    again = Cluster(folder / "postgres", fast=True)

    assert again.up() == urls
    assert again.status().pid == pid
    assert cluster.started
    assert not again.started


def test_data_and_address_survive_down_and_up(folder: Path) -> None:
    cluster = Cluster(folder / "postgres")
    urls = cluster.up()
    keep_a_row(urls)

    assert cluster.down()
    assert not cluster.status().up
    assert not cluster.down()
    assert cluster.up() == urls
    assert kept(urls)


@pytest.mark.deep
def test_it_works_in_a_folder_that_only_its_owner_may_enter(folder: Path) -> None:
    folder.chmod(0o700)
    cluster = Cluster(folder / "postgres", fast=True)
    keep_a_row(cluster.up())
    cluster.down()

    assert kept(Cluster(folder / "postgres", fast=True).up())

    shutil.rmtree(folder / "postgres")
    assert not ask(cluster.up().app, "SELECT FROM pg_tables WHERE tablename = 'kept'")

    data = Path(cluster.status().data)
    cluster.remove()
    assert not data.exists()


@pytest.mark.deep
def test_a_moved_checkout_keeps_its_data_and_a_copy_gets_its_own(folder: Path) -> None:
    folder.chmod(0o700)
    first = Cluster(folder / "first", fast=True)
    keep_a_row(first.up())
    first.down()
    (folder / "first").rename(folder / "moved")
    moved = Cluster(folder / "moved", fast=True)
    copy = Cluster(folder / "copy", fast=True)
    try:
        assert kept(moved.up())
        shutil.copytree(folder / "moved", folder / "copy", ignore=shutil.ignore_patterns("lock"))
        for path in (folder / "moved").rglob("*"):
            twin = folder / "copy" / path.relative_to(folder / "moved")
            if twin.exists():
                os.chown(twin, path.stat().st_uid, path.stat().st_gid)
        copy.up()

        assert copy.status().pid != moved.status().pid
        assert copy.status().data != moved.status().data
    finally:
        copy.remove()
        moved.remove()


def test_the_server_of_a_run_ends_when_nobody_uses_it(folder: Path) -> None:
    run, command = (Cluster(folder / "postgres", fast=True) for _ in range(2))
    for cluster in (run, command):
        cluster.use()
    run.up(by_run=True)

    assert command.is_of_run()
    assert not run.down_unused()
    assert run.status().up
    assert command.down_unused()
    assert not run.status().up

    command.up()
    assert not run.is_of_run()


# -------------------------------------------------------------------------------------------- after accidents
def test_up_after_kill_9_keeps_every_row(shared: Cluster) -> None:
    urls = shared.up()
    keep_a_row(urls)
    for _ in range(3):
        os.kill(shared.status().pid or 0, signal.SIGKILL)

        assert shared.up() == urls
        assert kept(urls)


@pytest.mark.deep
def test_up_after_kill_9_while_a_query_is_busy(shared: Cluster) -> None:
    urls = shared.up()
    keep_a_row(urls)
    busy = process(
        "-c",
        "import sys, psycopg\n"
        "with psycopg.connect(sys.argv[1]) as connection:\n"
        "    connection.execute('SELECT count(*) FROM generate_series(1, 100000000000)')",
        urls.owner,
    )
    while not ask(urls.owner, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT count%'"):
        time.sleep(0.05)
    os.kill(shared.status().pid or 0, signal.SIGKILL)

    assert kept(shared.up())
    assert finish(busy)[0] == 1


@pytest.mark.parametrize("somebody", ["zombie", "another program", "nobody"])
def test_a_pid_file_that_names_no_postgres_of_ours_is_cleared(shared: Cluster, somebody: str) -> None:
    urls = shared.up()
    keep_a_row(urls)
    pid_file = Path(shared.status().data) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(shared.status().pid or 0, signal.SIGKILL)
    gone = process("-c", "")
    pid = os.getpid() if somebody == "another program" else gone.pid
    if somebody == "nobody":
        gone.wait()
    else:
        os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
    pid_file.write_text("\n".join([str(pid), *lines[1:]]) + "\n")

    assert not shared.status().up
    assert kept(shared.up())
    finish(gone)


@pytest.mark.parametrize(
    "rubbish",
    ["", *(pytest.param(words, marks=pytest.mark.deep) for words in ("not a number\n", "99999999\n", "1\n"))],
)
def test_a_broken_pid_file_or_port_file_does_not_stop_it(shared: Cluster, rubbish: str) -> None:
    shared.up()
    shared.down()
    (Path(shared.status().data) / "postmaster.pid").write_text(rubbish)
    (shared.root / "port").write_text(rubbish)
    (shared.root / "lock").write_text(rubbish)

    assert ask(shared.up().app, "SELECT 1") == [(1,)]


def test_a_taken_port_is_left_to_whoever_has_it(shared: Cluster) -> None:
    shared.up()
    port = shared.status().port
    shared.down()
    with socket.create_server(("127.0.0.1", port or 0)):
        assert ask(shared.up().app, "SELECT 1") == [(1,)]

    assert shared.status().port != port


@pytest.mark.deep
def test_lost_passwords_are_made_anew(shared: Cluster) -> None:
    before = shared.up()
    keep_a_row(before)
    (shared.root / "app.password").unlink()
    after = shared.up()

    assert after.app != before.app
    assert kept(after)


def test_three_processes_at_once_agree_on_one_server(folder: Path) -> None:
    at_once = [process("-c", START, str(folder / "postgres")) for _ in range(3)]
    answers = [finish(each) for each in at_once]

    assert {code for code, _, _ in answers} == {0}, answers
    assert {url for _, url, _ in answers} == {Cluster(folder / "postgres").urls().app}


@pytest.mark.deep
def test_three_processes_at_once_after_kill_9(shared: Cluster) -> None:
    urls = shared.up()
    keep_a_row(urls)
    os.kill(shared.status().pid or 0, signal.SIGKILL)
    at_once = [process("-c", START, str(shared.root)) for _ in range(3)]

    assert [finish(each)[:2] for each in at_once] == [(0, urls.app)] * 3
    assert kept(urls)


@pytest.mark.parametrize(
    "seconds", [0.4, *(pytest.param(other, marks=pytest.mark.deep) for other in (0.15, 0.7))]
)
def test_a_first_start_that_was_killed_is_made_good(folder: Path, seconds: float) -> None:
    killed = process("-c", START, str(folder / "postgres"))
    time.sleep(seconds)
    killed.kill()
    finish(killed)

    assert ask(Cluster(folder / "postgres", fast=True).up().app, "SELECT 1") == [(1,)]


# -------------------------------------------------------------------------------------------- who may do what
def test_the_app_role_uses_tables_and_shapes_none(shared: Cluster) -> None:
    urls = shared.up()
    ask(urls.owner, "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
    ask(urls.app, "INSERT INTO visits (word) VALUES ('a')")
    ask(urls.app, "UPDATE visits SET word = 'b'")

    assert ask(urls.app, "SELECT word FROM visits") == [("b",)]
    for refused in (
        "CREATE TABLE mine ()",
        "CREATE TEMP TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE visits ADD word2 text",
        "ALTER TABLE visits DISABLE TRIGGER ALL",
        "TRUNCATE visits",
        "DROP TABLE visits",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "COPY visits TO '/tmp/visits'",
        "SET log_statement = 'all'",
        "SET ROLE footing_owner",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InternalError)):
            ask(urls.app, refused)


def test_neither_role_is_a_superuser_and_nobody_signs_in_as_one(shared: Cluster) -> None:
    urls = shared.up()

    assert ask(urls.app, "SELECT rolname FROM pg_roles WHERE rolsuper") == [("postgres",)]
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf"):
        ask(urls.owner.replace(database.OWNER_ROLE, "postgres"), "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(urls.app.replace(f"{database.APP_ROLE}:", f"{database.APP_ROLE}:x"), "SELECT 1")


def test_every_way_in_is_by_scram_and_from_this_machine(shared: Cluster) -> None:
    urls = shared.up()

    rules = (Path(shared.status().data) / "pg_hba.conf").read_text().splitlines()
    assert [rule.split()[-2:] for rule in rules] == [["127.0.0.1/32", "scram-sha-256"]] * len(rules)
    assert len(rules) == 2
    assert ask(urls.app, "SHOW password_encryption") == [("scram-sha-256",)]
    assert ask(urls.app, "SHOW listen_addresses") == [("127.0.0.1",)]


def test_the_app_role_waits_neither_for_locks_nor_for_ever(shared: Cluster) -> None:
    urls = shared.up()

    assert ask(urls.app, "SHOW statement_timeout") == [("8s",)]
    assert ask(urls.app, "SHOW lock_timeout") == [("4s",)]
    assert ask(urls.owner, "SHOW statement_timeout") == [("0",)]


def test_a_database_made_later_has_the_same_rights_and_extensions(shared: Cluster) -> None:
    ask(shared.up().owner, "CREATE DATABASE test_footing")
    urls = shared.urls("test_footing")
    ask(urls.owner, "CREATE TABLE visits (id int)")
    ask(urls.app, "INSERT INTO visits VALUES (1)")
    extensions = {name for (name,) in ask(urls.app, "SELECT extname FROM pg_extension")}

    assert extensions >= set(database.EXTENSIONS)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(urls.app, "CREATE TABLE mine ()")


def test_grant_app_lets_another_role_use_what_is_made_later(shared: Cluster) -> None:
    ask(shared.up().owner, "CREATE DATABASE elsewhere TEMPLATE template0")
    urls = shared.urls("elsewhere")
    database.grant_app(urls.owner, urls.app_role)
    ask(urls.owner, "CREATE TABLE visits (id serial, word text)")
    ask(urls.app, "INSERT INTO visits (word) VALUES ('a')")

    assert ask(urls.app, "SELECT id, word FROM visits") == [(1, "a")]


def test_the_passwords_are_nobody_elses_to_read(shared: Cluster) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in shared.root.glob("*.password")}

    assert modes == {"app.password": 0, "owner.password": 0}
    assert (shared.root / "server.log").stat().st_mode & 0o077 == 0


def test_the_servers_log_holds_no_value_of_a_failed_statement(shared: Cluster) -> None:
    urls = shared.up()
    ask(urls.owner, "CREATE TABLE answers (word text PRIMARY KEY, pain int CHECK (pain <= 10))")
    ask(urls.app, "INSERT INTO answers VALUES ('Zyxcanary', 1)")
    for failing in (
        "INSERT INTO answers VALUES ('Zyxcanary', 1)",
        "INSERT INTO answers VALUES ('Zyxcanary2', 11)",
        "INSERT INTO answers VALUES ('a', 'Zyxcanary'::int)",
        "SELECT 'Zyxcanary' FROM nowhere",
        "SET statement_timeout = 50; SELECT pg_sleep(1), 'Zyxcanary'",
    ):
        with pytest.raises(psycopg.Error):
            ask(urls.app, failing)

    assert "Zyxcanary" not in (shared.root / "server.log").read_text()


# ---------------------------------------------------------------------------------- environment, command line
def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@elsewhere/db")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    assert database.urls() == Urls("postgresql://app@elsewhere/db", "postgresql://app@elsewhere/db")

    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@elsewhere/db")
    assert database.urls() == Urls("postgresql://app@elsewhere/db", "postgresql://owner@elsewhere/db")
    assert not database.is_embedded()

    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(database.PostgresError, match="without DATABASE_URL"):
        database.urls()


def test_programs_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PG_BIN_DIR", str(folder))
    with pytest.raises(database.PostgresError, match="PG_BIN_DIR"):
        Cluster(folder / "postgres").up()

    monkeypatch.delenv("PG_BIN_DIR")
    with pytest.raises(database.PostgresError, match="made by Postgres 9"):
        database.find_binaries(9)


@pytest.fixture
def checkout(folder: Path) -> Callable[..., tuple[int, str, str]]:
    """A checkout of its own, with nothing in it but the launcher."""
    (folder / "clinic").mkdir()
    (folder / "clinic" / "__init__.py").touch()
    shutil.copy(database.__file__, folder / "clinic" / "database.py")
    (folder / ".local").mkdir(mode=0o755)
    (folder / ".local" / "postgres").symlink_to(folder / "postgres")
    return lambda *arguments: finish(process("-m", "clinic.database", *arguments, cwd=folder))


def test_the_command_line(checkout: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = checkout("status", "--json")
    assert (code, json.loads(out)["up"]) == (1, False)

    code, out, err = checkout("up", "--json")
    assert (code, err) == (0, "")
    assert ask(json.loads(out)["app"], "SELECT current_user") == [("footing_app",)]
    assert ask(json.loads(out)["owner"], "SELECT current_user") == [("footing_owner",)]

    code, out, _ = checkout("status", "--json")
    assert (code, json.loads(out)["up"]) == (0, True)
    assert json.loads(checkout("down", "--json")[1]) == {"stopped": True}
    assert checkout("down")[:2] == (0, "Postgres was not up.")
    assert checkout("sideways")[0] == 2
