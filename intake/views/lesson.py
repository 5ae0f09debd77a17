"""From the thank-you page to a lesson, and the lessons that a physio shared."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from education.lessons.models import Lesson
from intake import audit
from intake.patients import links
from intake.review.opened import count_opening
from intake.review.sharing import shared_lessons
from intake.views.form import see_other
from intake.views.visit import Visit, lessons_page


@require_POST
def open_lesson(request: HttpRequest) -> HttpResponse:
    """Counts that the lesson was opened and leads to it.

    Which one stands in the body, so no log of addresses tells what a patient was offered. Once her session is
    over it leads on all the same and counts nothing.
    """
    slug = request.POST.get("lesson", "").replace("\x00", "")
    if not Lesson.objects.live().filter(slug=slug).exists():
        raise Http404
    if has_sent(request):
        count_opening(slug)
    return see_other("education:lesson", slug)


@require_safe
@lessons_page
def shared(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Titles and leads. Never a finding, nor why a lesson was picked."""
    context = {"visit": visit, "shared": shared_lessons(visit.evaluation)}
    return render(request, "intake/lessons.html", context)


def has_sent(request: HttpRequest) -> bool:
    """Whether this browser has a patient's session whose form was sent."""
    with audit.covered():
        session = links.find_session(request.COOKIES.get(settings.PATIENT_COOKIE_NAME, ""))
        return session is not None and Visit(session).is_sent
