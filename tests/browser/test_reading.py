"""J2.1, J2.8 and the library around them: read, look at the map, search, pass on."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.reader import KEPT, Reader

# The short run's: one page of each kind. The long one walks the sitemap.
PAGES = (
    "/learn/",
    "/learn/rolling-in/",
    "/learn/category/health/",
    "/learn/search/?q=heel",
    "/learn/search/?q=zzzz",
    "/chain/",
    "/chain/knee/",
    "/privacy/",
    "/newsletter/",
)
OTHERS = (
    "/",
    "/learn/two-stories/",
    "/learn/course/",
    "/learn/search/",
    "/learn/search/?q=plantr",
    "/chain/?side=right",
    "/chain/hip/",
    "/chain/arch-low/",
    "/chain/weight-shift/",
    "/newsletter/check-your-mail/",
)


@pytest.fixture
def reader(come: Any, scripts: bool) -> Reader:
    person: Reader = come(Reader, scripts=scripts)
    return person


@pytest.mark.deep
@pytest.mark.parametrize(
    ("dark", "paths"),
    [
        pytest.param(False, PAGES, id="light"),
        pytest.param(False, OTHERS, id="light, the others", marks=pytest.mark.deep),
        pytest.param(True, PAGES + OTHERS, id="dark", marks=pytest.mark.deep),
    ],
)
def test_every_page_of_the_library_is_for_everybody(come: Any, dark: bool, paths: tuple[str, ...]) -> None:
    reader: Reader = come(Reader, dark=dark)
    for path in paths:
        reader.goes_to(path).finds_page_accessible(themes=True)
    assert reader.keeps == {}


# In a wide font, how much room each label leaves in its box, in units of the drawing.
ROOM = """() => [...document.querySelectorAll(".m-link")].map((link) => {
  const [box, words] = [link.querySelector("rect"), link.querySelector("text")];
  words.style.fontFamily = "DejaVu Sans";
  const [outer, inner] = [box.getBBox(), words.getBBox()];
  const left = inner.x - outer.x, right = outer.x + outer.width - inner.x - inner.width;
  return [words.textContent, Math.min(left, right)];
}).filter(([words]) => /[a-z]/.test(words))"""


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_of_the_map_keep_inside_their_boxes(come: Any, side: str) -> None:
    reader: Reader = come(Reader)
    reader.goes_to(f"/chain/?side={side}")
    room = dict(reader.page.evaluate(ROOM))
    assert len(room) == 16
    assert {words: left for words, left in room.items() if left < 6} == {}


@pytest.mark.deep
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_a_search_engine_may_list_is_for_everybody(come: Any, dark: bool) -> None:
    reader: Reader = come(Reader, dark=dark)
    answer = reader.context.request.get("/sitemap.xml")
    listed = re.findall(r"<loc>https?://[^/]+(/[^<]*)</loc>", answer.text())
    assert len(listed) > 50
    for path in listed:
        reader.goes_to(path).finds_page_accessible()


def test_a_lesson_opens_cold_and_leads_on(reader: Reader) -> None:
    reader.goes_to("/learn/rolling-in/").reads_heading("When the foot rolls in")
    reader.reads("Published May 22, 2025").reads("Next review")
    reader.follows("Next When the foot stays on its outer side")
    reader.reads_heading("When the foot stays on its outer side")
    reader.goes_back_in_browser().reads_heading("When the foot rolls in")


def test_the_map_leads_to_the_link_in_its_lesson(reader: Reader) -> None:
    reader.goes_to("/chain/").follows("Right leg")
    expect(reader.page.get_by_role("link", name="Right leg")).to_have_attribute("aria-current", "true")
    reader.follows_on_map("Weight shift, knee to foot").reads_heading("Leaning on the other leg")
    assert reader.page.url.endswith("/learn/shifting-weight/#knee--weight-shift")
    expect(reader.page.locator("[id='knee--weight-shift']")).to_be_in_viewport()


@pytest.mark.deep
def test_tab_walks_every_link_of_the_map_from_top_to_bottom(reader: Reader) -> None:
    reader.goes_to("/chain/")
    drawn = reader.page.locator("svg.m-map a")
    names = [link.get_attribute("aria-label") for link in drawn.all()]
    assert len(names) == len(set(names)) == 32
    reader.walks_with_tab_to("Right leg")
    for name in names:
        reader.page.keyboard.press("Tab")
        link = reader.page.get_by_role("link", name=name, exact=True).and_(drawn)
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()
        # Seen by its ring, not only by where the page has scrolled to.
        assert link.evaluate("(link) => link.matches(':focus-visible')")
        ring = link.evaluate("(link) => getComputedStyle(link).outlineStyle")
        around = link.evaluate("(link) => getComputedStyle(link.querySelector('rect')).strokeWidth")
        assert ring != "none" or float(around.removesuffix("px")) >= 2, name


def test_the_map_by_keyboard(reader: Reader) -> None:
    reader.goes_to("/chain/").walks_with_tab_to("Flat arch, foot to knee").presses_enter()
    reader.reads_heading("Flat feet and sinking arches")


def test_search_forgives_and_marks(reader: Reader) -> None:
    reader.goes_to("/learn/").types_and_searches("arthritus").reads_heading("Search lessons")
    reader.reads("Here is what we have for arthritis.")
    expect(reader.page.locator("mark").first).to_have_text("arthritis", ignore_case=True)
    reader.types_and_searches("zzzz").reads("Nothing found for zzzz.").follows("See all lessons")
    reader.reads_heading("Lessons")


def test_what_was_read_is_known_to_this_browser_alone(come: Any) -> None:
    reader: Reader = come(Reader)
    reader.goes_to("/learn/rolling-in/").is_not_told_it_was_read()
    reader.reads_to_the_end().is_told_it_was_read()
    assert reader.keeps == {KEPT: '["rolling-in"]'}
    reader.goes_to("/learn/")
    expect(reader.page.get_by_role("link", name="When the foot rolls in Read")).to_be_visible()
    reader.goes_to("/learn/rolling-in/").is_told_it_was_read()
    reader.page.get_by_role("button", name="Forget what I read").tap()
    reader.is_not_told_it_was_read()
    assert reader.keeps == {}


def test_going_on_from_a_lesson_counts_as_reading_it(come: Any) -> None:
    reader: Reader = come(Reader)
    reader.goes_to("/learn/rolling-in/").follows("Health").goes_back_in_browser()
    reader.is_told_it_was_read()


def test_a_browser_that_keeps_nothing_still_reads(come: Any) -> None:
    reader: Reader = come(Reader)
    reader.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    )
    reader.goes_to("/learn/rolling-in/").reads_to_the_end().is_not_told_it_was_read()
    reader.goes_to("/learn/").reads_heading("Lessons")


def test_a_lesson_is_passed_on_by_its_plain_address(come: Any) -> None:
    reader: Reader = come(Reader)
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.goes_to("/learn/rolling-in/?utm_source=mail")
    reader.page.get_by_role("button", name="Copy link").tap()
    expect(reader.page.get_by_role("status")).to_have_text("Link copied")
    copied = reader.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{reader.address}/learn/rolling-in/"
    expect(reader.page.get_by_role("button", name="Print")).to_be_visible()


def test_without_scripts_a_lesson_is_passed_on_by_mail(come: Any) -> None:
    reader: Reader = come(Reader, scripts=False)
    reader.goes_to("/learn/rolling-in/")
    expect(reader.page.get_by_role("link", name="Email")).to_be_visible()
    for button in ("Copy link", "Print", "Send to..."):
        expect(reader.page.get_by_role("button", name=button)).to_be_hidden()
