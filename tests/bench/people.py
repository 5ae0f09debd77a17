"""A patient in the middle of her form and a physio at the desk, made through the product's own functions."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

from tests.browser.product import Reception
from tests.drills.stream import as_text
from tests.totp import next_code

CSRF: Final = "__Host-csrf"
SESSION: Final = "__Host-intake"
PATIENT, PHYSIO = "patient", "physio"
# One of many patients whose forms are filled in and not sent: each sends hers, once.
DRAFT: Final = "draft"
# Intakes with so many findings are read; on one of another a physio decides.
FINDINGS: Final = (1, 10, 40)
VERDICT: Final = "verdict"
SUBMIT: Final = "submit"
# What is typed differently each time, so that saving has something to do; none of it raises anything.
VARIED: Final = {
    "pain": ("pain.now", tuple(map(str, range(10)))),
    "safety": ("safety.clot-risks", ("none", "long-trip")),
}


@dataclass(slots=True)
class People:
    """Who sends requests. Every server of a run knows them: they share a database and a secret key.

    cookies: `{person: {name: value}}`. words: what stands for `{name}` in a path. answers: page slug,
    `VERDICT` or `SUBMIT`, -> fields of a form that is filled in as asked. drafts: the cookie of each patient
    who can still send hers; whole: what stands in it.

    Sending cannot be undone, and a row that is set back again and again would grow old versions that no real
    one has. So there are as many drafts as the run will send, made beforehand.
    """

    cookies: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"": {}, PATIENT: {}, PHYSIO: {}, DRAFT: {}}
    )
    words: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    whole: dict[str, list[str]] = field(default_factory=dict)
    asked: int = 0

    def fields(self, answers: str, number: int) -> dict[str, list[str]]:
        """A form filled in, for the `number`th time."""
        if answers == SUBMIT:
            return {**self.answers[SUBMIT], "key": [str(uuid.uuid4())]}
        name, values = VARIED.get(answers, ("", ()))
        return {**self.answers[answers], **({name: [values[number % len(values)]]} if name else {})}

    def turn(self, who: str) -> None:
        """Where this is one of many, the next one comes."""
        if who == DRAFT:
            self.cookies[DRAFT] = {**self.cookies[PATIENT], SESSION: self.drafts.pop()}

    def body(self, who: str, fields: Mapping[str, list[str]]) -> str:
        """A form's body, with the token that goes with the person's cookie."""
        token = {"csrfmiddlewaretoken": [self.cookies[who].get(CSRF, "")]}
        return urlencode({**token, **fields}, doseq=True)

    def come(self, environment: Mapping[str, str], connection: HTTPConnection, drafts: int = 0) -> None:
        """Make them, and sign them in at a running server of the product. drafts: how many can be sent."""
        reception = Reception(environment)
        try:
            (intake,) = reception("visits", count=1)
            account = reception("staff", role="physio", username="ortiz")
            answers = reception("known_intakes")["ROLLING_IN"]
            for number, findings in enumerate(FINDINGS, 4):
                made = reception("visit", answers=answers, findings=findings, minutes_ahead=60 * 24 * number)
                self.words[f"response_{findings}"] = made["response"]
            decided = reception("visit", answers=answers, findings=10, minutes_ahead=60 * 24 * 8)
            self.words["decided"] = decided["response"]
            if drafts:
                made = reception("drafts", count=drafts)
                self.drafts = made["sessions"]
                self.whole = self._texts({"": made["answers"]})[""]
                self.answers[SUBMIT] = {"confirm": ["yes"], "revision": [str(made["revision"])]}
        finally:
            reception.end()
        self._fill_in(connection, intake)
        self.answers[VERDICT] = {"do": ["confirm"], "finding": [decided["finding"]], "seen": ["0"]}
        code = next_code(account.pop("totp"))
        self._sign_in(connection, PHYSIO, "/staff/login/", {**account, "next": "/staff/"})
        self._sign_in(connection, PHYSIO, "/staff/login/code/", {"code": code})

    @staticmethod
    def _texts(answers: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, dict[str, list[str]]]:
        return {
            slug: {link_id: [as_text(value) for value in values] for link_id, values in page.items()}
            for slug, page in answers.items()
        }

    def _fill_in(self, connection: HTTPConnection, intake: Mapping[str, Any]) -> None:
        year, month, day = intake["born"].split("-")
        self._sign_in(connection, PATIENT, intake["link"], {"year": year, "month": month, "day": day})
        pages = self._texts(intake["answers"])
        self.answers |= pages
        for slug, page in pages.items():
            self._send(connection, PATIENT, "POST", f"/intake/{slug}/", page)

    def _sign_in(self, connection: HTTPConnection, who: str, path: str, words: Mapping[str, str]) -> None:
        self._send(connection, who, "GET", path)
        status = self._send(connection, who, "POST", path, {name: [word] for name, word in words.items()})
        assert status in (302, 303), f"{who} cannot sign in: {status}"

    def _send(
        self,
        connection: HTTPConnection,
        who: str,
        method: str,
        path: str,
        fields: Mapping[str, list[str]] | None = None,
    ) -> int:
        body = None if fields is None else self.body(who, fields)
        connection.request(method, path, body, self.headers(who, is_form=body is not None))
        answer = connection.getresponse()
        answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[who][name] = morsel.value
        return answer.status

    def headers(self, who: str, *, is_form: bool) -> dict[str, Any]:
        """As a browser of theirs sends them through the proxy, each from an address of its own."""
        self.asked += 1
        high, low = divmod(self.asked, 250)
        address = f"10.{high // 250 % 250}.{high % 250}.{low}"
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": address}
        if self.cookies[who]:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies[who].items())
        if is_form:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": "null",
                "Sec-Fetch-Site": "same-origin",
            }
        return headers
