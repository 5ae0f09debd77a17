"""J3.5: the same form in two tabs."""

import pytest
from playwright.sync_api import expect

from tests.browser.patient import Patient
from tests.browser.product import Product


@pytest.mark.deep
def test_the_second_tab_is_told_that_it_was_sent(patient: Patient, product: Product) -> None:
    visit = product.reception("visit")
    patient.opens_with_birth_date(visit["link"]).has_filled_everything()
    first_tab = patient.page
    second_tab = patient.opens_tab()
    patient.goes_to("/intake/check/")
    tab_with_questions = patient.opens_tab()
    patient.goes_to("/intake/pain/")

    patient.turns_to(first_tab).confirms().sends().reads_heading("Thank you, Casey")
    # The other tab sends with a key of its own: the same thanks, no second intake.
    patient.turns_to(second_tab)
    with patient.refused_with(409):
        patient.confirms().sends().reads_heading("Thank you, Casey").reads("Already sent at")
    patient.reads("Nothing was sent twice").finds_page_accessible()
    # A page of questions that is still open changes nothing any more.
    patient.turns_to(tab_with_questions)
    patient.chooses("Right now", "9").continues().reads_heading("Thank you, Casey")

    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert [intake["status"] for intake in stored["intakes"]] == ["completed"]
    assert stored["intakes"][0]["answers"]["pain.now"] == [3]
    assert stored["sent_rows"] == 1


@pytest.mark.deep
def test_two_tabs_fill_in_different_pages(patient: Patient, product: Product) -> None:
    """The last save of a question counts; answers of other pages stay."""
    visit = product.reception("visit")
    patient.opens_with_birth_date(visit["link"]).has_filled("about", "safety", "health")
    first_tab = patient.page
    patient.goes_to("/intake/pain/").opens_tab()
    patient.goes_to("/intake/walk/")
    patient.chooses("Where is your weight on this foot as you walk?", "It rolls in", side="Right foot")
    patient.continues_to("Try these, if you feel safe")
    patient.turns_to(first_tab)
    for when in ("Right now", "Worst in the last 7 days", "Usual in the last 7 days"):
        patient.chooses(when, "5")
    patient.continues_to("Your knees")
    answers = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert answers["gait.foot-roll.right"] == ["inward"]
    assert answers["pain.now"] == [5]


def test_an_older_page_takes_nothing_back_and_says_so(patient: Patient, product: Product) -> None:
    """J3.4: the same page open twice; the older one is sent last."""
    visit = product.reception("visit")
    patient.opens_with_birth_date(visit["link"]).has_filled_up_to("health").goes_to("/intake/pain/")
    older = patient.page
    patient.opens_tab()
    patient.goes_to("/intake/pain/").chooses("Right now", "8").chooses("Worst in the last 7 days", "9")
    patient.continues()
    patient.turns_to(older)
    patient.chooses("Worst in the last 7 days", "4").chooses("Usual in the last 7 days", "2").continues()
    notice = patient.main.get_by_role("status", name="Changed on another device")
    expect(notice).to_be_focused()
    expect(notice.get_by_role("listitem")).to_have_text(["Right now", "Worst in the last 7 days"])
    patient.has_chosen("Right now", "8").has_chosen("Worst in the last 7 days", "4")
    patient.finds_page_accessible()
    answers = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert (answers["pain.now"], answers["pain.worst"], answers["pain.average"]) == ([8], [4], [2])
    patient.continues()
    expect(patient.heading).not_to_have_text("Your pain")
