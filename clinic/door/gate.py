"""What every page of the staff asks before it answers: a second factor, and a session that is in use."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Final
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from clinic.accounts import BEGAN_AT
from clinic.door import factors
from clinic.security import STAFF_ROOMS, STAFF_SESSION_AGE, STAFF_SESSION_IDLE

# A session in use is written so often at most.
WRITE_EVERY: Final = timedelta(minutes=1)
# What pages ask by themselves, while nobody may be there.
BY_ITSELF: Final = ("/staff/urgent/", "/editor/editing-sessions/")
NEWS: Final = "/news/"
# For people without an account: the secret in the address stays out of every other one.
INVITED: Final = "/staff/join/"

GetResponse = Callable[[HttpRequest], HttpResponse]


@cache
def open_doors() -> frozenset[str]:
    """Where somebody without a second factor may go: where one gets one, and out."""
    names = ("login", "login_code", "logout", "account_app", "account_passkey")
    return frozenset(reverse(f"admin:{name}") for name in names)


class StaffDoor:
    """Lets whoever has no second factor only to where one gets one; ends sessions, and keeps used ones alive.

    It asks the database nothing: what it needs came with the session and the account.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inside = request.path.startswith(STAFF_ROOMS) and not request.path.startswith(INVITED)
        if inside and request.user.is_authenticated:
            if is_too_old(request):
                logout(request)
            elif not factors.is_enrolled(request.user) and request.path not in open_doors():
                return redirect(f"{reverse('admin:account_app')}?{urlencode({'next': way_back(request)})}")
            elif is_stale(request) and not is_by_itself(request):
                request.session.modified = True
        return self.get_response(request)


def is_too_old(request: HttpRequest) -> bool:
    """Whether the session began so long ago that it ends, whatever is done."""
    began = request.session.get(BEGAN_AT, 0.0)
    return not 0 <= time.time() - began < STAFF_SESSION_AGE.total_seconds()


def is_stale(request: HttpRequest) -> bool:
    """Whether the stored session does not say yet that it is in use."""
    ends_at = getattr(request.session, "ends_at", None)
    return ends_at is not None and ends_at - timezone.now() < STAFF_SESSION_IDLE - WRITE_EVERY


def is_by_itself(request: HttpRequest) -> bool:
    """Whether a page that stands open asked, and no person did: it says `here` when somebody touched it."""
    if "here" in request.GET:
        return False
    return request.path.startswith(BY_ITSELF) or request.path.endswith(NEWS)


def way_back(request: HttpRequest) -> str:
    """The page to return to: a form that was sent is at the same address."""
    return request.get_full_path()
