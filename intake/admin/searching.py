"""What staff look for is a patient's name, so it stands in no address (R26, ADR 0047).

A search is posted; its words come back in a cookie, and addresses say `sought=1` for them. So a page can be
read anew and gone back to, and nothing that keeps addresses learns a name.
"""

from typing import Final
from urllib.parse import quote, unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from intake.patients.search import search_words
from intake.review.queue import Filters

COOKIE: Final = "sought"
FIELD: Final = "q"
# Sent with nothing but staff pages, and with no page that another site led to.
WHERE: Final = "/staff/"


def sought(request: HttpRequest) -> str:
    """What was looked for last in this browser."""
    return search_words(unquote(request.COOKIES.get(COOKIE, "")))


def filters_back(request: HttpRequest) -> Filters:
    """The worklist that somebody came from, handed on in an address as `back`."""
    query = QueryDict(request.GET.get("back", ""))
    return Filters.read(query, timezone.localdate(), sought(request))


def remember(response: HttpResponse, words: str) -> HttpResponse:
    """Until the browser is closed, or somebody signs out."""
    response.set_cookie(
        COOKIE,
        quote(words),
        path=WHERE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def forget(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path=WHERE, samesite="Strict")
