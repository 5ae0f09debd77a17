"""What anybody may send to any URL: looking changes nothing, nothing leads away, nothing breaks.

Requirements R31, R32 and R34. The short run asks each URL one thing, the long one everything.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from clinic.security import MAX_BODY_BYTES, MAX_FIELDS
from tests.architecture.conftest import World
from tests.architecture.test_editor_urls import path_of_route
from tests.architecture.test_urls import ROWS, path_of, visit
from tests.architecture.urlconf import editor_patterns, patterns
from tests.factories import make_user
from tests.integration.intake.tables import MAY_CHANGE, digests

DEEP = [pytest.param(False, id="short"), pytest.param(True, id="deep", marks=pytest.mark.deep)]
FORM = "application/x-www-form-urlencoded"


def paths(world: World) -> list[str]:
    return [path_of(pattern, ROWS[pattern.key], world) for pattern in patterns()]


def editor_paths() -> list[str]:
    return [path_of_route(pattern.route) for pattern in editor_patterns()]


# ---------------------------------------------------------------- looking changes nothing


@pytest.mark.parametrize("deep", DEEP)
def test_looking_changes_nothing(deep: bool, world: World):
    """Whoever looks at whatever page; the trail, sessions and counts of limits aside (R31)."""
    actors = ("nobody", "patient", "other patient", "front desk", "physio", "editor", "owner")
    asked = {actor: paths(world) for actor in actors}
    if deep:
        asked["editor"] += editor_paths()
    else:
        asked = {"patient": asked["patient"][::2], "physio": asked["physio"][1::2]}
    with transaction.atomic():
        # The editor shows who is at the same text.
        left_out = (*MAY_CHANGE, "wagtailadmin_editingsession")
        before = digests(left_out)
        for actor, mine in asked.items():
            client = world.clients[actor]
            cookies = client.cookies.copy()
            for path in mine:
                for method in ("GET", "HEAD", "OPTIONS") if deep else ("GET",):
                    close(client.generic(method, path))
            client.cookies = cookies
        after = digests(left_out)
        transaction.set_rollback(True)
    assert {table for table in before if after[table] != before[table]} == set()


def close(response: HttpResponse) -> HttpResponse:
    """To the end: broken off, the test's client would close the connection that the test stands on."""
    if response.streaming:
        for _piece in response:
            pass
    return response


# ---------------------------------------------------------------- nothing leads away

AWAY = (
    "https://evil.example/",
    "http://evil.example",
    "HTTPS://EVIL.EXAMPLE/",
    "//evil.example/",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "http:/\\evil.example",
    "http:evil.example/staff/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://testserver/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://evil.example/",
    "blob:https://evil.example/x",
    "mailto:x@evil.example",
    "tel:+15550100",
    " https://evil.example",
    "\thttps://evil.example",
    "\nhttps://evil.example",
    "\r\nhttps://evil.example",
    "\x00https://evil.example",
    "\u00a0https://evil.example",
    "\u3000//evil.example",
    "\ufeff//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\x0b/evil.example",
    "https://testserver@evil.example/",
    "https://testserver:x@evil.example/",
    "https://testserver.evil.example/",
    "https://eviltestserver/",
    "https://evil.example#testserver",
    "https://evil.example?testserver",
    "https://evil.example\\@testserver/",
    "https://evil.example\\.testserver/",
    "https://evil.example%00.testserver/",
    "https://evil.example\u3002testserver/",
    "https://\u24d4vil.example/",
    "https://[::1]@evil.example/",
    "https://[evil.example",
    "//testserver@evil.example",
    "//evil.example:80/staff/",
    "//evil.example\\/staff/",
    "//%65vil.example/",
    "//0x7f000001/",
    "//2130706433/",
    "//evil\u3002example/",
    "/%0d%0aLocation: https://evil.example",
    "/staff/\r\nLocation: https://evil.example",
    "/staff/\r\nSet-Cookie: x=1",
    "/staff/%0d%0aSet-Cookie:%20x=1",
    "/staff/\u560a\u560dSet-Cookie: x=1",
    "//evil.example/staff/../",
    "/..//evil.example",
    "/.//evil.example",
    "./\\evil.example",
    ".evil.example",
    "@evil.example",
    "?next=//evil.example",
    "x" * 5000,
    "//" + "a." * 2000 + "evil.example",
)
# What packages and sites call the place to go to.
NAMES = (
    *("next", "to", "url", "u", "from", "redirect", "redirect_to", "redirect_uri", "return", "return_to"),
    *("returnTo", "return_url", "goto", "continue", "dest", "destination", "callback", "back", "ref"),
    *("success_url", "_next", "_popup", "_to_field", "_changelist_filters", "referer", "result_query"),
)

COOKIES = {"staff", "csrf", "messages", "intake", "device", "tablet", "sought"}


def leads_away(location: str) -> bool:
    """Whether a browser would leave this site, read as the WHATWG reads an address."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    if any(ord(letter) < 32 for letter in location):
        return True
    parts = urlsplit(seen)
    return bool(parts.netloc or parts.scheme or seen.startswith("//")) and not seen.startswith(
        ("http://testserver/", "https://testserver/")
    )


@pytest.mark.parametrize("location", [trick for trick in AWAY if "evil" in trick][:20])
def test_a_way_out_would_be_seen(location: str):
    assert leads_away(location)


def test_there_are_sixty_tricks():
    assert len(set(AWAY)) >= 60


def follow(client: Client, path: str, trick: str) -> Iterator[tuple[str, HttpResponse]]:
    """A look and a press of a button at one address, with the trick under every name it may have."""
    query = "&".join(f"{name}={quote(trick, safe='', errors='surrogatepass')}" for name in NAMES)
    joined = f"{path}{'&' if '?' in path else '?'}{query}"
    yield "GET", visit(client, "GET", joined)
    with transaction.atomic():
        cookies = client.cookies.copy()
        headers = {"Referer": f"https://evil.example/{trick.isascii() and trick.isprintable()}"}
        yield "POST", close(client.post(joined, dict.fromkeys(NAMES, trick), headers=headers))
        client.cookies = cookies
        transaction.set_rollback(True)


@pytest.mark.parametrize("deep", DEEP)
def test_nothing_leads_away(deep: bool, world: World):
    """Every URL is asked to go there; the short run asks some, each for a trick of its own."""
    wrong = {}
    asks = [(actor, path) for actor in ("nobody", "patient", "physio") for path in paths(world)]
    asks += [("editor", path) for path in (editor_paths() if deep else ["/editor/", "/editor/logout/"])]
    for number, (actor, path) in enumerate(asks):
        if not deep and number % 8 != 0:
            continue
        tricks = AWAY[number % 16 :: 16] if deep else (AWAY[number // 8 % len(AWAY)],)
        for trick in tricks:
            for method, response in follow(world.clients[actor], path, trick):
                location = response.headers.get("Location", "/")
                if leads_away(location) or response.status_code >= 500:
                    wrong[f"{method} {path} as {actor}: {trick!r}"] = (response.status_code, location)
                if set(response.cookies) - COOKIES:
                    wrong[f"{method} {path} as {actor}: {trick!r}"] = (0, response.cookies.output())
    assert wrong == {}


@pytest.mark.parametrize("deep", DEEP)
def test_signing_in_and_out_lead_away_with_no_trick(deep: bool, world: World):
    wrong = {}
    with transaction.atomic():
        user = make_user("physio")
        typed = {"username": user.username, "password": "correct horse battery"}
        doors = [("admin:login", typed), ("admin:logout", {}), ("wagtailadmin_logout", {})]
        for trick in AWAY if deep else AWAY[::12]:
            for name, data in doors:
                client = Client()
                if not data:
                    client.force_login(user)
                response = close(client.post(reverse(name), {**data, "next": trick}))
                location = response.headers.get("Location", "/")
                if leads_away(location) or response.status_code >= 500:
                    wrong[f"{name} {trick!r}"] = (response.status_code, location)
        transaction.set_rollback(True)
    assert wrong == {}


# ---------------------------------------------------------------- nothing breaks

PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
BODIES: dict[str, tuple[bytes, str]] = {
    "half pairs": (b"q=%ED%A0%80&why.story=%ED%A0%80x&given_name=%ED%B0%80", FORM),
    "no UTF-8": (b"q=%FF%FE%C0%AF&given_name=%FF&note=\xff\xfe", FORM),
    "NUL": (b"q=%00&given_name=a%00b&username=%00&do=%00&code=%00&month=%00&email=%00", FORM),
    "NUL as they are": (b"q=\x00&do=\x00", FORM),
    "half an escape": (b"q=%&given_name=%4&do=%zz", FORM),
    "no names": (b"&&&===&=&==%00=", FORM),
    "one name often": (b"&".join([b"do=finish"] * (MAX_FIELDS - 10)), FORM),
    "too many names": (b"&".join(b"f%d=1" % number for number in range(MAX_FIELDS + 50)), FORM),
    "long": (b"q=" + b"x" * 200_000, FORM),
    "long numbers": (b"finding=%s&code=%s&year=%s&minutes=%s" % ((b"9" * 20_000,) * 4), FORM),
    "over the limit": (b"q=" + b"x" * MAX_BODY_BYTES, FORM),
    "other digits": (
        "finding=\u0665&code=\u0661\u0662\u0663\u0664\u0665\u0666&minutes=\u00b2".encode(),
        FORM,
    ),
    "signs": (b"finding=-1&minutes=1e400&starts_at=NaN&year=%2B1&called_at=Infinity&page=-0", FORM),
    "deep JSON": (b"[" * 60_000 + b"]" * 60_000, "application/json"),
    "deep JSON in a field": (b"shown=" + b'{"a":' * 20_000 + b"1" + b"}" * 20_000, FORM),
    "half of JSON": (b'{"a": "\\ud800', "application/json"),
    "XML": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "application/xml"),
    "no boundary": (b"x", "multipart/form-data"),
    "odd boundary": (b"x", "multipart/form-data; boundary=\xff"),
    "cut off": (b'--b\r\nContent-Disposition: form-data; name="q"\r\n', "multipart/form-data; boundary=b"),
    "a file for a text": (
        PART % (b"given_name", b'; filename="../../x.php"', b"<?php") + b"--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "many files": (
        b"".join(PART % (b"f%d" % n, b'; filename="a"', b"x") for n in range(150)) + b"--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "broken base64": (
        b'--b\r\nContent-Disposition: form-data; name="q"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        b"=x=\r\n--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "another charset": (b"q=x", f"{FORM}; charset=utf-16"),
    "no charset": (b"q=x", f"{FORM}; charset=%00"),
}
QUERIES = (
    "%00",
    "q=%00&page=%00&_changelist_filters=%00&side=%00&from=%00",
    "q=%FF%FE&p=%FF",
    "q=%ED%A0%80",
    "p=-1",
    "p=99999999999999999999",
    "p=x&o=-999.x.&e=1&all=",
    "o=1.2.3.-4.99",
    "day=0000-00-00&from=9999-99-99&to=x",
    "patient=x&patient=%00",
    "patient=00000000-0000-0000-0000-00000000000g",
    "q=" + "x" * 6000,
    "q=" + "%28" * 500,
    "id__exact=1&password__startswith=a&user__password=1",
    "patient__birth_date__gte=1900-01-01&q=a",
    "_to_field=password&_popup=1",
    "=&&;;&==",
    "list=1&list=0&change=%ff&earlier=change",
)
PATHS = (
    "%00",
    "%ff",
    "%ed%a0%80",
    "%2e%2e%2f",
    "..;/",
    "%c0%af",
    "%25%30%30",
    "\u202e",
    "a" * 3000,
    "%0d%0aX:%201",
)
HEADERS = (
    {"Cookie": "intake=" + "x" * 8000},
    {"Cookie": "staff=\xff\xfe; csrf=;;;=; intake"},
    {"Cookie": "; ".join(f"c{n}=1" for n in range(300))},
    {"Content-Length": "-1"},
    {"Content-Length": "9" * 30},
    {"X-Forwarded-For": "x" * 5000},
    {"Accept-Language": ",".join(f"x-{n};q=0.{n}" for n in range(400))},
    {"Accept-Encoding": "gzip;q=x,*;q=-1"},
    {"If-None-Match": '"' + "x" * 5000},
    {"If-Modified-Since": "Thu, 32 Foo 99999 99:99:99 GMT"},
    {"Range": "bytes=-1--1,0-"},
    {"Content-Type": ";;;charset"},
    {"X-Autosave": "\xff"},
    {"Sec-Fetch-Site": "x" * 300, "Origin": "null"},
    {"X-Requested-With": "XMLHttpRequest", "Accept": "*/*;q=nan"},
)


Sent = tuple[str, str, bytes, str, dict[str, str]]


def asks_of(path: str) -> list[Sent]:
    """Method, address, body, its type and headers: everything that one URL is sent."""
    mark = "&" if "?" in path else "?"
    above = path.split("?")[0].rsplit("/", 2)[0]
    asks: list[Sent] = [("POST", path, body, kind, {}) for body, kind in BODIES.values()]
    asks += [("GET", f"{path}{mark}{query}", b"", "", {}) for query in QUERIES]
    asks += [("POST", f"{path}{mark}{query}", b"", FORM, {}) for query in QUERIES]
    asks += [("GET", f"{above}/{odd}/", b"", "", {}) for odd in PATHS]
    asks += [("GET", path, b"", "", headers) for headers in HEADERS]
    asks += [("POST", path, b"q=1", FORM, headers) for headers in HEADERS]
    return asks


def everything_sent(world: World, deep: bool) -> Iterator[tuple[str, Sent]]:
    for place, path in enumerate(paths(world)):
        mine = "physio" if path.startswith("/staff/") else "patient"
        for actor in (mine, "nobody") if deep else (mine,):
            asks = asks_of(path)
            for sent in asks if deep else (asks[place * 7 % len(asks)],):
                yield actor, sent


@pytest.mark.parametrize("deep", DEEP)
def test_nothing_that_is_sent_makes_an_error_of_ours(deep: bool, world: World):
    """Whatever the address, it is a page, a redirect, or a refusal (R34)."""
    wrong = {}
    seen = 0
    for actor, (method, path, body, kind, headers) in everything_sent(world, deep):
        client = world.clients[actor]
        with transaction.atomic():
            cookies = client.cookies.copy()
            client.raise_request_exception = False
            response = close(client.generic(method, path, body, content_type=kind, headers=headers))
            client.raise_request_exception = True
            client.cookies = cookies
            transaction.set_rollback(True)
        seen += 1
        too_long = len(body) > MAX_BODY_BYTES
        if response.status_code >= 500 or (too_long and response.status_code != 413):
            wrong[f"{method} {path[:120]} as {actor} {body[:40]!r} {kind} {str(headers)[:60]}"] = (
                response.status_code
            )
    assert wrong == {}
    assert seen >= (15_000 if deep else 80)
