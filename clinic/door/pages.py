"""The pages of signing in and of one's own account, at /staff/."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic.door import factors, signin
from clinic.door.stepup import is_fresh, step_up
from clinic.models import User
from clinic.security import STAFF_ROOMS
from education.visitors.limits import visitor_address
from intake.admin import searching
from intake.admin.audited import see_other
from intake.admin.tablet import qr_drawing
from intake.patients.wording import clock

# In the session, between the two steps: whose password was right, and when.
PENDING: Final = "signing_in"
PENDING_FOR: Final = timedelta(minutes=10)
# In the session, while an app is being added, and when fresh recovery codes have not been seen yet.
NEW_APP: Final = "new_app"
SHOW_CODES: Final = "show_codes"

KNOWN_FOR: Final = timedelta(days=90)
KNOWN_SALT: Final = "clinic.account_pages.known"
MOST_KNOWN: Final = 8

View = Callable[..., HttpResponse]


# ---- ways on


def safe_next(request: HttpRequest) -> str:
    """Where to go on, if it is a page of the staff here; else nothing (R32)."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    if not wanted.startswith(STAFF_ROOMS) or not wanted.isprintable():
        return ""
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return ""
    return wanted


def with_next(name: str, way_on: str) -> str:
    return reverse(name) + (f"?{urlencode({'next': way_on})}" if way_on else "")


def go_on(request: HttpRequest) -> HttpResponse:
    return redirect(safe_next(request) or "admin:index")


def draw(request: HttpRequest, template: str, title: str, status: int = 200, **context: Any) -> HttpResponse:
    shell = admin.site.each_context(request)
    shell |= {"title": title, "next": safe_next(request)}
    return TemplateResponse(request, f"staff/account/{template}.html", shell | context, status=status)


def resting(answer: HttpResponse, until: datetime) -> HttpResponse:
    """Says to programs, too, when to try again."""
    answer.status_code = 429
    answer.headers["Retry-After"] = str(max(1, ceil((until - timezone.now()).total_seconds())))
    return answer


# ---- the first step


class SignInForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Username or e-mail address"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        return User.normalize_username(self.cleaned_data["username"])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Username and password; whoever has a second factor goes on to it."""
    if request.user.is_authenticated and admin.site.has_permission(request):
        return go_on(request)
    form = SignInForm(request.POST if request.method == "POST" else None)
    until = None
    if request.method == "POST" and form.is_valid():
        username = form.cleaned_data["username"]
        found = signin.try_password(
            request=request,
            username=username,
            password=form.cleaned_data["password"],
            address=visitor_address(request),
            known=is_known_device(request, username),
        )
        if isinstance(found, User):
            return _password_was_right(request, found)
        if isinstance(found, signin.TooMany):
            until = found.until
            form.add_error(None, _("Too many tries. Try again at %(time)s.") % {"time": clock(until)})
        else:
            form.add_error(
                None,
                _(
                    "The username or the password is not right. Check both and try again. After five wrong "
                    "tries wait 15 minutes."
                ),
            )
    context = admin.site.each_context(request) | {
        "title": _("Log in"),
        "subtitle": None,
        "form": form,
        "next": safe_next(request),
        "app_path": request.path,
    }
    answer = TemplateResponse(request, "admin/login.html", context)
    return answer if until is None else resting(answer, until)


def _password_was_right(request: HttpRequest, user: User) -> HttpResponse:
    if not factors.is_enrolled(user):
        signin.come_in(request=request, user=user, factor=None)
        return go_on(request)
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
    }
    return redirect(with_next("admin:login_code", safe_next(request)))


# ---- the second step


class CodeForm(forms.Form):
    """What the app shows, typed."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        error_messages={"required": gettext_lazy("Type the code.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "size": 12}
        ),
    )


class FactorForm(CodeForm):
    """The same, or a recovery code; nothing else for whoever has no app."""

    def __init__(self, *args: Any, has_app: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        if has_app:
            code.help_text = _("Six numbers from your authenticator app, or one of your recovery codes.")
            self.did_not_fit = _("That did not fit. Type the code that the app shows now.")
        else:
            code.label = _("Recovery code")
            code.help_text = _("One of those you kept for when your passkey is not at hand.")
            code.widget.attrs["autocomplete"] = "off"
            self.did_not_fit = _("That did not fit. Type a recovery code that you have not used.")


def pending(request: HttpRequest) -> User | None:
    """Whose password was right in this browser, a moment ago; nothing of the account changed since."""
    known = request.session.get(PENDING)
    if not isinstance(known, dict):
        return None
    if timezone.now().timestamp() - known["at"] > PENDING_FOR.total_seconds():
        return None
    user = User.objects.filter(pk=known["user"], is_active=True, is_staff=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), known["hash"]):
        return None
    return user


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """The code of the app, a passkey, or a recovery code. Nobody is signed in before it."""
    if request.user.is_authenticated:
        return go_on(request)
    user = pending(request)
    if user is None:
        return redirect(with_next("admin:login", safe_next(request)))

    def given(factor: factors.Kind) -> HttpResponse:
        request.session.pop(PENDING, None)
        signin.come_in(request=request, user=user, factor=factor)
        return remember_device(request, go_on(request), user)

    return _ask_factor(request, user, "signin", _("Second step"), given)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove_page(request: HttpRequest) -> HttpResponse:
    """A fresh factor before what cannot be taken back (R16), then the page that asked."""
    user = member(request)

    def given(factor: factors.Kind) -> HttpResponse:
        signin.prove_again(request=request, user=user, factor=factor)
        return see_other(safe_next(request) or reverse("admin:account"))

    return _ask_factor(request, user, "stepup", _("Is it still you?"), given)


def _ask_factor(
    request: HttpRequest,
    user: User,
    why: signin.Why,
    title: str,
    given: Callable[[factors.Kind], HttpResponse],
) -> HttpResponse:
    has = factors.of(user)
    has_app = has.app is not None
    form = FactorForm(request.POST if request.method == "POST" else None, has_app=has_app)
    until = signin.second_step_rests(user=user) if request.method != "POST" else None
    if request.method == "POST":
        result: factors.Kind | signin.NotRight | signin.TooMany | None = None
        if answer := request.POST.get("credential", ""):
            form.errors.clear()
            result = signin.try_passkey(request=request, user=user, answer=answer, why=why)
        elif form.is_valid():
            result = signin.try_code(user=user, typed=form.cleaned_data["code"], why=why)
        if isinstance(result, str):
            return given(result)
        if isinstance(result, signin.TooMany):
            until = result.until
        elif isinstance(result, signin.NotRight):
            form.add_error("code", form.did_not_fit)
    if until is not None:
        form = FactorForm(has_app=has_app)
    question = factors.passkey_question(request, user) if has.passkeys else None
    page = draw(
        request,
        "code",
        title,
        form=form,
        why=why,
        until=until,
        question=json.dumps(question) if question else "",
        # The side bar would be that of somebody who is signed in.
        is_nav_sidebar_enabled=False,
    )
    return page if until is None else resting(page, until)


# ---- known devices


def _known_here(request: HttpRequest) -> dict[str, int]:
    try:
        found = signing.loads(
            request.COOKIES.get(settings.KNOWN_COOKIE_NAME, ""), salt=KNOWN_SALT, max_age=KNOWN_FOR
        )
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def is_known_device(request: HttpRequest, username: str) -> bool:
    """Whether somebody signed in here as this account by both steps, and not "everywhere" out since."""
    known = _known_here(request)
    if not known:
        return False
    row = User.objects.filter(username=username).values_list("pk", "sessions_round").first()
    return row is not None and known.get(str(row[0])) == row[1]


def remember_device(request: HttpRequest, answer: HttpResponse, user: User) -> HttpResponse:
    known = {**_known_here(request), str(user.pk): user.sessions_round}
    answer.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        signing.dumps(dict(list(known.items())[-MOST_KNOWN:]), salt=KNOWN_SALT),
        max_age=KNOWN_FOR,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


# ---- the account


def member(request: HttpRequest) -> User:
    """The signed-in member of staff; the staff site lets nobody else in."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def fresh_if_enrolled(view: View) -> View:
    """The first factor is one's own to add; everything later asks for one that is there (R16)."""
    stepped = step_up(view)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        has_one = factors.is_enrolled(member(request))
        return (stepped if has_one else view)(request, *args, **kwargs)

    return asked


@require_http_methods(["GET", "HEAD"])
def account(request: HttpRequest) -> HttpResponse:
    """How one signs in, and the way to change it."""
    return draw(request, "account", _("Your account"), factors=factors.of(member(request)))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_if_enrolled
def app_page(request: HttpRequest) -> HttpResponse:
    """A key for an authenticator app, as a QR code and as text; a code of the app shows that it is there."""
    user = member(request)
    secret = request.session.get(NEW_APP)
    if secret is None:
        secret = request.session[NEW_APP] = factors.new_secret()
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if factors.is_code_of(secret, form.cleaned_data["code"]):
            del request.session[NEW_APP]
            signin.set_app(request=request, user=user, secret=secret)
            return _enrolled(request, user, _("The authenticator app is set up."))
        form.add_error("code", _("That did not fit. Type the code that the app shows now."))
    side, path = qr_drawing(factors.app_address(user, secret))
    return draw(
        request,
        "app",
        _("Authenticator app"),
        form=form,
        side=side,
        path=path,
        key=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        factors=factors.of(user),
        is_nav_sidebar_enabled=factors.is_enrolled(user),
    )


class PasskeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        help_text=gettext_lazy("Such as “Phone” or “Blue key”: to tell it from others."),
        initial=gettext_lazy("Passkey"),
    )
    credential = forms.CharField(
        widget=forms.HiddenInput,
        error_messages={"required": gettext_lazy("The browser made no passkey. Press the button again.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_if_enrolled
def passkey_page(request: HttpRequest) -> HttpResponse:
    """A passkey: a key of the device, opened by a finger, a face or a PIN. It needs scripts."""
    user = member(request)
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signin.add_passkey(
                request=request,
                user=user,
                name=form.cleaned_data["name"],
                answer=form.cleaned_data["credential"],
            )
        except factors.NotFitting:
            form.add_error(None, _("That passkey did not fit. Press the button again."))
        else:
            return _enrolled(request, user, _("The passkey is set up."))
    return draw(
        request,
        "passkey",
        _("Passkey"),
        form=form,
        wish=json.dumps(factors.passkey_wish(request, user)),
        factors=factors.of(user),
        is_nav_sidebar_enabled=factors.is_enrolled(user),
    )


def _enrolled(request: HttpRequest, user: User, words: str) -> HttpResponse:
    messages.success(request, words)
    if factors.of(user).codes_left:
        return see_other(reverse("admin:account"))
    signin.new_recovery_codes(request=request, user=user)
    request.session[SHOW_CODES] = True
    return see_other(with_next("admin:account_recovery", safe_next(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def recovery_page(request: HttpRequest) -> HttpResponse:
    """Fresh codes are shown once; afterwards only how many are left."""
    user = member(request)
    if request.method == "POST":
        if not is_fresh(request):
            return redirect(with_next("admin:prove", request.path))
        signin.new_recovery_codes(request=request, user=user)
        request.session[SHOW_CODES] = True
        return see_other(request.path)
    codes = factors.recovery_codes(user) if request.session.pop(SHOW_CODES, False) else []
    left = len(codes) or factors.of(user).codes_left
    lines = [str(admin.site.site_header), user.get_username(), *codes, ""]
    file = "data:text/plain;charset=utf-8," + json.dumps("\n".join(lines))[1:-1].replace("\\n", "%0A")
    return draw(request, "recovery", _("Recovery codes"), codes=codes, left=left, file=file)


@require_POST
def remove_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own factors goes, unless it is the last."""
    user = member(request)
    found = factors.of(user)
    factor = next((one for one in (found.app, *found.passkeys) if one is not None and one.pk == pk), None)
    if factor is None:
        raise Http404
    back = reverse("admin:account")
    if not is_fresh(request):
        return redirect(with_next("admin:prove", back))
    try:
        signin.remove_factor(request=request, user=user, factor=factor)
    except signin.LastFactor:
        messages.error(request, _("The last one stays: without it nobody could sign in."))
    else:
        messages.success(request, _("It is removed, and all other browsers are signed out."))
    return see_other(back)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Out in this browser."""
    signin.go(request=request, user=member(request))
    return _left(request, _("You are logged out."))


@require_POST
def everywhere(request: HttpRequest) -> HttpResponse:
    """Out in all browsers, this one too."""
    signin.go_everywhere(request=request, user=member(request))
    return _left(request, _("You are logged out everywhere."))


def _left(request: HttpRequest, words: str) -> HttpResponse:
    """The sign-in says so, and the browser drops its copies of what it showed."""
    messages.success(request, words)
    answer = see_other(reverse("admin:login"))
    answer.headers["Clear-Site-Data"] = '"cache"'
    searching.forget(answer)
    return answer


class OwnPasswordForm(PasswordChangeForm):
    """Django's, whose change stands in the trail."""

    def save(self, commit: bool = True) -> Any:
        signin.change_password(user=self.user, save=lambda: super(OwnPasswordForm, self).save(commit))
        return self.user


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """One's own password; other sessions end, this one goes on."""
    form = OwnPasswordForm(member(request), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, form.user)
        messages.success(request, _("Your password is changed, and all other browsers are signed out."))
        return see_other(reverse("admin:account"))
    return draw(request, "password", _("Change password"), form=form)
