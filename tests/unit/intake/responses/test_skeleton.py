"""Pages filled from pieces are the pages that crispy draws, whatever was answered."""

from __future__ import annotations

from html.parser import HTMLParser
from random import Random
from typing import Any

import pytest
from django.http import QueryDict
from django.utils.translation import override

from intake.conditions import Answers
from intake.questionnaires.definition import read_definition
from intake.questionnaires.pages import pages
from intake.responses import skeleton
from intake.responses.answers import read_answers
from intake.responses.forms import PageForm, page_form
from tests.unit.intake.answer_makers import random_answers
from tests.unit.intake.responses.browserless import asked
from tests.unit.intake.shipped import definition

FILLS = [3, pytest.param(200, marks=pytest.mark.deep)]
PAGES = [page.slug for page in pages(definition())]
TRICKY = ' checked" value="x" <b>&amp; \ue000 '


class Tree(HTMLParser):
    """What a browser would make of a text: elements with their attributes, and words, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.events: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.events.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.events.append(data)


def slug_of(link_id: str) -> str:
    return definition().page_of(link_id).link_id.removeprefix("page.")


def same(form: PageForm) -> None:
    assert Tree(skeleton.draw(form)).events == Tree(skeleton.draw_anew(form)).events


def drawings_of_crispy(form: PageForm, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often crispy is asked while this page is drawn."""
    asked_for: list[object] = []
    reference = skeleton.draw_anew
    monkeypatch.setattr(skeleton, "draw_anew", lambda one: asked_for.append(one) or reference(one))
    skeleton.draw(form)
    return len(asked_for)


@pytest.mark.parametrize("slug", PAGES)
@pytest.mark.parametrize("fills", FILLS)
def test_stored_answers_stand_where_crispy_puts_them(slug: str, fills: int) -> None:
    for seed in range(fills):
        answers = read_answers(random_answers(definition(), Random(seed)))
        same(asked(slug, answers, as_list=seed % 3 == 2))


@pytest.mark.parametrize("slug", PAGES)
@pytest.mark.parametrize("fills", FILLS)
def test_so_does_what_was_sent(slug: str, fills: int) -> None:
    for seed in range(fills):
        random = Random(seed)
        sent = QueryDict(mutable=True)
        for link_id, given in random_answers(definition(), random).items():
            values = given if isinstance(given, list) else [given]
            sent.setlist(link_id, [random.choice([str(v).lower(), str(v), TRICKY]) for v in values])
        same(asked(slug, read_answers(random_answers(definition(), random)), data=sent))


def test_words_of_a_patient_stay_words() -> None:
    form = asked(slug_of("why.story"), {"why.story": (TRICKY,)})
    same(form)
    assert "<b>" not in skeleton.draw(form)


def test_two_patients_who_are_asked_the_same_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both_knees: Answers = {"pain.regions.left": ("knee-front",), "pain.regions.right": ("knee-back",)}
    first = asked("knee", {**both_knees, "knee.history.left": ("arthritis",)})
    second = asked("knee", {**both_knees, "knee.history.right": ("old-injury",)})
    skeleton.draw(first)

    assert skeleton.draw(second) != skeleton.draw(first)
    assert drawings_of_crispy(second, monkeypatch) == 0


def test_a_page_with_an_error_is_drawn_by_crispy(monkeypatch: pytest.MonkeyPatch) -> None:
    form = asked("safety", data=QueryDict("safety.injury.left=perhaps"))
    assert form.error_entries
    assert drawings_of_crispy(form, monkeypatch) == 1


def test_another_language_and_another_version_have_pieces_of_their_own() -> None:
    slug = "safety"
    same(asked(slug))
    with override("es"):
        same(asked(slug))
    data: dict[str, Any] = {
        "resourceType": "Questionnaire",
        "url": "https://clinic.example/q",
        "version": "9",
        "title": "Another",
        "status": "active",
        "item": [
            {
                "linkId": "page.safety",
                "text": "Other words",
                "type": "group",
                "item": [
                    {
                        "linkId": "drink",
                        "text": "What do you drink?",
                        "type": "open-choice",
                        "answerOption": [
                            {"valueCoding": {"code": "tea", "display": "Tea"}},
                            {"valueCoding": {"code": "milk", "display": "Milk"}},
                        ],
                    },
                    {"linkId": "since", "text": "Since when?", "type": "date", "readOnly": True},
                ],
            }
        ],
    }
    for read_only in (True, False):
        data["item"][0]["item"][1]["readOnly"] = read_only
        other = read_definition(data)
        page = pages(other)[0]
        for answers in ({}, {"drink": ("milk",)}, {"drink": (TRICKY,), "since": ("2020-01-01",)}):
            same(page_form(other, page, answers))
