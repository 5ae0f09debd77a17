"""J3.3: begun on one phone, finished on another."""

from tests.browser.conftest import Come
from tests.browser.gallery import code_in
from tests.browser.patient import NOTHING_TO_REPORT, Patient
from tests.browser.product import Product


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
