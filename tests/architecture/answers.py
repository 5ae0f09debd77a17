"""What every answer has to carry, and what no page may hold."""

import re
from html.parser import HTMLParser

from django.http import HttpResponse

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
CLOSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def directives(response: HttpResponse) -> dict[str, list[str]]:
    policy = response.headers.get("Content-Security-Policy", "")
    return {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}


def lacking(response: HttpResponse, path: str) -> list[str]:
    """What should be in the headers of any answer, and is not."""
    found = [name for name, value in ALWAYS.items() if response.headers.get(name) != value]
    if not re.fullmatch("[0-9a-f]{16}", response.headers.get("X-Request-ID", "")):
        found.append("X-Request-ID")
    policy = directives(response)
    for name in ("default-src", "frame-ancestors", "base-uri"):
        if policy.get(name) != ["'none'"]:
            found.append(f"CSP {name}")
    if policy.get("form-action") != ["'self'"]:
        found.append("CSP form-action")
    for name, sources in policy.items():
        if not set(sources) <= {"'none'", "'self'", "data:"} or ("data:" in sources and name != "img-src"):
            found.append(f"CSP {name} lets in {sources}")
    permissions = response.headers.get("Permissions-Policy", "")
    found += [f"Permissions-Policy {name}" for name in CLOSED if f"{name}=()" not in permissions]
    if path.startswith(("/intake/", "/staff/")) and response.headers.get("Cache-Control") != "no-store":
        found.append("Cache-Control")
    return found


RESOURCES = {
    "src",
    "srcset",
    "poster",
    "background",
    "data",
    "action",
    "formaction",
    "xlink:href",
    "manifest",
    "ping",
}


class Scan(HTMLParser):
    """Collects what a strict policy forbids: inline style and script, and things from other hosts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and not values.get("src") and not is_data(values)):
            self.found.append(f"<{tag}>")
        for name, value in values.items():
            if name == "style" or name.startswith("on"):
                self.found.append(f"<{tag} {name}=...>")
            # What stands in a field is text, whatever it says.
            if name != "value" and value.strip().lower().startswith(
                ("javascript:", "data:text", "vbscript:")
            ):
                self.found.append(f"<{tag} {name}={value[:20]}>")
            loads = name in RESOURCES or (name == "href" and tag not in ("a", "area") and not is_told(values))
            if loads and re.match(r"\s*(https?:)?//", value):
                self.found.append(f"<{tag} {name}={value}>")
        if tag in ("iframe", "object", "embed", "base"):
            self.found.append(f"<{tag}>")


def is_data(values: dict[str, str]) -> bool:
    """A block of JSON is no script."""
    return values.get("type") in ("application/json", "application/ld+json")


def is_told(values: dict[str, str]) -> bool:
    """A page's own address and its feed are told to whoever asks; no browser fetches them."""
    return values.get("rel") in ("canonical", "alternate")


def forbidden_in(page: str) -> list[str]:
    scan = Scan()
    scan.feed(page)
    scan.close()
    return scan.found
