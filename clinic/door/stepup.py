"""A fresh proof of who sits at the keyboard, asked before what cannot be taken back or shows much at once."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

# How long a proof counts (requirement R16).
FRESH: Final = timedelta(minutes=5)
PROVE: Final = "/staff/prove/"
# In the session: when the last proof was given, in seconds.
PROVED_AT: Final = "proved_at"


def prove(request: HttpRequest) -> None:
    """A factor was just given."""
    request.session[PROVED_AT] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    """Whether a factor was given in the last five minutes."""
    proved = request.session.get(PROVED_AT)
    return isinstance(proved, float) and 0 <= time.time() - proved < FRESH.total_seconds()


def step_up(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page of the staff that asks for a fresh factor first and comes back to the same address."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_fresh(request):
            return redirect(f"{PROVE}?{urlencode({'next': request.get_full_path()})}")
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return asked
