"""J4.1 to J4.5 and J4.11: an answer that needs help today stops everything, whatever she does next."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOTH_WAYS, Come
from tests.browser.desk import FrontDesk
from tests.browser.patient import Patient
from tests.browser.product import Product, wait_for
from tests.health_words import health_words

NOW = "Do you have any of these now?"
HURT = "Did you hurt this leg in the last 2 weeks?"
SWOLLEN = "Calf more swollen than the other"
CLOT = ["dvt-suspected", "left", "same-day"]
ON_CALL = "on-call@clinic.example"


@pytest.fixture
def visit(product: Product) -> dict[str, str]:
    return product.reception("visit", born="1979-01-05", given="Lee", family="Tran")


@pytest.fixture
def at_safety(patient: Patient, visit: dict[str, str]) -> Patient:
    return patient.opens_with_birth_date(visit["link"], visit["born"]).has_filled_up_to("safety")


def flags(product: Product, visit: dict[str, str]) -> list[list[str]]:
    return product.reception("stored", evaluation=visit["evaluation"])["flags"]


def is_told_to_get_help_today(patient: Patient) -> Patient:
    patient.reads_heading("Get medical help today")
    expect(patient.heading).to_be_focused()
    expect(patient.main.get_by_role("link", name="Call 911")).to_have_attribute("href", "tel:911")
    expect(patient.main.get_by_role("link", name="Call (310)")).to_have_attribute("href", "tel:+13105550142")
    # It interrupts: nothing to fill in, and only its two buttons lead on.
    expect(patient.main.get_by_role("textbox").or_(patient.main.get_by_role("checkbox"))).to_have_count(0)
    expect(patient.main.get_by_role("button")).to_have_text(["I understand", "I ticked this by mistake"])
    patient.reads("Say that you are filling in a form for your physio").reads(
        "Please do not wait for us to call"
    )
    patient.does_not_read("we will call you").does_not_read("thrombosis").does_not_read("DVT")
    return patient


@BOTH_WAYS
def test_the_whole_page_says_what_to_do(at_safety: Patient, visit: dict[str, str], product: Product) -> None:
    before = len(product.mail.to(ON_CALL))
    patient = at_safety.chooses(NOW, SWOLLEN, side="Left leg").continues()
    is_told_to_get_help_today(patient)
    assert flags(product, visit) == [[*CLOT, "open"]]
    # She cannot get past it: not by Back, not by an address, not by another page.
    is_told_to_get_help_today(patient.goes_back_in_browser())
    for path in ("/intake/safety/", "/intake/", "/intake/pain/", "/intake/check/"):
        is_told_to_get_help_today(patient.goes_to(path))
    mail = product.mail.wait_for(ON_CALL, before + 1)[-1]
    assert "Subject: An intake needs attention" in mail
    assert f"{product.address}/staff/" in mail
    written = mail.partition("Subject: ")[2]
    assert health_words(written, "Lee", "Tran", "1979") == []


@pytest.mark.deep
def test_she_understands_and_goes_on(at_safety: Patient, visit: dict[str, str], product: Product) -> None:
    patient = at_safety.chooses(NOW, SWOLLEN, side="Left leg").continues()
    is_told_to_get_help_today(patient).presses("I understand").reads("1 of 9 parts done")
    assert flags(product, visit) == [[*CLOT, "open"]]
    # The form goes on. Self-tests are no longer asked, and the thank-you repeats the advice, with no lesson.
    patient.has_filled("safety", safety={"safety.leg-signs.left": ["calf-swollen"]})
    patient.has_filled("health", "where", "pain", "knee", "foot", "walk", "life").goes_to("/intake/")
    patient.does_not_read("Try these, if you feel safe").follows("Check your answers").confirms().sends()
    patient.reads_heading("Get medical help today").reads("Your form has been sent")
    patient.does_not_read("Lessons for you").does_not_read("You told us")


@BOTH_WAYS
def test_it_was_a_mistake(at_safety: Patient, visit: dict[str, str], product: Product) -> None:
    patient = at_safety.chooses(NOW, SWOLLEN, side="Left leg")
    patient.chooses(HURT, "No", side="Right leg").continues()
    is_told_to_get_help_today(patient).presses("I ticked this by mistake")
    patient.reads_heading("A quick safety check").has_chosen(NOW, SWOLLEN, side="Left leg")
    patient.has_chosen(HURT, "No", side="Right leg")
    patient.unticks(NOW, SWOLLEN, side="Left leg").chooses(NOW, "None of these", side="Left leg")
    patient.chooses(NOW, "None of these", side="Right leg").chooses(HURT, "No", side="Left leg")
    patient.chooses("And any of these?", "None of these").continues_to("Your health")
    # The clinic still gets to know: withdrawn by the patient is not the same as never said.
    assert flags(product, visit) == [[*CLOT, "withdrawn"]]


def test_a_killed_tab_changes_nothing(at_safety: Patient, visit: dict[str, str], product: Product) -> None:
    before = len(product.mail.to(ON_CALL))
    at_safety.chooses(NOW, SWOLLEN, side="Left leg")
    with at_safety.page.expect_request(lambda request: request.method == "POST" and "safety" in request.url):
        at_safety.touches(at_safety.main.get_by_role("button", name="Save and continue"))
    # The tab is gone before she has read a word.
    at_safety.closes_tab()
    wait_for(lambda: flags(product, visit) == [[*CLOT, "open"]], "the flag of a closed tab")
    product.mail.wait_for(ON_CALL, before + 1)
    intake = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]
    assert intake["status"] == "in-progress"
    assert intake["answers"]["safety.leg-signs.left"] == ["calf-swollen"]
    # Whenever she comes back, it is the first thing she reads.
    is_told_to_get_help_today(
        at_safety.opens_with_birth_date(visit["link"], visit["born"]).goes_to("/intake/")
    )


@pytest.mark.deep
@pytest.mark.usefixtures("broken_on_purpose")
def test_the_mail_server_is_down(
    at_safety: Patient, come: Come, visit: dict[str, str], product: Product
) -> None:
    """J4.7: staff see the answer without the e-mail, and it leaves once when it can."""
    account = product.reception("staff", role="front desk", username="desk")
    desk = come(FrontDesk).signs_in(account)
    waiting, before = desk.urgent_answers(), len(product.mail.to(ON_CALL))
    away = product.mail.folder.with_name("mail-away")
    product.mail.folder.mkdir(exist_ok=True)
    product.mail.folder.rename(away)
    product.mail.folder.touch()
    try:
        patient = at_safety.chooses(NOW, SWOLLEN, side="Left leg").continues()
        is_told_to_get_help_today(patient)
        wait_for(lambda: product.reception("notices"), "a notice that did not leave")
        desk.reloads()
        assert desk.urgent_answers() == waiting + 1
    finally:
        product.mail.folder.unlink()
        away.rename(product.mail.folder)
    product.mail.wait_for(ON_CALL, before + 1)
    desk.reloads()
    assert desk.urgent_answers() == waiting + 1
    assert len(product.mail.to(ON_CALL)) == before + 1


def test_an_emergency(at_safety: Patient) -> None:
    words = "Chest pain, coughing up blood, or new or worse shortness of breath"
    patient = at_safety.chooses("And any of these?", words).continues().reads_heading("Get help now")
    expect(patient.heading).to_be_focused()
    expect(patient.main.get_by_role("link").first).to_have_attribute("href", "tel:911")


@pytest.mark.deep
def test_something_to_tell_the_physio_is_a_quiet_note(
    patient: Patient, visit: dict[str, str], product: Product
) -> None:
    patient.opens_with_birth_date(visit["link"], visit["born"])
    patient.has_filled_everything(
        health={"health.conditions": ["psoriasis"]}, pain={"pain.morning-stiff": ["over-60"]}
    )
    patient.confirms().sends().reads_heading("Thank you, Lee")
    assert flags(product, visit) == [["inflammatory-pattern", None, "tell-physio", "open"]]
    patient.reads("Lessons for you").does_not_read("inflammatory")
