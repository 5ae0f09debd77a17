"""A URLconf for tests only: views that fail as views can, beside everything else."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path

from clinic import urls

SECRET = "Zyxsecret of a patient"


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def data_error(request: HttpRequest) -> HttpResponse:
    raise DataError(f"Failing row contains ({SECRET})")


def database_away(request: HttpRequest) -> HttpResponse:
    raise OperationalError(SECRET)


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied(SECRET)


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation(SECRET)


FAILURES = {
    "broken": (broken, 500),
    "data-error": (data_error, 500),
    "database-away": (database_away, 503),
    "forbidden": (forbidden, 404),
    "suspicious": (suspicious, 400),
}

urlpatterns = [
    *(path(f"{area}fail/{name}/", view) for name, (view, _) in FAILURES.items() for area in ("", "intake/")),
    *urls.urlpatterns,
]
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
