"""The health board: what needs an editor's hand among the lessons that readers see, each once."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from education.editor.warnings import Shelf, dead_links
from education.lessons.models import Lesson


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing to mend; kind: overdue, dead-link, orphan or unsourced."""

    kind: str
    key: int
    title: str
    text: str


def board() -> list[Ailment]:
    """Everything to mend, the most pressing kind first; gone once it is mended."""
    shelf = Shelf.read()
    lessons = list(Lesson.objects.live())
    sourced = set(Lesson.sources.through.objects.values_list("lesson_id", flat=True))
    found = [
        Ailment("overdue", lesson.pk, lesson.title, _("Its review was due on %s.") % lesson.next_review_on)
        for lesson in lessons
        if lesson.review_is_overdue
    ]
    for lesson in lessons:
        for dead in dict.fromkeys(dead_links(lesson, shelf)):
            found.append(Ailment("dead-link", lesson.pk, lesson.title, _("Leads nowhere: %s") % dead))
    found += [
        Ailment("orphan", lesson.pk, lesson.title, _("No other lesson links here."))
        for lesson in lessons
        if lesson.pk not in shelf.reached
    ]
    found += [
        Ailment("unsourced", lesson.pk, lesson.title, _("No source is listed."))
        for lesson in lessons
        if lesson.pk not in sourced
    ]
    return found
