"""J7: Sam keeps the lessons, a physio approves what is clinical, readers see it then and not before."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.editor import SNIPPETS, Editor
from tests.browser.product import Product
from tests.browser.reader import Reader

WORD = (
    "<html><head><style>p { color: red }</style></head><body><p class=MsoNormal style='color: red' "
    "onclick='alert(1)'>Hold the <b>rail</b> at first.<script>alert(1)</script></p></body></html>"
)


@pytest.fixture
def sam(come: Come, product: Product) -> Editor:
    editor: Editor = come(Editor)
    return editor.signs_in(product.reception("staff", role="editor", username="sam.editor"))


@pytest.fixture
def maya(come: Come, product: Product) -> Editor:
    physio: Editor = come(Editor)
    return physio.signs_in(product.reception("staff", role="physio", username="maya.physio"))


@pytest.mark.deep
def test_every_room_and_no_patient(sam: Editor) -> None:
    for name in ("lesson", "chainlink", "source", "author", "category"):
        sam.opens(f"{SNIPPETS}/{name}/").opens(f"{SNIPPETS}/{name}/add/")
    sam.opens(f"{SNIPPETS}/clinicinfo/edit/1/").opens("/editor/health/")
    sam.opens(f"{SNIPPETS}/privacynotice/add/")
    with sam.refused_with(404):
        sam.page.goto("/staff/intake/patient/")


@pytest.mark.deep
def test_a_new_lesson_from_the_first_word_to_its_readers(
    sam: Editor, maya: Editor, come: Come, tmp_path: Path
) -> None:
    reader: Reader = come(Reader)
    picture = tmp_path / "stairs.jpg"
    Image.new("RGB", (800, 500), (90, 140, 120)).save(picture)

    sam.opens(f"{SNIPPETS}/lesson/add/")
    # Each save that is refused, the editor's own saving included, says so with this status.
    sam.saves().is_told("The lesson could not be created due to errors.").is_told("This field is required.")
    sam.field("Title*").fill("Stairs and sore knees")
    sam.field("One sentence for lists*").fill("Why stairs hurt first.")
    expect(sam.field("Address*")).to_have_value("stairs-and-sore-knees")
    sam.field("Summary*").fill("Going down stairs asks a lot of a knee. Small steps can help.")
    sam.adds_block("Heading").field("Heading*").fill("On the way down")
    sam.adds_block("Text").pastes(WORD)
    expect(sam.text).to_have_text("Hold the rail at first.")
    sam.adds_block("Picture").chooses_picture(picture)
    sam.turns_to_panel("Place and sources")
    sam.page.get_by_role("combobox", name="Part of the course").select_option(label="What helps")
    sam.page.get_by_label("Place in the reading order").fill("95")
    sam.turns_to_panel("Offer to patients").field("Why it is offered*").fill("You told us that stairs hurt.")
    sam.turns_to_panel("Text").saves().is_told("Say in words what it shows, or mark it as decorative.")
    sam.field("What it shows, in words").fill("A knee on a stair")
    sam.field("Address*").fill("flat-feet")
    sam.saves().is_told("The lesson “Flat feet and sinking arches” already has this address.")
    sam.field("Address*").fill("stairs-and-sore-knees")
    sam.saves().is_told("Lesson 'Stairs and sore knees' created.").is_told("No source is listed.")
    forgives_refusals(sam)
    edit = sam.rests().path

    shown = sam.opens_preview()
    expect(shown.get_by_role("heading", level=1)).to_have_text("Stairs and sore knees")
    expect(shown.get_by_role("img", name="A knee on a stair")).to_be_visible()
    with reader.refused_with(404):
        reader.page.goto("/learn/stairs-and-sore-knees/")

    sam.does("Submit to Clinical review").is_told("has been submitted for moderation")
    maya.opens("/editor/").is_told("Stairs and sore knees").opens(edit)
    maya.does("Approve and Publish").is_told("Stairs and sore knees")
    reader.goes_to("/learn/stairs-and-sore-knees/").reads("Hold the rail at first.")
    reader.reads("Reviewed by")
    expect(reader.page.get_by_role("img", name="A knee on a stair")).to_have_js_property("complete", True)

    sam.opens(edit).field("Address*").fill("stairs")
    sam.saves().is_told("updated").rests().does("Submit to Clinical review")
    maya.opens(edit).does("Approve and Publish")
    another: Reader = come(Reader)
    another.goes_to("/learn/stairs-and-sore-knees/").reads("Hold the rail at first.")
    assert another.page.url.endswith("/learn/stairs/")
    sam.opens(edit.replace("/edit/", "/history/"))
    sam.is_told("Created").is_told("Published")


@pytest.mark.deep
def test_the_link_button_leads_to_a_lesson_and_outside(sam: Editor) -> None:
    sam.opens_lesson("High arches").adds_block("Text").pastes(
        '<p>Some <a href="/learn/shoes-and-insoles/">shoes</a>, flat feet</p>'
    )
    expect(sam.text).to_have_text("Some shoes, flat feet")
    sam.text.press("End")
    for _letter in "flat feet":
        sam.text.press("Shift+ArrowLeft")
    dialog = sam.asks_for_link(by_button=True)
    dialog.get_by_label("Or an address").fill("/nowhere/")
    dialog.get_by_role("button", name="Insert link").click()
    expect(dialog).to_contain_text("We have no page at this address.")
    dialog.get_by_label("Or an address").fill("")
    dialog.get_by_label("A lesson").select_option(label="Flat feet and sinking arches")
    dialog.get_by_role("button", name="Insert link").click()
    expect(dialog).to_be_hidden()
    expect(sam.text).to_have_text("Some shoes, flat feet")
    sam.text.press("End")
    sam.page.keyboard.type(" and more ")
    sam.asks_for_link().get_by_label("Or an address").fill("https://www.example.org/")
    dialog.get_by_label("Words of the link").fill("outside")
    dialog.get_by_role("button", name="Insert link").click()
    # The server looks at the address before the words are in the text.
    expect(dialog).to_be_hidden()
    expect(sam.text).to_have_text("Some shoes, flat feet and more outside")
    sam.notes_text().saves().is_told("updated").is_told("https://www.example.org/")
    shown = sam.opens_preview()
    for words, address in (
        ("shoes", "/learn/shoes-and-insoles/"),
        ("flat feet", "/learn/flat-feet/"),
        ("outside", "https://www.example.org/"),
    ):
        expect(shown.get_by_role("link", name=words, exact=True)).to_have_attribute("href", address)
    forgives_refusals(sam)


@pytest.mark.deep
def test_two_at_one_lesson(sam: Editor, maya: Editor) -> None:
    sam.opens_lesson("High arches")
    maya.opens(sam.path).field("Title*").fill("High arches, says Maya")
    maya.saves().is_told("updated")
    sam.field("Title*").fill("High arches, says Sam")
    sam.saves()
    # Which of the two speaks depends on who is faster: the page, when it has heard, or the server.
    page_asks = sam.page.get_by_role("dialog").filter(has_text="saved a new version")
    server_asks = sam.page.get_by_role("status").filter(has_text="saved this meanwhile")
    expect(page_asks.or_(server_asks)).to_be_visible()
    if page_asks.is_visible():
        page_asks.get_by_role("button", name="Save draft").click()
        expect(server_asks).to_be_visible()
    with sam.page.expect_popup() as compared:
        server_asks.get_by_role("link", name="Compare").click()
    expect(compared.value.locator("main")).to_contain_text("High arches, says Maya")
    sam.saves().is_told("updated")
    expect(sam.field("Title*")).to_have_value("High arches, says Sam")
    forgives_refusals(sam)


@pytest.mark.deep
def test_words_outlive_a_closed_browser(sam: Editor) -> None:
    sam.opens_lesson("Walking with a stiff knee")
    path = sam.path
    sentence = sam.field("One sentence for lists*")
    words = sam.types_until_saved(sentence, "A thought of tonight")
    sam.closes_tab().opens(path)
    expect(sam.field("One sentence for lists*")).to_have_value(words)
    sam.opens("/learn/stiff-knee-walk/")
    expect(sam.page.get_by_text("A thought of tonight")).to_have_count(0)


def test_what_a_rule_needs_stays(maya: Editor) -> None:
    maya.opens_lesson("When the foot rolls in")
    maya.opens(maya.path.replace("/edit/", "/unpublish/"))
    maya.page.get_by_role("button", name="Yes, unpublish it").click()
    maya.is_told("has to stay").is_told("Foot rolling in may be loading the kneecap")


def forgives_refusals(editor: Editor) -> None:
    """Refused saves were part of the story; everything else that was wrong stays wrong."""
    editor.problems[:] = [problem for problem in editor.problems if not problem.startswith("400 POST")]
