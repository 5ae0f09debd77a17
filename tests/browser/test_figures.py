"""The owner looks where the clinic stands: charts by eye, numbers in tables, no patient anywhere."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import Come
from tests.browser.desk import Staff
from tests.browser.product import Product
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.browser


@pytest.mark.deep
def test_the_owner_looks_at_the_charts_and_reads_the_numbers(
    come: Come, product: Product, scripts: bool
) -> None:
    for number in range(3):
        product.reception(
            "visit", given="Zyxfigure", minutes_ahead=300 + number, answers={**factories.SPARING}
        )
    owner: Staff = come(Staff, scripts=scripts)
    owner.signs_in(
        product.reception("staff", role="owner", username="owner", first_name="Dana", last_name="Whitlock")
    )
    owner.follows("Figures", within=owner.main).reads_heading("Figures")
    owner.reads("Counts only, no patient is named.").does_not_read("Zyxfigure")
    chart = owner.main.get_by_role("img", name="People invited in each week")
    expect(chart).to_be_visible()
    owner.touches(owner.main.get_by_text("Numbers of the intakes"))
    table = owner.main.get_by_role("table", name="Intakes by week")
    expect(table.get_by_role("row")).to_have_count(13)
    last = [int(cell) for cell in table.get_by_role("row").last.get_by_role("cell").all_inner_texts()[:3]]
    assert last[0] >= last[1] >= last[2] >= 3
    owner.finds_page_accessible()
    owner.follows("4 weeks", within=owner.main)
    expect(owner.main.get_by_role("link", name="4 weeks")).to_have_attribute("aria-current", "page")
    # All open on a phone: a wide table scrolls in itself, the page does not.
    owner.goes_to("/staff/figures/?weeks=52")
    owner.page.set_viewport_size(PHONE)
    for summary in owner.main.locator("summary").all():
        owner.touches(summary)
    owner.finds_page_accessible(colors=False)
    width = owner.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0
    owner.goes_to("/staff/figures/?weeks=everything").reads("There are figures for 4, 12 or 52 weeks.")
