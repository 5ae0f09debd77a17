"""Patients who save every page several times, some in two tabs at once, and some without ever sending.

As the browser does, a save that was not answered is sent again as it was, and the date of birth is given
where it is asked again. Each save that was acknowledged is in the journal with what was typed for it.
"""

import http.client
import queue
import re
import select
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from tests.drills.stream import PAUSE_SECONDS, Answers, Caller, GaveUp, Journal, as_text
from tests.patience import PATIENCE_SECONDS

SAVED: Final = "page.saved"
AUTOSAVED: Final = "page.autosaved"
# Two questions of two pages, and two of one page, that take words and are asked of everybody.
ABOUT, LIFE = "about", "life"
STORY, GOAL, OTHER_GOALS = "why.story", "goal.one.activity", ("goal.two.activity", "goal.three.activity")
ROUNDS: Final = 5
ADVICE: Final = 'name="answer" value="understood"'
# Which intakes are filled in by two tabs, and which are left as drafts, by their number.
IN_TWO_TABS: Final = (0, 1, 3)
NEVER_SENT: Final = (3, 4)
OF: Final = 6


class Seen:
    """What the server answered instead of what was wanted.

    cut: saves that were sent and not acknowledged, by evaluation, page and action. bare: how many 503 did not
    say when to come again. not_kept: how often a page that came instead lost something typed.
    together: saves made by two tabs at once.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.cut: Counter[tuple[str, str, str]] = Counter()
        self.bare = 0
        self.not_kept = 0
        self.together = 0

    def note(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def note_cut(self, save: tuple[str, str, str]) -> None:
        """A save was sent and not acknowledged: nobody knows whether it stands."""
        with self.lock:
            self.cut[save] += 1

    def so_far(self) -> Counter[str]:
        with self.lock:
            return Counter(self.counts)


class Tab(Caller):
    """One tab on one connection, which does not give up. Tabs of one browser share their cookies."""

    def __init__(self, port: int, seen: Seen, intake: Mapping[str, Any], cookies: dict[str, str]) -> None:
        super().__init__(port)
        self.cookies = cookies
        self.seen = seen
        self.evaluation = intake["evaluation"]
        year, month, day = intake["born"].split("-")
        self.born = {"month": [month], "day": [day], "year": [year]}

    def insist(
        self,
        method: str,
        path: str,
        fields: Mapping[str, Sequence[str]],
        is_wanted: Callable[[int, str, str], bool],
        *,
        page: str = "",
        action: str = "",
    ) -> tuple[int, str, str, str]:
        """Status, `Location`, page, and the action that was acknowledged. page, action: of a save."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        more: dict[str, str] = {"X-Autosave": "1"} if action == AUTOSAVED else {}
        while True:
            try:
                body = self.form(fields) if method == "POST" else ""
                status, where, text = self.read(method, path, body, more)
            except (OSError, http.client.HTTPException) as error:
                self.hang_up()
                self.seen.note(type(error).__name__)
                self.cut(page, action)
            else:
                if is_wanted(status, where, text):
                    return status, where, text, action
                if status == 403 and 'name="again"' in text:
                    # It seems that nobody was there for half an hour. What was typed stands in the page.
                    self.seen.note("date of birth asked again")
                    self.check_kept(fields, text)
                    if method == "GET":
                        self.insist("POST", path, {**self.born, "again": ["look"]}, leads_to(path))
                        continue
                    fields, more = {**fields, **self.born, "again": ["save"]}, {}
                    action = SAVED if action else ""
                    continue
                self.seen.note(str(status))
                if status < 500:
                    raise GaveUp(f"{method} {path.split('/open/')[0]}: {status} {where}")
                self.cut(page, action)
                if status == 503 and not (self.headers and self.headers.get("Retry-After", "").isdigit()):
                    self.seen.bare += 1
                if method == "POST":
                    self.check_kept(fields, text)
            if time.monotonic() > deadline:
                raise GaveUp(f"no answer to {method} {path.split('/open/')[0]} for {PATIENCE_SECONDS} s")
            time.sleep(PAUSE_SECONDS)

    def read(
        self, method: str, path: str, body: str = "", more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """As a browser does, not on a connection that the server closed while nothing was asked."""
        if self.connection is not None and self.connection.sock is not None:
            readable, _, _ = select.select([self.connection.sock], [], [], 0)
            if readable:
                self.hang_up()
        return super().read(method, path, body, more)

    def cut(self, page: str, action: str) -> None:
        if action:
            self.seen.note_cut((self.evaluation, page, action))

    def check_kept(self, fields: Mapping[str, Sequence[str]], text: str) -> None:
        kept = Counter(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text))
        asked_before = {*self.born, "again"}
        sent = Counter(
            (escape(name), escape(value).replace("&#x27;", "&#39;"))
            for name, values in fields.items()
            if name not in asked_before
            for value in values
        )
        if kept & sent != sent and not asked_before & fields.keys():
            self.seen.not_kept += 1

    def get(self, path: str) -> str:
        return self.insist("GET", path, {}, lambda status, where, text: status == 200)[2]


def leads_to(start: str) -> Callable[[int, str, str], bool]:
    return lambda status, where, text: status == 303 and where.startswith(start)


def is_saved(status: int, where: str, text: str) -> bool:
    """By the button: on to the next page, what to do today, or what another tab said. While typing: when."""
    if status == 303:
        return where.startswith("/intake/")
    return status == 200 and any(mark in text for mark in (ADVICE, 'id="moved"', '"saved_at"'))


class Writer(threading.Thread):
    """One patient after another, until the stream ends."""

    def __init__(
        self,
        port: int,
        intakes: "queue.SimpleQueue[dict[str, Any]]",
        journal: Journal,
        ends: threading.Event,
        seen: Seen,
    ) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.intakes = intakes
        self.journal = journal
        self.ends = ends
        self.seen = seen
        self.failure = ""

    def run(self) -> None:
        try:
            while not self.ends.is_set():
                self.fill_in(self.intakes.get_nowait())
        except queue.Empty:
            self.failure = "the patients ran out before the stream ended"
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

    def fill_in(self, intake: Mapping[str, Any]) -> None:
        cookies: dict[str, str] = {}
        tabs = [Tab(self.port, self.seen, intake, cookies) for _ in range(2)]
        one = tabs[0]
        try:
            path = urlsplit(intake["link"]).path
            one.get(path)
            one.insist("POST", path, one.born, leads_to("/intake/start/"))
            for slug, answers in intake["answers"].items():
                # While typing, then by the button.
                self.save(one, slug, answers, AUTOSAVED)
                self.save(one, slug, answers, SAVED)
            if intake["number"] % OF in IN_TWO_TABS:
                self.type_together(tabs, intake["answers"])
            if intake["number"] % OF not in NEVER_SENT:
                self.send(one)
        finally:
            for tab in tabs:
                tab.hang_up()

    def save(
        self,
        tab: Tab,
        slug: str,
        answers: Answers,
        action: str,
        shown: str = "",
        typed: Answers | None = None,
    ) -> None:
        """shown: the hidden word of the page as the tab got it. typed: what this tab says, if not all."""
        fields = {link_id: [as_text(value) for value in values] for link_id, values in answers.items()}
        if shown:
            fields["shown"] = [shown]
        page = f"page.{slug}"
        _status, _where, text, how = tab.insist(
            "POST", f"/intake/{slug}/", fields, is_saved, page=page, action=action
        )
        self.journal.write(
            {
                "evaluation": tab.evaluation,
                "page": page,
                "action": how,
                "answers": answers if typed is None else typed,
            }
        )
        if ADVICE in text:
            tab.insist("POST", "/intake/advice/", {"answer": ["understood"]}, leads_to("/intake/"))

    def type_together(self, tabs: Sequence[Tab], answers: Mapping[str, Answers]) -> None:
        """Two pages at once, then two questions of one page: neither tab takes anything from the other."""
        about, life = dict(answers[ABOUT]), dict(answers.get(LIFE, {}))

        def two_pages(at: int) -> None:
            slug, page, question = ((ABOUT, about, STORY), (LIFE, life, GOAL))[at]
            for number in range(ROUNDS):
                page[question] = [f"Typed in a tab & kept, {number}."]
                self.save(tabs[at], slug, page, AUTOSAVED)

        def one_page(at: int) -> None:
            shown, page = words[at], dict(life)
            for number in range(ROUNDS):
                typed = {OTHER_GOALS[at]: [f"Walk {number} km"]}
                page |= typed
                self.save(tabs[at], LIFE, page, AUTOSAVED, shown, typed)

        at_once(two_pages)
        words = [re.findall(r'name="shown" value="([^"]+)"', tab.get(f"/intake/{LIFE}/"))[0] for tab in tabs]
        at_once(one_page)
        with self.seen.lock:
            self.seen.together += 4 * ROUNDS

    def send(self, tab: Tab) -> None:
        """What was confirmed is what is sent: where it moved since it is read again."""
        status = 200
        while status == 200:
            page = tab.get("/intake/check/")
            fields = {
                name: re.findall(f'name="{name}" value="([^"]+)"', page) for name in ("key", "revision")
            }
            status, *_rest = tab.insist(
                "POST",
                "/intake/check/",
                {**fields, "confirm": ["yes"]},
                lambda status, where, text: (
                    (status == 303 and where == "/intake/sent/") or (status == 200 and 'name="key"' in text)
                ),
            )
        (key,) = fields["key"]
        self.journal.write({"evaluation": tab.evaluation, "key": str(uuid.UUID(key))})


def at_once(what: Callable[[int], None]) -> None:
    """Run it twice, with 0 and 1, at the same time. Raises what either raises."""
    raised: list[Exception] = []

    def run(at: int) -> None:
        try:
            what(at)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
