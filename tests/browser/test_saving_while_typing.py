"""With scripts: what is typed is kept while it is typed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.database import locked
from tests.browser.patient import SEND, Patient
from tests.browser.product import Product

WORDS = "In your own words, if you like."


def has_signal_again(patient: Patient) -> None:
    """What the browser said of the requests that were cut off is no problem of the page's."""
    patient.context.set_offline(False)
    patient.problems = [words for words in patient.problems if "ERR_INTERNET_DISCONNECTED" not in words]


def is_asked_before_leaving(patient: Patient) -> None:
    """And stays: leaving would lose what was not saved or sent."""
    patient.page.once("dialog", lambda dialog: dialog.dismiss())
    with patient.page.expect_event("dialog") as asked:
        patient.page.evaluate("location.reload()")
    assert asked.value.type == "beforeunload"


@pytest.mark.deep
def test_words_outlive_a_closed_tab(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).starts().goes_to("/intake/about/")
    patient.writes(WORDS, "It began on a hill.").sees_saved()
    patient.closes_tab().goes_to("/intake/about/").has_written(WORDS, "It began on a hill.")
    # Saved while typing is not judged: nothing is called missing, no part is called done.
    assert patient.page.get_by_role("alert").count() == 0
    patient.goes_to("/intake/").reads("0 of 10 parts done").reads("of 6 answered")


def test_a_line_that_is_cut_is_told_and_mended(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).starts().goes_to("/intake/about/")
    patient.context.set_offline(True)
    patient.writes(WORDS, "Typed in the elevator.").reads("Not saved yet. Check your connection")
    has_signal_again(patient)
    patient.sees_saved().has_written(WORDS, "Typed in the elevator.")
    stored = product.reception("stored", evaluation=visit["evaluation"])["intakes"]
    assert [intake["answers"]["why.story"] for intake in stored] == [["Typed in the elevator."]]


def test_continue_without_a_signal_goes_on_when_it_is_back(come: Come, product: Product) -> None:
    """J3.1 and J3.2."""
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).starts().has_filled_up_to("pain")
    patient.context.set_offline(True)
    for scale in ("pain.now", "pain.worst", "pain.average"):
        patient.touches(patient.page.locator(f"[name='{scale}'][value='7']"))
    patient.touches(patient.page.get_by_role("button", name="Save and continue", exact=True).last)
    patient.reads("Not saved yet. Check your connection")
    is_asked_before_leaving(patient)
    has_signal_again(patient)
    patient.page.wait_for_url("**/intake/knee/")
    (stored,) = product.reception("stored", evaluation=visit["evaluation"])["intakes"]
    assert stored["answers"]["pain.worst"] == [7]


def test_sent_without_a_signal_it_is_sent_once_when_it_is_back(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).has_filled_everything()
    patient.goes_to("/intake/check/").confirms()
    patient.context.set_offline(True)
    patient.touches(patient.page.get_by_role("button", name=SEND))
    patient.reads("Not sent yet. Check your connection").reads_heading("Check your answers")
    patient.finds_page_accessible()
    is_asked_before_leaving(patient)
    has_signal_again(patient)
    patient.reads_heading("Thank you, Casey")
    assert patient.page.url.endswith("/intake/sent/")
    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert [intake["status"] for intake in stored["intakes"]] == ["completed"]
    assert stored["sent_rows"] == 1


def test_what_still_lacks_when_it_is_sent_is_said_on_the_page(come: Come, product: Product) -> None:
    """The answer to the script's press is a page, with the place that lacks something under the finger."""
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).has_filled_everything()
    patient.goes_to("/intake/check/")
    patient.touches(patient.page.get_by_role("button", name=SEND))
    patient.reads("One thing is left").reads("Tick this box to send your form.")
    expect(patient.page.get_by_role("alert")).to_be_focused()
    patient.confirms().sends().reads_heading("Thank you, Casey")


@pytest.mark.deep
@pytest.mark.usefixtures("broken_on_purpose")
def test_a_database_that_is_away_leaves_the_page_as_it_is(come: Come, product: Product) -> None:
    """What cannot be saved stays on the page, and is saved once when it can be."""
    visit = product.reception("visit")
    patient = come(Patient).opens_with_birth_date(visit["link"]).starts().has_filled_up_to("pain")
    scales = ("pain.now", "pain.worst", "pain.average")
    with locked(product, "intake_questionnaireresponse"):
        for scale in scales:
            patient.touches(patient.page.locator(f"[name='{scale}'][value='7']"))
        patient.touches(patient.page.get_by_role("button", name="Save and continue", exact=True).last)
        patient.reads("Not saved yet. Check your connection")
        for scale in scales:
            assert patient.page.locator(f"[name='{scale}'][value='7']").is_checked()
    patient.page.wait_for_url("**/intake/knee/")
    refused = [words for words in patient.problems if words.startswith("503 POST")]
    assert refused
    patient.problems = [words for words in patient.problems if words not in refused]
    (stored,) = product.reception("stored", evaluation=visit["evaluation"])["intakes"]
    assert [stored["answers"][scale] for scale in scales] == [[7]] * 3
    assert stored["pages"].count("page.pain") == 1


@pytest.mark.deep
@pytest.mark.usefixtures("broken_on_purpose")
def test_without_scripts_what_could_not_be_saved_is_sent_again(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(Patient, scripts=False).opens_with_birth_date(visit["link"]).starts()
    patient.has_filled("about").goes_to("/intake/about/").writes(WORDS, "Typed while nothing could be saved.")
    with locked(product, "intake_questionnaireresponse"), patient.refused_with(503):
        patient.page.get_by_role("button", name="Save and continue", exact=True).last.click()
        patient.reads_heading("We will be right back").reads("what you typed is still in it")
    patient.finds_page_accessible(themes=True)
    patient.presses("Try again")
    assert patient.page.url.endswith("/intake/safety/")
    (stored,) = product.reception("stored", evaluation=visit["evaluation"])["intakes"]
    assert stored["answers"]["why.story"] == ["Typed while nothing could be saved."]
