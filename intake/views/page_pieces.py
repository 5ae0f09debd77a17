"""A page of the form as HTML: drawn once by its template, then joined from pieces.

Around its questions (`intake.responses.skeleton`) a page is the same for everybody who is asked it at the
same place of her path, but for a few words: whose it is, the form's token, when it was saved. So the first
one's is drawn with a sign in the place of each of these and cut there. What the template draws stays the
reference: it draws every page with an error, an offer or a word about another device.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from education.clinic_info.context import current_or_blank
from education.edition.models import EDITION
from intake.views.visit import Visit

TEMPLATE: Final = "intake/page.html"
KEPT: Final = 256
"""Pages that a process remembers: two megabytes."""

# Nothing that anybody could have typed.
_SIGN: Final = secrets.token_urlsafe(24)
_PLACE: Final = re.compile(f"{_SIGN}\\.(?P<name>[a-z_]+)\\.")
# What is put in anew, by the names that the template knows.
_FRESH: Final = ("csrf_token", "whose", "seconds_left", "questions", "shown", "saved_at")


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that the pieces depend on."""

    edition: UUID
    language: str | None
    title: str
    number: int
    total: int
    back: str
    on_tablet: bool
    has_body_map: bool
    as_list: bool
    is_saved: bool


def answer(request: HttpRequest, visit: Visit, context: Mapping[str, Any]) -> HttpResponse:
    """The page with this context of `intake/page.html`."""
    edition: UUID | None = getattr(request, EDITION, None)
    form = context["form"]
    if (
        edition is None
        # Facts that could not be read are no facts to keep.
        or current_or_blank(edition).edition != edition
        or form.errors
        or context["moved"]
        or context["offer"]
    ):
        return render(request, TEMPLATE, {**context, "visit": visit})
    asked = _Asked(
        edition,
        get_language(),
        context["page"].title,
        context["number"],
        context["total"],
        context["back"],
        visit.on_tablet,
        form.has_body_map,
        form.as_list,
        bool(context["saved_at"]),
    )
    fresh = {
        **{name: context[name] for name in ("questions", "shown", "saved_at")},
        "csrf_token": get_token(request),
        "whose": visit.whose,
        "seconds_left": visit.seconds_left,
    }
    texts, names = _pieces(asked)
    joined = [texts[0]]
    for name, text in zip(names, texts[1:], strict=True):
        joined += (conditional_escape(fresh[name]), text)
    return HttpResponse("".join(joined))


@lru_cache(maxsize=KEPT)
def _pieces(asked: _Asked) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts of a page, and what stands between each two of them."""
    signs: dict[str, Any] = {name: f"{_SIGN}.{name}." for name in _FRESH}
    if not asked.is_saved:
        signs["saved_at"] = ""
    html = render_to_string(
        TEMPLATE,
        {
            **signs,
            "clinic": current_or_blank(asked.edition),
            "visit": SimpleNamespace(
                whose=signs["whose"], seconds_left=signs["seconds_left"], on_tablet=asked.on_tablet
            ),
            "page": SimpleNamespace(title=asked.title),
            "form": SimpleNamespace(errors=(), has_body_map=asked.has_body_map, as_list=asked.as_list),
            "number": asked.number,
            "total": asked.total,
            "back": asked.back,
        },
    )
    pieces = _PLACE.split(html)
    return tuple(pieces[0::2]), tuple(pieces[1::2])
