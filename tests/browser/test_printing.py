"""Lessons on paper: everything that is read, in order, and none of what only works on a screen."""

import io
import re
import unicodedata

import pytest
from playwright.sync_api import ViewportSize
from pypdf import PdfReader

from tests.browser.conftest import Come
from tests.browser.reader import Reader

# What is read on paper, from top to bottom: the smallest blocks of text, without words for the ear alone.
READ = """() => {
  const blocks = "h1, h2, h3, h4, h5, p, li";
  return [...document.querySelectorAll(`main :is(${blocks})`)]
    .filter((one) => !one.querySelector(blocks) && (one.checkVisibility() || one.closest("details")))
    .map((one) => {
      const copy = one.cloneNode(true);
      for (const unseen of copy.querySelectorAll(".u-vh, svg")) unseen.remove();
      return copy.textContent;
    });
}"""
# Letter at 96 dots an inch, less the margins a browser leaves.
PAPER: ViewportSize = {"width": 740, "height": 980}
ONLY_ON_A_SCREEN = (
    "Skip to main content",
    "Menu",
    "Pre-visit form",
    "On this page",
    "Show the answer",
    "Previous",
    "Next When",
    "Share",
    "Copy link",
    "Related lessons",
    "Send me lessons",
    "Search lessons",
)


def squashed(text: str) -> str:
    """Letters only: lines break elsewhere on paper, and the numbers of steps stand beside the lines."""
    return re.sub(r"[\W\d_]", "", unicodedata.normalize("NFKC", text))


def printed(reader: Reader) -> str:
    """The text on paper as eyes meet it, page by page and line by line."""
    pdf = reader.page.pdf(format="Letter")
    pages = PdfReader(io.BytesIO(pdf)).pages
    for page in pages:
        assert (page.mediabox.width, page.mediabox.height) == (612, 792)
    return squashed("\n".join(page.extract_text(extraction_mode="layout") for page in pages))


def on_paper(come: Come, path: str) -> tuple[list[str], str]:
    """What should be read, and what is."""
    reader: Reader = come(Reader, dark=True)
    reader.goes_to(path)
    reader.page.emulate_media(media="print")
    reader.page.set_viewport_size(PAPER)
    wider = reader.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0, f"{wider} px would be cut on the right"
    return [text for text in reader.page.evaluate(READ) if squashed(text)], printed(reader)


def check(texts: list[str], paper: str) -> None:
    place = 0
    for text in texts:
        found = paper.find(squashed(text), place)
        assert found >= 0, f"{text!r} is {'out of order' if squashed(text) in paper else 'not printed'}"
        place = found + len(squashed(text))
    for words in ONLY_ON_A_SCREEN:
        assert squashed(words) not in paper, f"{words!r} is printed"


def test_the_course_is_printed_whole_and_in_order(come: Come) -> None:
    texts, paper = on_paper(come, "/learn/course/")
    assert len(texts) > 300
    check(texts, paper)
    for words in (
        # Both stories, to their last step.
        "Ana's story goes up",
        "Fifth, her knee is caught between the two of them",
        "Ben's story goes down",
        "His right ankle also turns over more easily than before",
        "It moves as one",
        "Call (310) 555-0142",
    ):
        assert squashed(words) in paper, words


@pytest.mark.parametrize("slug", ["two-stories", "rolling-in", "check-yourself-safely"])
def test_a_lesson_is_printed_whole_with_its_answers_and_sources(come: Come, slug: str) -> None:
    texts, paper = on_paper(come, f"/learn/{slug}/")
    for heading in ("Key points", "Step by step", "Check yourself", "Where this comes from"):
        assert heading in texts
    assert any("Stop and ask us" in text for text in texts)
    check(texts, paper)
    # A printed link says where it leads.
    assert "https" in paper
