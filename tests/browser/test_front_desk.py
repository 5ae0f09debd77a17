"""J1.1: the front desk adds a patient and a visit; the e-mail with the link arrives."""

import email
import email.policy
import re
from datetime import date, timedelta

import pytest

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk
from tests.browser.keyboard import KeyboardFrontDesk
from tests.browser.patient import Patient
from tests.browser.product import Product, wait_for
from tests.health_words import health_words


def next_tuesday(weeks: int) -> date:
    """At least three days ahead, so that a link sent now lives, and as many weeks later."""
    day = date.today() + timedelta(days=3, weeks=weeks)  # noqa: DTZ011 - the browser picks a day, not a moment
    return day + timedelta(days=(1 - day.weekday()) % 7)


@pytest.mark.parametrize(
    ("kind", "scripts"),
    [
        pytest.param(FrontDesk, True, id="scripts"),
        pytest.param(FrontDesk, False, id="no scripts", marks=pytest.mark.deep),
        pytest.param(KeyboardFrontDesk, True, id="keyboard", marks=pytest.mark.deep),
    ],
)
def test_a_patient_is_invited(come: Come, product: Product, kind: type[FrontDesk], scripts: bool) -> None:
    account = product.reception(
        "staff", role="front desk", username="desk", first_name="Robin", last_name="Hale"
    )
    product.reception(
        "staff", role="physio", username="vale", first_name="Iris", last_name="Vale", title="Dr."
    )
    address = f"a.{kind.__name__}.{scripts}@patients.example".lower()
    # A physio of its own for the story and a Tuesday for each way through it: nobody has two visits at once.
    day = next_tuesday(weeks=(kind is KeyboardFrontDesk) * 2 + (not scripts))

    desk = come(kind, scripts=scripts).signs_in(account)
    desk.adds_patient(given="Anna", family="Ng", born="04/12/1986", email=address, phone="(310) 555-0111")
    desk.is_told("Added. Now add the evaluation.")
    desk.adds_evaluation(physio="Iris Vale", starts_at=f"{day.isoformat()}T09:00")
    desk.is_told("The evaluation is booked. The invitation is on its way.").reads(address)

    [mail] = product.mail.wait_for(address)
    message = email.message_from_string(mail, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    assert message["Subject"] == "A few questions before your visit"
    assert "i.Athlete Physio" in message["From"]
    assert "Dr. Vale would like to ask you a few questions" in words
    assert f"Tuesday, {day:%B} {day.day} at 9:00 am" in words
    assert "Where: i.Athlete Physio, " in words
    assert "10 to 15 minutes" in words
    assert "(310) 555-0142" in words
    assert health_words(message["Subject"] + words) == []

    def is_shown_as_sent() -> bool:
        return "Sent, not opened yet" in desk.reloads().main.inner_text()

    wait_for(is_shown_as_sent, "the page to say that the link was sent")
    [link] = re.findall(r"http\S+/intake/open/\S+", words)
    come(Patient).opens_with_birth_date(link).reads("Hello Anna. Dr. Vale would like to know")
    desk.reloads().reads("Opened").does_not_read("Sent, not opened yet")


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(come: Come, product: Product) -> None:
    account = product.reception(
        "staff", role="front desk", username="desk", first_name="Robin", last_name="Hale"
    )
    desk = come(FrontDesk).signs_in(account)
    desk.adds_patient(given="Anna", family="", born="13/40/1986", email="a@")
    desk.reads("Enter a real date as month/day/year, like 04/12/1986.").reads("Enter the family name.")
    assert desk.page.get_by_label("Given name").input_value() == "Anna"
    assert desk.page.get_by_label("Date of birth").input_value() == "13/40/1986"
