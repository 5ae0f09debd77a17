"""The health board: what needs an editor's hand in what readers see, each thing once, gone when it is mended.

It says what `manage.py check --database default` says, and what only time and the blocks of a text can tell.
"""

from dataclasses import dataclass
from typing import Final

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from education.catalog.health import Problem, problems
from education.catalog.load import read_tables
from education.chain.models import ChainLink, Source
from education.editor.warnings import Shelf, dead_links
from education.lessons.models import Lesson

# How a kind of the catalog is edited: the pages of its table, and the column that holds its name there.
EDITED: Final[dict[str, tuple[str, type[Model], str]]] = {
    "lesson": ("lesson", Lesson, "slug"),
    "link": ("chainlink", ChainLink, "slug"),
    "source": ("source", Source, "code"),
}


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing to mend. rule: overdue, or a `Problem`'s. url: where to mend it, empty where nobody can."""

    rule: str
    name: str
    url: str
    text: str


def board() -> list[Ailment]:
    """Everything to mend, overdue reviews first."""
    lessons = list(Lesson.objects.live())
    found = [
        Ailment("overdue", lesson.title, url_of("lesson", lesson.pk), told)
        for lesson in lessons
        if lesson.review_is_overdue
        and (told := _("Its review was due on %(day)s.") % {"day": lesson.next_review_on})
    ]
    counted = problems(read_tables())
    found += [ailment_of(problem) for problem in counted]
    named = {problem.entry for problem in counted if problem.rule == "dead-link"}
    shelf = Shelf.read()
    for lesson in lessons:
        if f"lesson {lesson.slug}" not in named:
            for dead in dict.fromkeys(dead_links(lesson, shelf)):
                text = _("Leads nowhere: %(link)s") % {"link": dead}
                found.append(Ailment("dead-link", lesson.title, url_of("lesson", lesson.pk), text))
    return found


def ailment_of(problem: Problem) -> Ailment:
    kind, _space, key = problem.entry.partition(" ")
    if kind not in EDITED:
        return Ailment(problem.rule, problem.entry, "", problem.message)
    _pages, model, column = EDITED[kind]
    row = model._default_manager.filter(**{column: key}).first()
    return Ailment(
        problem.rule, str(row or problem.entry), url_of(kind, row.pk) if row else "", problem.message
    )


def url_of(kind: str, key: int) -> str:
    return reverse(f"wagtailsnippets_education_{EDITED[kind][0]}:edit", args=[key])
