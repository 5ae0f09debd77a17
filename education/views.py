"""Public pages. They read no cookie and set none, so that any cache may keep them."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from education.chain.models import ChainNode
from education.clinic_info.addresses import absolute
from education.lessons import pictures
from education.lessons.chain_map import SIDES, chain_map
from education.lessons.chain_map import part as read_part
from education.lessons.models import Category, Lesson, LessonRedirect
from education.lessons.reading import course as read_course
from education.lessons.reading import in_category, of_part, outline, read
from education.lessons.search import search as search_lessons

# Long enough to spare a second look at the same page, short enough that an edit shows within a minute.
FRESH_SECONDS: Final = 60
PICTURE_SECONDS: Final = 365 * 24 * 3600


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for everybody that any cache may keep for a minute and then ask whether it changed.

    It may be compressed: it holds no secret that a stranger's guess could be compressed beside.
    """
    kept = cache_control(public=True, max_age=FRESH_SECONDS)(conditional_page(view))
    return require_safe(gzip_page(kept))


def show(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page with its canonical address, which no host name or query of a request can change."""
    return render(request, template, {"canonical": absolute(request.path), **context})


@public
def home(request: HttpRequest) -> HttpResponse:
    entries = outline()
    up, down = of_part(entries, Lesson.Part.UP), of_part(entries, Lesson.Part.DOWN)
    return show(
        request,
        "education/home.html",
        {"up": up, "down": down, "lesson_count": len(up) + len(down)},
    )


@public
def privacy(request: HttpRequest) -> HttpResponse:
    return show(request, "education/privacy.html", {})


@public
def lessons(request: HttpRequest) -> HttpResponse:
    entries = outline()
    return show(
        request,
        "education/lessons.html",
        {part.value: of_part(entries, part) for part in Lesson.Part},
    )


@require_safe
@gzip_page
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """One query either way; a reader whose copy is still right gets 304, and nothing is drawn again."""
    try:
        reading = read(slug)
    except Lesson.DoesNotExist as error:
        moved = LessonRedirect.objects.filter(slug=slug, lesson__live=True).select_related("lesson").first()
        if moved is None:
            raise Http404 from error
        return redirect(moved.lesson, permanent=True)
    etag = quote_etag(f"{reading.version}-{release()}")
    response = get_conditional_response(request, etag=etag)
    if response is None:
        context: dict[str, Any] = {"reading": reading, "lesson": reading.lesson}
        if reading.clinic is not None:
            context["clinic"] = reading.clinic
        response = show(request, "education/lesson.html", context)
    response.headers["ETag"] = etag
    patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
    return response


@require_safe
@cache_control(public=True, max_age=PICTURE_SECONDS, immutable=True)
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture of a lesson. Its name changes with what it shows."""
    path = pictures.path_of(name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"))


@public
def course(request: HttpRequest) -> HttpResponse:
    """Every lesson on one page, to read through or to print."""
    chapters = read_course()
    return show(request, "education/course.html", {"chapters": chapters})


@public
def category(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        found, entries = in_category(slug)
    except Category.DoesNotExist as error:
        raise Http404 from error
    return show(request, "education/category.html", {"category": found, "entries": entries})


@require_safe
@cache_control(private=True, no_store=True)
def search(request: HttpRequest) -> HttpResponse:
    """What people look for is nobody else's business: no cache keeps the page, no crawler lists it."""
    return show(request, "education/search.html", {"results": search_lessons(request.GET.get("q", ""))})


@public
def chain(request: HttpRequest) -> HttpResponse:
    """The chain map of the leg that `?side=` names; anything else is the left one."""
    side = request.GET.get("side", "")
    return show(request, "education/chain.html", {"map": chain_map(side if side in SIDES else SIDES[0])})


@public
def part(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        found = read_part(slug)
    except ChainNode.DoesNotExist as error:
        raise Http404 from error
    return show(request, "education/part.html", {"part": found})


@cache
def release() -> str:
    """A short text that is the same only while code, templates, files and settings make the same pages."""
    here = Path(__file__).resolve().parent
    folders = [here, settings.BASE_DIR / "templates", settings.BASE_DIR / "static"]
    kinds = {".py", ".html", ".svg", ".css", ".js", ".json"}
    digest = hashlib.sha256(f"{settings.SITE_URL} {settings.LANGUAGE_CODE}".encode())
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in kinds):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
