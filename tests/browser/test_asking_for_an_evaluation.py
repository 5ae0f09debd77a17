"""J2: from a lesson to an appointment, without an account; the form is sent before anything is booked."""

import re
import time
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk, Physio
from tests.browser.patient import Patient
from tests.browser.product import Product

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


LINK = re.compile(r"^http\S+/intake/open/\S+$", re.MULTILINE)
ON_CALL = "on-call@clinic.example"
MAIL = """\
i.Athlete Physio got your request for a first evaluation.

The front desk will write or call to find a time with you. Nothing is booked yet.

You can answer our questions now, so that the evaluation starts with you. It takes about 10 to 15 minutes on \
your phone. You can stop and come back. We ask for your date of birth first, so that only you can open it.

{link}

The link works for 14 days, and longer once a visit is booked.

In a hurry, or was it not you? Call us: (310) 555-0142

i.Athlete Physio
1 Demo Plaza, Suite 100, Torrance, California 90501"""


def link_in(mail: str) -> str:
    found = LINK.search(mail)
    assert found, mail
    return found.group()


def staff_of(come: Come, product: Product) -> tuple[FrontDesk, Physio]:
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(product.reception("staff", role="front desk", username="robin"))
    physio: Physio = come(Physio)
    names = {"first_name": "Maya", "last_name": "Ortiz", "title": "Dr."}
    physio.signs_in(product.reception("staff", role="physio", username="ortiz", **names))
    return desk, physio


class Asker(Patient):
    """Read a lesson and wants to be seen."""

    def fills_in(self, **fields: str) -> "Asker":
        for label, words in {**ANA, **fields}.items():
            self.page.get_by_label(label, exact=True).fill(words)
        return self

    def asks(self, **fields: str) -> "Asker":
        self.fills_in(**fields)
        self.presses("Ask for an evaluation")
        return self


@pytest.fixture
def asker(come: Come, scripts: bool) -> Asker:
    return come(Asker, scripts=scripts)


@pytest.mark.deep
def test_mistakes_are_named_and_nothing_typed_is_lost(asker: Asker) -> None:
    asker.goes_to(LESSON)
    assert asker.cookies() == {}
    asker.follows(BUTTON).reads_heading(BUTTON)
    asker.reads("You have no appointment yet").reads("You came from: When the foot rolls in")
    asker.finds_page_accessible()
    time.sleep(TYPING_SECONDS)
    asker.asks(**{"E-mail address": ""}).sees_error("Enter an e-mail or a phone number")
    assert asker.page.get_by_label("Last name").input_value() == "Silva"
    asker.finds_page_accessible()
    asker.asks(**{"E-mail address": "", "Phone number": "555"})
    asker.sees_error("Enter a phone number with its area code")
    asker.asks(**{"Year": "2086"}).sees_error("Enter a date of birth in the past")
    assert asker.page.get_by_label("Year").input_value() == "2086"
    asker.asks(**{"Year": "2020", "Phone number": ""}).sees_error("Enter the name of a parent or guardian")
    asker.finds_page_accessible()


@pytest.mark.deep
@pytest.mark.parametrize("person", ["new", "known"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_way_to_an_appointment(
    come: Come, asker: Asker, product: Product, scripts: bool, person: str
) -> None:
    """J2.1 to J2.7. Whether she is known, she cannot tell from any page or mail on the way."""
    family = f"Silva{person}{'scripts' if scripts else 'plain'}"
    address = f"{family.lower()}@asking.example"
    if person == "known":
        product.reception("visit", given="Anna", family=family, email=address)
    asker.goes_to(LESSON).follows(BUTTON)
    time.sleep(TYPING_SECONDS)
    asker.asks(**{"E-mail address": address, "Last name": family})
    asker.reads_heading("Check your e-mail").reads("A link to the pre-visit form is on its way to you.")
    expect(asker.heading).to_be_focused()
    asker.finds_page_accessible()
    (mail,) = product.mail.wait_for(address)
    assert mail.partition("\n\n")[2].replace(link_in(mail), "LINK") == MAIL.format(link="LINK")
    assert "Subject: We got your request" in mail

    asker.opens_with_birth_date(link_in(mail)).reads_heading("Before you start")
    asker.reads("Hello Ana.").reads("You came from: When the foot rolls in")
    asker.reads("You have no appointment yet")
    asker.starts().reads("0 of 10 parts done")
    asker.goes_to("/intake/where/")
    assert asker.page.locator("input[name^='pain.regions']:checked").count() == 0, "nothing is filled in"
    asker.has_filled_everything().confirms().sends()
    asker.reads_heading("Thank you, Ana").reads("We find a time with you").reads("No appointment yet")
    asker.does_not_read("Right foot to knee")

    desk, physio = staff_of(come, product)
    desk.goes_to("/staff/intake/evaluationrequest/").reads_heading("Needs appointment")
    row = desk.page.get_by_role("row", name=family)
    expect(row).to_contain_text("Lesson: When the foot rolls in")
    expect(row).to_contain_text("Needs appointment")
    desk.goes_to_worklist("?status=needs-appointment")
    for words in ("Lesson: When the foot rolls in", "Needs appointment", "To review", "No time yet"):
        expect(desk.row(f"Ana {family}")).to_contain_text(words)
    physio.goes_to_worklist(f"?q={family}&status=needs-appointment").opens_row(f"Ana {family}")
    physio.reads("No appointment yet, asked today").reads("Came from the lesson When the foot rolls in")
    assert "Right foot to knee" in physio.main.inner_text()
    physio.confirms(physio.open_findings()[0])

    desk.opens_row(f"Ana {family}").reads_heading(f"Ana {family}")
    desk.presses("Book the evaluation").reads("This was not saved").finds_page_accessible()
    if person == "known":
        desk.touches(desk.page.get_by_role("radio", name=f"{family}, Anna"))
    desk.picks(desk.page.get_by_label("Physio"), "Maya Ortiz")
    # Nobody has two visits at once: each way has a week of its own.
    day = date(2031, 3, 4) + timedelta(weeks=2 * (person == "known") + scripts)
    desk.types(desk.page.get_by_label("Starts at"), f"{day.isoformat()}T09:30")
    desk.presses("Book the evaluation").is_told("Booked. The form that was sent stands with it.")
    booked = f"{'Anna' if person == 'known' else 'Ana'} {family}"
    desk.goes_to_worklist(f"?day={day.isoformat()}").reads(booked)
    desk.goes_to_worklist("?status=needs-appointment").does_not_read(family)
    physio.goes_to_worklist(f"?day={day.isoformat()}").opens_row(booked)
    physio.reads(f"Evaluation {day:%b} {day.day}, 2031 at 9:30 am with you").reads("Confirmed")
    asker.reloads().reads(f"You come in on Tuesday, {day:%B} {day.day}").reads("Your form is with Dr. Ortiz")


@pytest.mark.deep
def test_an_urgent_answer_before_any_appointment(come: Come, product: Product) -> None:
    """J4 on this way in: the same page, the same mail, on top of every list."""
    asked = product.reception("asks", given="Uma", family="Early")
    desk, physio = staff_of(come, product)
    before, mails = desk.goes_to_worklist().urgent_answers(), len(product.mail.to(ON_CALL))
    hurt: Asker = come(Asker)
    hurt.opens_with_birth_date(asked["link"]).has_filled_up_to("safety")
    hurt.chooses("Do you have any of these now?", "Calf more swollen than the other", side="Left leg")
    hurt.continues().reads_heading("Get medical help today")
    product.mail.wait_for(ON_CALL, mails + 1)
    assert desk.goes_to("/staff/intake/patient/").urgent_answers() == before + 1
    desk.follows_banner()
    expect(desk.row("Uma Early")).to_contain_text("Urgent")
    expect(desk.row("Uma Early")).to_contain_text("No time yet")
    physio.goes_to_worklist().opens_row("Uma Early").reads("Swollen or hot calf or leg")
    physio.records_call(outcome="Spoke to the patient", next_step="Went to urgent care")
    assert desk.goes_to_worklist().urgent_answers() == before


@pytest.mark.deep
def test_with_a_phone_alone_the_clinic_calls(
    come: Come, asker: Asker, product: Product, scripts: bool
) -> None:
    family = f"Phone{'scripts' if scripts else 'plain'}"
    asker.goes_to("/evaluation/ask/")
    time.sleep(TYPING_SECONDS)
    asker.asks(**{"E-mail address": "", "Phone number": "310 555 0142", "Last name": family})
    asker.reads_heading("We will call you").finds_page_accessible()
    desk, _physio = staff_of(come, product)
    desk.goes_to_worklist("?status=needs-appointment").opens_row(f"Ana {family}")
    desk.reads("There is no e-mail address.")


@pytest.mark.deep
def test_reading_the_privacy_notice_mid_form_loses_nothing(
    asker: Asker, product: Product, scripts: bool
) -> None:
    """J2.9. What was saved is there; with scripts also what was only typed."""
    asker.opens_with_birth_date(product.reception("asks", family="Private")["link"])
    asker.has_filled_up_to("safety")
    if scripts:
        with asker.page.expect_response(lambda answer: answer.request.method == "POST"):
            asker.chooses("Did you hurt this leg in the last 2 weeks?", "Yes", side="Left leg")
        asker.sees_saved()
    asker.follows("Privacy notice").reads_heading("Privacy notice").goes_back_in_browser()
    if scripts:
        asker.has_chosen("Did you hurt this leg in the last 2 weeks?", "Yes", side="Left leg")
    asker.goes_to("/intake/about/")
    expect(asker.page.get_by_label("How old are you?")).to_have_value("40")


def test_whoever_is_fast_is_asked_to_look_again(asker: Asker) -> None:
    asker.goes_to("/evaluation/ask/")
    # As if it came from nobody's page: how fast the test types shall not matter.
    asker.page.locator("input[name=shown]").evaluate("field => { field.value = '' }")
    asker.asks(**{"E-mail address": "fast@asking.example"})
    asker.reads("press the button once more").finds_page_accessible()
    expect(asker.page.get_by_label("E-mail address")).to_have_value("fast@asking.example")


def test_a_machine_is_refused_with_the_phone(asker: Asker) -> None:
    asker.goes_to("/evaluation/ask/")
    asker.page.locator("#topic").evaluate("field => { field.value = 'shoes' }")
    with asker.refused_with(429):
        asker.asks(**{"E-mail address": "machine@asking.example"})
    asker.reads_heading("Please call us").reads("(310) 555-0142").finds_page_accessible()
