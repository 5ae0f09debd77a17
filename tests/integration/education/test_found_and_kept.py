"""How lessons are found from outside, kept by caches, passed on, and read as one whole."""

import json
import re
from datetime import date, timedelta
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from education.chain.models import ChainLink
from education.clinic_info.models import ClinicInfo
from education.lessons.chain_map import Step, in_flow
from education.lessons.models import Author, Category, Lesson, validate_slug
from tests.integration.education.test_pages import see

SITE = "https://lessons.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = SITE
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]


def read_xml(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314  (our own answer, no stranger's)


def head(client: Client, address: str, **headers: str) -> str:
    html = client.get(address, headers=headers).content.decode()
    return html[: html.index("</head>")]


def tags(html: str) -> dict[str, str]:
    """What the head tells: names and properties of its meta tags, and its canonical address."""
    found = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', html))
    canonical = re.search(r'<link rel="canonical" href="([^"]+)">', html)
    return {**found, "canonical": canonical[1] if canonical else ""}


# ---- told to others


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/learn/",
        "/learn/flat-feet/",
        "/learn/course/",
        "/learn/category/health/",
        "/chain/",
        "/chain/knee/",
    ],
)
def test_a_page_names_its_one_address_whatever_host_asked(library: None, client: Client, path: str) -> None:
    told = tags(head(client, f"{path}?utm_source=mail&side=right", host="other.example"))
    assert told["canonical"] == told["og:url"] == f"{SITE}{path}"
    assert told["description"] == told["og:description"] != ""
    assert told["og:title"]
    assert told["og:site_name"] == "i.Athlete Physio"
    assert told["twitter:card"] == "summary"
    assert "other.example" not in client.get(path, headers={"host": "other.example"}).content.decode()


def test_a_lesson_is_an_article_to_search_engines(library: None, client: Client) -> None:
    author = Author.objects.create(name="Maya </script><b> Ortiz", credentials="DPT")
    Lesson.objects.filter(slug="flat-feet").update(
        author=author, title='Flat "feet" & </script><i>', updated_on=date(2026, 2, 3)
    )
    html = head(client, "/learn/flat-feet/")
    told = tags(html)
    assert told["og:type"] == "article"
    assert told["article:published_time"] == "2025-05-22"
    assert told["article:modified_time"] == "2026-02-03"
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    data = json.loads(blocks[0])
    assert data["headline"] == 'Flat "feet" & </script><i>'
    assert data["author"] == {"@type": "Person", "name": "Maya </script><b> Ortiz"}
    assert data["url"] == f"{SITE}/learn/flat-feet/"
    assert (data["datePublished"], data["dateModified"]) == ("2025-05-22", "2026-02-03")


def test_a_lesson_without_an_author_claims_none(library: None, client: Client) -> None:
    html = head(client, "/learn/flat-feet/")
    data = json.loads(re.findall(r'ld\+json">(.*?)</script>', html, re.S)[0])
    assert "author" not in data
    assert data["dateModified"] == data["datePublished"]


# ---- feed, sitemap


def test_the_feed_lists_every_live_lesson_the_last_changed_first(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="high-arches").update(updated_on=date(2099, 2, 3))
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    response = client.get("/learn/feed/", headers={"host": "other.example"})
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = read_xml(response.content)
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 17
    assert entries[0].findtext(f"{ATOM}title") == "High arches"
    assert entries[0].findtext(f"{ATOM}id") == f"{SITE}/learn/high-arches/"
    assert (entries[0].findtext(f"{ATOM}updated") or "").startswith("2099-02-03")
    assert (entries[0].findtext(f"{ATOM}published") or "").startswith("2025-05-22")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == f"{SITE}/learn/feed/"
    assert "other.example" not in response.content.decode()
    assert "i.Athlete Physio" in (feed.findtext(f"{ATOM}title") or "")


def test_every_public_page_in_the_sitemap_can_be_read(library: None, client: Client) -> None:
    response = client.get("/sitemap.xml", headers={"host": "other.example"})
    assert response.headers["Content-Type"].startswith("application/xml")
    found = {
        entry.findtext(f"{MAP}loc") or "": entry.findtext(f"{MAP}lastmod")
        for entry in read_xml(response.content).findall(f"{MAP}url")
    }
    assert found[f"{SITE}/learn/flat-feet/"] == "2025-05-22"
    for path in ("/", "/learn/", "/learn/course/", "/chain/", "/chain/knee/", "/learn/category/health/"):
        assert f"{SITE}{path}" in found
    for address in found:
        assert client.get(address.removeprefix(SITE)).status_code == 200, address


def test_crawlers_are_kept_out_of_forms_and_results(library: None, client: Client) -> None:
    response = client.get("/robots.txt")
    assert response.headers["Content-Type"].startswith("text/plain")
    lines = response.content.decode().splitlines()
    for path in ("/intake/", "/staff/", "/editor/", "/learn/search/"):
        assert f"Disallow: {path}" in lines
    assert f"Sitemap: {SITE}/sitemap.xml" in lines


# ---- categories


def test_a_category_lists_its_live_lessons(library: None, client: Client) -> None:
    assert see(client, "/learn/flat-feet/").links["Health"] == "/learn/category/health/"
    other = Category.objects.create(slug="shoes", name="Shoes")
    Lesson.objects.filter(slug="shoes-and-insoles").update(category=other)
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    health, shoes = see(client, "/learn/category/health/"), see(client, "/learn/category/shoes/")
    assert "/learn/high-arches/" in health.links.values()
    assert "/learn/flat-feet/" not in health.links.values()
    assert "/learn/shoes-and-insoles/" not in health.links.values()
    assert "/learn/shoes-and-insoles/" in shoes.links.values()
    assert "16 lessons, in reading order" in health.text
    assert client.get("/learn/category/none/").status_code == 404


def test_an_empty_category_stands(library: None, client: Client) -> None:
    Category.objects.create(slug="new", name="New")
    assert "0 lessons" in see(client, "/learn/category/new/").text


@pytest.mark.parametrize("slug", ["search", "feed", "course", "category"])
def test_a_lesson_cannot_take_an_address_of_the_site(slug: str) -> None:
    with pytest.raises(Exception, match="belongs to a page of the site"):
        validate_slug(slug)


# ---- caching


def test_a_reader_who_has_the_lesson_gets_304_for_one_query(
    library: None, client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        first = client.get("/learn/flat-feet/")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    with django_assert_num_queries(1):
        again = client.get("/learn/flat-feet/", headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "public, max-age=60"
    assert not again.cookies
    head_only = client.head("/learn/flat-feet/", headers={"if-none-match": first.headers["ETag"]})
    assert head_only.status_code == 304


def test_a_compressed_copy_is_known_again(library: None, client: Client) -> None:
    first = client.get("/learn/flat-feet/", headers={"accept-encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    assert len(first.content) < 8_000
    again = client.get(
        "/learn/flat-feet/",
        headers={"accept-encoding": "gzip", "if-none-match": first.headers["ETag"]},
    )
    assert again.status_code == 304


def change_lesson() -> None:
    Lesson.objects.filter(slug="flat-feet").update(lead="New words.")


def change_neighbour() -> None:
    Lesson.objects.filter(slug="high-arches").update(title="Arches that are high")


def change_link() -> None:
    ChainLink.objects.filter(slug="arch-low--knee-inner").update(mechanism="New words.")


def change_clinic() -> None:
    ClinicInfo.objects.update(phone_display="(310) 555-0199")


def change_author() -> None:
    Lesson.objects.filter(slug="flat-feet").update(author=Author.objects.create(name="Maya Ortiz"))
    Author.objects.update(name="Maja Ortiz")


def change_category() -> None:
    Category.objects.update(name="Feet")


def change_review_date() -> None:
    Lesson.objects.filter(slug="flat-feet").update(next_review_on=date(2030, 1, 2))


@pytest.mark.parametrize(
    "change",
    [
        change_lesson,
        change_neighbour,
        change_link,
        change_clinic,
        change_author,
        change_category,
        change_review_date,
    ],
)
def test_whatever_changes_the_page_changes_its_mark(library: None, client: Client, change: Any) -> None:
    before = client.get("/learn/flat-feet/")
    change()
    after = client.get("/learn/flat-feet/", headers={"if-none-match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.content != before.content
    assert after.headers["ETag"] != before.headers["ETag"]


def test_what_readers_never_see_changes_nothing(library: None, client: Client) -> None:
    before = client.get("/learn/flat-feet/")
    Lesson.objects.filter(slug="flat-feet").update(suggest_because="Other words.", suggest_priority=99)
    after = client.get("/learn/flat-feet/", headers={"if-none-match": before.headers["ETag"]})
    assert after.status_code == 304


@pytest.mark.parametrize(
    "path", ["/", "/learn/", "/chain/", "/chain/knee/", "/learn/course/", "/learn/feed/", "/sitemap.xml"]
)
def test_other_pages_are_kept_and_asked_for_again(library: None, client: Client, path: str) -> None:
    first = client.get(path)
    assert "public" in first.headers["Cache-Control"]
    again = client.get(path, headers={"if-none-match": first.headers["ETag"]})
    assert again.status_code == 304


def test_an_unpublished_lesson_is_gone_for_those_who_had_it(library: None, client: Client) -> None:
    etag = client.get("/learn/flat-feet/").headers["ETag"]
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    assert client.get("/learn/flat-feet/", headers={"if-none-match": etag}).status_code == 404


# ---- the lesson's page


def test_a_lesson_says_when_it_is_reviewed_next(library: None, client: Client) -> None:
    shipped = Lesson.objects.get(slug="flat-feet").next_review_on
    assert shipped is not None
    assert timedelta(days=360) < shipped - timezone.localdate() <= timedelta(days=365)
    Lesson.objects.filter(slug="flat-feet").update(next_review_on=date(2046, 12, 1))
    assert "Next review December 1, 2046" in see(client, "/learn/flat-feet/").text
    Lesson.objects.filter(slug="flat-feet").update(next_review_on=timezone.localdate() - timedelta(days=1))
    assert "Next review" not in see(client, "/learn/flat-feet/").text
    Lesson.objects.filter(slug="flat-feet").update(next_review_on=None)
    assert "Next review" not in see(client, "/learn/flat-feet/").text


def test_every_link_of_the_map_has_its_place_in_its_lesson(library: None, client: Client) -> None:
    pages: dict[str, str] = {}
    for link in ChainLink.objects.select_related("lesson"):
        assert link.lesson is not None
        address = link.lesson.get_absolute_url()
        html = pages.setdefault(address, client.get(address).content.decode())
        assert html.count(f'id="{link.slug}"') == 1, link.slug
        start = html.index(f'id="{link.slug}"')
        assert link.mechanism in unescape(html[start : html.index("</li>", start)])


def test_the_first_story_goes_up_in_four_steps_over_five_parts(library: None, client: Client) -> None:
    html = client.get("/learn/two-stories/").content.decode()
    places = [
        html.index(f'id="{slug}"')
        for slug in (
            "arch-low--overpronation",
            "overpronation--shank-rotation",
            "shank-rotation--thigh-rotation",
            "thigh-rotation--knee-front",
            "knee--foot-outer-edge",
            "foot-outer-edge--plantar-fascia",
            "foot-outer-edge--ankle",
        )
    ]
    assert places == sorted(places)
    assert html.count('<ol class="c-steps"') == 2


def test_a_lesson_can_be_passed_on_without_a_script(library: None, client: Client) -> None:
    html = client.get("/learn/flat-feet/?utm_source=x").content.decode()
    mail = re.search(r'<a class="c-tap" href="(mailto:[^"]+)"', html)
    assert mail is not None
    assert unescape(mail[1]) == (
        "mailto:?subject=Flat%20feet%20and%20sinking%20arches"
        "&body=https%3A%2F%2Flessons.example.org%2Flearn%2Fflat-feet%2F"
    )
    for way in ("share", "copy", "print"):
        assert re.search(rf'<button [^>]*data-do="{way}" hidden>', html)
    assert "utm_source" not in html


def step(start: str, end: str) -> dict[str, str]:
    names = dict.fromkeys(Step.__dataclass_fields__, "")
    return {**names, "slug": f"{start}--{end}", "start": start, "end": end}


def test_steps_are_told_in_the_order_in_which_trouble_travels() -> None:
    mixed = [step("c", "d"), step("a", "b"), step("b", "c"), step("x", "y")]
    assert [one.slug for one in in_flow(mixed)] == ["a--b", "b--c", "c--d", "x--y"]
    circle = [step("b", "a"), step("a", "b")]
    assert [one.slug for one in in_flow(circle)] == ["b--a", "a--b"]
    assert in_flow([]) == ()


# ---- the course


def test_the_course_is_every_lesson_on_one_page_in_order(
    library: None, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        html = client.get("/learn/course/").content.decode()
    title = "The foot and knee connection, up and down the chain"
    assert f"<title>{title} - " in html
    page = see(client, "/learn/course/")
    assert [text for tag, text in page.headings if tag == "h1"] == [title]
    sections = [text for tag, text in page.headings if tag == "h2" and text != "On this page"]
    assert sections == [
        "One connected leg",
        "From foot to knee",
        "From knee to foot",
        "Two stories",
        "What you can do",
        "Follow the chain",
        "Find where it starts",
    ]
    lessons = list(Lesson.objects.live())
    assert [text for tag, text in page.headings if tag == "h3"] == [lesson.title for lesson in lessons]
    for lesson in lessons:
        for paragraph in lesson.paragraphs:
            assert " ".join(paragraph.removeprefix("## ").split()) in page.text, lesson.slug
        assert all(point in page.text for point in lesson.key_points)
    assert "Ana's story goes up" in page.text
    assert "Ben's story goes down" in page.text
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(set(ids)) == len(ids)


def test_the_course_is_reached_from_home_and_from_the_list(library: None, client: Client) -> None:
    for address in ("/", "/learn/"):
        assert see(client, address).links["Read the whole course on one page"] == "/learn/course/"
