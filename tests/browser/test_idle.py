"""J3.6: half an hour of nothing. The form warns, and afterwards asks the date of birth and goes on."""

from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.patient import Patient
from tests.browser.product import Product


def test_the_form_warns_and_stays_by_one_key(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"]).starts()
    patient.page.clock.install()
    patient.goes_to("/intake/about/")
    warning = patient.page.get_by_role("alertdialog", name="Are you still there?")

    patient.page.clock.fast_forward("27:30")
    expect(warning).to_be_hidden()
    patient.page.clock.fast_forward("00:40")
    expect(warning).to_be_visible()
    expect(warning.get_by_role("button", name="Stay")).to_be_focused()
    patient.page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    patient.page.clock.fast_forward("28:10")
    expect(warning).to_be_visible()


def test_what_was_typed_meanwhile_is_saved_after_the_date(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient: Patient = come(Patient, scripts=False)
    patient.opens_with_birth_date(visit["link"]).has_filled_up_to("pain")
    patient.goes_to("/intake/pain/")
    product.reception("idle", evaluation=visit["evaluation"])
    for question in ("now", "worst", "average"):
        patient.touches(patient.page.locator(f"[name='pain.{question}'][value='7']"))
    with patient.refused_with(403):
        patient.continues().reads_heading("Are you still there?").finds_page_accessible()
    patient.gives_birth_date("4", "12", "1986", button="Go on")

    assert patient.page.url.endswith("/intake/knee/")
    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert stored["intakes"][0]["answers"]["pain.worst"] == [7]
