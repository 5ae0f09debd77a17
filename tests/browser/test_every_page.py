"""Every page: no axe violation, light and dark, no sideways scroll at 320 px, and all that `look` checks.

`SHOTS_DIR=/somewhere` has each page photographed there, at both sizes and in both themes, for people to see.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import gallery
from tests.browser.conftest import Come
from tests.browser.product import Product
from tests.browser.visitor import LAPTOP, PHONE, Visitor

SIZES = {"390x844": PHONE, "1440x900": LAPTOP}


# Contrast takes five times as long as all else: the short run looks at it where every kind of part is, in one
# theme, turn by turn; the long one at every page in both.
COLORS = {
    "home",
    "birth-date-error",
    "tasks-some-done",
    "safety-more-asked",
    "where-soles",
    "pain-error",
    "try-yes",
    "check-error",
    "sent",
    "advice-same-day",
}


def check(pages: Iterator[gallery.Shown], *, deep: bool) -> dict[str, str]:
    """The title of each page. What is wrong with one fails the test when its visitor leaves."""
    titles = {}
    for name, visitor in pages:
        colors = deep or name in COLORS
        visitor.theme = "dark" if len(titles) % 2 else "light"
        visitor.page.emulate_media(color_scheme=visitor.theme)
        visitor.finds_page_accessible(colors=colors, themes=deep, everything=deep)
        take_pictures(name, visitor)
        titles[name] = visitor.page.title()
    return titles


def take_pictures(name: str, visitor: Visitor) -> None:
    folder = os.environ.get("SHOTS_DIR")
    if not folder:
        return
    for size, window in SIZES.items():
        visitor.page.set_viewport_size(window)
        for theme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=theme)
            visitor.takes_picture(Path(folder) / f"{name}-{size}-{theme}.png")
    visitor.page.emulate_media(color_scheme=visitor.theme)
    visitor.page.set_viewport_size(visitor.window)


DEEP = pytest.mark.parametrize(
    "deep", [pytest.param(False, id="short"), pytest.param(True, id="long", marks=pytest.mark.deep)]
)


@DEEP
def test_pages_of_nobody(come: Come, deep: bool) -> None:
    assert len(check(gallery.pages_of_nobody(come), deep=deep)) == 4


@pytest.mark.deep
def test_pages_of_the_library(come: Come) -> None:
    assert len(check(gallery.library_pages(come), deep=True)) >= 9


@pytest.mark.deep
def test_pages_of_the_form(come: Come, product: Product) -> None:
    titles = check(gallery.patient_pages(come, product), deep=True)
    assert len(titles) >= 27
    # The parts of the form are told apart by their titles, in a list of tabs and by a screen reader.
    parts = (
        "birth-date",
        "start",
        "about",
        "safety",
        "health",
        "where",
        "pain",
        "knee",
        "foot",
        "walk",
        "try",
    )
    assert len({titles[name] for name in (*parts, "life", "tasks-some-done", "check", "sent")}) == 15
    assert all(title.startswith("Error: ") for name, title in titles.items() if name.endswith("-error"))
    assert not any(titles[name].startswith("Error: ") for name in parts)


@pytest.mark.deep
def test_pages_before_there_is_an_appointment(come: Come, product: Product) -> None:
    assert len(check(gallery.asking_pages(come, product), deep=True)) == 19


@pytest.mark.deep
@DEEP
def test_pages_of_the_form_without_scripts(come: Come, product: Product, deep: bool) -> None:
    assert len(check(gallery.pages_with_conditions_in_words(come, product), deep=deep)) == 4


@pytest.mark.deep
def test_urgent_pages(come: Come, product: Product) -> None:
    assert len(check(gallery.urgent_pages(come, product), deep=True)) == 3


@pytest.mark.deep
def test_pages_of_the_desk(come: Come, product: Product) -> None:
    assert len(check(gallery.staff_pages(come, product), deep=True)) >= 31


@pytest.mark.deep
def test_pages_of_the_door(come: Come, product: Product) -> None:
    assert len(check(gallery.account_pages(come, product), deep=True)) == 14


@pytest.mark.deep
def test_pages_of_the_owner(come: Come, product: Product) -> None:
    assert len(check(gallery.owner_pages(come, product), deep=True)) == 17
