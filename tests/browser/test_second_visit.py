"""J3.9: months later, on another phone, earlier answers are confirmed or changed."""

import pytest

from tests.browser import gallery
from tests.browser.conftest import Come
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.browser.test_every_page import check

ROLLS = "Where is your weight on this foot as you walk?"


@pytest.mark.deep
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_earlier_answers_are_confirmed_or_changed(come: Come, product: Product, scripts: bool) -> None:
    address = f"again.{'js' if scripts else 'html'}@patients.example"
    visit = product.reception("again", answers=gallery.SAID, email=address)
    patient: Patient = come(Patient, scripts=scripts)
    patient.opens_with_birth_date(visit["link"]).starts().does_not_read("You sent us this form before, on")
    patient.presses("E-mail me a code")
    [mail] = product.mail.wait_for(address)
    patient.gives_code(gallery.code_in(mail)).reads("You sent us this form before, on")

    patient.opens_part("How you stand and walk").reads("Is it still true?").reads("It rolls in")
    patient.finds_page_accessible()
    patient.follows("Change these answers").has_chosen(ROLLS, "It rolls in", side="Right foot")
    patient.chooses(ROLLS, "In the middle", side="Right foot").continues_to("Try these, if you feel safe")
    patient.goes_to("/intake/foot/").reads("Is it still true?")
    patient.presses("Still true").reads_heading("How you stand and walk").does_not_read("Is it still true?")
    patient.has_chosen(ROLLS, "In the middle", side="Right foot")


@pytest.mark.deep
def test_every_page_of_it(come: Come, product: Product) -> None:
    assert len(check(gallery.again_pages(come, product), deep=True)) == 7
