"""J6.10: a visit is cancelled and booked again; no answer is lost, and no physio is booked twice."""

from datetime import date, timedelta

import pytest

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk
from tests.browser.patient import Patient
from tests.browser.product import Product


@pytest.mark.deep
@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts"), pytest.param(False, id="no scripts", marks=pytest.mark.deep)],
)
def test_what_was_answered_waits_for_the_new_time(come: Come, product: Product, scripts: bool) -> None:
    other = product.reception("visit", given="Rosa", family="Vance", email="rosa@patients.example")
    hers = f"moved.{scripts}@patients.example".lower()
    visit = product.reception("visit", email=hers, minutes_ahead=60 * 24 * 5)
    patient: Patient = come(Patient, scripts=scripts)
    patient.opens_with_birth_date(visit["link"]).has_filled("about", "safety")
    desk: FrontDesk = come(FrontDesk, scripts=scripts)
    desk.signs_in(
        product.reception("staff", role="front desk", username="desk", first_name="Robin", last_name="Hale")
    )
    address = "/staff/intake/evaluation/{}/change/"
    taken = desk.goes_to(address.format(other["evaluation"])).page.get_by_label("Starts at").input_value()

    desk.goes_to(address.format(visit["evaluation"])).reads("Form begun").finds_page_accessible()
    # Where somebody else is booked, it says so beside the time, and what was typed stands there still.
    desk.types(desk.page.get_by_label("Starts at"), taken)
    desk.presses("Save").reads("Maya Ortiz has a visit from")
    assert desk.page.get_by_label("Starts at").input_value() == taken

    desk.goes_to(address.format(visit["evaluation"])).follows("Cancel the visit", within=desk.main)
    desk.reads("Answers and everything staff wrote are kept").finds_page_accessible()
    desk.types(desk.page.get_by_label("Reason, if it helps later"), "Away that week")
    desk.presses("Cancel the visit").is_told("Cancelled. Nothing was deleted.").reads("Away that week")
    desk.finds_page_accessible()
    [mail] = product.mail.wait_for(hers)
    assert "Subject: Your visit is cancelled" in mail
    with patient.refused_with(404):
        patient.opens(visit["link"]).reads_heading("This link no longer works")

    desk.follows("Book it again", within=desk.main).reads("what was answered and reviewed is kept")
    desk.types(desk.page.get_by_label("Starts at"), taken)
    desk.presses("Book it again").sees_error("Maya Ortiz has a visit from").finds_page_accessible()
    free = f"{date.fromisoformat(taken[:10]) + timedelta(days=20)}{taken[10:]}"
    desk.types(desk.page.get_by_label("Starts at"), free)
    desk.presses("Book it again").is_told("Booked again. What was answered is kept.").reads("Form begun")

    mails = product.mail.wait_for(hers, count=2)
    assert any("Subject: Your visit has a new time" in one for one in mails)
    assert any("text/calendar" in one for one in mails)
    patient.opens_with_birth_date(visit["link"]).reads("Welcome back").reads("Done")


@pytest.mark.deep
def test_the_desk_switches_reminders_off(come: Come, product: Product) -> None:
    visit = product.reception("visit", email="quiet@patients.example", minutes_ahead=60 * 24 * 9)
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(
        product.reception("staff", role="front desk", username="desk", first_name="Robin", last_name="Hale")
    )
    desk.goes_to(f"/staff/intake/evaluation/{visit['evaluation']}/change/")
    desk.presses("Switch reminders off").is_told("No more reminders of this visit.")
    desk.presses("Switch reminders on").is_told("Reminders are on again.")
