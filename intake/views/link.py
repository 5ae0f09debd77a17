"""The link: asks the date of birth, opens the form. Looking at it changes nothing."""

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from education.visitors.limits import turned_away, visitor_address
from intake import audit, journey
from intake.patients import asking, calendar, codes, links
from intake.patients.birth_date import TypedDate
from intake.views import birth_date
from intake.views.visit import Visit, patient_page, see_other, set_device_cookie, set_patient_cookies

# The button of the page for a link that is over.
RENEW: Final = "renew"


class TooManyMisses(Exception):
    """Enough links that open nothing were looked at from there: it gets no line of the trail any more."""


@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD show the question and store nothing; only a POST of the right date opens the form."""
    return ask_birth_date(request, token, shared=False)


@require_http_methods(["GET", "HEAD", "POST"])
def open_lessons(request: HttpRequest, token: str) -> HttpResponse:
    """The same way to shared lessons, and to nothing else."""
    return ask_birth_date(request, token, shared=True)


def ask_birth_date(request: HttpRequest, token: str, *, shared: bool) -> HttpResponse:
    try:
        with audit.audited("link.viewed", by=audit.ANONYMOUS) as access:
            link = links.find_share(token) if shared else links.find_live(token)
            if link is not None:
                access.saw("lesson-share" if shared else "invitation", [link.pk])
                physio = link.evaluation.physio
                visit = {
                    "starts_at": link.evaluation.starts_at,
                    "physio": physio.formal_name if physio is not None else "",
                }
            elif not links.may_miss(visitor_address(request)):
                raise TooManyMisses
    except TooManyMisses:
        return _ended_for_now(request, shared=shared)
    if link is None:
        return _ended(request, token, shared=shared)
    context = {"visit": visit, "shared": shared}
    if request.method != "POST" or RENEW in request.POST:
        return render(request, "intake/birth_date.html", {**context, "typed": TypedDate()})

    found = birth_date.read(request)
    if found.born is None:
        return render(
            request, "intake/birth_date.html", {**context, "typed": found.typed, "error": found.error}
        )
    outcome = journey.open_link(
        token=token,
        birth_date=found.born,
        address=visitor_address(request),
        device_token=request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""),
        shared=shared,
    )
    if isinstance(outcome, links.NotLive):
        return _ended(request, token, shared=shared)
    if isinstance(outcome, links.OtherDevice):
        return render(request, "intake/other_device.html", status=403)
    if isinstance(outcome, codes.TooMany):
        return turned_away(render(request, "intake/code_later.html"), links.REST)
    if isinstance(outcome, codes.Asked):
        response = see_other(reverse("intake:code"))
        set_device_cookie(response, outcome.device_token)
        return response
    if isinstance(outcome, links.Mismatch):
        return render(
            request,
            "intake/birth_date.html",
            {
                **context,
                "typed": found.typed,
                "error": birth_date.mismatch(),
                "mismatch": True,
            },
        )
    response = see_other(reverse("intake:lessons" if shared else "intake:start"))
    set_patient_cookies(request, response, outcome)
    return response


def _ended(request: HttpRequest, token: str, *, shared: bool) -> HttpResponse:
    """One page for every link that opens nothing. "Send me a new one" says the same whatever comes of it."""
    asked = not shared and request.method == "POST" and RENEW in request.POST
    if asked and not journey.ask_for_link(token=token, address=visitor_address(request)):
        return _ended_for_now(request, shared=shared)
    return render(request, "intake/link_ended.html", {"shared": shared, "asked": asked}, status=404)


def _ended_for_now(request: HttpRequest, *, shared: bool) -> HttpResponse:
    """The same page to somebody who had enough of it, whatever the link."""
    response = render(request, "intake/link_ended.html", {"shared": shared, "too_many": True})
    return turned_away(response, links.ADDRESS_WINDOW)


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The code out of the e-mail, in the browser that asked for it; or another one, please."""
    device = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    if request.method != "POST":
        if not journey.is_code_asked(device_token=device):
            # By Back, after a code has opened the form.
            if settings.PATIENT_COOKIE_NAME in request.COOKIES:
                return redirect("intake:tasks")
            return _code_over(request)
        return _ask_code(request, again="again" in request.GET)
    address = visitor_address(request)
    if "again" in request.POST:
        asked = journey.ask_code_again(device_token=device, address=address)
        if isinstance(asked, codes.Asked):
            return see_other(reverse("intake:code") + "?again=1")
        if isinstance(asked, codes.TooMany):
            return turned_away(_ask_code(request, too_many=True), links.REST)
        return _code_over(request)
    typed = request.POST.get("code", "")
    digits = codes.read_code(typed)
    if digits is None:
        if not journey.is_code_asked(device_token=device):
            return _code_over(request)
        return _ask_code(request, error=_("Enter the 6 numbers from the e-mail."), typed=typed)
    outcome = journey.open_with_code(device_token=device, code=digits, address=address)
    if isinstance(outcome, links.NotLive):
        return _code_over(request)
    if isinstance(outcome, codes.WrongCode):
        error = _("That code doesn’t work. Use the newest e-mail from us, or send another code.")
        return _ask_code(request, error=error)
    # Where the form was not sent yet, this leads on to its parts.
    response = see_other(reverse("intake:status"))
    set_patient_cookies(request, response, outcome)
    return response


def _ask_code(request: HttpRequest, **context: object) -> HttpResponse:
    """error: what to do about the code. again: another one was sent. too_many: none was, for now."""
    return render(request, "intake/code.html", context)


def _code_over(request: HttpRequest) -> HttpResponse:
    return render(request, "intake/session_over.html", status=403)


@require_POST
@patient_page
def earlier(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Send a code that lets this device to what the patient answered before an earlier visit."""
    found = visit.earlier
    if found is None or found.is_open or not visit.patient.email:
        return see_other(reverse("intake:tasks"))
    device = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    asked = journey.ask_code_for_earlier(session=visit.session, device_token=device)
    if isinstance(asked, codes.TooMany):
        return turned_away(render(request, "intake/code_later.html"), links.REST)
    if isinstance(asked, links.NotLive):
        return _code_over(request)
    response = see_other(reverse("intake:code"))
    set_device_cookie(response, asked.device_token)
    return response


@require_safe
@patient_page
def start(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Before you start: what happens, who reads it, and what it is not for."""
    if visit.sent is not None:
        return redirect("intake:status")
    if visit.advice_waits:
        return redirect("intake:advice")
    if visit.response is not None and visit.response.saved_pages:
        return redirect("intake:tasks")
    came_from = asking.came_from(visit.evaluation)
    return render(request, "intake/start.html", {"visit": visit, "came_from": came_from})


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    return render(request, "intake/left.html")


@require_http_methods(["GET", "HEAD", "POST"])
def stop_reminders(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD ask and change nothing, so that a scanner that follows links stops nothing."""
    if request.method == "POST":
        known = journey.stop_reminders(token=token)
    else:
        known = journey.may_stop_reminders(token=token)
    if not known:
        return render(request, "intake/stop_unknown.html", status=404)
    return render(request, "intake/stop_reminders.html", {"done": request.method == "POST"})


@require_safe
@patient_page
def calendar_file(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The visit for the calendar of whoever has the link and the date of birth."""
    # A file would stay on the clinic's tablet.
    if visit.evaluation.needs_appointment or visit.on_tablet:
        raise Http404
    return HttpResponse(
        journey.calendar_file(evaluation=visit.evaluation),
        content_type=f"{calendar.TYPE}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{calendar.NAME}"'},
    )
