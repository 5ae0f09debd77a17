"""The staff's pages on a phone: what a side bar shows on a wide screen stands behind Menu there."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import BOTH_WAYS, Come
from tests.browser.desk import StaffOnPhone
from tests.browser.product import Product
from tests.browser.visitor import LAPTOP, NARROWEST, PHONE

# Pixels a finger needs.
FINGER = 44

TOO_SMALL = """(nav, least) => [nav.previousElementSibling.previousElementSibling.firstElementChild,
  ...nav.querySelectorAll("a")].filter((one) => {
    const { width, height } = one.getBoundingClientRect();
    return width < least || height < least;
  }).map((one) => one.textContent)"""


def comes_in(come: Come, product: Product, role: str, *, scripts: bool = True, **how: bool) -> StaffOnPhone:
    someone: StaffOnPhone = come(StaffOnPhone, scripts=scripts, **how)
    someone.signs_in(product.reception("staff", role=role, username=f"menu-{role.replace(' ', '-')}"))
    return someone


def here(menu: Locator) -> list[str]:
    """Which page the menu says one is on."""
    return menu.locator("[aria-current=page]").all_inner_texts()


@BOTH_WAYS
def test_a_physio_goes_from_the_worklist_to_figures_and_patients(
    come: Come, product: Product, scripts: bool
) -> None:
    physio = comes_in(come, product, "physio", scripts=scripts)
    expect(physio.menu).to_be_hidden()
    assert here(physio.opens_menu()) == ["Worklist"]
    assert physio.menu.evaluate(TOO_SMALL, FINGER) == []
    physio.finds_page_accessible(themes=True)
    physio.follows("Figures", within=physio.menu).reads_heading("Figures")
    expect(physio.menu).to_be_hidden()
    assert here(physio.opens_menu()) == ["Figures"]
    physio.follows("Patients", within=physio.menu).reads_heading("Patients")
    physio.opens_menu()
    physio.touches(physio.menu_button)
    expect(physio.menu).to_be_hidden()


def test_the_owner_reaches_every_page_of_hers(come: Come, product: Product) -> None:
    owner = comes_in(come, product, "owner", dark=True)
    links = owner.main.get_by_role("link")
    rooms = links.evaluate_all("(links) => links.map((link) => link.pathname)")
    owner.follows("Who looked", within=owner.main)
    found = owner.opens_menu().get_by_role("link")
    assert found.evaluate_all("(links) => links.map((link) => link.pathname)") == rooms
    assert len(rooms) > 10
    owner.page.set_viewport_size({**PHONE, "width": NARROWEST})
    assert owner.menu.evaluate(TOO_SMALL, FINGER) == []
    owner.page.set_viewport_size(PHONE)
    owner.finds_page_accessible()
    owner.follows("People", within=owner.menu).reads_heading("People")


def test_by_keyboard_it_opens_and_escape_closes_it(come: Come, product: Product) -> None:
    desk = comes_in(come, product, "front desk")
    desk.menu_button.focus()
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Tab")
    expect(desk.menu.get_by_role("link").first).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(desk.menu).to_be_hidden()
    expect(desk.menu_button).to_be_focused()


@pytest.mark.parametrize("shown", [True, False], ids=["side bar", "side bar put away"])
def test_on_a_wide_screen_it_is_the_side_bar(come: Come, product: Product, shown: bool) -> None:
    """Whoever put it away there has the menu on a small screen all the same."""
    physio = comes_in(come, product, "physio")
    physio.page.set_viewport_size(LAPTOP)
    expect(physio.menu_button).to_be_hidden()
    expect(physio.menu).to_be_visible()
    if not shown:
        physio.page.get_by_role("button", name="Show or hide the side bar").click()
        expect(physio.menu).to_be_hidden()
    physio.page.set_viewport_size(PHONE)
    expect(physio.menu).to_be_hidden()
    expect(physio.opens_menu().get_by_role("link", name="Figures")).to_be_in_viewport()
