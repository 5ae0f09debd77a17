"""Every lesson of the catalog as its page shows it: what each must have, and what none may say."""

import re
from functools import cache
from typing import Any

import pytest
from django.test import Client

from education.lessons.models import Author, Lesson
from tests.catalog.page import Element, Page
from tests.catalog.test_lessons import CHAIN, LESSONS, LINKS

pytestmark = pytest.mark.django_db

ORDER = list(LESSONS)
OPENED = {source["id"]: source["url"] for source in CHAIN["sources"] if source["url"]}
every_lesson = pytest.mark.parametrize("slug", LESSONS)


@cache
def page_of(slug: str) -> Page:
    """As it is in the ready database; drawn once for all that is asked of it."""
    response = Client().get(f"/learn/{slug}/")
    assert response.status_code == 200
    return Page(response.content.decode())


def links_of(page: Page, **attributes: str) -> list[Element]:
    return [
        one
        for one in page.elements
        if one.tag == "a" and all(one.attributes.get(name) == value for name, value in attributes.items())
    ]


def lesson_links_between(page: Page, start: str, end: str) -> list[str]:
    """Lessons that the links between two headings lead to."""
    found: list[str] = []
    inside = False
    for element in page.elements:
        if re.fullmatch("h[1-6]", element.tag):
            inside = element.text == start if not inside else element.text != end and element.text == start
        elif inside and element.tag == "a":
            found.append(element.attributes["href"].strip("/").split("/")[-1])
    return found


@every_lesson
def test_a_lesson_has_its_parts_in_their_order(slug: str) -> None:
    page, lesson = page_of(slug), LESSONS[slug]
    assert page.headings("h1") == [lesson["title"]]
    assert page.title.startswith(f"{lesson['title']} - ")
    own = [text.removeprefix("## ") for text in lesson["body"].split("\n\n") if text.startswith("## ")]
    wanted = [
        *own,
        "Key points",
        "Step by step",
        "Check yourself",
        "Where this comes from",
        "Related lessons",
    ]
    seen = [text for text in page.headings("h2") if text in wanted]
    assert seen == wanted
    assert page.headings("h2")[-2:] == ["Find where it starts", "Lessons by e-mail"]
    assert "Stop and ask us if anything you try here hurts." in page.text


@every_lesson
def test_a_lesson_shows_its_words(slug: str) -> None:
    page, lesson = page_of(slug), LESSONS[slug]
    assert lesson["lead"] in page.text
    for text in (lesson["summary"], *lesson["body"].split("\n\n"), *lesson["keyPoints"]):
        assert " ".join(text.removeprefix("## ").split()) in page.text


@every_lesson
def test_a_lesson_has_a_drawing_of_its_path_with_words_beside_it(slug: str) -> None:
    page, lesson = page_of(slug), LESSONS[slug]
    figure = next(place for place, one in enumerate(page.elements) if one.tag == "figure")
    drawing = next(place for place, one in enumerate(page.elements) if place > figure and one.tag == "svg")
    caption = next(place for place, one in enumerate(page.elements) if one.tag == "figcaption")
    assert figure < drawing < caption
    # Who does not see the drawing reads the same beside it.
    assert page.elements[drawing].attributes["aria-hidden"] == "true"
    assert page.elements[caption].text == f"The path {lesson['path']}"
    assert lesson["path"]


@every_lesson
def test_a_self_check_asks_and_answers(slug: str) -> None:
    page = page_of(slug)
    questions = LESSONS[slug]["selfCheck"]
    assert len(questions) >= 2
    for check in questions:
        assert page.has("summary", f"Show the answer: {check['question']}")
        assert f"{check['options'][check['answer']]}. {check['why']}" in page.text
        for option in check["options"]:
            assert page.has("li", option)


@every_lesson
def test_a_lesson_says_when_and_how_long(slug: str) -> None:
    page = page_of(slug)
    times = [one.attributes["datetime"] for one in page.elements if one.tag == "time"]
    lesson = Lesson.objects.get(slug=slug)
    assert lesson.next_review_on is not None
    # A lesson that the clinic had not written before is published when it is first loaded.
    published = LESSONS[slug].get("published", lesson.published_on.isoformat())
    assert times == [published, lesson.next_review_on.isoformat()]
    assert re.search(r"Next review \w+ \d+, \d{4} Health [2-5] minute read", page.text)
    assert ("Health", "/learn/category/health/") in page.links


@every_lesson
def test_a_lesson_without_an_author_names_none(slug: str) -> None:
    assert "By " not in page_of(slug).text.partition("Published")[0]


def test_an_author_is_named_with_the_credentials() -> None:
    Lesson.objects.update(author=Author.objects.create(name="Maya Ortiz", credentials="DPT"))
    page = Page(Client().get("/learn/rolling-in/").content.decode())
    assert "By Maya Ortiz, DPT Published" in page.text


@every_lesson
def test_a_lesson_leads_to_the_one_before_and_the_one_after(slug: str) -> None:
    page, place = page_of(slug), ORDER.index(slug)
    for rel, other in (("prev", place - 1), ("next", place + 1)):
        expected = [f"/learn/{ORDER[other]}/"] if 0 <= other < len(ORDER) else []
        assert [one.attributes["href"] for one in links_of(page, rel=rel)] == expected


@every_lesson
def test_a_lesson_leads_to_its_related_ones_and_to_sources_one_can_open(slug: str) -> None:
    page, lesson = page_of(slug), LESSONS[slug]
    assert sorted(lesson_links_between(page, "Related lessons", "Find where it starts")) == sorted(
        lesson["related"]
    )
    opened = [one.attributes["href"] for one in links_of(page, rel="external noopener noreferrer")]
    assert sorted(opened) == sorted({OPENED[code] for code in lesson["sources"] if code in OPENED})
    assert opened


@every_lesson
def test_every_link_a_lesson_teaches_says_how_sure_we_are(slug: str) -> None:
    page = page_of(slug)
    steps = [
        one for one in page.elements if one.tag == "li" and one.attributes.get("id") in LESSONS[slug]["links"]
    ]
    assert sorted(one.attributes["id"] for one in steps) == sorted(LESSONS[slug]["links"])
    for step in steps:
        assert re.search(
            r"How sure we are: (well shown|fairly well shown|only a few studies|studies disagree|reasoning)",
            step.text,
        )


@every_lesson
def test_what_stands_around_a_body_is_not_certain_and_promises_nothing(slug: str) -> None:
    """The body is judged by test_lessons.py. Of a self-check only the answer is what we say."""
    lesson = LESSONS[slug]
    texts = [lesson["title"], lesson["lead"], lesson["summary"], lesson["path"], *lesson["keyPoints"]]
    texts += [
        words for check in lesson["selfCheck"] for words in (check["options"][check["answer"]], check["why"])
    ]
    texts += [LINKS[link]["mechanismPlain"] for link in lesson["links"]]
    page = page_of(slug)
    for text in texts:
        assert " ".join(text.split()) in page.text
        said = re.sub(r"other causes|not a cure", "", text)
        assert not re.search(r"\b(caus(e|es|ed|ing)|cur(e|es|ed)|guarantee|will fix|diagnos)", said), text


def test_every_lesson_has_all_of_it_in_the_course_too() -> None:
    page = Page(Client().get("/learn/course/").content.decode())
    place = 0
    for lesson in LESSONS.values():
        for text in (lesson["title"], lesson["summary"], *lesson["keyPoints"]):
            found = page.text.find(" ".join(text.split()), place)
            assert found >= 0, f"{lesson['slug']}: {text}"
            place = found


def test_no_lesson_is_a_dead_end(client: Any) -> None:
    """From any lesson, a click leads to another; and from the first, to every one."""
    reached, waiting = set(), ["one-connected-chain"]
    while waiting:
        slug = waiting.pop()
        if slug in reached:
            continue
        reached.add(slug)
        waiting += LESSONS[slug]["related"]
    assert reached == set(LESSONS)
