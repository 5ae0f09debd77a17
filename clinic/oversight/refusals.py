"""What staff pages refuse to somebody who has signed in: a line of the trail for each (requirement R23).

A page that a role may not see and a record that is not there answer the same 404; the line tells which page
was asked for, and which record where the address names one.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from intake import audit
from intake.review.keys import key_or_none, number_or_none

# What the trail calls the rows that an address names, by the beginning of its page's name.
KINDS: Final = {
    "intake_patient_": "patient",
    "intake_evaluation_": "evaluation",
    "intake_evaluationrequest_": "evaluation-request",
    "intake_questionnaireresponse_": "response",
}


def watched(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view as it is; where it refuses, after all it did is undone, the refusal is written down."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (Http404, PermissionDenied) as refusal:
            write(request, refusal, kwargs)
            raise

    return inner


def write(request: HttpRequest, refusal: Exception, kwargs: dict[str, Any]) -> None:
    """An address that is no page of ours names nothing, and no text of it is kept."""
    match = request.resolver_match
    name = match.url_name if match and match.url_name else ""
    key = str(kwargs.get("object_id", ""))
    kind = next((kind for start, kind in KINDS.items() if name.startswith(start)), "")
    objects: dict[str, Iterable[object]] = {}
    if kind and (key_or_none(key) is not None or number_or_none(key) is not None):
        objects[kind] = [key.lower()]
    why = "role" if isinstance(refusal, PermissionDenied) else "not there"
    with audit.audited("access.refused", by=audit.staff(request.user), objects=objects, page=name, why=why):
        pass
