"""`make run` as a person at a terminal meets it, in a copy of the checkout with data of its own."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic import database
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.drill

COPIED = ("clinic", "education", "intake", "static", "templates", "manage.py", "Makefile")
TOKEN = "Zyxcanary-token"


class Checkout:
    """A copy of the project, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "output.txt"

    def make(self, *words: str, **environment: str) -> tuple[int, str]:
        """A command that ends by itself: its exit status and all it said."""
        done = subprocess.run(
            ["make", *words],
            cwd=self.folder,
            env=self.environment(environment),
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    @contextlib.contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """`make run` in a process group of its own, as a terminal has it, from when the site answers."""
        with self.begun() as running:
            self.wait_until(lambda: "Ctrl-C" in self.said() or running.poll() is not None)
            assert running.poll() is None, self.said()
            yield running

    @contextlib.contextmanager
    def begun(self) -> Iterator[subprocess.Popen[bytes]]:
        """The same from its first moment. Whatever a test that fails leaves behind meets no other test."""
        with self.log.open("wb") as log:
            running = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment({}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=hear_ctrl_c,
            )
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGTERM)
            running.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        return self.log.read_text()

    def demo_address(self) -> str:
        """Where `.local/demo.json` leads, all of it."""
        demo = json.loads((self.folder / ".local" / "demo.json").read_text())
        assert all(row["url"].startswith(f"{demo['base_url']}/intake/open/") for row in demo["invitations"])
        return str(demo["base_url"])

    def is_healthy(self) -> bool:
        return self.get("/healthz") == 200

    def get(self, path: str) -> int:
        """The status of an answer; 0 for none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def processes(self, words: str = "") -> list[int]:
        """Every process of this checkout whose command line has `words`."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                here = str(self.folder) in command or self.folder in [(entry / "cwd").readlink()]
            except OSError:
                continue
            if here and words in command:
                found.append(int(entry.name))
        return found

    def postgres(self) -> int:
        pid, _, _ = database.read_pid_file(self.folder / ".local" / "postgres" / "data")
        return pid or 0

    def wait_until(self, condition: object) -> None:
        assert callable(condition)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DATABASE_", "MAKE", "MFLAGS", "DJANGO_", "CLINIC_", "PYTEST_"))
        }
        return {**inherited, "PORT": str(self.port), **more}


def hear_ctrl_c() -> None:
    """As in a terminal: whoever runs these tests in the background of a script has Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    folder = Path(tempfile.mkdtemp(prefix="footing-"))
    folder.chmod(0o755)
    for name in COPIED:
        source = database.BASE_DIR / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    for path in database.BASE_DIR.glob("requirements*"):
        shutil.copy(path, folder)
    (folder / ".venv").symlink_to(database.BASE_DIR / ".venv")
    made = Checkout(folder)
    yield made
    made.make("stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="class")
def running(checkout: Checkout) -> Iterator[Checkout]:
    """It ends by Ctrl-C, and every process it started ends with it."""
    with checkout.up() as process:
        yield checkout
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_SECONDS)
    checkout.wait_until(lambda: checkout.processes() == [])
    assert checkout.get("/healthz") == 0


class TestWhileItRuns:
    def test_it_says_where_everything_is(self, running: Checkout) -> None:
        demo = json.loads((running.folder / ".local" / "demo.json").read_text())
        said = running.said()

        assert demo["base_url"] == f"http://127.0.0.1:{running.port}"
        assert demo["base_url"] in said
        assert demo["invitations"][0]["url"] in said
        assert demo["invitations"][0]["birth_date"] in said
        for member in demo["staff"]:
            assert member["username"] in said
            assert member["password"] in said
            assert member["totp"] in said
        assert {"physio", "front desk"} <= {member["role"] for member in demo["staff"]}
        assert ".local/mail/" in said
        assert running.get("/intake/open/" + demo["invitations"][0]["url"].split("/open/")[1]) == 200

    def test_whatever_is_killed_comes_back(self, running: Checkout) -> None:
        postgres, web, worker = "", "gunicorn", "procrastinate worker"
        for victims in ([postgres], [web], [worker], [postgres, web, worker]):
            before = {name: set(running.processes(name)) for name in (web, worker)} | {
                postgres: {running.postgres()}
            }
            for name in victims:
                for pid in before[name]:
                    os.kill(pid, signal.SIGKILL)

            def is_whole(victims: list[str] = victims, before: dict[str, set[int]] = before) -> bool:
                now = {name: set(running.processes(name)) for name in (web, worker)} | {
                    postgres: {running.postgres()}
                }
                return (
                    all(now[name] and not now[name] & before[name] for name in victims)
                    and running.is_healthy()
                )

            running.wait_until(is_whole)

    def test_another_run_at_the_same_address_is_refused_in_words(self, running: Checkout) -> None:
        code, said = running.make("run")

        assert code == 2
        assert f"already runs at http://127.0.0.1:{running.port}/" in said
        assert "make stop" in said
        assert running.is_healthy()

    @pytest.mark.deep
    def test_another_run_beside_it_shares_the_data(self, running: Checkout) -> None:
        beside = Checkout(running.folder)
        beside.log = running.folder / "beside.txt"
        with beside.up() as process:
            assert beside.is_healthy()
            own, others = (f"http://127.0.0.1:{one.port}" for one in (beside, running))
            assert own in beside.said()
            assert others not in beside.said()
            assert beside.demo_address() == own

            subprocess.run(
                [".venv/bin/python", "manage.py", "demo", "--json"],
                cwd=running.folder,
                env=running.environment({"PORT": "8000"}),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            assert beside.demo_address() == own

            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_SECONDS)

        assert running.is_healthy()
        assert running.demo_address() == others

    def test_no_line_it_writes_holds_a_path(self, running: Checkout) -> None:
        assert running.get(f"/intake/open/{TOKEN}/") == 404
        assert running.get(f"/no-such-page/{TOKEN}/") == 404
        for request in (
            f"GET /intake/open/{TOKEN}/ HTTP/9.9\r\n\r\n",
            f"GET /intake/open/{TOKEN} {TOKEN}/ HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{TOKEN}\r\n\r\n",
        ):
            with socket.create_connection(
                ("127.0.0.1", running.port), timeout=PATIENCE_SECONDS
            ) as connection:
                connection.sendall(request.encode())
                assert b" 400 " in connection.recv(4096)

        files = [running.log, *(running.folder / ".local").rglob("*.log")]
        assert not [path for path in files if TOKEN in path.read_text()]


def test_a_postgres_that_a_killed_run_left_ends_with_the_next(checkout: Checkout) -> None:
    for sign in (signal.SIGKILL, signal.SIGINT):
        with checkout.begun() as process:
            checkout.wait_until(lambda: "Starting Postgres" in checkout.said() and checkout.postgres())
            os.killpg(process.pid, sign)
            process.wait(PATIENCE_SECONDS)
        assert "Traceback" not in checkout.said()

    checkout.wait_until(lambda: checkout.processes() == [])


@pytest.mark.parametrize(
    "seconds", [0.1, *(pytest.param(other, marks=pytest.mark.deep) for other in (0.05, 0.2, 0.4, 0.8, 1.2))]
)
def test_an_early_ctrl_c_leaves_nothing(checkout: Checkout, seconds: float) -> None:
    with checkout.begun() as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_SECONDS)

    checkout.wait_until(lambda: checkout.processes() == [])
    assert "Traceback" not in checkout.said()


@pytest.mark.deep
@pytest.mark.parametrize("how", ["SIGINT to make alone", "make stop", "SIGTERM to make", "SIGTERM to run"])
def test_every_way_of_ending_it_ends_every_process(checkout: Checkout, how: str) -> None:
    with checkout.up() as process:
        assert checkout.postgres() in checkout.processes()

        if how == "SIGTERM to make":
            process.terminate()
        elif how == "SIGINT to make alone":
            process.send_signal(signal.SIGINT)
        elif how == "SIGTERM to run":
            os.kill(checkout.processes("manage.py run")[0], signal.SIGTERM)
        else:
            assert checkout.make("stop")[0] == 0

        process.wait(PATIENCE_SECONDS)
    checkout.wait_until(lambda: checkout.processes() == [])
    assert checkout.get("/healthz") == 0


@pytest.mark.deep
def test_a_postgres_that_was_up_before_stays_up(checkout: Checkout) -> None:
    subprocess.run(
        [".venv/bin/python", "-m", "clinic.database", "up"],
        cwd=checkout.folder,
        env=checkout.environment({}),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    before = checkout.postgres()
    with checkout.up() as process:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_SECONDS)

    assert checkout.processes() == [child for child in checkout.processes() if child_of(child, before)]
    assert before in checkout.processes()
    assert checkout.make("stop") == (0, "Stopped: Postgres.\n")
    checkout.wait_until(lambda: checkout.processes() == [])


def child_of(pid: int, parent: int) -> bool:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return pid == parent or int(fields[1]) == parent


@pytest.mark.deep
def test_a_taken_or_senseless_port_is_named(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", checkout.port)):
        code, said = checkout.make("run")
    assert code == 2
    assert f"Port {checkout.port} is taken by another program" in said

    code, said = checkout.make("run", PORT="many")
    assert code == 2
    assert "PORT is 'many'" in said
