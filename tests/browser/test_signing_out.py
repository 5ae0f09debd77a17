"""After signing out, or "Save and leave", Back shows nothing of what was there (R37)."""

import pytest

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk
from tests.browser.patient import Patient
from tests.browser.product import Product

STORY = "Zyxstory on the stairs"


@pytest.mark.deep
def test_staff(come: Come, product: Product) -> None:
    product.reception("visit", family="Zyxbehind", email="zyx.behind@patients.example")
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(product.reception("staff", role="front desk", username="lee"))
    desk.goes_to("/staff/intake/patient/?q=Zyxbehind").reads("zyx.behind@patients.example")
    desk.goes_to_worklist("?q=Zyxbehind").reads("zyx.behind@patients.example")
    desk.presses("Log out").reads_heading("Staff sign-in").is_told("You are logged out.")
    desk.finds_page_accessible()
    desk.goes_back_in_browser().reads_heading("Staff sign-in").does_not_read("zyx.behind")
    desk.goes_back_in_browser().reads_heading("Staff sign-in").does_not_read("zyx.behind")


@pytest.mark.deep
def test_a_patient(come: Come, product: Product) -> None:
    visit = product.reception("visit", given="Zyxname", email="zyx.name@patients.example")
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"]).starts()
    patient.goes_to("/intake/about/")
    patient.page.locator("[name='why.story']").fill(STORY)
    patient.presses("Save and leave")
    kept = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert "Zyx" not in patient.page.evaluate(kept)
    with patient.refused_with(403):
        patient.goes_back_in_browser().does_not_read(STORY).does_not_read("Zyxname")
    assert STORY not in patient.page.content()
