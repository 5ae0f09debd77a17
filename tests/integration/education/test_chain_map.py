"""The chain map and the pages of its parts, as a reader with neither script nor cookie gets them."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from education.catalog.load import FOLDER
from education.chain.drawing import areas, labels
from education.chain.models import ChainLink
from education.lessons.chain_map import chain_map, part
from education.lessons.models import Lesson

LINKS: list[dict[str, Any]] = json.loads((FOLDER / "chain.json").read_text(encoding="utf-8"))["links"]
NODES: list[dict[str, Any]] = json.loads((FOLDER / "chain.json").read_text(encoding="utf-8"))["nodes"]


class Links(HTMLParser):
    """The links of a piece of HTML: address and name, and the text between the tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str | None]]] = []
        self._words: list[str] | None = None
        self._attributes: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._words, self._attributes = [], dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._words is not None:
            text = " ".join(" ".join(self._words).split())
            name = self._attributes.get("aria-label") or text
            self.found.append((self._attributes.get("href") or "", name, self._attributes))
            self._words = None

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)


def main(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    return html[html.index("<main") : html.index("</main>")]


def drawing(html: str) -> str:
    return html[html.index('<svg class="m-map"') : html.index("</svg>", html.index("</title>"))] + "</svg>"


def drawn(client: Client, address: str = "/chain/") -> list[tuple[str, str]]:
    html = main(client, address)
    start = html.index('<svg class="m-map"')
    end = html.index('<p class="l-row u-sm">', start)
    return [(href, name) for href, name, _ in Links(html[start:end]).found]


def test_every_link_a_lesson_teaches_is_drawn_and_named_once(library: None, client: Client) -> None:
    wanted = {f"/learn/{link['lesson']}/#{link['id']}" for link in LINKS}
    found = drawn(client)
    assert len(wanted) == 32
    assert sorted(href for href, _ in found) == sorted(wanted)
    names = [name for _, name in found]
    assert len(set(names)) == len(names)
    assert ("/learn/flat-feet/#arch-low--knee-inner", "Flat arch, foot to knee") in found
    assert ("/learn/shifting-weight/#knee--weight-shift", "Weight shift, knee to foot") in found
    assert ("/learn/build-strength/#hip-control--knee-front", "Hip control, hip to knee") in found
    assert "2: Shin turning in to Front of knee, kneecap joint, foot to knee" in names


def test_the_drawing_is_read_from_the_ground_up_then_down_then_what_helps(
    library: None, client: Client
) -> None:
    words = [name.split(",")[0] for _, name in drawn(client) if not name[0].isdigit()]
    assert words == [
        *("Rolls in", "Stays rigid", "Flat arch", "High arch", "Turns in"),
        *("Weight shift", "Stiff stride", "Weak thigh", "Outer edge"),
        *("Hip control", "Strong foot", "Ankle bend"),
        *("Old injury", "Shoes", "Habits", "Training"),
    ]


def test_the_same_links_stand_beside_it_in_words(library: None, client: Client) -> None:
    html = main(client, "/chain/")
    beside = Links(html[html.index('aria-labelledby="up"') : html.index('id="parts"')]).found
    assert [href for href, _, _ in beside] == [href for href, _ in drawn(client)]
    by_address = {href: text for href, text, _ in beside}
    for link in LINKS:
        text = by_address[f"/learn/{link['lesson']}/#{link['id']}"]
        assert link["mechanismPlain"] in text
        assert "How sure we are:" in text
        assert link["evidenceNote"] in text
        assert link["clinicalNote"] not in text
    numbers = [text.split()[0] for _, text, _ in beside]
    assert numbers == [str(number) for number in range(1, 33)]
    assert "studies disagree" in by_address["/learn/flat-feet/#arch-low--knee-inner"]


def test_both_directions_stand_side_by_side(library: None, client: Client) -> None:
    html = main(client, "/chain/")
    headings = re.findall(r"<h2[^>]*>(?:<svg.*?</svg>)?([^<]+)", html)
    assert headings[:4] == ["Up the chain", "Down the chain", "What helps", "What plays a part"]


@pytest.mark.parametrize(
    ("address", "side"),
    [
        ("/chain/", "left"),
        ("/chain/?side=left", "left"),
        ("/chain/?side=right", "right"),
        ("/chain/?side=both", "left"),
        ("/chain/?side=", "left"),
        ("/chain/?side=right&side=x", "left"),
    ],
)
def test_each_leg_has_its_own_drawing_and_words_are_never_mirrored(
    library: None, client: Client, address: str, side: str
) -> None:
    html = main(client, address)
    current = {name for _, name, attributes in Links(html).found if attributes.get("aria-current")}
    assert current == {f"{side.capitalize()} leg"}
    assert f"The chain of the {side} leg" in html
    flipped = re.search(r'<g class="u-flip">(.*?)</g>\s*<g aria-hidden="true">', html, re.S)
    assert (flipped is not None) is (side == "right")
    if flipped:
        assert "<text" not in flipped[1]
    other = "left" if side == "right" else "right"
    crossing = "Leaning on the other leg → to Plantar fascia, under the heel and arch"
    text = " ".join(re.sub(r"<[^>]+>", " ", html).replace("&rarr;", "→").split())
    assert f"{crossing} ({other} leg)" in text


def test_a_link_whose_lesson_is_a_draft_is_not_on_the_map(library: None, client: Client) -> None:
    Lesson.objects.filter(slug="flat-feet").update(live=False)
    found = drawn(client)
    assert len(found) == 28
    assert not any("/learn/flat-feet/" in href for href, _ in found)
    assert "/learn/flat-feet/" not in main(client, "/chain/arch-low/")


def test_a_link_an_editor_adds_is_drawn_without_any_code(library: None, client: Client) -> None:
    old = ChainLink.objects.get(slug="arch-low--knee-inner")
    ChainLink.objects.create(
        slug="arch-low--shin",
        number="L40",
        from_node=old.from_node,
        to_node=ChainLink.objects.get(slug="overpronation--shin").to_node,
        direction="up",
        laterality="same",
        mechanism="A made-up step.",
        evidence_grade="limited",
        lesson=old.lesson,
    )
    found = dict(drawn(client))
    assert found["/learn/flat-feet/#arch-low--shin"] == "10: Low or collapsing arch to Shin, foot to knee"
    assert "A made-up step." in main(client, "/chain/")


def test_a_map_without_links_stands(db: None, client: Client) -> None:
    ChainLink.objects.all().delete()
    html = main(client, "/chain/")
    assert "No lesson explains a link yet." in html
    assert drawn(client) == []


@pytest.mark.parametrize("address", ["/chain/", "/chain/?side=right", "/chain/knee/", "/chain/hip/"])
def test_a_page_is_drawn_with_two_queries_at_most_and_found_with_none(
    library: None, client: Client, django_assert_max_num_queries: Any, address: str
) -> None:
    """One more each time asks for the edition."""
    with django_assert_max_num_queries(3):
        response = client.get(address)
    with django_assert_max_num_queries(1):
        assert client.get(address).content == response.content
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


def test_a_part_says_what_leads_in_and_what_it_can_lead_to(library: None, client: Client) -> None:
    html = main(client, "/chain/overpronation/")
    assert "<h1" in html
    assert "Foot rolls in too much</h1>" in html
    into, out_of = html.index('id="into"'), html.index('id="out"')
    assert into < html.index("#arch-low--overpronation") < out_of
    assert out_of < html.index("#overpronation--shank-rotation")
    assert out_of < html.index("#overpronation--shin")
    hrefs = {href for href, _, _ in Links(html).found}
    assert {"/learn/flat-feet/", "/learn/rolling-in/", "/chain/", "/chain/foot/"} <= hrefs


def test_an_area_gathers_its_parts(library: None, client: Client) -> None:
    knee = part("knee")
    assert {step.slug for step in knee.within} == {"knee-trigger--knee"}
    assert "arch-high--knee" in {step.slug for step in knee.into}
    assert "shank-rotation--knee-front" in {step.slug for step in knee.into}
    assert "knee--weight-shift" in {step.slug for step in knee.out_of}
    hrefs = {href for href, _, _ in Links(main(client, "/chain/knee/")).found}
    assert {"/chain/knee-front/", "/chain/knee-outer/", "/learn/high-arches/"} <= hrefs


def test_every_part_has_a_page_and_every_page_leads_on(library: None, client: Client) -> None:
    for slug in [*(node["id"] for node in NODES), *(area.id for area in areas())]:
        html = main(client, f"/chain/{slug}/")
        assert html.count("<h1") == 1, slug
        assert not re.search(r"\bcauses\b", html), slug
    listed = {href for href, _, _ in Links(main(client, "/chain/")).found}
    for slug in listed:
        if slug.startswith("/chain/") and slug != "/chain/":
            assert "/learn/" in main(client, slug), slug
    touched = {link[end] for link in LINKS for end in ("from", "to")}
    assert {f"/chain/{slug}/" for slug in touched} <= listed


def test_a_part_no_link_touches_says_so(library: None, client: Client) -> None:
    html = main(client, "/chain/forefoot/")
    assert "No lesson names a link that ends here." in html
    assert "No lesson names a link that starts here." in html


@pytest.mark.parametrize("address", ["/chain/elbow/", "/chain/knee%00/", "/chain/Knee Front/"])
def test_an_unknown_part_is_not_found(library: None, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_menu_leads_to_the_map(library: None, client: Client) -> None:
    html = client.get("/chain/").content.decode()
    assert '<a class="c-nav-l" href="/chain/" aria-current="page">How pain travels</a>' in html


def test_the_maps_own_data_names_links_and_nodes_that_exist() -> None:
    assert set(labels()) <= {link["id"] for link in LINKS}
    assert {node for area in areas() for node in area.nodes} == {node["id"] for node in NODES}


def test_there_is_no_third_side() -> None:
    with pytest.raises(ValueError, match="both"):
        chain_map("both")
