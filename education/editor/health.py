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
from education.editor.warnings import Readable, dead_links
from education.lessons.models import Lesson

# How a kind of the catalog is edited: the pages of its table, and the column that holds its name there.
EDITED: Final[dict[str, tuple[str, type[Model], str]]] = {
    "lesson": ("lesson", Lesson, "slug"),
    "link": ("chainlink", ChainLink, "slug"),
    "source": ("source", Source, "code"),
}

# The rows of each of these kinds by that column.
Rows = dict[str, dict[str, Model]]


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing to mend. rule: overdue, or a `Problem`'s. url: where to mend it, empty where nobody can."""

    rule: str
    name: str
    url: str
    text: str


def board() -> list[Ailment]:
    """Everything to mend, overdue reviews first. The number of queries does not grow with what is wrong."""
    rows: Rows = {
        kind: {getattr(row, column): row for row in model._default_manager.all()}
        for kind, (_pages, model, column) in EDITED.items()
    }
    lessons = list(Lesson.objects.live())
    found = [
        of_lesson("overdue", lesson, _("Its review was due on %(day)s.") % {"day": lesson.next_review_on})
        for lesson in lessons
        if lesson.review_is_overdue
    ]
    told = problems(read_tables())
    found += [of_problem(problem, rows) for problem in told]
    named = {problem.entry for problem in told if problem.rule == "dead-link"}
    readable = Readable.read()
    for lesson in lessons:
        if f"lesson {lesson.slug}" not in named:
            found += [
                of_lesson("dead-link", lesson, _("Leads nowhere: %(link)s") % {"link": dead})
                for dead in dict.fromkeys(dead_links(lesson, readable))
            ]
    return found


def of_lesson(rule: str, lesson: Lesson, text: str) -> Ailment:
    return Ailment(rule, lesson.title, url_of("lesson", lesson.pk), text)


def of_problem(problem: Problem, rows: Rows) -> Ailment:
    kind, _space, key = problem.entry.partition(" ")
    row = rows.get(kind, {}).get(key)
    if row is None:
        return Ailment(problem.rule, problem.entry, "", problem.message)
    return Ailment(problem.rule, str(row), url_of(kind, row.pk), problem.message)


def url_of(kind: str, key: int) -> str:
    return reverse(f"wagtailsnippets_education_{EDITED[kind][0]}:edit", args=[key])
