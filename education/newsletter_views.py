"""The newsletter's public pages: sign up, confirm, leave.

The form stands on pages without a cookie, so it carries no token: where a post comes from is asked of the
browser instead (security requirement R31, ADR 0014).
"""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from procrastinate.exceptions import ConnectorException

from education.clinic_info.context import current_or_blank
from education.newsletter import subscribe
from education.newsletter.models import Subscriber
from education.visitors import limits

SIGN_UPS_A_MINUTE: Final = 30
SIGN_UP_WINDOW: Final = timedelta(minutes=1)
SIGN_UPS_OF_ALL_AN_HOUR: Final = 600
LONGEST_EMAIL: Final = 254


class SignUp(forms.Form):
    """The one field people see."""

    email = forms.CharField(
        max_length=LONGEST_EMAIL,
        validators=[EmailValidator(gettext_lazy("Enter an e-mail address like name@example.com."))],
        error_messages={
            "required": gettext_lazy("Enter your e-mail address."),
            "max_length": gettext_lazy("Enter an e-mail address of 254 letters or fewer."),
        },
    )


def from_our_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of ours sent this.

    Our pages send no referrer, so browsers call their origin `null`; the other header then has to speak.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    site_url = urlsplit(settings.SITE_URL)
    ours = (f"{site_url.scheme}://{site_url.netloc}", f"{request.scheme}://{request.get_host()}")
    if site is None:
        return origin in ours
    return site == "same-origin" and (origin in ours or origin in (None, "null"))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Known and unknown addresses, people and machines get the same thank-you."""
    if request.method != "POST":
        return show_form(request, {})
    typed = request.POST.get("email", "")
    if not from_our_own_page(request):
        return show_form(request, {"typed": typed, "refused": True}, status=403)
    # Nobody sees this field; only machines fill it in.
    if request.POST.get("topic"):
        return redirect_to_check()
    form = SignUp(request.POST)
    if not form.is_valid():
        return show_form(request, {"typed": typed, "error": form.errors["email"][0]})
    try:
        if not may_sign_up(request):
            # The same words: what a machine may learn stands in the status alone.
            return limits.turned_away(show_thanks(request), SIGN_UP_WINDOW)
        subscribe.ask(form.cleaned_data["email"])
    except (DatabaseError, ConnectorException):
        return show_form(request, {"typed": typed, "failed": True}, status=503)
    return redirect_to_check()


def may_sign_up(request: HttpRequest) -> bool:
    """Counts one sign-up from this IP address, and from everybody: each may send a mail."""
    return limits.allow(
        "newsletter.sign-up",
        limits.visitor_address(request),
        limit=SIGN_UPS_A_MINUTE,
        within=SIGN_UP_WINDOW,
    ) and limits.allow(
        "newsletter.sign-up", limits.EVERYBODY, limit=SIGN_UPS_OF_ALL_AN_HOUR, within=timedelta(hours=1)
    )


def show_form(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if request.method != "POST" and current_or_blank().shows_subscriber_count:
        context["subscriber_count"] = Subscriber.objects.receiving().count()
    response = render(request, "education/newsletter.html", context, status=status)
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "10"
    return response


def redirect_to_check() -> HttpResponse:
    response = redirect("education:newsletter_check")
    response.status_code = 303
    return response


def show_thanks(request: HttpRequest) -> HttpResponse:
    terms = {"days": subscribe.CONFIRM_WITHIN.days, "forget_days": subscribe.FORGET_AFTER.days}
    response = render(request, "education/newsletter_check.html", terms)
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def check_mail(request: HttpRequest) -> HttpResponse:
    return show_thanks(request)


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(no_store=True)
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Looking shows a button; only pressing it puts the address on the list."""
    if request.method != "POST":
        return show_joining(request, subscribe.look(token))
    if request.POST.get("do") == "again":
        if subscribe.ask_again(token) is subscribe.Joining.EXPIRED:
            return redirect_to_check()
        return show_joining(request, subscribe.look(token))
    joining = subscribe.confirm(token)
    return show_joining(request, joining, done=joining is subscribe.Joining.OPEN)


def show_joining(request: HttpRequest, joining: subscribe.Joining, *, done: bool = False) -> HttpResponse:
    status = 404 if joining is subscribe.Joining.UNKNOWN else 200
    return render(
        request,
        "education/newsletter_confirm.html",
        {"joining": "done" if done else joining.value},
        status=status,
    )


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(no_store=True)
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Looking shows a button. A mail program may press it too (RFC 8058): no cookie, no token.

    The secret in the address stands in for both: only who got the mail has it.
    """
    state = subscribe.leave(token) if request.method == "POST" else subscribe.look_at_leaving(token)
    return render(
        request,
        "education/newsletter_leave.html",
        {"state": state.value},
        status=404 if state is subscribe.Leaving.UNKNOWN else 200,
    )
