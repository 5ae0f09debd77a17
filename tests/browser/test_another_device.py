"""J3.3: begun on one phone, finished on another."""

from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.gallery import code_in
from tests.browser.patient import NOTHING_TO_REPORT, Patient
from tests.browser.product import Product

# Two taps of one finger, the second before the answer to the first is there.
TAPS_TWICE = "(button) => { button.click(); setTimeout(() => button.click(), 60); }"


def test_on_another_phone_with_a_code_from_the_mail(patient: Patient, come: Come, product: Product) -> None:
    address = f"two.phones.{'js' if patient.scripts else 'html'}@patients.example"
    visit = product.reception("visit", email=address)
    first: Patient = come(Patient)
    first.opens_with_birth_date(visit["link"]).has_filled(*list(NOTHING_TO_REPORT)[:7])

    patient.opens_with_birth_date(visit["link"]).reads_heading("Enter the code from your e-mail")
    assert patient.page.url == f"{product.address}/intake/code/"
    patient.finds_page_accessible()
    patient.does_not_read("knee").does_not_read("Casey")
    [mail] = product.mail.wait_for(address)
    patient.gives_code("12345").sees_error("Enter the 6 numbers from the e-mail")
    patient.gives_code(f"{(int(code_in(mail)) + 1) % 10**6:06}").sees_error("That code doesn’t work")
    patient.gives_code(code_in(mail)).reads_heading("Welcome back, Casey").reads("7 of 10 parts done")
    patient.finds_page_accessible()
    patient.follows("Check so far").reads_heading("Check your answers")
    patient.goes_back_in_browser().follows("Resume: How you stand and walk").reads("Part 8 of 10")
    # The first phone goes on too.
    first.goes_to("/intake/").reads("7 of 10 parts done")


def test_a_finger_that_presses_twice_uses_the_code_up_once(come: Come, product: Product) -> None:
    address = "pressed.twice@patients.example"
    visit = product.reception("visit", email=address)
    come(Patient).opens_with_birth_date(visit["link"]).has_filled("about")
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"])
    product.mail.wait_for(address)
    patient.presses("Send another code").reads("Another code is on its way")
    expect(patient.main.get_by_role("status")).to_be_focused()
    mail = product.mail.wait_for(address, 2)[-1]
    patient.types(patient.page.get_by_label("6-digit code"), code_in(mail))
    patient.page.get_by_role("button", name="Open my form").evaluate(TAPS_TWICE)
    patient.reads_heading("Welcome back, Casey")
    patient.goes_back_in_browser().reads_heading("Welcome back, Casey")
