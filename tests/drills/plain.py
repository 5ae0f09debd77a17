"""A browser without scripts over plain HTTP: it shows pages and sends their forms as they stand.

Everything that goes over the wire beside the pages themselves is noted: addresses, titles, headers, cookies.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from tests.drills.stream import Caller

Fields = Mapping[str, str | Sequence[str]]


@dataclass
class Form:
    """fields: as the page fills them in. buttons: name and value of each, in order."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class Page(HTMLParser):
    """The title and the forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.forms: list[Form] = []
        self.title = ""
        self._form: Form | None = None
        self._inside = ""
        self._words = ""
        self._select = ""
        self._chosen: str | None = None
        self._first: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "title" and not self.title:
            self._inside, self._words = tag, ""
        if tag == "form":
            self._form = Form(has.get("action", ""), has.get("method", "get").upper())
            self.forms.append(self._form)
        form = self._form
        if form is None or ("disabled" in has and tag != "form"):
            return
        name, value = has.get("name", ""), has.get("value", "")
        if tag == "button":
            form.buttons.append((name, value))
        elif tag == "input" and name:
            form.names.add(name)
            kind = has.get("type", "text")
            if kind == "submit":
                form.buttons.append((name, value))
            elif kind not in ("checkbox", "radio", "file") or "checked" in has:
                form.fields.append((name, has.get("value", "on" if kind in ("checkbox", "radio") else "")))
        elif tag == "textarea":
            form.names.add(name)
            self._inside, self._words, self._select = tag, "", name
        elif tag == "select":
            form.names.add(name)
            self._select, self._chosen, self._first = name, None, None
        elif tag == "option" and self._select:
            self._first = value if self._first is None else self._first
            if "selected" in has:
                self._chosen = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._inside == tag:
            self.title, self._inside = self._words.strip(), ""
        elif tag == "textarea" and self._form is not None:
            self._form.fields.append((self._select, self._words.removeprefix("\n")))
            self._inside = self._select = ""
        elif tag == "select" and self._form is not None:
            self._form.fields.append((self._select, self._chosen or self._first or ""))
            self._select = ""
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._words += data


@dataclass
class Wire:
    """What went over the wire, as lines of text."""

    addresses: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)


class PlainBrowser(Caller):
    """Follows redirects, keeps the page it is on."""

    def __init__(self, port: int, wire: Wire, address: str = "") -> None:
        super().__init__(port)
        self.wire = wire
        self.address = address
        self.path = "/"
        self.page = Page("")
        self.status = 0

    def read(
        self, method: str, path: str, body: str = "", more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        sent = {"Sec-Fetch-Site": "same-origin", **(more or {})}
        if self.address:
            sent["X-Forwarded-For"] = self.address
        # The last connection may be one that the server has closed meanwhile.
        self.hang_up()
        status, where, text = super().read(method, path, body, sent)
        self.wire.addresses += [path, where]
        self.wire.statuses.add(status)
        self.wire.headers += [f"{name}: {value}" for name, value in (self.headers or {}).items()]
        return status, where, text

    def opens(self, path: str) -> "PlainBrowser":
        return self.asks("GET", path)

    def asks(
        self, method: str, path: str, body: str = "", more: Mapping[str, str] | None = None
    ) -> "PlainBrowser":
        """What is asked for, wherever it leads."""
        self.status, where, text = self.read(method, path, body, more)
        self.path = path
        for _ in range(5):
            if not 300 <= self.status < 400:
                break
            self.path = urljoin(self.path, where).removeprefix(f"http://127.0.0.1:{self.port}")
            self.status, where, text = self.read("GET", self.path)
        self.page = Page(text)
        self.wire.titles.append(self.page.title)
        if self.status >= 400:
            self.wire.refusals.append(text)
        return self

    def form_with(self, *names: str, button: tuple[str, str] | None = None) -> Form:
        """The first form of the page that has these fields, and this button."""
        for form in self.page.forms:
            has = form.names | {name for name, _ in form.fields}
            if set(names) <= has and (button is None or button in form.buttons):
                return form
        seen = [(sorted(form.names), form.buttons) for form in self.page.forms]
        raise AssertionError(f"{self.status} {self.path} has no form with {names} {button}: {seen}")

    def sends_main(self, fields: Fields, *, more: Mapping[str, str] | None = None) -> "PlainBrowser":
        """The same with the form that has most to fill in, for fields that it may not have."""
        form = max(self.page.forms, key=lambda form: len(form.names))
        typed = {name: [text] if isinstance(text, str) else list(text) for name, text in fields.items()}
        pairs = [(name, value) for name, value in form.fields if name not in typed]
        pairs += [(name, value) for name, values in typed.items() for value in values]
        return self.asks("POST", urljoin(self.path, form.action or self.path), urlencode(pairs), more)

    def sends(
        self,
        fields: Fields | None = None,
        *,
        button: tuple[str, str] | None = None,
        has: Sequence[str] = (),
        more: Mapping[str, str] | None = None,
    ) -> "PlainBrowser":
        """Fill these in and press the button; all else is sent as the page has it."""
        typed = {
            name: [text] if isinstance(text, str) else list(text) for name, text in (fields or {}).items()
        }
        form = self.form_with(*(has or typed), button=button)
        pairs = [(name, value) for name, value in form.fields if name not in typed]
        pairs += [(name, value) for name, values in typed.items() for value in values]
        if button is not None and button[0]:
            pairs.append(button)
        path = urljoin(self.path, form.action) if form.action else self.path
        path = re.sub(r"#.*", "", path)
        if form.method == "GET":
            return self.opens(f"{path.split('?')[0]}?{urlencode(pairs)}")
        return self.asks("POST", path, urlencode(pairs), more)
