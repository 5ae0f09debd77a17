"""Patients who fill in and send the form over plain HTTP, and do not give up while the clinic's machine dies.

Each request is sent again until it is answered; the submission keeps its key. What the server acknowledged is
written to a journal, and on the disk, before it counts.
"""

import http.client
import json
import os
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.patience import PATIENCE_SECONDS

ANSWER_SECONDS = 15
PAUSE_SECONDS = 0.1

Answers = Mapping[str, Sequence[Any]]


class Journal:
    """What was acknowledged, a JSON line each, surviving whatever happens to anybody else."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", buffering=1)
        self.lock = threading.Lock()
        self.written = 0
        self.last = time.monotonic()
        self.longest_silence = 0.0

    def write(self, line: Mapping[str, Any]) -> None:
        with self.lock:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            now = time.monotonic()
            self.longest_silence = max(self.longest_silence, now - self.last)
            self.last = now
            self.written += 1

    def close(self) -> None:
        self.file.close()


class GaveUp(Exception):
    """No answer for too long: the clinic did not come back."""


class Caller:
    """One client on one connection, with its cookies."""

    def __init__(self, port: int, cookies: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.cookies = dict(cookies or {})
        self.connection: http.client.HTTPConnection | None = None
        self.headers: http.client.HTTPMessage | None = None

    def form(self, fields: Mapping[str, Sequence[str]]) -> str:
        """The body of a form, with the token that its page had."""
        token = [("csrfmiddlewaretoken", self.cookies.get("csrf", ""))]
        return urlencode(token + [(name, text) for name, texts in fields.items() for text in texts])

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Status and `Location` of one answer."""
        status, where, _page = self.read(method, path, body)
        return status, where

    def read(
        self, method: str, path: str, body: str = "", more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """The same with the page. more: headers to send. The answer's own stand in `headers`."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= more or {}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        page = answer.read().decode(errors="replace")
        self.headers = answer.headers
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(cookie).items():
                self.cookies[name] = morsel.value
        return answer.status, answer.headers.get("Location", ""), page

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Phone(Caller, threading.Thread):
    """One patient after another on one connection, until the stream ends.

    intakes: `{"link", "born", "evaluation", "answers": {page slug: {linkId: [value, ...]}}}`.
    seen: what the server answered instead of what was wanted: status or class of the error, and how often.
    """

    def __init__(
        self, port: int, intakes: "queue.SimpleQueue[dict[str, Any]]", journal: Journal, ends: threading.Event
    ) -> None:
        Caller.__init__(self, port)
        threading.Thread.__init__(self, daemon=True)
        self.intakes = intakes
        self.journal = journal
        self.ends = ends
        self.seen: Counter[str] = Counter()
        self.failure: str = ""

    def run(self) -> None:
        try:
            while not self.ends.is_set():
                self.fill_in(self.intakes.get_nowait())
        except queue.Empty:
            self.failure = "the patients ran out before the stream ended"
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.hang_up()

    def fill_in(self, intake: Mapping[str, Any]) -> None:
        self.cookies = {}
        path = urlsplit(intake["link"]).path
        year, month, day = intake["born"].split("-")
        self.get(path)
        self.post(path, {"month": [month], "day": [day], "year": [year]}, "/intake/start/")
        for slug, answers in intake["answers"].items():
            sent = {link_id: [as_text(value) for value in values] for link_id, values in answers.items()}
            self.post(f"/intake/{slug}/", sent, "/intake/", advice=True)
        key = str(uuid.uuid4())
        self.post("/intake/check/", {"key": [key], "confirm": ["yes"]}, "/intake/sent/")
        self.journal.write({"evaluation": intake["evaluation"], "key": key})

    # Until it is done

    def get(self, path: str) -> None:
        self.insist("GET", path, "", lambda status, where: status == 200)

    def post(
        self, path: str, fields: Mapping[str, Sequence[str]], leads_to: str, *, advice: bool = False
    ) -> None:
        """advice: the page that says what to do today may come in between; it is understood."""
        status = self.insist(
            "POST",
            path,
            self.form(fields),
            lambda status, where: (
                (status == 303 and where.startswith(leads_to)) or (advice and status == 200)
            ),
        )
        if status == 200:
            self.post("/intake/advice/", {"answer": ["understood"]}, "/intake/")

    def insist(self, method: str, path: str, body: str, is_wanted: Any) -> int:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, where = self.ask(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self.hang_up()
                self.seen[type(error).__name__] += 1
            else:
                if is_wanted(status, where):
                    return status
                self.seen[str(status)] += 1
                if status < 500:
                    raise GaveUp(f"{method} {path.split('/open/')[0]}: {status} {where}")
            if time.monotonic() > deadline:
                raise GaveUp(f"no answer to {method} {path.split('/open/')[0]} for {PATIENCE_SECONDS} s")
            time.sleep(PAUSE_SECONDS)


def as_text(value: Any) -> str:
    """A value as a browser sends it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
