"""What every response carries, and what a failing database looks like to a visitor."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotAllowed
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from clinic.security import MAX_BODY_BYTES, MAX_UPLOAD_BODY_BYTES, NO_STORE_PREFIXES, UPLOADS

logger = logging.getLogger("clinic.requests")

GetResponse = Callable[[HttpRequest], HttpResponse]

RETRY_AFTER_SECONDS = "10"
AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)
FAILING = (InternalError, psycopg.InternalError)
# A database that takes no writes, as some are set to when their disk is full, and one that fails by itself.
FAILING_STATES = ("25006", "XX")
TOKEN = re.compile(r"(?<=/intake/open/)[^/\s]+|(?<=/intake/lessons/)[^/\s]+")
# Where a page of 405 leads, by the beginning of its address; else to the first page.
WAYS_ON = ("/intake/", "/staff/", "/editor/")
UTF_8 = ("utf-8", "utf8", "us-ascii")
LINK_SECRET = re.compile(
    r"(/(?:intake/open|intake/lessons|intake/reminders|intake/tablet|newsletter/confirm|newsletter/leave"
    r"|staff/join)/)"
    r"[^\s/?]+"
)


REQUEST_ID: Final = "X-Request-ID"
# Random enough to find one request's lines, and no longer: it goes out with every answer.
REQUEST_ID_BYTES: Final = 8
PROXYS_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")
_request_id: ContextVar[str] = ContextVar("request_id", default="-")
# What could end a line, or change how a terminal shows it.
UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class RequestId:
    """Names each request, in its answer and in every line that is logged meanwhile.

    A proxy that is trusted may name it, so that its log and ours tell of the same; nobody else may.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = named_by_proxy(request) or secrets.token_hex(REQUEST_ID_BYTES)
        before = _request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            _request_id.reset(before)
        response.headers[REQUEST_ID] = name
        return response


def named_by_proxy(request: HttpRequest) -> str:
    if not settings.TRUSTED_PROXY or request.META.get("REMOTE_ADDR") != settings.TRUSTED_PROXY:
        return ""
    name = request.headers.get(REQUEST_ID, "")
    return name if PROXYS_REQUEST_ID.fullmatch(name) else ""


class ResponseHeaders:
    """`no-store` on everything personal, no referrer anywhere, and nothing for pages of other sites."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith(NO_STORE_PREFIXES):
            response.headers["Cache-Control"] = "no-store"
        if request.method == "HEAD" and not response.streaming:
            length = len(response.content)
            response.content = b""
            response.headers["Content-Length"] = str(length)
        return response


class EarlyRefusals:
    """Turns away what no page of ours sends, before anything reads it.

    A post that the browser itself calls cross-site (403), a body over the limit, files included (413), text
    in anything but UTF-8, which could smuggle in characters that cannot be written again (415). A cookie with
    control characters was not set by us and counts as absent, as does a NUL in what an address asks for: no
    database takes one, and Django's own lists hand on what they are asked.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        unsafe = request.method not in ("GET", "HEAD", "OPTIONS")
        if unsafe and request.headers.get("Sec-Fetch-Site") == "cross-site":
            return HttpResponseForbidden()
        if body_bytes(request) > longest_body(request):
            return render(request, "400.html", status=413)
        if (request.content_params or {}).get("charset", "utf-8").lower() not in UTF_8:
            return render(request, "400.html", status=415)
        for name in [name for name, value in request.COOKIES.items() if not value.isprintable()]:
            del request.COOKIES[name]
        if "%00" in (query := request.META.get("QUERY_STRING", "")):
            request.META["QUERY_STRING"] = query.replace("%00", "")
        return self.get_response(request)


def body_bytes(request: HttpRequest) -> int:
    """The announced size of the body. One without a size is never read, so it is empty."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def longest_body(request: HttpRequest) -> int:
    """Only where editors upload pictures may a body be longer; whoever is not signed in is no editor."""
    uploads = request.path == UPLOADS and settings.SESSION_COOKIE_NAME in request.COOKIES
    return MAX_UPLOAD_BODY_BYTES if uploads else MAX_BODY_BYTES


class CsrfWithoutReferrer(CsrfViewMiddleware):
    """Django's check, for pages that send no referrer: browsers then say `Origin: null` on our own forms.

    Such a post is taken where the browser itself says that it comes from our own page. A browser too old to
    say so is left to the token and the SameSite cookie, which a foreign page can bring neither of (ADR 0007).
    """

    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.META.get("HTTP_ORIGIN") == "null":
            return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        verified: Callable[[HttpRequest], bool] = super()._origin_verified  # type: ignore[misc]  # untyped hook
        return verified(request)


class DatabaseAway:
    """A database that is away, full, locked or read-only answers 503 with Retry-After; nothing typed is lost.

    What was sent stands in the page, whose button sends it again: behind Back it may be gone, since a browser
    fills in nothing where a form asks it not to. Exceptions are logged by class and SQLSTATE only: their text
    can hold a patient's words.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        # The queue of jobs has the driver's own errors in one of its own.
        found = exception.__cause__ if isinstance(exception, ConnectorException) else exception
        state = (
            getattr(found, "sqlstate", None) or getattr(found and found.__cause__, "sqlstate", None) or "-"
        )
        is_failing = isinstance(found, FAILING) and state.startswith(FAILING_STATES)
        if not isinstance(found, AWAY) and not is_failing:
            return None
        logger.error("database away: %s %s", type(exception).__name__, state)
        response = render(request, "503.html", {"kept": sent_fields(request)}, status=503)
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
        return response


def sent_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form sent, to be sent again as it is. Nothing of one with a password, or with files.

    Nothing on the clinic's tablet, where the page may still be there when the next patient takes it up.
    """
    if request.method != "POST" or request.content_type != "application/x-www-form-urlencoded":
        return []
    if settings.TABLET_COOKIE_NAME in request.COOKIES:
        return []
    if any("password" in name for name in request.POST):
        return []
    own = "csrfmiddlewaretoken"
    return [(name, text) for name, texts in request.POST.lists() if name != own for text in texts]


class ReadableRefusals:
    """A method that an address does not take: a page with a way on, in the place of an empty answer.

    Somebody gets there who reloads the address of a button, or opens it from the history.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            way = next((path for path in WAYS_ON if request.path.startswith(path)), "/")
            response.content = render(request, "405.html", {"way": way}).content
        return response


class UtcLine(logging.Formatter):
    """One line a record: when (UTC), how grave, who, during which request (`-`: none), what.

    Nothing in a message can start a line of its own, or tell a terminal what to do.
    """

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(request_id)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = _request_id.get()
        return UNPRINTABLE.sub(escaped, super().format(record))


def escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class QuietErrors(logging.Filter):
    """Keeps values out of the log: of an unexpected error class, place and SQLSTATE stay, of an address the
    route that it was found by.

    An exception's text can hold a patient's words, the address of an invitation is a secret, and an address
    that nobody made may be anything somebody typed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "-"
            state = getattr(error.__cause__, "sqlstate", None) if isinstance(error, DatabaseError) else None
            record.msg = f"{type(error).__name__} at {where}" + (f" SQLSTATE {state}" if state else "")
            record.exc_info = None
            record.exc_text = None
        else:
            message, request = record.getMessage(), getattr(record, "request", None)
            if isinstance(request, HttpRequest):
                message = message.replace(request.path, route_of(request))
            record.msg = LINK_SECRET.sub(r"\1...", message)
        record.args = ()
        return True


def route_of(request: HttpRequest) -> str:
    """An address as the URLconf writes it; of one that is not there, nothing."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "/..."
