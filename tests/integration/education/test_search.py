"""Search over the lessons: what is found, what is forgiven, and what is shown of it."""

import re
from typing import Any

import pytest
from django.test import Client

from education.lessons.blocks import blocks_of_text
from education.lessons.models import Lesson
from education.lessons.search import CLOSE, LONGEST_QUERY, OPEN, Piece, clean, is_one_slip, pieces, search


def slugs(query: str) -> list[str]:
    return [hit.entry.slug for hit in search(query).hits]


def marked(query: str) -> set[str]:
    return {
        piece.text.lower()
        for hit in search(query).hits
        for piece in (*hit.title, *hit.passage)
        if piece.is_match
    }


def main(client: Client, query: str) -> str:
    response = client.get("/learn/search/", {"q": query})
    assert response.status_code == 200
    html = response.content.decode()
    return html[html.index("<main") : html.index("</main>")]


def test_words_are_found_in_all_their_forms(library: None) -> None:
    assert "flat-feet" in slugs("arch")
    assert slugs("arches") == slugs("arch")
    assert "heel" in marked("heels")
    assert slugs("shoe")[0] == "shoes-and-insoles"


def test_a_title_counts_more_than_a_word_in_the_text(library: None) -> None:
    assert slugs("high arches")[0] == "high-arches"
    assert slugs("stiff knee")[0] == "stiff-knee-walk"


def test_key_points_and_lead_are_searched(library: None) -> None:
    Lesson.objects.filter(slug="flat-feet").update(key_points=["A quokka hops."], lead="Wombats dig.")
    assert slugs("quokka") == ["flat-feet"]
    assert slugs("wombat") == ["flat-feet"]


def test_phrases_alternatives_and_exceptions_are_understood(library: None) -> None:
    assert set(slugs('"plantar fascia"')) < set(slugs("plantar OR fascia OR arch"))
    assert "flat-feet" in slugs("arch")
    assert "flat-feet" not in slugs("arch -spring")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pronatoin", "pronation"),
        ("arthritus", "arthritis"),
        ("plantr", "plantar"),
        ("fascitis", "fasciitis"),
        ("ankel", "ankle"),
        ("shose", "shoes"),
        ("kene", "knee"),
        ("foto", "foot"),
        ("stiars", "stairs"),
        ("wieght", "weight"),
        ("sqaut", "squat"),
        ("insoels", "insoles"),
        ("flat feat", "flat feet"),
    ],
)
def test_a_misspelled_word_finds_what_was_meant_and_says_so(
    library: None, client: Client, typed: str, meant: str
) -> None:
    results = search(typed)
    assert (results.query, results.instead) == (typed, meant)
    assert [hit.entry.slug for hit in results.hits] == slugs(meant)
    html = main(client, typed)
    assert f"Nothing found for <b>{typed}</b>. Here is what we have for <b>{meant}</b>." in html


def test_what_is_left_out_stays_left_out(library: None) -> None:
    Lesson.objects.update(summary="Knee and foot.")
    assert search("knee -foot").hits == ()
    assert search("wombat -foot").hits == ()
    Lesson.objects.filter(slug="flat-feet").update(
        title="Q", summary="A quokka hops.", lead="Q", body_text="", key_points=[]
    )
    Lesson.objects.filter(slug="rolling-in").update(lead="A quokka hops.")
    results = search("quoka -foot")
    assert [hit.entry.slug for hit in results.hits] == ["flat-feet"]
    assert results.instead == "quokka"
    assert "foot" not in marked("quoka zzzz -foot")


def test_a_word_that_nothing_is_like_is_not_dropped_in_silence(library: None, client: Client) -> None:
    results = search("heel zzzzzzzz")
    assert (results.instead, results.some_words) == ("heel", True)
    assert "No lesson has all of these words." in main(client, "heel zzzzzzzz")


@pytest.mark.parametrize(
    ("typed", "meant", "is_slip"),
    [
        ("knee", "knee", True),
        ("kne", "knee", True),
        ("kneee", "knee", True),
        ("knie", "knee", True),
        ("kene", "knee", True),
        ("nkee", "knee", True),
        ("kn", "knee", False),
        ("eenk", "knee", False),
        ("abc", "cba", False),
    ],
)
def test_one_slip(typed: str, meant: str, is_slip: bool) -> None:
    assert is_one_slip(typed, meant) == is_slip


def test_words_that_no_lesson_has_together_find_those_that_have_some(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="flat-feet").update(lead="Wombats dig.")
    Lesson.objects.filter(slug="rolling-in").update(lead="A quokka hops.")
    results = search("wombats quokka")
    assert results.some_words
    assert {hit.entry.slug for hit in results.hits} == {"flat-feet", "rolling-in"}
    assert "No lesson has all of these words." in main(client, "wombats quokka")


def test_drafts_are_not_found_and_lend_no_words(library: None) -> None:
    Lesson.objects.filter(slug="flat-feet").update(live=False, lead="A quokka hops.")
    assert "flat-feet" not in slugs("arch")
    assert slugs("quoka") == []


def test_the_page_marks_what_was_found(library: None, client: Client) -> None:
    html = main(client, "heel")
    assert "<mark>heel</mark>" in html or "<mark>Heel</mark>" in html
    assert f"{len(slugs('heel'))} lessons for <b>heel</b>" in html
    assert 'value="heel"' in html
    assert "##" not in html
    assert re.search(r'<a href="/learn/[-\w]+/">', html)


def test_markup_is_text_in_the_question_and_in_the_answer(library: None, client: Client) -> None:
    lesson = Lesson.objects.get(slug="flat-feet")
    lesson.title = "Quokka <b>facts</b>"
    lesson.body = blocks_of_text("A quokka <script>alert(1)</script> <mark>hops</mark> & hops.")
    lesson.save()
    html = main(client, "quokka")
    assert "<mark>Quokka</mark> &lt;b&gt;facts&lt;/b&gt;" in html
    assert "<mark>quokka</mark>" in html
    assert "<script>" not in html
    html = main(client, '"><script>alert(1)</script>')
    assert "<script>" not in html
    assert "&quot;&gt;&lt;script&gt;" in html


@pytest.mark.parametrize(
    "query",
    [
        "the",
        "zzzz",
        "!!! & | :* <-> ( ) '",
        "'; drop table education_lesson; --",
        "a\x00b",
        "\x00",
        "x" * 5_000,
        "knee " * 1_000,
        "\u202e\u200b",
        "\ud7ff \ue000 \ue001",
        "\U0001f9b6",
        "%00",
        "膝",
        "-",
        '"',
        "OR OR -",
    ],
)
def test_nothing_typed_breaks_it(library: None, client: Client, query: str) -> None:
    html = main(client, query)
    assert html.count("<h1") == 1
    assert len(search(query).query) <= LONGEST_QUERY


def test_finding_nothing_leads_on(library: None, client: Client) -> None:
    html = main(client, "zzzz")
    assert "Nothing found for <b>zzzz</b>." in html
    assert '<a class="c-btn c-btn-2" href="/learn/">See all lessons</a>' in html


@pytest.mark.parametrize("address", ["/learn/search/", "/learn/search/?q=", "/learn/search/?q=%20%20"])
def test_asking_nothing_is_no_error(library: None, client: Client, address: str) -> None:
    html = client.get(address).content.decode()
    assert "Nothing found" not in html
    assert "Type a word" in html


def test_what_people_look_for_stays_with_them(library: None, client: Client) -> None:
    response = client.get("/learn/search/", {"q": "heel"})
    assert response.headers["Cache-Control"] == "private, no-store"
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert not response.cookies
    assert client.post("/learn/search/", {"q": "heel"}).status_code == 405


def test_the_list_of_lessons_has_the_form(library: None, client: Client) -> None:
    html = client.get("/learn/").content.decode()
    assert '<form class="c-search" role="search" action="/learn/search/">' in html
    assert '<label class="u-vh" for="q">Search lessons</label>' in html


def test_a_good_question_costs_one_query_beside_the_clinic_and_the_limit(
    library: None, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        client.get("/learn/search/", {"q": "heel"})
    with django_assert_max_num_queries(6):
        client.get("/learn/search/", {"q": "wombt quoka heel"})


def test_cleaning_keeps_one_printable_line() -> None:
    assert clean("  heel\n\tpain\x00 ") == "heel pain"
    assert len(clean("x" * 5_000)) == LONGEST_QUERY


def test_marks_become_pieces() -> None:
    assert pieces(f"The {OPEN}heel{CLOSE} hurts. More") == (
        Piece("The ", False),
        Piece("heel", True),
        Piece(" hurts. More", False),
    )
    assert pieces("") == ()
