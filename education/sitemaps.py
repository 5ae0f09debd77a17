"""What search engines may list: `/sitemap.xml` and `/robots.txt`."""

from datetime import date
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from education.chain.models import ChainLink
from education.clinic_info.addresses import absolute
from education.lessons.models import Category, Lesson

KEPT_SECONDS = 3600
# Forms and staff pages are nobody's to list; a page of results repeats the lessons.
CLOSED: Final = ("/intake/", "/staff/", "/editor/", "/learn/search/")


@require_safe
@cache_control(public=True, max_age=KEPT_SECONDS)
@conditional_page
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every public page with the day it last changed where that is known. Three queries."""
    pages: list[tuple[str, date | None]] = [
        (reverse(f"education:{name}"), None) for name in ("home", "lessons", "course", "chain", "privacy")
    ]
    pages += [
        (lesson.get_absolute_url(), lesson.updated_on or lesson.published_on)
        for lesson in Lesson.objects.live().only("slug", "published_on", "updated_on")
    ]
    pages += [
        (reverse("education:category", kwargs={"slug": slug}), None)
        for slug in Category.objects.filter(lessons__live=True)
        .distinct()
        .order_by("slug")
        .values_list("slug", flat=True)
    ]
    ends = ChainLink.objects.filter(lesson__live=True).values_list("from_node__slug", "to_node__slug")
    pages += [
        (reverse("education:part", kwargs={"slug": slug}), None)
        for slug in sorted({slug for both in ends for slug in both})
    ]
    entries = [{"address": absolute(path), "changed": day} for path, day in pages]
    return render(request, "education/sitemap.xml", {"entries": entries}, content_type="application/xml")


@require_safe
@cache_control(public=True, max_age=KEPT_SECONDS)
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    lines += ["", f"Sitemap: {absolute(reverse('education:sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type=f"text/plain; charset={settings.DEFAULT_CHARSET}")
