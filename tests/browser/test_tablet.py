"""J9.11: the front desk starts a form on the clinic's tablet, which shows nothing of it afterwards."""

from typing import ClassVar, Self

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk
from tests.browser.patient import Patient
from tests.browser.product import Product


class Tablet(Patient):
    """The clinic's own, held upright, in a patient's hand."""

    window: ClassVar[dict[str, int]] = {"width": 768, "height": 1024}

    def gives_code(self, code: str) -> Self:
        self.types(self.page.get_by_label("Your code"), code)
        return self.presses("Start")

    def opens_form(self, code: str) -> Self:
        self.goes_to("/intake/tablet/").gives_code(code).reads_heading("Is it you?")
        return self.gives_birth_date("4", "12", "1986").reads_heading("Before you start")

    def shows_nothing_behind_back(self) -> Self:
        self.goes_back_in_browser().reads_heading("Welcome").does_not_read("Casey")
        return self.goes_forward_in_browser().reads_heading("Welcome")


class Phone(Tablet):
    window: ClassVar[dict[str, int]] = Patient.window


@pytest.fixture
def code(come: Come, product: Product) -> str:
    """What the front desk reads out."""
    return starts(come, product, product.reception("visit")["evaluation"])


def starts(come: Come, product: Product, evaluation: str) -> str:
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(product.reception("staff", role="front desk", username="lee"))
    desk.goes_to(f"/staff/intake/evaluation/{evaluation}/change/")
    desk.presses("Fill in on the clinic’s tablet").reads_heading(
        "The clinic’s tablet"
    ).finds_page_accessible()
    expect(desk.page.get_by_role("img", name="QR code that opens the form")).to_be_visible()
    return desk.page.locator("#digits").inner_text().replace(" ", "")


@pytest.mark.deep
def test_handed_over_left_and_nothing_stays(come: Come, code: str) -> None:
    tablet: Tablet = come(Tablet)
    tablet.goes_to("/intake/tablet/").finds_page_accessible()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    tablet.gives_code(wrong).sees_error("That code doesn’t work").finds_page_accessible(colors=False)
    tablet.opens_form(code).has_filled("about").goes_to("/intake/safety/").finds_page_accessible(colors=False)
    tablet.presses("Save and leave").reads("Saved, and cleared from this tablet.")
    tablet.shows_nothing_behind_back()


# Its clock is the browser's, which a loaded machine lets run on; the server's end of it is held in Postgres.
@pytest.mark.deep
def test_two_minutes_without_a_touch(come: Come, code: str) -> None:
    tablet: Tablet = come(Tablet)
    tablet.opens_form(code)
    tablet.page.clock.install()
    tablet.goes_to("/intake/about/")
    warning = tablet.page.get_by_role("alertdialog", name="Are you still there?")
    tablet.page.clock.fast_forward("01:20")
    expect(warning).to_be_hidden()
    # A touch tells the server, so the two minutes begin anew.
    with tablet.page.expect_response("**/intake/stay/") as told:
        tablet.page.mouse.wheel(0, 40)
    told.value.finished()
    # Until the page has read the answer too: its clock would else run on from before.
    tablet.page.wait_for_load_state("networkidle")
    tablet.page.clock.fast_forward("01:20")
    expect(warning).to_be_hidden()
    tablet.page.clock.fast_forward("00:15")
    expect(warning).to_contain_text("this tablet clears in 30 seconds")
    tablet.page.clock.fast_forward("00:35")
    tablet.reads_heading("Welcome")
    tablet.shows_nothing_behind_back()


@pytest.mark.deep
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("kind", [Tablet, Phone])
def test_sent_and_blank_again(come: Come, code: str, kind: type[Tablet], scripts: bool) -> None:
    tablet: Tablet = come(kind, scripts=scripts)
    tablet.goes_to("/intake/tablet/").finds_page_accessible(everything=True)
    tablet.gives_code(code).finds_page_accessible(everything=True)
    tablet.gives_birth_date("4", "12", "1985").sees_error("doesn’t match").finds_page_accessible(
        everything=True
    )
    tablet.gives_birth_date("4", "12", "1986").has_filled_everything().finds_page_accessible(everything=True)
    tablet.confirms().sends().reads_heading("Thank you").does_not_read("Casey")
    tablet.finds_page_accessible(everything=True)
    tablet.follows("Done").reads_heading("Welcome")
    if scripts:
        tablet.shows_nothing_behind_back()
    tablet.goes_to("/intake/sent/").reads_heading("Welcome")


@pytest.mark.deep
def test_three_wrong_codes_and_a_new_one(come: Come, product: Product) -> None:
    evaluation = product.reception("visit")["evaluation"]
    code = starts(come, product, evaluation)
    tablet: Tablet = come(Tablet)
    tablet.goes_to("/intake/tablet/")
    for number in (1, 2, 3):
        tablet.gives_code(f"{(int(code) + number) % 10**6:06}").sees_error("That code doesn’t work")
    tablet.gives_code(code).sees_error("ask the front desk for a new code")
    tablet.opens_form(starts(come, product, evaluation))
