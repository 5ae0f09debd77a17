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


def check(pages: Iterator[gallery.Shown], *, deep: bool) -> int:
    """Both themes each time; with `deep` the whole of axe in the dark and on a laptop's screen too."""
    seen = 0
    for name, visitor in pages:
        visitor.finds_page_accessible(themes=True, everything=deep)
        take_pictures(name, visitor)
        seen += 1
    return seen


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
def test_public_pages(come: Come, deep: bool) -> None:
    assert check(gallery.public_pages(come), deep=deep) >= 13


@DEEP
def test_pages_of_the_form(come: Come, product: Product, deep: bool) -> None:
    assert check(gallery.patient_pages(come, product), deep=deep) >= 27


@DEEP
def test_urgent_pages(come: Come, product: Product, deep: bool) -> None:
    assert check(gallery.urgent_pages(come, product), deep=deep) == 3


@DEEP
def test_pages_of_the_desk(come: Come, product: Product, deep: bool) -> None:
    assert check(gallery.staff_pages(come, product), deep=deep) >= 27
