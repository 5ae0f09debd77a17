"""What a reader sees on the public pages, who need no cookie and tell nobody."""

import datetime
import itertools
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.template import Context, Template
from django.test import Client, RequestFactory

from clinic.middleware import REQUEST_ID
from education.clinic_info import context
from education.edition.models import EDITION, Edition
from education.lessons.blocks import blocks_of_text
from education.models import Author, ChainLink, ClinicInfo, Lesson, Source

PAGES = ["/", "/learn/", "/learn/flat-feet/", "/learn/two-stories/"]


class Page(HTMLParser):
    """A page as a reader meets it: its text, its links by their words, its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: dict[str, str] = {}
        self.headings: list[tuple[str, str]] = []
        self.fetched: list[str] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in ("a", "h1", "h2", "h3"):
            self._open.append((tag, attributes, []))
        told = attributes.get("rel") in ("canonical", "alternate")
        source = attributes.get("src") or (attributes.get("href") if tag == "link" and not told else None)
        if source and not source.startswith("data:"):
            self.fetched.append(source)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _, attributes, words = self._open.pop()
            text = " ".join(" ".join(words).split())
            if tag == "a":
                self.links[text] = attributes.get("href") or ""
            else:
                self.headings.append((tag, text))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        for _, _, words in self._open:
            words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def see(client: Client, address: str) -> Page:
    """What stands between the header and the footer."""
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    return Page(html[html.index("<main") : html.index("</main>")])


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_drawn_with_two_queries_at_most_and_found_with_none(
    library: None, client: Client, django_assert_max_num_queries: Any, address: str
) -> None:
    """One more each time asks for the edition."""
    with django_assert_max_num_queries(3):
        drawn = client.get(address)
    with django_assert_max_num_queries(1):
        found = client.get(address)
    assert found.content == drawn.content
    assert {**found.headers, REQUEST_ID: ""} == {**drawn.headers, REQUEST_ID: ""}


@pytest.mark.parametrize("address", PAGES)
def test_a_reader_gets_no_cookie_and_no_form_token(library: None, client: Client, address: str) -> None:
    response = client.get(address)
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")
    assert "csrfmiddlewaretoken" not in response.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asks_no_other_host(library: None, client: Client, address: str) -> None:
    fetched = Page(client.get(address).content.decode()).fetched
    assert fetched
    assert all(source.startswith("/") and not source.startswith("//") for source in fetched)


@pytest.mark.parametrize("address", PAGES)
def test_reading_is_all_one_can_do(library: None, client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
    assert client.head(address).status_code == 200


def test_the_home_page_promises_and_leads_both_ways(library: None, client: Client) -> None:
    page = see(client, "/")
    assert ("h1", "It hurts here. It may start there.") in page.headings
    headings = [text for _, text in page.headings]
    assert headings.index("From foot to knee") < headings.index("From knee to foot")
    assert "Do not wait for a visit if" in headings
    assert "call 911" in page.text
    up = page.links["1 Feet come first How you land shapes the knee above."]
    assert up == "/learn/feet-as-foundation/"
    assert "/learn/weak-thighs-busy-feet/" in page.links.values()
    assert page.links["Call (310) 555-0142"] == "tel:+13105550142"
    assert "Two directions. 9 short lessons." in page.text
    assert "Torrance, California" in page.text


def test_the_list_shows_every_lesson_in_its_part(library: None, client: Client) -> None:
    page = see(client, "/learn/")
    reading_order = [lesson.get_absolute_url() for lesson in Lesson.objects.live()]
    apart = ("/learn/", "/learn/course/")
    listed = [href for href in page.links.values() if href.startswith("/learn/") and href not in apart]
    assert listed == reading_order
    assert len(listed) == 18
    headings = [text for _, text in page.headings]
    for part in ("Foot to knee", "Knee to foot", "Both ways", "What helps", "Before your visit"):
        assert part in headings


def test_a_lesson_reads_from_title_to_sources(library: None, client: Client) -> None:
    page = see(client, "/learn/flat-feet/")
    assert [text for tag, text in page.headings if tag == "h1"] == ["Flat feet and sinking arches"]
    order = [
        "Foot to knee",
        "Flat feet and sinking arches",
        "Less spring below, more work above.",
        "Published May 22, 2025",
        "3 minute read",
        "Arch sinks, foot rolls in",
        "A flat foot has a low arch when you stand.",
        "From a low arch up to the knee",
        "What you may notice",
        "How sure we are, and when not to wait",
        "Do not wait for your visit if an arch gets flatter",
        "Key points",
        "A new flat foot needs an early check.",
        "Check yourself",
        "Your arch got flatter this year. What should you do?",
        "Tell your physio soon. A tendon at the inner ankle may need a check.",
        "Stop and ask us",
        "Where this comes from",
    ]
    places = [page.text.find(words) for words in order]
    assert -1 not in places, order[places.index(-1)]
    assert places[1:] == sorted(places[1:])
    assert page.links["Previous When the foot stays on its outer side"] == "/learn/rolling-out/"
    assert page.links["Next High arches"] == "/learn/high-arches/"
    assert page.links["Two stories of one chain"] == "/learn/two-stories/"
    assert page.links["Gross 2011, Framingham: planus foot and knee"].startswith("https://")


def test_every_lesson_can_be_read(library: None, client: Client) -> None:
    for lesson in Lesson.objects.live():
        page = see(client, lesson.get_absolute_url())
        assert [text for tag, text in page.headings if tag == "h1"] == [lesson.title]
        assert all(point in page.text for point in lesson.key_points)
        assert not re.search(r"(?<!other )\bcauses\b", page.text), lesson.slug


def test_a_lesson_has_one_number_wherever_it_is_listed(library: None, client: Client) -> None:
    assert (
        "7 Leaning on the other leg The good leg carries more, and can tire." in see(client, "/learn/").links
    )
    assert "7 Leaning on the other leg" in see(client, "/learn/shifting-weight/").links
    assert "4 Flat feet and sinking arches" in see(client, "/learn/flat-feet/").links


def test_the_order_of_reading_has_two_ends(library: None, client: Client) -> None:
    first, last = see(client, "/learn/one-connected-chain/"), see(client, "/learn/follow-the-chain/")
    assert not any(words.startswith("Previous") for words in first.links)
    assert "Next Feet come first" in first.links
    assert not any(words.startswith("Next") for words in last.links)
    assert "Previous Exercise safely" in last.links


def test_a_draft_is_nowhere(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    assert client.get("/learn/flat-feet/").status_code == 404
    for address in ("/", "/learn/", "/learn/rolling-in/", "/learn/rolling-out/"):
        assert "/learn/flat-feet/" not in see(client, address).links.values()
    assert "Next High arches" in see(client, "/learn/rolling-out/").links


@pytest.mark.parametrize("address", ["/learn/no-such-lesson/", "/learn/flat-feet%00/", "/learn/Flat Feet/"])
def test_an_unknown_lesson_is_not_found(library: None, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_readers_hear_nothing_of_approval_or_of_notes_to_staff(library: None, client: Client) -> None:
    page = see(client, "/learn/weak-thighs-busy-feet/").text.lower()
    for words in ("draft", "approv", "clinical", "evidence", "general knowledge", "confirmed by the clinic"):
        assert words not in page
    before = client.get("/learn/flat-feet/").content
    physio = get_user_model().objects.create_user("physio")
    Lesson.objects.update(approved_by=physio)
    assert client.get("/learn/flat-feet/").content == before


def test_an_author_is_named_where_there_is_one(library: None, client: Client) -> None:
    assert "By " not in see(client, "/learn/flat-feet/").text
    author = Author.objects.create(name="Maya Ortiz", credentials="DPT")
    Lesson.objects.filter(slug="flat-feet").update(author=author, updated_on=datetime.date(2026, 2, 3))
    page = see(client, "/learn/flat-feet/").text
    assert "By Maya Ortiz, DPT" in page
    assert "Updated February 3, 2026" in page


def test_the_body_follows_the_summary(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="flat-feet").update(
        summary="In short.", body=blocks_of_text("First part.\r\n\r\nSecond <b>part</b>.\n\n")
    )
    html = client.get("/learn/flat-feet/").content.decode()
    parts = ["<h2>What happens</h2>", "<p>In short.</p>", "<p>First part.</p>"]
    parts.append("<p>Second &lt;b&gt;part&lt;/b&gt;.</p>")
    assert [part for part in parts if part not in html] == []
    assert [html.index(part) for part in parts] == sorted(html.index(part) for part in parts)


def test_a_line_that_starts_with_two_hashes_is_a_sub_heading(library: None, client: Client) -> None:
    body = "## Up <i>and</i> down\r\n\r\nIt goes both ways.\n\n## Right below\nNo empty line.\n\nNot ## here."
    Lesson.objects.filter(slug="flat-feet").update(body=blocks_of_text(body))
    html = client.get("/learn/flat-feet/").content.decode()
    assert "<h2>Up &lt;i&gt;and&lt;/i&gt; down</h2>" in html
    assert "<p>It goes both ways.</p>" in html
    assert "<h2>Right below</h2>" in html
    assert "<p>No empty line.</p>" in html
    assert "<p>Not ## here.</p>" in html
    assert "What happens" not in html, "its own headings are enough"


def test_reading_time_counts_what_is_read(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="flat-feet").update(
        lead="",
        summary="word " * 100,
        body=blocks_of_text("## " + "word " * 100),
        key_points=[],
        self_check=[],
    )
    assert "1 minute read" in see(client, "/learn/flat-feet/").text
    Lesson.objects.filter(slug="flat-feet").update(body=blocks_of_text("word " * 700))
    assert "4 minute read" in see(client, "/learn/flat-feet/").text


def test_headings_step_down_one_level_at_a_time(library: None, client: Client) -> None:
    for lesson in Lesson.objects.live():
        levels = [int(tag[1]) for tag, _ in see(client, lesson.get_absolute_url()).headings]
        assert levels[0] == 1, lesson.slug
        steps = [below - above for above, below in itertools.pairwise(levels)]
        assert max(steps) <= 1, lesson.slug


def test_a_lesson_with_nothing_but_text_stands(library: None, client: Client) -> None:
    lesson = Lesson.objects.get(slug="flat-feet")
    for relation in (lesson.related, lesson.sources, lesson.links):
        relation.clear()
    lesson.save()
    Lesson.objects.filter(slug="flat-feet").update(key_points=[], self_check=[], path="")
    headings = [text for _, text in see(client, "/learn/flat-feet/").headings]
    for gone in ("Key points", "Check yourself", "Where this comes from", "Related lessons"):
        assert gone not in headings


def test_a_source_without_an_address_is_not_shown(library: None, client: Client) -> None:
    Source.objects.filter(code="S10").update(url="")
    assert "Gross 2011" not in see(client, "/learn/flat-feet/").text


def test_the_clinic_books_online_where_it_has_an_address(library: None, client: Client) -> None:
    assert "Book an evaluation" not in see(client, "/learn/flat-feet/").links
    ClinicInfo.objects.update(booking_url="https://book.example/first")
    assert see(client, "/learn/flat-feet/").links["Book an evaluation"] == "https://book.example/first"


def test_an_edit_of_the_clinic_shows_at_once(library: None, client: Client) -> None:
    assert "Call (310) 555-0142" in see(client, "/").links
    ClinicInfo.objects.update(phone="+13105550199", phone_display="(310) 555-0199")
    assert see(client, "/").links["Call (310) 555-0199"] == "tel:+13105550199"


def test_a_page_that_does_not_show_the_clinic_does_not_ask_for_it(
    library: None, django_assert_num_queries: Any
) -> None:
    def drawn(template: str, **known: Any) -> str:
        request = RequestFactory().get("/")
        vars(request).update(known)
        return Template(template).render(Context(context.clinic(request)))

    shown = "{{ clinic.name }}, {{ clinic.city }}"
    with django_assert_num_queries(0):
        assert drawn("Hello") == "Hello"
    with django_assert_num_queries(2):
        assert drawn(shown) == "i.Athlete Physio, Torrance"
    with django_assert_num_queries(1):
        assert drawn(shown) == "i.Athlete Physio, Torrance"
    mark = Edition.current()
    with django_assert_num_queries(0):
        assert drawn(shown, **{EDITION: mark}) == "i.Athlete Physio, Torrance"


@pytest.mark.django_db
def test_pages_stand_before_anything_is_loaded(client: Client) -> None:
    ClinicInfo.objects.all().delete()
    assert client.get("/").status_code == 200
    assert client.get("/learn/").status_code == 200
    with pytest.raises(ClinicInfo.DoesNotExist):
        ClinicInfo.current()


def test_an_error_page_stands_while_the_database_refuses(db: None) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        values = context.clinic(RequestFactory().get("/"))
        assert Template("[{{ clinic.name }}{{ clinic.phone_href }}]").render(Context(values)) == "[]"


def test_the_lessons_say_what_choosing_them_needs(library: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        offered = {entry["slug"]: entry for entry in Lesson.objects.live().suggestable()}
    assert len(offered) == 18
    first = offered["one-connected-chain"]
    assert (first["default"], first["priority"], first["suggestWhen"]) == (True, 1, None)
    rolling_in = offered["rolling-in"]
    assert rolling_in["suggestWhen"]["scope"] == "side"
    assert rolling_in["because"] == "You told us your {side} foot or ankle goes inwards."


def test_links_form_the_chain_in_one_query(library: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        chain = ChainLink.objects.graph()
    assert len(chain.links) == 32
    assert [way.nodes[-1] for way in chain.ways_up("oversupination")] == ["knee-outer"]


def test_the_course_goes_part_by_part_wherever_a_lesson_was_placed(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="rolling-in").update(order=99)
    html = client.get("/learn/course/").text
    assert html.count('id="up"') == 1
    assert html.index('id="rolling-in"') < html.index('id="down"')
