"""J1.7 to J1.15: the form, page by page, then sent. Each story with scripts on and off."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOTH_WAYS
from tests.browser.patient import Patient
from tests.browser.product import Product

OWN_WORDS = "Sore <script>alert(1)</script> on stairs 🦵 since “May”"
NOW = "Do you have any of these now?"
HURT = "Did you hurt this leg in the last 2 weeks?"
KNEECAP = "Right knee, around or behind the kneecap"
ARCH = "Right foot, under the arch"
WORSE = "What makes this knee worse?"
NO_PAIN_LEFT = "No pain on this side (Left side)"
NO_PAIN_RIGHT = "No pain on this side (Right side)"


@pytest.fixture
def visit(product: Product) -> dict[str, str]:
    return product.reception("visit")


@pytest.fixture
def started(patient: Patient, visit: dict[str, str]) -> Patient:
    """She has opened the link and stands at the list of parts."""
    return patient.opens_with_birth_date(visit["link"]).starts()


@BOTH_WAYS
def test_from_the_first_page_to_thank_you(started: Patient, visit: dict[str, str], product: Product) -> None:
    patient = started
    patient.follows("Continue: About you").reads("Part 1 of 10")
    patient.ticks("I know this form helps my physio prepare", "You may keep my answers in my record")
    patient.chooses("What do you most want help with?", "My knee")
    patient.writes("In your own words, if you like.", OWN_WORDS)
    patient.continues_to("A quick safety check")
    for leg in ("Left leg", "Right leg"):
        patient.chooses(NOW, "None of these", side=leg).chooses(HURT, "No", side=leg)
    patient.chooses("And any of these?", "None of these")
    patient.continues_to("Your health")
    patient.chooses("Do you have any of these?", "None of these")
    patient.continues_to("Where it hurts")
    patient.marks(KNEECAP).turns_map_to("soles").marks(ARCH).sees_marked(KNEECAP, ARCH)
    patient.ticks(NO_PAIN_LEFT).chooses("Which started first?", "My foot or ankle")
    patient.continues_to("Your pain")
    for when, score in (
        ("Right now", "3"),
        ("Worst in the last 7 days", "6"),
        ("Usual in the last 7 days", "4"),
    ):
        patient.chooses(when, score)
    patient.chooses("How did it start?", "After doing more than usual")
    patient.continues_to("Your knees")
    patient.chooses(WORSE, "Down stairs", "Running", side="Right knee")
    patient.is_not_asked(WORSE, side="Left knee")
    patient.continues_to("Look at your feet")
    patient.chooses("Wet footprint: which is most like yours?", "Almost the whole foot", side="Right foot")
    patient.chooses(
        "Look at the inside arch, sitting, then standing.",
        "Arch sitting, drops a lot standing",
        side="Right foot",
    )
    patient.chooses("From behind, how does your ankle lean as you stand?", "Leans in", side="Right ankle")
    patient.chooses("Turn over a worn shoe. Where is it worn most?", "Whole outer edge", side="Right shoe")
    patient.continues_to("How you stand and walk")
    patient.chooses("Where is your weight on this foot as you walk?", "It rolls in", side="Right foot")
    patient.continues_to("Try these, if you feel safe")
    patient.continues_to("Shoes, activity and goals")
    patient.writes("Activity one", "Run 5 km").chooses("What do you do in a normal week?", "Run")
    patient.continues_to("Check your answers")

    patient.reads(OWN_WORDS)
    patient.reads("Arch sitting, drops a lot standing").reads("Right foot")
    patient.sends().sees_error("Tick that your answers are right")
    patient.confirms().sends()

    patient.reads_heading("Thank you, Casey").reads("Your form is with Dr. Ortiz")
    expect(patient.main).to_contain_text(re.compile(r"Your reference is\s+[2-9A-Z]{3} [2-9A-Z]{3}"))
    patient.reads("What happens next").reads("Lessons for you")
    patient.reads("You told us your right foot or ankle goes inwards.")
    for finding in ("verpronation", "rule", "Score", "iagnosed"):
        patient.does_not_read(finding)
    lessons = patient.page.get_by_role("region", name="Lessons for you").get_by_role("listitem")
    assert 2 <= lessons.count() <= 4

    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert [intake["status"] for intake in stored["intakes"]] == ["completed"]
    assert stored["sent_rows"] == 1
    assert ["overpronation-kneecap", "right"] in stored["findings"]
    assert stored["flags"] == []
    # A lesson opens, and the way back is open too.
    patient.uses(lessons.first.get_by_role("button")).goes_back_in_browser().reads_heading("Thank you, Casey")


def test_none_and_one_more_is_an_error(started: Patient) -> None:
    patient = started.has_filled_up_to("safety")
    alone = patient.choice("And any of these?", "None of these")
    fever = patient.choice("And any of these?", "Fever, shivers, or feeling very ill")
    patient.chooses("And any of these?", "None of these")
    patient.touches(fever.locator("xpath=ancestor::label[1]"))
    if patient.scripts:
        # The script takes the other back at once, either way.
        expect(alone).not_to_be_checked()
        patient.chooses("And any of these?", "None of these")
        expect(fever).not_to_be_checked()
        fever.evaluate("(box) => { box.checked = true; }")
    patient.continues().sees_error("“None of these” stands alone. Untick it, or untick the others")
    patient.has_chosen("And any of these?", "None of these", "Fever, shivers, or feeling very ill")
    patient.sees_error("Tick all that fit, or None of these").sees_error("Choose Yes or No")


def test_a_question_that_depends_on_another_of_its_page(started: Patient, visit, product: Product) -> None:
    patient = started.has_filled_up_to("safety")
    since = "Since then, do any of these fit?"
    if patient.scripts:
        patient.is_not_asked(since)
    else:
        patient.is_asked(since, side="Left leg")
        patient.reads("Only if you said Yes to “Did you hurt this leg in the last 2 weeks?” (left leg)")
    patient.chooses(HURT, "Yes", side="Left leg").chooses(HURT, "No", side="Right leg")
    patient.is_asked(since, side="Left leg")
    if patient.scripts:
        patient.is_not_asked(since, side="Right leg")
    for leg in ("Left leg", "Right leg"):
        patient.chooses(NOW, "None of these", side=leg)
    patient.chooses("And any of these?", "None of these")
    # What is asked must be answered; what is not asked need not.
    patient.continues().sees_error("Tick all that fit, or None of these")
    expect(patient.page.get_by_role("alert").get_by_role("link")).to_have_count(1)
    patient.chooses(since, "None of these", side="Left leg").continues_to("Your health")
    stored = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert stored["safety.after-injury.left"] == ["none"]
    assert "safety.after-injury.right" not in stored


@BOTH_WAYS
def test_the_body_map(started: Patient) -> None:
    patient = started.has_filled_up_to("where")
    patient.continues().sees_error("Mark a place on your right side, or choose No pain on this side")
    patient.sees_error("Mark a place on your left side, or choose No pain on this side")
    # One region, ticked in one view, is ticked in every view that shows it.
    patient.turns_map_to("outer sides").marks("Left knee, outer side")
    patient.turns_map_to("front")
    expect(patient.mark("Left knee, outer side")).to_be_checked()
    patient.marks(KNEECAP).turns_map_to("soles").marks(ARCH)
    patient.sees_marked("Left knee, outer side", KNEECAP, ARCH)
    # The chip takes a mark of another view away again.
    patient.touches(patient.page.locator("label.b-r .name", has_text="Left knee, outer side"))
    patient.sees_marked(KNEECAP, ARCH)
    # The list holds the same answers, and what was marked goes along.
    patient.presses("Use a list instead")
    expect(patient.page.get_by_role("checkbox", name=KNEECAP)).to_be_checked()
    expect(patient.page.get_by_role("checkbox", name=ARCH)).to_be_checked()
    patient.ticks("Left calf").presses("Use the drawing instead").turns_map_to("back")
    patient.sees_marked("Left calf", KNEECAP, ARCH)
    patient.continues_to("Your pain")


@pytest.mark.deep
def test_no_pain_stands_alone_on_the_body_map(started: Patient) -> None:
    patient = started.has_filled_up_to("where")
    patient.marks(KNEECAP).ticks(NO_PAIN_LEFT, NO_PAIN_RIGHT)
    if patient.scripts:
        patient.sees_marked()
        patient.marks(KNEECAP).sees_marked(KNEECAP).continues_to("Your pain")
    else:
        patient.continues().sees_error("“No pain on this side” stands alone")
        patient.sees_marked(KNEECAP)


@pytest.mark.deep
def test_scores_that_cannot_be(started: Patient) -> None:
    patient = started.has_filled_up_to("pain")
    patient.chooses("Worst in the last 7 days", "6").chooses("Usual in the last 7 days", "4")
    patient.continues().sees_error("Choose a number from 0 to 10")
    patient.tampers("pain.now", "11").continues().sees_error("Choose a number from 0 to 10")
    patient.has_chosen("Worst in the last 7 days", "6").has_chosen("Usual in the last 7 days", "4")
    patient.chooses("Right now", "3").continues_to("Your knees")


@pytest.mark.deep
def test_five_thousand_characters(started: Patient, visit: dict[str, str], product: Product) -> None:
    patient = started.goes_to("/intake/about/")
    words = "In your own words, if you like."
    long = "Sore knee. " * 454 + "stairs"
    assert len(long) == 5_000
    patient.ticks("I know this form helps my physio prepare", "You may keep my answers in my record")
    patient.chooses("What do you most want help with?", "My knee").writes(words, long)
    if patient.scripts:
        patient.reads("Characters too many: 4,500")
    else:
        patient.reads("Up to 500 characters")
    patient.continues().sees_error("Use 500 characters or fewer. You have 5,000")
    patient.has_written(words, long).finds_page_accessible()
    # The rest of the page is kept already; the words that were too long are not stored.
    stored = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert stored["why.main-problem"] == ["knee"]
    assert "why.story" not in stored
    patient.writes(words, long[:500]).continues_to("A quick safety check")


def test_required_answers_left_out(started: Patient) -> None:
    patient = started.goes_to("/intake/about/").continues()
    patient.sees_error("There are 3 things to fix").sees_error("Tick this box to go on")
    patient.sees_error("Choose one answer")
    # The line of the summary leads to the control itself.
    patient.page.get_by_role("alert").get_by_role("link", name="Choose one answer").click()
    assert patient.page.url.endswith("#why-main-problem_knee")


@pytest.mark.deep
def test_back_three_times_and_forward(started: Patient) -> None:
    patient = started.has_filled_up_to("knee")
    patient.chooses(WORSE, "Long sitting", side="Right knee").continues_to("Look at your feet")
    patient.goes_back().has_chosen(WORSE, "Long sitting", side="Right knee")
    patient.goes_back().has_chosen("Right now", "3")
    patient.goes_back().sees_marked(KNEECAP, ARCH)
    patient.continues_to("Your pain").continues_to("Your knees")
    patient.has_chosen(WORSE, "Long sitting", side="Right knee")
    patient.goes_back_in_browser().reads_heading("Your pain").goes_forward_in_browser()
    patient.has_chosen(WORSE, "Long sitting", side="Right knee").continues_to("Look at your feet")


@pytest.mark.deep
def test_a_knee_that_is_taken_back_and_put_back(
    started: Patient, visit: dict[str, str], product: Product
) -> None:
    patient = started.has_filled_everything()
    patient.reads("Down stairs")
    patient.changes("Tap where it hurts.", "Right side").sees_marked(KNEECAP, ARCH)
    patient.touches(patient.mark(KNEECAP).locator("xpath=..").locator(".name"))
    patient.sees_marked(ARCH).continues_to("Check your answers")
    patient.does_not_read("Down stairs").does_not_read(WORSE)
    patient.goes_to("/intake/knee/").is_not_asked(WORSE)
    # Put back, the question is asked again with what she had said.
    patient.goes_to("/intake/where/").marks(KNEECAP).continues_to("Your pain")
    patient.goes_to("/intake/knee/").has_chosen(WORSE, "Down stairs", "Running", side="Right knee")
    # Taken back for good: what is not asked is not sent.
    patient.goes_to("/intake/where/")
    patient.touches(patient.mark(KNEECAP).locator("xpath=..").locator(".name"))
    patient.continues_to("Your pain").goes_to("/intake/check/").confirms().sends()
    patient.reads_heading("Thank you, Casey")
    answers = product.reception("stored", evaluation=visit["evaluation"])["intakes"][0]["answers"]
    assert answers["pain.regions.right"] == ["sole-arch"]
    assert "knee.aggravators.right" not in answers


@pytest.mark.deep
def test_what_is_still_needed_is_named(started: Patient) -> None:
    patient = started.has_filled("about", "safety", "health").goes_to("/intake/check/")
    patient.reads("answers are still needed")
    patient.confirms().sends().sees_error("Tap where it hurts. (Right side)").sees_error("Right now")
    patient.follows("Tap where it hurts. (Right side)", within=patient.page.get_by_role("alert"))
    patient.reads_heading("Where it hurts")


def test_sent_twice_is_sent_once(started: Patient, visit: dict[str, str], product: Product) -> None:
    patient = started.has_filled_everything().confirms()
    button = patient.page.get_by_role("button", name="Send to my physio")
    button.dblclick()
    patient.reads_heading("Thank you, Casey")
    reference = patient.main.inner_text().partition("reference is")[2].strip()[:7]
    # A reload and a form that comes back from the browser's memory change nothing.
    patient.reloads().reads_heading("Thank you, Casey")
    patient.goes_back_in_browser().reads(reference)
    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert [intake["status"] for intake in stored["intakes"]] == ["completed"]
    assert stored["sent_rows"] == 1


@pytest.mark.deep
def test_the_link_after_sending_leads_to_what_was_sent(started: Patient, visit: dict[str, str]) -> None:
    patient = started.has_filled_everything().confirms().sends().reads_heading("Thank you, Casey")
    patient.presses("Leave").reads_heading("Saved. You have left your form")
    with patient.refused_with(403):
        patient.goes_back_in_browser().does_not_read("Thank you")
    patient.opens_with_birth_date(visit["link"]).reads_heading("Your visit, Casey")
    patient.does_not_read("stairs").does_not_read("kneecap")


@pytest.mark.deep
def test_stopping_and_coming_back(started: Patient, visit: dict[str, str], come, product: Product) -> None:
    patient = started.has_filled_up_to("where")
    patient.marks(KNEECAP).presses("Save and leave").reads_heading("Saved. You have left your form")
    with patient.refused_with(403):
        patient.goes_to("/intake/where/").reads_heading("Open your link again")
    patient.opens_with_birth_date(visit["link"]).reads("3 of 10 parts done")
    patient.follows("Resume: Where it hurts").sees_marked(KNEECAP)
    # On another phone nothing of it is shown.
    stranger = come(Patient, scripts=patient.scripts)
    stranger.opens_with_birth_date(visit["link"]).reads_heading("Enter the code from your e-mail")


def test_a_screen_reader_is_told_of_no_place_without_its_box(started: Patient) -> None:
    patient = started.has_filled_up_to("where")
    left = patient.page.get_by_role("group", name="Left side", exact=True)
    assert "Left calf" not in left.aria_snapshot()
    patient.turns_map_to("back")
    assert 'checkbox "Left calf"' in left.aria_snapshot()
    # What is marked stands below the drawing in every view.
    patient.marks("Left calf").turns_map_to("front").sees_marked("Left calf")
    assert "Left calf" in left.aria_snapshot()
