"""A word that is wider than the screen, such as the address of a page, breaks where it has to."""

import pytest

from tests.browser.conftest import Come
from tests.browser.patient import NOTHING_TO_REPORT, Patient
from tests.browser.product import Product

# The narrowest of the questions on the check page, in letters of its size, with text twice as large.
LETTERS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("html { font-size: 200% }");
  document.adoptedStyleSheets = [sheet];
  const wide = [...document.querySelectorAll(".c-summary dt")].map(
    (one) => one.getBoundingClientRect().width / parseFloat(getComputedStyle(one).fontSize));
  return Math.min(...wide);
}"""
ADDRESS = "https://example.org/" + "knee" * 100


def test_what_was_typed_hides_no_way_to_change_it(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"]).has_filled_everything(
        about={**NOTHING_TO_REPORT["about"], "why.story": [ADDRESS]}
    )
    patient.reads(ADDRESS).finds_page_accessible(colors=False)
    change = patient.main.get_by_role("link", name=": In your own words")
    box = change.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= patient.window["width"]
    patient.confirms().sends().goes_to("/intake/answers/").reads(ADDRESS).finds_page_accessible(colors=False)


def test_a_long_name_is_thanked_within_the_page(come: Come, product: Product) -> None:
    name = "Wolfeschlegelsteinhausenbergerdorff-Keihanaikukauakahihuliheekahaunaele"
    visit = product.reception("visit", given=name)
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"]).reads(name).finds_page_accessible(colors=False)
    patient.has_filled_everything().confirms().sends().reads_heading(f"Thank you, {name}")
    patient.finds_page_accessible(colors=False)
    patient.goes_to("/intake/status/").reads(name).finds_page_accessible(colors=False)


@pytest.mark.parametrize("width", [390, 320])
def test_large_text_is_read_in_words_beside_change(come: Come, product: Product, width: int) -> None:
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(product.reception("visit")["link"]).has_filled_everything()
    patient.page.set_viewport_size({"width": width, "height": 740})
    assert patient.page.evaluate(LETTERS) > 4
