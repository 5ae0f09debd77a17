"""`/learn/feed/`: the lessons for feed readers, as Atom."""

from datetime import UTC, date, datetime, time

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from education.clinic_info.addresses import absolute
from education.clinic_info.context import current_or_blank
from education.lessons.models import Lesson

KEPT_SECONDS = 3600


@require_safe
@cache_control(public=True, max_age=KEPT_SECONDS)
@conditional_page
def lessons(request: HttpRequest) -> HttpResponse:
    """Every live lesson, the one changed last first. Two queries."""
    feed = Atom1Feed(
        title=_("Lessons from %(clinic)s") % {"clinic": current_or_blank().name or _("the clinic")},
        link=absolute(reverse("education:lessons")),
        description=_("How foot and knee work together, in plain words."),
        feed_url=absolute(reverse("education:feed")),
        language="en-us",
    )
    found = Lesson.objects.live().select_related("author", "category")
    for lesson in sorted(found, key=lambda one: one.updated_on or one.published_on, reverse=True):
        address = absolute(lesson.get_absolute_url())
        feed.add_item(
            title=lesson.title,
            link=address,
            unique_id=address,
            description=lesson.summary,
            author_name=str(lesson.author) if lesson.author else None,
            categories=[lesson.category.name] if lesson.category else [],
            pubdate=_noon(lesson.published_on),
            updateddate=_noon(lesson.updated_on or lesson.published_on),
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _noon(day: date) -> datetime:
    """A moment that is this day nearly everywhere."""
    return datetime.combine(day, time(12), UTC)
