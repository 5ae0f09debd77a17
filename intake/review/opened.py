"""Counting the lessons that were opened from the thank-you page: how often, never by whom."""

from datetime import date, timedelta

from django.db.models import F
from django.utils import timezone

from intake.review.models import LessonOpening


def monday(day: date) -> date:
    """The day the week of `day` begins with."""
    return day - timedelta(days=day.weekday())


def count_opening(lesson: str) -> None:
    """One more for this week. lesson: the slug of a lesson there is."""
    this_week = LessonOpening.objects.filter(week=monday(timezone.localdate()), lesson=lesson)
    if this_week.update(number=F("number") + 1):
        return
    LessonOpening.objects.bulk_create(
        [LessonOpening(week=monday(timezone.localdate()), lesson=lesson)], ignore_conflicts=True
    )
    this_week.update(number=F("number") + 1)
