"""The clinic's tablet: a code from the front desk, the date of birth, and a form that clears itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from education.visitors.limits import visitor_address
from intake import journey
from intake.patients import codes, links
from intake.patients.birth_date import TypedDate
from intake.patients.tablet import NoCode
from intake.views import birth_date
from intake.views.visit import forget_patient, is_tablet, see_other, set_patient_cookies


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The blank start screen; then the date of birth of whoever the code was started for."""
    if request.method != "POST":
        left = "left" in request.GET
        response = render(request, "intake/tablet.html", {"left": left, "blank": left})
        return forget_patient(response) if is_tablet(request) else response
    typed = request.POST.get("code", "")
    digits = codes.read_code(typed)
    if digits is None:
        return _ask_code(request, error=_("Enter the 6 numbers from the front desk."), typed=typed)
    if birth_date.BOXES[0] in request.POST:
        return _judge(request, digits=digits)
    if not journey.is_on_tablet(digits=digits, address=visitor_address(request)):
        return _no_code(request)
    return _ask_date(request, birth_date.Read(TypedDate()), digits=digits)


@require_http_methods(["GET", "HEAD", "POST"])
def scanned(request: HttpRequest, token: str) -> HttpResponse:
    """The QR code. GET and HEAD ask and use nothing up, so that a scanner's preview does not either."""
    if request.method == "POST":
        return _judge(request, token=token)
    if not journey.is_on_tablet(token=token):
        return _no_code(request, status=404)
    return _ask_date(request, birth_date.Read(TypedDate()))


def _judge(request: HttpRequest, *, digits: str = "", token: str = "") -> HttpResponse:
    found = birth_date.read(request)
    if found.born is None:
        return _ask_date(request, found, digits=digits)
    outcome = journey.open_on_tablet(
        digits=digits, token=token, birth_date=found.born, address=visitor_address(request)
    )
    if isinstance(outcome, NoCode):
        return _no_code(request)
    if isinstance(outcome, links.Mismatch):
        return _ask_date(request, birth_date.Read(found.typed, error=birth_date.mismatch()), digits=digits)
    response = see_other(reverse("intake:start"))
    set_patient_cookies(request, response, outcome)
    return response


def _ask_code(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    """error: what to do about the code."""
    return render(request, "intake/tablet.html", {**context, "blank": True}, status=status)


def _no_code(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    error = _("That code doesn’t work. Check the numbers, or ask the front desk for a new code.")
    return _ask_code(request, status=status, error=error)


def _ask_date(request: HttpRequest, found: birth_date.Read, *, digits: str = "") -> HttpResponse:
    context = {"typed": found.typed, "error": found.error, "digits": digits, "blank": True}
    return render(request, "intake/tablet_birth_date.html", context)
