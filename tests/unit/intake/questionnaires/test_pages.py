"""Which page and which items a patient meets, depending on the answers so far."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from intake.questionnaires.definition import read_definition
from intake.questionnaires.pages import enabled, pages
from intake.responses.answers import read_answers
from tests.unit.intake.answer_makers import answer_sets
from tests.unit.intake.shipped import definition


def test_one_page_for_each_top_level_group() -> None:
    slugs = [page.slug for page in pages(definition())]
    assert slugs == ["about", "safety", "health", "where", "pain", "knee", "foot", "walk", "try", "life"]
    assert pages(definition())[1].link_id == "page.safety"
    assert pages(definition())[1].title == definition().item("page.safety").text


def chain(*links: tuple[str, str | None, Any]) -> Any:
    """Yes/no questions, each shown when another is yes; a third part holds its children."""
    items = []
    for link_id, question, children in links:
        item: dict[str, Any] = {"linkId": link_id, "type": "boolean"}
        if question:
            item["enableWhen"] = [{"question": question, "operator": "=", "answerBoolean": True}]
        if children:
            item["type"] = "group"
            item["item"] = children
        items.append(item)
    return read_definition({"resourceType": "Questionnaire", "url": "urn:x", "item": items})


def test_an_answer_of_a_disabled_question_does_not_count() -> None:
    form = chain(("c", "b", None), ("b", "a", None), ("a", None, None))
    everything = {"a": (True,), "b": (True,), "c": (True,)}
    assert enabled(form, everything) == {"a", "b", "c"}
    assert enabled(form, {**everything, "a": (False,)}) == {"a"}


def test_a_disabled_group_disables_what_is_in_it() -> None:
    inner = [{"linkId": "q", "type": "boolean"}]
    form = chain(("a", None, None), ("g", "a", inner), ("z", "q", None))
    assert enabled(form, {"q": (True,)}) == {"a"}
    assert enabled(form, {"a": (True,), "q": (True,)}) == {"a", "g", "q", "z"}


def test_the_knee_page_opens_for_the_side_that_hurts() -> None:
    on = enabled(definition(), {"pain.regions.left": ("knee-front",)})
    assert "knee.events.left" in on
    assert "knee.events.right" not in on
    assert "knee.history.right" in on


def test_display_texts_follow_conditions_too() -> None:
    assert "about.under-16" in enabled(definition(), {"about.age": (15,)})
    assert "about.under-16" not in enabled(definition(), {"about.age": (16,)})
    assert "about.under-16" not in enabled(definition(), {})


@given(answer_sets(definition()))
def test_a_child_is_never_enabled_without_its_parent(answers: dict[str, Any]) -> None:
    on = enabled(definition(), read_answers(answers))
    for link_id in on:
        parent = definition().parent(link_id)
        assert parent is None or parent.link_id in on
