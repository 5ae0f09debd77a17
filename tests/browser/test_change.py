"""J1.15, J5.10 and the receipt of J5.11: sent, read, changed, read again."""

import pytest

from tests.browser import gallery
from tests.browser.conftest import Come
from tests.browser.desk import Physio
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.browser.test_every_page import check

ROLLS = "Where is your weight on this foot as you walk?"


@pytest.mark.deep
@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts"), pytest.param(False, id="no scripts", marks=pytest.mark.deep)],
)
def test_a_patient_changes_an_answer_after_it_was_read(come: Come, product: Product, scripts: bool) -> None:
    name = f"Changed{scripts}".title()
    visit = product.reception("visit", given="Jordan", family=name, minutes_ahead=90)
    account = product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )
    patient: Patient = come(Patient, scripts=scripts)
    patient.opens_with_birth_date(visit["link"])
    patient.has_filled_everything().confirms().sends().reads_heading("Thank you, Jordan")

    physio: Physio = come(Physio, scripts=scripts)
    physio.signs_in(account).goes_to_worklist(f"?q={name}&day=coming").opens_row(f"Jordan {name}")
    findings = physio.open_findings()
    for title in findings:
        physio.confirms(title)
    patient.opens_with_birth_date(visit["link"]).reads_heading("Your visit, Jordan")
    patient.reads("We have your answers").does_not_read("read your answers on")
    physio.finishes().is_told("Review finished.")
    patient.reloads().reads("Dr. Maya Ortiz read your answers on").finds_page_accessible()

    patient.presses("Something changed").reads_heading("Change your answers")
    patient.finds_page_accessible(colors=False)
    patient.opens_part("How you stand and walk").chooses(ROLLS, "In the middle", side="Right foot")
    patient.continues().reads_heading("Check your answers").reads("You changed 1 answer")
    patient.finds_page_accessible(colors=False)
    patient.confirms().sends().reads_heading("Thank you, Jordan")
    patient.opens_with_birth_date(visit["link"]).reads("Dr. Maya Ortiz read your earlier answers on")
    patient.reads("has not been read yet")

    physio.goes_to_worklist(f"?q={name}&day=coming").opens_row(f"Jordan {name}")
    physio.reads("1 answer changed today at").reads("Before: It rolls in → Now: In the middle")
    physio.reads("Answers changed").finds_page_accessible()
    for title in physio.open_findings():
        assert title in findings
        physio.assesses(title)
    physio.finishes().is_told("Review finished.")
    patient.reloads().reads("Dr. Maya Ortiz read your answers on")


@pytest.mark.deep
def test_every_page_of_it(come: Come, product: Product) -> None:
    assert len(check(gallery.changed_pages(come, product), deep=True)) == 10
