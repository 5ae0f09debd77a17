"""J10: lessons by e-mail, from the field under a lesson to the last mail."""

import re
from typing import Self

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.database import change, without
from tests.browser.desk import Staff
from tests.browser.product import Product
from tests.browser.visitor import Visitor

LESSON = "/learn/rolling-in/"
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/newsletter/[^\s>]+)")


class Reader(Visitor):
    """Somebody who reads lessons and may want more of them."""

    def asks_for_lessons(self, address: str) -> Self:
        self.page.get_by_label("E-mail address").fill(address)
        return self.presses("Send me lessons")

    def joins(self, product: Product, address: str) -> Self:
        """All the way in. Her link to confirm is `joined_by`."""
        self.goes_to(LESSON).asks_for_lessons(address)
        self.joined_by = link_in(product.mail.wait_for(address)[-1])
        return self.goes_to(self.joined_by).presses("Confirm").reads_heading("You are in")

    def finds_it_for_everybody(self) -> Self:
        """In both themes; once is enough for a page that is the same without scripts."""
        if self.scripts:
            self.finds_page_accessible(themes=True)
        return self


class Editor(Staff):
    """Keeps lessons and the newsletter, at a desk."""

    def writes_issue(self, subject: str, *lessons: str) -> Self:
        self.goes_to("/staff/education/issue/add/")
        self.page.get_by_label("Subject").fill(subject)
        for lesson in lessons:
            self.page.get_by_label(lesson, exact=True).check()
        return self.presses("Save and preview").reads_heading(subject)

    def sends_issue(self, to: str) -> Self:
        return self.presses(f"Send to {to}").reads("Sent off")

    def subscribers(self, query: str = "") -> list[str]:
        """Addresses of the list, the newest first."""
        self.goes_to(f"/staff/education/subscriber/{query}")
        return self.page.locator("#result_list .field-email").all_inner_texts()


def nobody_has_joined(product: Product) -> None:
    """Readers of earlier stories are gone, and mail does not leave faster than they could ask."""
    for table in ("delivery", "subscriber", "recentuse"):
        change(product, f"DELETE FROM education_{table}")


def link_in(mail: str) -> str:
    found = LINK.search(mail.replace("=\n", ""))
    assert found, mail
    return found.group(1)


def leave_link(mail: str) -> str:
    (found,) = {link for link in LINK.findall(mail.replace("=\n", "")) if "/newsletter/leave/" in link}
    return str(found)


def follow_nobody(mails: list[str]) -> None:
    """Plain text, the same for each reader but for the link to leave: nothing tells who opens or clicks."""
    bodies = set()
    for mail in mails:
        assert "Content-Type: text/plain" in mail
        assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
        assert "1 Demo Plaza" in mail
        leave = leave_link(mail)
        body = mail.partition("\n\n")[2].replace("=\n", "")
        assert body.count(leave) == 1
        bodies.add(body.replace(leave, ""))
    assert len(bodies) == 1
    assert "<img" not in bodies.pop()


@pytest.fixture
def reader(come: Come, scripts: bool) -> Reader:
    return come(Reader, scripts=scripts)


@pytest.fixture
def address(scripts: bool) -> str:
    return f"ana.{'scripts' if scripts else 'plain'}@readers.example"


def test_what_is_no_address_is_named_and_kept(reader: Reader) -> None:
    reader.goes_to(LESSON).reads("never tie it to your care").reads("Privacy notice")
    reader.asks_for_lessons("").sees_error("Enter your e-mail address").finds_it_for_everybody()
    reader.goes_to(LESSON)
    reader.asks_for_lessons("abc@").sees_error("Enter an e-mail address like name@example.com")
    assert reader.page.get_by_label("E-mail address").input_value() == "abc@"
    assert reader.cookies() == {}


def test_in_by_one_button(reader: Reader, product: Product, address: str) -> None:
    reader.goes_to(LESSON).asks_for_lessons(address).reads_heading("Thank you. Check your e-mail")
    expect(reader.heading).to_be_focused()
    reader.finds_it_for_everybody()
    (mail,) = product.mail.wait_for(address)
    link = link_in(mail)
    # A mail scanner looks as often as it likes.
    for _ in range(3):
        assert reader.context.request.get(link).ok
    reader.goes_to(link).reads_heading("One last tap").finds_it_for_everybody()
    reader.presses("Confirm").reads_heading("You are in")
    expect(reader.heading).to_be_focused()
    reader.finds_it_for_everybody()
    reader.goes_to(link).reads_heading("Already confirmed").finds_it_for_everybody()
    # Asking again says the same and sends nothing: who gets lessons is nobody's business.
    reader.goes_to("/newsletter/").asks_for_lessons(address).reads_heading("Thank you. Check your e-mail")
    assert len(product.mail.to(address)) == 1


@pytest.mark.deep
def test_whoever_asks_again_before_confirming_gets_the_mail_three_times_a_day(
    come: Come, product: Product, scripts: bool
) -> None:
    reader: Reader = come(Reader, scripts=scripts)
    address = f"again.{scripts}@readers.example".lower()
    for typed in (address, address.upper(), address, address, address):
        reader.goes_to(LESSON).asks_for_lessons(typed).reads_heading("Thank you. Check your e-mail")
    # Somebody else's mail is sent behind any that were still waiting.
    reader.goes_to(LESSON).asks_for_lessons(f"behind.{address}")
    product.mail.wait_for(f"behind.{address}")
    assert len(product.mail.wait_for(address, 3)) == 3
    editor: Editor = come(Editor)
    editor.signs_in(product.reception("staff", role="editor", username="sam", email="sam@clinic.example"))
    assert editor.subscribers(f"?q=again.{scripts}".lower()) == [f"behind.{address}", address]


def test_a_link_that_does_not_work_leads_to_the_form(reader: Reader) -> None:
    for path, heading in (
        ("/newsletter/confirm/no-token/", "This link does not work"),
        ("/newsletter/leave/no-token/", "This link does not work"),
    ):
        with reader.refused_with(404):
            reader.goes_to(path)
        reader.reads_heading(heading).finds_it_for_everybody()


def test_the_home_page_has_the_form_too(reader: Reader, address: str) -> None:
    reader.goes_to("/")
    reader.asks_for_lessons(f"home.{address}").reads_heading("Thank you. Check your e-mail")
    reader.follows("Send an address again").reads_heading("Lessons by e-mail").finds_it_for_everybody()


def test_a_form_from_elsewhere_is_refused_and_can_be_sent_from_here(reader: Reader, address: str) -> None:
    answer = reader.context.request.post(
        "/newsletter/",
        form={"email": f"else.{address}", "topic": ""},
        headers={"Origin": "https://elsewhere.example"},
    )
    reader.page.route(
        "**/newsletter/", lambda route: route.fulfill(status=answer.status, body=answer.text()), times=1
    )
    with reader.refused_with(403):
        reader.goes_to("/newsletter/")
    reader.sees_error("Please send it from this page").finds_it_for_everybody()
    assert reader.page.get_by_label("E-mail address").input_value() == f"else.{address}"
    reader.presses("Send me lessons").reads_heading("Thank you. Check your e-mail")


@pytest.mark.usefixtures("broken_on_purpose")
def test_a_failure_of_ours_is_an_apology_and_keeps_the_address(
    come: Come, product: Product, scripts: bool
) -> None:
    reader: Reader = come(Reader, scripts=scripts)
    address = f"bad-day.{scripts}@readers.example".lower()
    reader.goes_to(LESSON)
    with without(product, "education_subscriber"), reader.refused_with(503):
        reader.asks_for_lessons(address)
    reader.sees_error("Sorry, that did not work").reads("Nothing was saved").finds_it_for_everybody()
    assert reader.page.get_by_label("E-mail address").input_value() == address
    assert product.mail.to(address) == []
    reader.presses("Send me lessons").reads_heading("Thank you. Check your e-mail")
    product.mail.wait_for(address)


@pytest.mark.deep
def test_machines_get_the_same_thank_you_and_nothing_else(
    come: Come, product: Product, scripts: bool
) -> None:
    reader: Reader = come(Reader, scripts=scripts)
    machine, flood, person = (
        f"{who}.{scripts}@readers.example".lower() for who in ("machine", "r", "person")
    )
    reader.goes_to(LESSON)
    reader.page.evaluate("document.getElementById('newsletter-topic').value = 'cheap shoes'")
    reader.asks_for_lessons(machine).reads_heading("Thank you. Check your e-mail")
    change(product, "DELETE FROM education_recentuse")
    for number in range(32):
        answer = reader.context.request.post(
            "/newsletter/",
            form={"email": f"{number}.{flood}", "topic": ""},
            headers={"Origin": product.address, "Sec-Fetch-Site": "same-origin"},
        )
        assert "Thank you. Check your e-mail" in answer.text()
        assert answer.status == (200 if number < 30 else 429)
    change(product, "DELETE FROM education_recentuse")
    reader.goes_to(LESSON).asks_for_lessons(person).reads_heading("Thank you. Check your e-mail")
    product.mail.wait_for(person)
    editor: Editor = come(Editor)
    editor.signs_in(product.reception("staff", role="editor", username="sam", email="sam@clinic.example"))
    stored = editor.subscribers(f"?q=.{scripts}@".lower())
    assert machine not in stored
    assert person in stored
    assert sum(address.endswith(f".{flood}") for address in stored) == 30


@pytest.mark.deep
def test_an_issue_from_writing_it_to_the_last_reader(come: Come, product: Product) -> None:
    nobody_has_joined(product)
    ana, bo, cy = (come(Reader, scripts=scripts) for scripts in (True, False, True))
    addresses = [f"{name}@issue.example" for name in ("ana", "bo", "cy", "dee")]
    for reader, address in zip((ana, bo, cy), addresses, strict=False):
        reader.joins(product, address)
    ana.goes_to(LESSON).asks_for_lessons(addresses[3])

    editor: Editor = come(Editor)
    editor.signs_in(product.reception("staff", role="editor", username="sam", email="sam@clinic.example"))
    assert set(addresses) <= set(editor.subscribers())
    editor.writes_issue("Two lessons for spring", "When the foot rolls in", "High arches")
    editor.reads("1 Demo Plaza").finds_page_accessible()
    editor.presses("Send a test to me")
    assert "Subject: Test: Two lessons for spring" in product.mail.wait_for("sam@clinic.example")[0]
    editor.sends_issue("3 subscribers")

    mails = [product.mail.wait_for(address, 2)[1] for address in addresses[:3]]
    assert len(product.mail.to(addresses[3])) == 1, "who has not confirmed gets the link to confirm alone"
    follow_nobody(mails)
    leave = leave_link(mails[0])
    stranger: Reader = come(Reader, scripts=False)
    stranger.goes_to(leave).reads_heading("Leave the list?").finds_page_accessible(themes=True)
    stranger.presses("Stop the lessons").reads_heading("You have left the list")
    stranger.finds_page_accessible(themes=True)
    stranger.goes_to(leave).reads_heading("You have left the list")
    # A mail program leaves by itself, without a page.
    assert ana.context.request.post(leave_link(mails[1]), form={"List-Unsubscribe": "One-Click"}).ok
    assert {"ana@issue.example", "bo@issue.example"} <= set(editor.subscribers("?status__exact=unsubscribed"))

    # The third address does not exist any more, as the mail server says in a message of its own.
    editor.goes_to("/staff/education/subscriber/").follows("Mark as bounced").reads_heading("Mark as bounced")
    editor.presses("Mark as bounced").sees_error("Paste at least one address").finds_page_accessible()
    editor.page.get_by_label("Addresses, or the messages").fill("<CY@issue.example>: 550 5.1.1 User unknown")
    editor.presses("Mark as bounced").is_told("1 address marked.")
    assert "cy@issue.example" in editor.subscribers("?bounced_at__isempty=0")
    eve: Reader = come(Reader)
    eve.joins(product, "eve@issue.example")
    editor.writes_issue("One for summer", "High arches").sends_issue("1 subscriber")
    product.mail.wait_for("eve@issue.example", 2)
    assert [len(product.mail.to(address)) for address in addresses] == [2, 2, 2, 1]

    # Who left and comes upon the old link is offered a new one.
    ana.goes_to(ana.joined_by).reads_heading("This link has ended").finds_it_for_everybody()
    ana.presses("Send me a new link").reads_heading("Thank you. Check your e-mail")
    ana.goes_to(link_in(product.mail.wait_for("ana@issue.example", 3)[2]))
    ana.presses("Confirm").reads_heading("You are in")


@pytest.mark.deep
def test_the_list_leads_to_no_patient(come: Come, product: Product) -> None:
    product.reception("visit", email="casey@patients.example")
    editor: Editor = come(Editor)
    editor.signs_in(product.reception("staff", role="editor", username="sam", email="sam@clinic.example"))
    assert "casey@patients.example" not in editor.subscribers()
    editor.does_not_read("Patients")
    for path in ("patient/", "evaluation/", "evaluationrequest/"):
        with editor.refused_with(404):
            editor.goes_to(f"/staff/intake/{path}")
    physio: Staff = come(Staff)
    physio.signs_in(product.reception("staff", role="physio", username="ortiz"))
    with physio.refused_with(404):
        physio.goes_to("/staff/education/subscriber/")


@pytest.mark.deep
def test_how_many_get_it_is_said_where_the_clinic_wants_it_and_is_true(
    come: Come, product: Product, scripts: bool
) -> None:
    reader: Reader = come(Reader, scripts=scripts)
    nobody_has_joined(product)
    for path in ("/newsletter/", "/", LESSON):
        reader.goes_to(path).does_not_read("people get them").does_not_read("subscribers")
    change(product, "UPDATE education_clinicinfo SET shows_subscriber_count = true")
    try:
        reader.goes_to("/newsletter/").does_not_read("get them")
        for number in range(2):
            come(Reader, scripts=scripts).joins(product, f"{number}.{scripts}@count.example".lower())
        reader.goes_to("/newsletter/").asks_for_lessons(f"pending.{scripts}@count.example".lower())
        reader.goes_to("/newsletter/").reads("2 people get them.").finds_it_for_everybody()
    finally:
        change(product, "UPDATE education_clinicinfo SET shows_subscriber_count = false")
    reader.goes_to("/newsletter/").does_not_read("people get them")
