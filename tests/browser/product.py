"""The product as it runs for people: a web server, a job worker and mail in files, on a database of its own.

Also used by the drills. Every process leads a process group that ends with `end`.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clinic.database import BASE_DIR, Urls
from clinic.processes import Child
from tests.conftest import address, copy_database, drop_database, template_database
from tests.patience import PATIENCE_SECONDS

HOST = "127.0.0.1"
BETWEEN_MAILS = re.compile(r"^-{79}$", re.MULTILINE)
MAIL_IS_WHOLE = re.compile(r"^-{79}\s*\Z", re.MULTILINE)


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """What `look` gives once it gives something. Fails naming `what` was waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for {what}"
        time.sleep(0.05)
    return found


class Mailbox:
    """The e-mails the product sent: a file each, which may hold several."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def to(self, address: str) -> list[str]:
        """Every whole e-mail to one address, headers and all, oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns):
            text = path.read_text()
            if MAIL_IS_WHOLE.search(text):
                found += [mail.strip() for mail in BETWEEN_MAILS.split(text) if f"To: {address}\n" in mail]
        return found

    def wait_for(self, address: str, count: int = 1) -> list[str]:
        return wait_for(
            lambda: mails if len(mails := self.to(address)) >= count else [], f"e-mail {count} to {address}"
        )


class Reception:
    """A process beside the product that makes people and visits through the product's own functions.

    Browser tests keep an event loop running in their process, where Django refuses to touch a database.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.reception"],
            cwd=BASE_DIR,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, task: str, **words: Any) -> Any:
        """Ask for one of the tasks in `tests.browser.reception`; keywords in, JSON out."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"task": task, **words}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{task} ended the reception; what it said stands in the captured output"
        return json.loads(line)

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE_SECONDS)
        self.process.stdout.close()


class Product:
    """Web server and job worker. The socket is ours, so the address stays when the server starts again."""

    def __init__(self, urls: Urls, folder: Path) -> None:
        self.folder = folder
        self.mail = Mailbox(folder / "mail")
        self.log = folder / "output.txt"
        self.listener = socket.create_server((HOST, 0), backlog=512)
        self.port = int(self.listener.getsockname()[1])
        self.address = f"http://{HOST}:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "CLINIC_MODE": "demo",
            "DATABASE_URL": urls.app,
            "DATABASE_OWNER_URL": urls.owner,
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "PORT": str(self.port),
            "SITE_URL": self.address,
            "MAIL_DIR": str(self.mail.folder),
            "MEDIA_DIR": str(folder / "media"),
            "WEB_WORKERS": "1",
            "SECRET_KEY": "only-for-this-run-of-the-tests-0123456789-abcdefghijklm",
        }
        bind = f"fd://{self.listener.fileno()}"
        serve = [sys.executable, "-m", "gunicorn", "--config", "python:clinic.server", "clinic.wsgi"]
        self.web = self._child("web server", [*serve, "--bind", bind], keep=[self.listener.fileno()])
        self.worker = self._child("job worker", [sys.executable, "manage.py", "procrastinate", "worker"])
        self._reception: Reception | None = None

    def _child(self, name: str, command: list[str], keep: list[int] | None = None) -> Child:
        output = self.log.open("ab")
        return Child(name, command, keep=keep or [], env=self.environment, stdout=output, stderr=output)

    def start(self, *, worker: bool = True) -> "Product":
        self.web.start()
        if worker:
            self.worker.start()
        wait_for(self.is_healthy, "the web server")
        return self

    @property
    def reception(self) -> Reception:
        if self._reception is None:
            self._reception = Reception(self.environment)
        return self._reception

    def is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def said(self) -> str:
        """All that the web server and the worker wrote."""
        return self.log.read_text(errors="replace")

    def end(self) -> None:
        if self._reception is not None:
            self._reception.end()
        for child in (self.web, self.worker):
            child.ask_to_end()
        for child in (self.web, self.worker):
            child.end(seconds=15)
            child.options["stdout"].close()
        self.listener.close()


@contextmanager
def on_a_copy(database_urls: tuple[str, str], name: str, folder: Path) -> Iterator[Product]:
    """A product that is not started, on a copy of the ready database: a clinic with its catalogs."""
    owner, app = database_urls
    copy_database(owner, template_database(owner, app), name)
    product = Product(Urls(app=address(app, name), owner=address(owner, name)), folder)
    try:
        yield product
    finally:
        product.end()
        drop_database(owner, name)
