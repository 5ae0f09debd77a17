"""The floor: bare Django with psycopg doing what a page of ours does, and nothing else.

The product's settings, middleware and database options; none of its apps, context processors or code. With
`BENCH_MIDDLEWARE=none` not even the middleware. `gunicorn tests.bench.floor:application`.

A page lies whole in one row, as if it had been drawn when it was published. Its view reads the row through
the ORM, puts it into a template and compresses it for a browser that takes that.
"""

import os
from pathlib import Path
from typing import Any, Final

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils import timezone
from django.views.decorators.gzip import gzip_page

from tests.bench import served
from tests.bench.digests import digest

BARE: Final = os.environ.get("BENCH_MIDDLEWARE") == "none"
NAME: Final = "floor-bare" if BARE else "floor"
# The editor's own and those of the staff's door need tables. Without them the floor is a little lower, which
# makes the gates stricter.
ROOMS: Final = ("clinic.editor.", "clinic.door.", "clinic.people.")
DJANGOS: Final = {
    "clinic.accounts.AccountMiddleware": "django.contrib.auth.middleware.AuthenticationMiddleware"
}
MIDDLEWARE: Final = [DJANGOS.get(name, name) for name in served.MIDDLEWARE if not name.startswith(ROOMS)]

FIND: Final = """
SELECT title, slug, ts_headline('english', summary || ' ' || body, query, 'MaxFragments=2, MaxWords=30')
FROM education_lesson, websearch_to_tsquery('english', %s) AS query,
  to_tsvector('english', concat_ws(' ', title, lead, key_points, summary, body)) AS words
WHERE live AND words @@ query
ORDER BY ts_rank(words, query) DESC
"""

# What the floor "finds" in every form: two codes a side, two answers behind each.
CODES: Final = ("pronation-knee", "arch-knee")
EVIDENCE: Final = [
    {"linkId": "foot.arch", "answer": "drops"},
    {"linkId": "pain.regions", "answer": "knee-front"},
]


def configure() -> None:
    """The product's settings with the floor's own apps, templates and addresses."""
    ours = {name: getattr(served, name) for name in dir(served) if name.isupper()}
    database = dict(served.DATABASES["default"])
    database["OPTIONS"] = {**database["OPTIONS"], "application_name": NAME}
    settings.configure(
        **{
            **ours,
            "ROOT_URLCONF": __name__,
            "MIDDLEWARE": [] if BARE else MIDDLEWARE,
            "DATABASES": {"default": database},
            # What the middleware needs.
            "INSTALLED_APPS": [
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "django.contrib.sessions",
                "django.contrib.messages",
                "django.contrib.staticfiles",
            ],
            "AUTH_USER_MODEL": "auth.User",
            # Django's own: nothing of the floor reads a session of the staff.
            "SESSION_ENGINE": "django.contrib.sessions.backends.db",
            "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
            "TEMPLATES": [
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "DIRS": [Path(__file__).with_name("templates")],
                }
            ],
        }
    )
    django.setup(set_prefix=False)


configure()


class Page(models.Model):
    """A whole page, drawn."""

    path = models.TextField(primary_key=True)
    title = models.TextField()
    body = models.TextField()

    class Meta:
        app_label = "floor"
        db_table = "bench_page"
        managed = False

    def __str__(self) -> str:
        return self.path


class Intake(models.Model):
    """Answers so far."""

    id = models.TextField(primary_key=True)
    answers = models.JSONField()
    revision = models.IntegerField()

    class Meta:
        app_label = "floor"
        db_table = "bench_intake"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class Session(models.Model):
    """A patient's session, known by a digest of its cookie."""

    digest = models.TextField(primary_key=True)
    intake = models.ForeignKey(Intake, models.CASCADE)
    ends_at = models.DateTimeField()

    class Meta:
        app_label = "floor"
        db_table = "bench_session"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class Line(models.Model):
    """Who did what to which record."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    action = models.TextField()
    records = models.JSONField()

    class Meta:
        app_label = "floor"
        db_table = "bench_line"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class Finding(models.Model):
    """Something that the answers of an intake raised, with those answers."""

    id = models.BigAutoField(primary_key=True)
    intake = models.ForeignKey(Intake, models.CASCADE)
    side = models.TextField()
    code = models.TextField()
    evidence = models.JSONField()

    class Meta:
        app_label = "floor"
        db_table = "bench_finding"
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


@gzip_page
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html", {"page": Page._default_manager.get(path=request.path)})


def search(request: HttpRequest) -> HttpResponse:
    """Full text over the same lessons, and the hits in a template."""
    asked = request.GET["q"]
    with connection.cursor() as cursor:
        cursor.execute(FIND, [asked])
        hits: list[tuple[Any, ...]] = cursor.fetchall()
    return render(request, "search.html", {"asked": asked, "hits": hits})


def opened(request: HttpRequest) -> Session:
    """The session that the cookie stands for."""
    found: Session = Session._default_manager.get(
        digest=digest(request.COOKIES[served.PATIENT_COOKIE_NAME]), ends_at__gt=timezone.now()
    )
    return found


def save(request: HttpRequest, action: str) -> Intake:
    """Inside a transaction: adds what was posted to the answers of a locked row, and a line to the trail."""
    session = opened(request)
    intake: Intake = Intake._default_manager.select_for_update().get(pk=session.intake_id)
    intake.answers.update(request.POST.lists())
    intake.revision += 1
    intake.save(update_fields=["answers", "revision"])
    Line._default_manager.create(actor=session.pk, action=action, records={"intake": [intake.pk]})
    return intake


@gzip_page
def step(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows a page to whoever has the session; POST adds its answers and leads on."""
    if request.method != "POST":
        intake = Intake._default_manager.get(pk=opened(request).intake_id)
        drawn = Page._default_manager.get(path=request.path)
        return render(request, "page.html", {"page": drawn, "intake": intake})
    with transaction.atomic():
        save(request, "page.saved")
    return HttpResponse(status=303, headers={"Location": "/intake/"})


def submit(request: HttpRequest) -> HttpResponse:
    """POST sends the form: one transaction saves as `step` does, deletes the findings, and writes four
    in one statement. All through the ORM. No rule is looked at, nothing is checked, no job is queued.
    """
    with transaction.atomic():
        intake = save(request, "intake.sent")
        Finding._default_manager.filter(intake=intake).delete()
        Finding._default_manager.bulk_create(
            Finding(intake=intake, side=side, code=code, evidence=EVIDENCE)
            for side in ("left", "right")
            for code in CODES
        )
    return HttpResponse(status=303, headers={"Location": "/intake/sent/"})


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("healthz", healthz),
    path("learn/search/", search),
    path("intake/check/", submit),
    path("intake/<slug:slug>/", step),
    re_path(".*", page),
]
application = WSGIHandler()
