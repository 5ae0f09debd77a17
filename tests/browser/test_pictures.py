"""The pictures in the README, taken from the running product.

`UPDATE_PICTURES=1` writes them to docs/images; otherwise they are taken and looked at, and nothing changes.
"""

import os
import struct
import zlib
from pathlib import Path

import pytest

from clinic.database import BASE_DIR
from tests.browser.conftest import Come
from tests.browser.desk import Physio
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.browser.visitor import LAPTOP, PHONE

IMAGES = BASE_DIR / "docs" / "images"
README = BASE_DIR / "README.md"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return IMAGES if os.environ.get("UPDATE_PICTURES") else tmp_path


def png_pixels(path: Path) -> tuple[int, int, int]:
    """Width, height, and how many different colors there are among some thousand pixels."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) in ((8, 2), (8, 6)), "eight bits, in color"
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    raw = zlib.decompress(packed)
    return width, height, len({raw[place : place + 4] for place in range(0, len(raw) - 4, 97)})


def is_a_picture(path: Path, size: dict[str, int]) -> None:
    width, height, colors = png_pixels(path)
    assert (width, height) == (size["width"], size["height"])
    assert colors > 50, f"{path.name} shows next to nothing"


def test_the_body_map(come: Come, product: Product, album: Path) -> None:
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).has_filled_up_to("where")
    empty = album / "body-map.png"
    patient.takes_picture(empty, whole=False)
    before = empty.read_bytes()
    patient.marks("Right knee, around or behind the kneecap", "Left ankle, front")
    patient.turns_map_to("outer sides").marks("Right hip, side")
    # With a click: a finger leaves a gray shade for a moment.
    patient.page.get_by_role("radio", name="Show front").check()
    patient.sees_marked("Left ankle, front", "Right hip, side", "Right knee, around or behind the kneecap")
    patient.page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    patient.takes_picture(album / "body-map.png", whole=False)
    is_a_picture(album / "body-map.png", PHONE)
    assert (album / "body-map.png").read_bytes() != before, "the marks are to be seen"


@pytest.mark.deep
def test_the_review(come: Come, product: Product, album: Path) -> None:
    intakes = product.reception("demo_day")
    physio = come(Physio).signs_in(intakes)
    physio.goes_to(f"/staff/intake/questionnaireresponse/{intakes['Jordan Lee']}/review/")
    physio.reads_heading("Jordan Lee").reads("Right foot to knee")
    physio.takes_picture(album / "review.png", whole=False)
    is_a_picture(album / "review.png", LAPTOP)


@pytest.mark.parametrize("name", ["body-map.png", "review.png"])
def test_the_readme_shows_it(name: str) -> None:
    assert f"docs/images/{name}" in README.read_text()
    assert (IMAGES / name).stat().st_size > 10_000
