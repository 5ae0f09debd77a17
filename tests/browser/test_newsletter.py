"""J10: lessons by e-mail, from the field under a lesson to the last mail."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import Staff
from tests.browser.product import Product
from tests.browser.visitor import Visitor

LESSON = "/learn/rolling-in/"
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/newsletter/[^\s>]+)")


class Reader(Visitor):
    """Somebody who reads lessons and may want more of them."""

    def asks_for_lessons(self, address: str) -> "Reader":
        self.page.get_by_label("E-mail address").fill(address)
        self.presses("Send me lessons")
        return self


class Editor(Staff):
    """Keeps lessons and the newsletter, at a desk."""


def link_in(mail: str) -> str:
    found = LINK.search(mail.replace("=\n", ""))
    assert found, mail
    return found.group(1)


@pytest.fixture
def reader(come: Come, scripts: bool) -> Reader:
    return come(Reader, scripts=scripts)


@pytest.fixture
def address(scripts: bool) -> str:
    return f"ana.{'scripts' if scripts else 'plain'}@readers.example"


def test_what_is_no_address_is_named_and_kept(reader: Reader) -> None:
    reader.goes_to(LESSON).finds_page_accessible()
    reader.reads("never tie it to your care")
    reader.asks_for_lessons("").sees_error("Enter your e-mail address")
    reader.finds_page_accessible()
    reader.goes_to(LESSON)
    reader.asks_for_lessons("abc@").sees_error("Enter an e-mail address like name@example.com")
    assert reader.page.get_by_label("E-mail address").input_value() == "abc@"
    assert reader.cookies() == {}


def test_in_by_one_button_and_out_by_another(reader: Reader, product: Product, address: str) -> None:
    reader.goes_to(LESSON)
    reader.asks_for_lessons(address).reads_heading("Thank you. Check your e-mail")
    expect(reader.heading).to_be_focused()
    reader.finds_page_accessible()
    (mail,) = product.mail.wait_for(address)
    link = link_in(mail)
    reader.goes_to(link).reads_heading("One last tap")
    reader.finds_page_accessible()
    reader.presses("Confirm").reads_heading("You are in")
    expect(reader.heading).to_be_focused()
    reader.finds_page_accessible()
    reader.goes_to(link).reads_heading("Already confirmed")
    # Asking again says the same and sends nothing: who gets lessons is nobody's business.
    reader.goes_to("/newsletter/")
    reader.asks_for_lessons(address).reads_heading("Thank you. Check your e-mail")


def test_the_home_page_has_the_form_too(reader: Reader, address: str) -> None:
    reader.goes_to("/")
    reader.asks_for_lessons(f"home.{address}").reads_heading("Thank you. Check your e-mail")
    reader.goes_back_in_browser()
    reader.goes_to("/newsletter/").finds_page_accessible()


def test_an_editor_sends_two_lessons_and_a_reader_leaves(come: Come, product: Product) -> None:
    address = "bo@readers.example"
    reader = come(Reader)
    reader.goes_to(LESSON)
    reader.asks_for_lessons(address)
    reader.goes_to(link_in(product.mail.wait_for(address)[0]))
    reader.presses("Confirm").reads_heading("You are in")

    editor = come(Editor)
    editor.signs_in(product.reception("staff", role="editor", username="sam", email="sam@clinic.example"))
    editor.goes_to("/staff/education/subscriber/")
    expect(editor.page.get_by_role("cell", name=address, exact=True)).to_be_visible()
    editor.goes_to("/staff/education/issue/add/")
    editor.page.get_by_label("Subject").fill("Two lessons for spring")
    for lesson in ("When the foot rolls in", "High arches"):
        editor.page.get_by_label(lesson, exact=True).check()
    editor.presses("Save").reads_heading("Two lessons for spring")
    editor.reads("1 Demo Plaza").finds_page_accessible()
    editor.presses("Send a test to me")
    assert "Subject: Test: Two lessons for spring" in product.mail.wait_for("sam@clinic.example")[0]
    editor.uses(editor.page.get_by_role("button", name=re.compile("^Send to")))
    editor.reads("Sent off")

    mail = product.mail.wait_for(address, 2)[1]
    assert "Subject: Two lessons for spring" in mail
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
    leave = link_in(mail)
    assert urlsplit(leave).path.startswith("/newsletter/leave/")
    stranger = come(Reader, scripts=False)
    stranger.goes_to(leave).reads_heading("Leave the list?")
    stranger.finds_page_accessible()
    stranger.presses("Stop the lessons").reads_heading("You have left the list")
    stranger.finds_page_accessible()
    editor.goes_to("/staff/education/subscriber/?status__exact=unsubscribed")
    expect(editor.page.get_by_role("cell", name=address, exact=True)).to_be_visible()
