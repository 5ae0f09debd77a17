"""Public pages. They read no cookie and set none, so that any cache may keep them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from education.chain.models import ChainNode
from education.lessons.chain_map import SIDES, chain_map
from education.lessons.chain_map import part as read_part
from education.lessons.models import Lesson
from education.lessons.reading import of_part, outline, read


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    entries = outline()
    up, down = of_part(entries, Lesson.Part.UP), of_part(entries, Lesson.Part.DOWN)
    return render(
        request,
        "education/home.html",
        {"up": up, "down": down, "lesson_count": len(up) + len(down)},
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "education/privacy.html")


@require_safe
def lessons(request: HttpRequest) -> HttpResponse:
    entries = outline()
    return render(
        request,
        "education/lessons.html",
        {part.value: of_part(entries, part) for part in Lesson.Part},
    )


@require_safe
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        reading = read(slug)
    except Lesson.DoesNotExist as error:
        raise Http404 from error
    return render(request, "education/lesson.html", {"reading": reading, "lesson": reading.lesson})


@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """The chain map of the leg that `?side=` names; anything else is the left one."""
    side = request.GET.get("side", "")
    return render(request, "education/chain.html", {"map": chain_map(side if side in SIDES else SIDES[0])})


@require_safe
def part(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        found = read_part(slug)
    except ChainNode.DoesNotExist as error:
        raise Http404 from error
    return render(request, "education/part.html", {"part": found})
