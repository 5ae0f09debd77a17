"""Public pages. They read no cookie and set none, so that any cache may keep them."""

from datetime import timedelta
from typing import Any, Final

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from education.chain.models import ChainNode
from education.clinic_info.addresses import absolute
from education.edition.pages import kept, kept_by
from education.lessons import pictures
from education.lessons.chain_map import SIDES, chain_map
from education.lessons.chain_map import part as read_part
from education.lessons.models import Category, Lesson, LessonRedirect
from education.lessons.reading import course as read_course
from education.lessons.reading import in_category, of_part, outline, read
from education.lessons.search import clean
from education.lessons.search import search as search_lessons
from education.visitors import limits

PICTURE_SECONDS: Final = 365 * 24 * 3600
SEARCHES_A_MINUTE: Final = 60
SEARCH_WINDOW: Final = timedelta(minutes=1)


def show(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page with its canonical address, which no host name or query of a request can change."""
    return render(request, template, {"canonical": absolute(request.path), **context})


@kept
def home(request: HttpRequest) -> HttpResponse:
    entries = outline()
    up, down = of_part(entries, Lesson.Part.UP), of_part(entries, Lesson.Part.DOWN)
    return show(
        request,
        "education/home.html",
        {"up": up, "down": down, "lesson_count": len(up) + len(down)},
    )


@kept
def privacy(request: HttpRequest) -> HttpResponse:
    return show(request, "education/privacy.html", {})


@kept
def lessons(request: HttpRequest) -> HttpResponse:
    entries = outline()
    return show(
        request,
        "education/lessons.html",
        {part.value: of_part(entries, part) for part in Lesson.Part},
    )


@kept
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """One query; an address that the lesson once had leads to it."""
    try:
        reading = read(slug)
    except Lesson.DoesNotExist as error:
        moved = LessonRedirect.objects.filter(slug=slug, lesson__live=True).select_related("lesson").first()
        if moved is None:
            raise Http404 from error
        return redirect(moved.lesson, permanent=True)
    context: dict[str, Any] = {"reading": reading, "lesson": reading.lesson}
    if reading.clinic is not None:
        context["clinic"] = reading.clinic
    return show(request, "education/lesson.html", context)


@require_safe
@cache_control(public=True, max_age=PICTURE_SECONDS, immutable=True)
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture of a lesson. Its name changes with what it shows."""
    path = pictures.path_of(name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"))


@kept
def course(request: HttpRequest) -> HttpResponse:
    """Every lesson on one page, to read through or to print."""
    chapters = read_course()
    return show(request, "education/course.html", {"chapters": chapters})


@kept
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
    typed = request.GET.get("q", "")
    if typed and not may_search(request):
        again = {"results": {"query": clean(typed)}, "too_many": True}
        return limits.turned_away(show(request, "education/search.html", again), SEARCH_WINDOW)
    return show(request, "education/search.html", {"results": search_lessons(typed)})


def may_search(request: HttpRequest) -> bool:
    """Counts one search from this IP address: none costs as much of all that a visitor may ask."""
    return limits.allow(
        "search", limits.visitor_address(request), limit=SEARCHES_A_MINUTE, within=SEARCH_WINDOW
    )


def side_of(request: HttpRequest) -> str:
    """The leg that `?side=` names; anything else is the left one."""
    side = request.GET.get("side", "")
    return side if side in SIDES else SIDES[0]


@kept_by(side_of)
def chain(request: HttpRequest) -> HttpResponse:
    """The chain map of one leg."""
    return show(request, "education/chain.html", {"map": chain_map(side_of(request))})


@kept
def part(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        found = read_part(slug)
    except ChainNode.DoesNotExist as error:
        raise Http404 from error
    return show(request, "education/part.html", {"part": found})
