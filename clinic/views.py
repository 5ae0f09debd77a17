"""Pages that belong to no stage: health and errors."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.security import STAFF_ROOMS
from education.clinic_info.context import current_or_blank

SECURITY_TXT_LIVES: Final = timedelta(days=182)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """`{"ok": true}` once the database answers; the middleware turns its absence into 503."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """How to tell of a hole (RFC 9116). It says itself how long it may be believed: half a year from now."""
    phone = current_or_blank().phone_href
    contact = f"mailto:{settings.SECURITY_CONTACT}" if settings.SECURITY_CONTACT else phone
    context = {
        "contact": contact,
        "expires": (timezone.now() + SECURITY_TXT_LIVES).strftime("%Y-%m-%dT00:00:00Z"),
        "site": settings.SITE_URL,
    }
    # None is better than one that leads nowhere.
    if not contact:
        return not_found(request)
    return render(request, "clinic/security.txt", context, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """One page for what is nowhere and for what is not theirs; staff at their pages read words for them."""
    user = getattr(request, "user", None)
    # Only at their own addresses: elsewhere nothing has to know who asks.
    for_staff = request.path.startswith(STAFF_ROOMS) and user is not None and user.is_authenticated
    return render(request, "404.html", {"for_staff": for_staff}, status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page that a role may not see looks like a page that does not exist."""
    return not_found(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """An old or foreign form: say how to go on. Nothing was stored."""
    return render(request, "403.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)
