"""The date of birth where views ask for it: at a link, and where a session was idle too long."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from education.visitors.limits import visitor_address
from intake import journey
from intake.patients import links
from intake.patients.birth_date import BirthDateProblem, TypedDate
from intake.patients.models import PatientSession

BOXES: Final = ("month", "day", "year")
# What the page of `come_back` was shown for: something looked at, or something sent that has to be saved.
AGAIN: Final = "again"
LOOK, SAVE = "look", "save"


@dataclass(frozen=True, slots=True)
class Read:
    """The three boxes as typed and the date they mean; or what to do about them."""

    typed: TypedDate
    born: date | None = None
    error: str = ""


def read(request: HttpRequest) -> Read:
    typed = TypedDate(*(request.POST.get(name, "") for name in BOXES))
    try:
        return Read(typed, typed.as_date(timezone.localdate()))
    except BirthDateProblem as problem:
        return Read(typed, error=str(problem.message))


def mismatch() -> str:
    return _("That doesn’t match what the clinic has. Check the numbers and try again.")


def come_back(request: HttpRequest, session: PatientSession, *, whose: str) -> links.Opened | HttpResponse:
    """Asks the date of birth on the page where the patient is, and opens a session again for the right one.

    What was sent to that page stands in the form that asks, so that it is saved by the very answer.
    whose: what forms of this session carry.
    """
    if request.method != "POST" or AGAIN not in request.POST:
        return ask_again(request, Read(TypedDate()), whose)
    found = read(request)
    if found.born is None:
        return ask_again(request, found, whose)
    outcome = journey.open_again(
        session=session,
        birth_date=found.born,
        address=visitor_address(request),
        device_token=request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""),
    )
    if isinstance(outcome, links.Opened):
        return outcome
    if isinstance(outcome, links.Mismatch):
        return ask_again(request, Read(found.typed, error=mismatch()), whose)
    return render(request, "intake/session_over.html", status=403)


def ask_again(request: HttpRequest, found: Read, whose: str) -> HttpResponse:
    own = ("csrfmiddlewaretoken", "whose", *BOXES)
    kept = [(name, text) for name, texts in request.POST.lists() if name not in own for text in texts]
    if AGAIN not in request.POST:
        kept.append((AGAIN, SAVE if request.method == "POST" else LOOK))
    # What was sent says itself whose it is, and is refused if it is somebody else's.
    context = {
        "typed": found.typed,
        "error": found.error,
        "kept": kept,
        "whose": request.POST.get("whose", whose),
    }
    return render(request, "intake/birth_date_again.html", context, status=403)
