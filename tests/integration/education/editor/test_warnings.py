"""Before publishing, and the health board: each thing once, gone when it is mended."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from education.editor.health import board
from education.editor.warnings import warnings_of
from education.models import ChainLink, Lesson, Source
from tests.integration.education.editor.conftest import Person


def codes(lesson: Lesson) -> list[str]:
    return [warning.code for warning in warnings_of(lesson)]


def text(html: str) -> list[dict[str, Any]]:
    return [{"type": "text", "value": html}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (
            {"summary": "Biomechanical compensatory mechanisms necessitate comprehensive evaluation."},
            "grade",
        ),
        ({"summary": "A low arch causes pain."}, "certainty"),
        ({"body": [{"type": "heading", "value": {"text": "Deep", "level": "3"}}]}, "heading"),
        (
            {
                "body": [
                    {
                        "type": "drawing",
                        "value": {"drawing": "chain", "alt": "", "decorative": False, "caption": ""},
                    }
                ]
            },
            "alt",
        ),
        ({"body": text('<p><a href="/learn/gone/">There</a></p>')}, "dead-link"),
        ({"body": text('<p><a href="/nowhere/">There</a></p>')}, "dead-link"),
        ({"body": text('<p><a href="http://127.0.0.1:8000/learn/gone/">There</a></p>')}, "dead-link"),
        ({"body": text('<p><a href="http://127.0.0.1:8000/learn/flat-feet/#check">There</a></p>')}, None),
        ({"body": text('<p><a href="/evaluation/ask/">There</a></p>')}, None),
        ({"body": [{"type": "lesson", "value": 0}]}, None),
        ({"body": text('<p><a href="https://example.org/">There</a></p>')}, "outside"),
        ({"next_review_on": timezone.localdate() - timedelta(days=1)}, "review"),
    ],
)
def test_a_draft_is_warned_about(lesson: Lesson, changes: dict[str, Any], code: str | None) -> None:
    assert codes(lesson) == ["unreachable"]
    for name, value in changes.items():
        setattr(lesson, name, value)
    assert set(codes(lesson)) == {"unreachable", *([code] if code else [])}


def test_the_shipped_lessons_are_in_order(lesson: Lesson) -> None:
    found = {row.slug: codes(row) for row in Lesson.objects.exclude(pk=lesson.pk)}
    assert {slug: what for slug, what in found.items() if what} == {}


def test_the_form_shows_the_warnings(sam: Person, lesson: Lesson) -> None:
    page = sam.opens("edit", lesson.pk)
    assert 'data-warning="unreachable"' in page.text


def test_the_board_names_each_thing_once_and_forgets_it_when_mended(sam: Person, lesson: Lesson) -> None:
    lesson.next_review_on = timezone.localdate() - timedelta(days=1)
    lesson.body = text('<p><a href="/learn/gone/">a</a> <a href="/learn/gone/">b</a></p>')
    lesson.sources.clear()
    lesson.save()
    assert [entry.rule for entry in board()] == ["overdue", "orphan", "dead-link", "no-source"]
    page = sam.client.get(reverse("education_editor:health"))
    assert page.text.count("data-ailment=") == 4
    link = ChainLink.objects.get(slug="arch-high--knee")
    link.sources.clear()
    link.save()
    assert [entry.name for entry in board() if entry.rule == "no-source"] == [str(lesson), str(link)]
    link.sources.set(Source.objects.exclude(url="")[:1])
    link.save()

    lesson.next_review_on = None
    lesson.body = text('<p><a href="/learn/flat-feet/">a</a></p>')
    lesson.sources.set(Lesson.objects.get(slug="flat-feet").sources.all())
    lesson.save()
    other = Lesson.objects.get(slug="flat-feet")
    other.related.add(lesson)
    other.save()
    assert board() == []
    assert "Nothing to mend." in sam.client.get(reverse("education_editor:health")).text
