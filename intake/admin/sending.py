"""Who may send a link, and the pages that do it: only by a button."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed

SENDS_LINKS: Final = "intake.send_invitation"

_Page = Callable[[Any, HttpRequest, str], HttpResponseBase]


def sends_a_link(view: _Page) -> _Page:
    """A page of an admin that is only posted to, by who may send links."""

    @wraps(view)
    def checked(admin: Any, request: HttpRequest, object_id: str) -> HttpResponseBase:
        if not request.user.has_perm(SENDS_LINKS):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return view(admin, request, object_id)

    return checked
