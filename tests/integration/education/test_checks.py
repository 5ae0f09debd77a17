"""`manage.py check` finds what is wrong with the library as a whole, and names it."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection

from education import checks
from education.catalog.health import map_problems, problems
from education.catalog.load import read_catalog, read_tables
from education.chain.models import ChainLink
from education.lessons.blocks import blocks_of_text
from education.lessons.models import Lesson


def shelf() -> dict[str, Any]:
    return read_catalog()


def found(changed: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.rule, problem.entry) for problem in problems(changed)]


def test_the_shipped_library_is_sound() -> None:
    assert problems(shelf()) == []
    assert map_problems(shelf()) == []
    assert checks.shipped(None) == []


def test_a_lesson_nothing_leads_to_is_an_orphan() -> None:
    changed = shelf()
    for slug, lesson in changed["lesson"].items():
        lesson["related"] = [other for other in lesson["related"] if other != "high-arches" or slug == other]
    changed["lesson"]["high-arches"]["related"].append("high-arches")
    assert found(changed) == [("orphan", "lesson high-arches")]


@pytest.mark.parametrize(
    ("kind", "key", "name", "value"),
    [
        ("lesson", "flat-feet", "related", ["rolling-in", "gone"]),
        ("lesson", "flat-feet", "links", ["gone"]),
        ("lesson", "flat-feet", "sources", ["S10", "gone"]),
        ("lesson", "flat-feet", "body", "Read /learn/gone/ or /learn/course/ or /learn/high-arches/."),
        ("link", "arch-high--knee", "lesson", "gone"),
        ("link", "arch-high--knee", "lesson", None),
        ("link", "arch-high--knee", "to", "elbow"),
    ],
)
def test_what_leads_nowhere_is_named(kind: str, key: str, name: str, value: Any) -> None:
    changed = shelf()
    changed[kind][key][name] = value
    assert ("dead-link", f"{kind} {key}") in found(changed)


@pytest.mark.parametrize(("kind", "key"), [("lesson", "flat-feet"), ("link", "arch-high--knee")])
def test_a_claim_needs_a_source(kind: str, key: str) -> None:
    changed = shelf()
    changed[kind][key]["sources"] = []
    assert found(changed) == [("no-source", f"{kind} {key}")]


def test_words_on_the_map_need_a_link() -> None:
    changed = shelf()
    del changed["link"]["arch-high--knee"], changed["node"]["forefoot"]
    assert [problem.entry for problem in map_problems(changed)] == ["link arch-high--knee", "node forefoot"]


def test_what_editors_keep_is_looked_at_too(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.stored(None, databases=["default"]) == []
    assert set(read_tables()["lesson"]) == set(shelf()["lesson"])
    link = ChainLink.objects.get(slug="arch-high--knee")
    link.sources.clear()
    link.save()
    Lesson.objects.filter(slug="rolling-out").update(body=blocks_of_text("More at /learn/gone/."))
    messages = [message.msg for message in checks.stored(None, databases=["default"])]
    assert messages == [
        "lesson rolling-out: its text leads to /learn/gone/, which is no page",
        "link arch-high--knee: names no source",
    ]
    call_command("check", databases=["default"])
    assert "link arch-high--knee: names no source" in capsys.readouterr().err


def test_before_the_tables_are_made_there_is_nothing_to_say(db: None) -> None:
    def refuse(*args: Any) -> None:
        raise ProgrammingError('relation "education_lesson" does not exist')

    with connection.execute_wrapper(refuse):
        assert checks.stored(None, databases=["default"]) == []


def test_no_database_is_asked_unless_named() -> None:
    assert checks.stored(None) == []


def test_a_draft_leads_nobody_anywhere(library: None) -> None:
    before = {problem.entry for problem in problems(read_tables())}
    assert before == set()
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    rules = {(problem.rule, problem.entry) for problem in problems(read_tables())}
    assert ("dead-link", "link arch-low--knee-inner") in rules
