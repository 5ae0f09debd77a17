"""J2: from a lesson to an appointment, without a link and without an account."""

import re
import time
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk
from tests.browser.product import Product
from tests.browser.visitor import Visitor

LESSON = "/learn/rolling-in/"
BUTTON = "Tell the clinic before your evaluation"
# Longer than a form that was filled in by a machine would take.
TYPING_SECONDS = 3.2
ANA: Mapping[str, str] = {
    "First name": "Ana",
    "Last name": "Silva",
    "Month": "4",
    "Day": "12",
    "Year": "1986",
    "E-mail address": "ana@asking.example",
}


class Asker(Visitor):
    """Read a lesson and wants to be seen."""

    def fills_in(self, **fields: str) -> "Asker":
        for label, words in {**ANA, **fields}.items():
            self.page.get_by_label(label, exact=True).fill(words)
        return self

    def sends(self, **fields: str) -> "Asker":
        self.fills_in(**fields)
        self.presses("Ask for an evaluation")
        return self


@pytest.fixture
def asker(come: Come, scripts: bool) -> Asker:
    return come(Asker, scripts=scripts)


def test_mistakes_are_named_and_nothing_typed_is_lost(asker: Asker) -> None:
    asker.goes_to(LESSON)
    assert asker.cookies() == {}
    asker.follows(BUTTON).reads_heading(BUTTON)
    asker.reads("You have no appointment yet").reads("You came from: When the foot rolls in")
    asker.finds_page_accessible()
    time.sleep(TYPING_SECONDS)
    asker.sends(**{"E-mail address": ""}).sees_error("Enter an e-mail or a phone number")
    assert asker.page.get_by_label("Last name").input_value() == "Silva"
    asker.finds_page_accessible()
    asker.sends(**{"E-mail address": "", "Phone number": "555"})
    asker.sees_error("Enter a phone number with its area code")
    asker.sends(**{"Year": "2086"}).sees_error("Enter a date of birth in the past")
    assert asker.page.get_by_label("Year").input_value() == "2086"
    asker.sends(**{"Year": "2020", "Phone number": ""}).sees_error("Enter the name of a parent or guardian")
    asker.finds_page_accessible()


def test_the_way_to_an_appointment(come: Come, asker: Asker, product: Product, scripts: bool) -> None:
    address = f"{'scripts' if scripts else 'plain'}@asking.example"
    asker.goes_to(LESSON).follows(BUTTON)
    time.sleep(TYPING_SECONDS)
    asker.sends(**{"E-mail address": address, "Last name": f"Silva-{scripts}"})
    asker.reads_heading("Check your e-mail")
    expect(asker.heading).to_be_focused()
    asker.finds_page_accessible()
    (mail,) = product.mail.wait_for(address)
    assert "Subject: We got your request" in mail

    account = product.reception("staff", role="front desk", username="robin")
    desk = come(FrontDesk)
    desk.signs_in(account)
    desk.goes_to("/staff/intake/evaluationrequest/").reads_heading("Needs appointment")
    row = desk.page.get_by_role("row", name=re.compile(f"Silva-{scripts}"))
    expect(row).to_contain_text("Lesson: When the foot rolls in")
    expect(row).to_contain_text("Needs appointment")
    desk.finds_page_accessible()
    desk.follows(f"Silva-{scripts}, Ana").reads_heading(f"Ana Silva-{scripts}")
    desk.finds_page_accessible()


def test_a_machine_is_refused_with_the_phone(asker: Asker) -> None:
    asker.goes_to("/evaluation/ask/")
    with asker.refused_with(429):
        asker.sends(**{"E-mail address": "fast@asking.example"})
    asker.reads_heading("Please call us").reads("(310) 555-0142").finds_page_accessible()
