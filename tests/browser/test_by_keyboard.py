"""The patient's way from the link to the thank-you, with a keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.keyboard import KeyboardPatient
from tests.browser.product import Product

KNEECAP = "Right knee, around or behind the kneecap"
ARCH = "Right foot, under the arch"


def comes_in(patient: KeyboardPatient, link: str) -> None:
    """From the link to the list of parts, with a date that is none first."""
    patient.opens(link)
    # The first Tab of a page offers the way past its header.
    patient.page.keyboard.press("Tab")
    expect(patient.page.get_by_role("link", name="Skip to main content")).to_be_focused()
    patient.gives_birth_date("13", "40", "1986").sees_error("Enter a real date, like 4 12 1986")
    # From the summary, Enter leads to the box.
    patient.page.keyboard.press("Tab")
    patient.page.keyboard.press("Enter")
    expect(patient.page.get_by_label("Month", exact=True)).to_be_focused()
    patient.gives_birth_date("4", "12", "1986").starts()


def marks_the_map(patient: KeyboardPatient) -> None:
    """On the map the shape with its ring is in sight, and its name is written while the focus is there."""
    for place in ("Right hip, front or groin", "Right shin, front"):
        patient.reaches(patient.mark(place))
        label = patient.page.locator("label.b-r", has=patient.page.locator(".name", has_text=place))
        expect(label.locator("use:visible")).to_be_in_viewport(ratio=1)
        assert label.locator(".name").evaluate("(name) => name.offsetHeight") > 20
    # Space marks and unmarks.
    patient.marks(KNEECAP).turns_map_to("soles").marks(ARCH, "Right foot, under the heel")
    patient.sees_marked(KNEECAP, "Right foot, under the heel", ARCH)
    patient.marks("Right foot, under the heel").sees_marked(KNEECAP, ARCH)
    patient.ticks("No pain on this side (Left side)")
    patient.chooses("Which started first?", "Both together").continues_to("Your pain")


def test_the_way_in_and_the_body_map(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(KeyboardPatient)
    comes_in(patient, visit["link"])
    patient.has_filled_up_to("where")
    marks_the_map(patient)
    answers = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert answers["pain.regions.right"] == ["knee-front", "sole-arch"]


@pytest.mark.deep
def test_the_whole_form(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(KeyboardPatient)
    comes_in(patient, visit["link"])
    patient.follows("Continue: About you")
    patient.ticks("I know this form helps my physio prepare", "You may keep my answers in my record")
    patient.chooses("What do you most want help with?", "Both knee and foot")
    patient.writes("In your own words, if you like.", "Sore on stairs")
    patient.continues_to("A quick safety check")
    for leg in ("Left leg", "Right leg"):
        patient.chooses("Do you have any of these now?", "None of these", side=leg)
        patient.chooses("Did you hurt this leg in the last 2 weeks?", "No", side=leg)
    patient.chooses("And any of these?", "None of these").continues_to("Your health")
    patient.chooses("Do you have any of these?", "None of these").continues_to("Where it hurts")
    marks_the_map(patient)
    for when, score in (("Right now", "0"), ("Worst in the last 7 days", "10")):
        patient.chooses(when, score)
    patient.chooses("Usual in the last 7 days", "5").continues_to("Your knees")
    patient.chooses("What makes this knee worse?", "Running", side="Right knee")
    patient.continues_to("Look at your feet").continues_to("How you stand and walk")
    patient.chooses("Where is your weight on this foot as you walk?", "It rolls in", side="Right foot")
    patient.continues_to("Try these, if you feel safe").continues_to("Shoes, activity and goals")
    patient.goes_back().reads_heading("Try these, if you feel safe")
    patient.continues_to("Shoes, activity and goals").continues_to("Check your answers")
    patient.changes("Which started first?").chooses("Which started first?", "My foot or ankle")
    patient.continues_to("Check your answers").reads("My foot or ankle")
    patient.confirms().sends().reads_heading("Thank you, Casey")
    answers = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert answers["pain.regions.right"] == ["knee-front", "sole-arch"]
    assert (answers["pain.now"], answers["pain.worst"]) == ([0], [10])


def test_an_urgent_answer(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    patient = come(KeyboardPatient).opens_with_birth_date(visit["link"]).has_filled_up_to("safety")
    patient.chooses("And any of these?", "Numb between the legs or around the bottom").continues()
    patient.reads_heading("Get help now")
    expect(patient.heading).to_be_focused()
    # The call comes first, then what leads back.
    patient.page.keyboard.press("Tab")
    expect(patient.page.get_by_role("link", name="Call 911")).to_be_focused()
    patient.presses("I ticked this by mistake").reads_heading("A quick safety check")
