"""The desk's way: worklist, review, decisions, a call about a red flag, finish. J4.6 to J4.10 too."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk, Physio, Staff
from tests.browser.keyboard import KeyboardPhysio
from tests.browser.patient import Patient
from tests.browser.product import Product


@pytest.fixture
def physio_account(product: Product) -> dict[str, str]:
    return product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )


@pytest.fixture
def intakes(product: Product) -> dict[str, dict[str, list]]:
    return product.reception("known_intakes")


@pytest.fixture
def three_findings(intakes) -> dict[str, list]:
    """Answers that raise three findings, each of another name."""
    return {
        **intakes["ROLLING_IN"],
        **intakes["SPARING"],
        "pain.regions.right": ["knee-front", "knee-inner", "knee-outer"],
        "foot.shoe-wear.right": ["inner"],
    }


BOTH = pytest.mark.parametrize(
    ("kind", "scripts"),
    [
        pytest.param(Physio, True, id="scripts", marks=pytest.mark.deep),
        pytest.param(Physio, False, id="no scripts", marks=pytest.mark.deep),
        pytest.param(KeyboardPhysio, True, id="keyboard", marks=pytest.mark.deep),
    ],
)


@BOTH
def test_an_intake_is_reviewed(
    come: Come, product: Product, physio_account, intakes, kind: type[Physio], scripts: bool
) -> None:
    name = f"{kind.__name__}{scripts}".title()
    product.reception("visit", given="Jordan", family=name, minutes_ahead=30, answers=intakes["SPARING"])
    physio = come(kind, scripts=scripts).signs_in(physio_account)
    physio.goes_to_worklist(f"?q={name}&day=coming").opens_row(f"Jordan {name}")
    physio.reads_heading(f"Jordan {name}")
    # Both ends of the chain with their sides, and her very answers.
    physio.reads("Left heel, from right knee").reads("Because Jordan said").reads("I lean on it more")
    physio.reads("Draft content: not yet approved by a physio")

    first, *others = physio.open_findings()
    physio.touches(physio.finding(first).get_by_role("link", name="The rule behind this"))
    physio.reads("Shipped with Footing, last changed")
    physio.finishes().sees_error(first)
    physio.dismisses(first).sees_error("Choose why you dismiss it.")
    physio.dismisses(first, reason="An old injury explains it", note="Surgery in 2019")
    physio.sees_decided(first, "Dismissed", "An old injury explains it", "“Surgery in 2019”", "You")
    physio.undoes(first)
    assert first in physio.open_findings()
    physio.confirms(first, note="Seen on video").sees_decided(first, "Confirmed", "“Seen on video”")
    physio.sees_decided(first, "All 3 decisions")
    for title in others:
        physio.assesses(title).sees_decided(title, "To assess")
    physio.reads("Everything is decided")
    physio.finishes().is_told("Review finished.")
    physio.goes_to_worklist(f"?q={name}&day=coming")
    expect(physio.row(f"Jordan {name}")).to_contain_text("Reviewed")
    physio.opens_row(f"Jordan {name}").reads("Decisions are locked.").presses("Open again")
    physio.is_told("The review is open again.")


def test_decided_and_finished_in_twelve_keys(
    come: Come, product: Product, physio_account, three_findings
) -> None:
    """From the loaded page: confirm, assess, dismiss with a reason, finish. A chord counts one."""
    made = product.reception("visit", given="Jordan", family="Keys", answers=three_findings)
    physio = come(KeyboardPhysio).signs_in(physio_account)
    physio.goes_to(f"/staff/intake/questionnaireresponse/{made['response']}/review/")
    physio.finds_page_accessible()
    first, second, third = physio.open_findings()
    physio.strikes("c").sees_decided(first, "Confirmed")
    physio.strikes("a").sees_decided(second, "To assess")
    physio.strikes("x", "s", "Enter").sees_decided(third, "Dismissed", "Something else explains it better")
    physio.strikes("Control+Enter").is_told("Review finished.")
    assert physio.struck <= 12

    physio.goes_to(f"/staff/intake/questionnaireresponse/{made['response']}/review/").presses("Open again")
    physio.undoes(first).strikes("?").reads("Shortcuts on this page")
    physio.touches(physio.page.get_by_role("checkbox", name="Shortcuts are on"))
    physio.strikes("Escape", "c")
    assert physio.open_findings() == [first], "switched off, a key does nothing"
    physio.reloads().strikes("j", "c")
    assert physio.open_findings() == [first], "and stays off"


@pytest.mark.deep
def test_findings_open_by_name_and_what_is_being_written_stays(
    come: Come, product: Product, physio_account, three_findings
) -> None:
    made = product.reception("visit", given="Jordan", family="Named", answers=three_findings)
    physio = come(Physio).signs_in(physio_account)
    physio.goes_to(f"/staff/intake/questionnaireresponse/{made['response']}/review/")
    first, second, third = physio.open_findings()
    note = physio.finding(first).get_by_label("Note on this finding")
    physio.types(note, "Ask about stairs")
    physio.touches(physio.finding(first).get_by_role("link", name="The rule behind this"))
    physio.reads("Shipped with Footing, last changed").reads("Too few to say.")
    opened = physio.finding(third)
    expect(opened).to_be_focused()
    expect(opened.get_by_role("heading", name="Because Jordan said")).to_be_visible()
    physio.page.keyboard.press("k")
    expect(physio.main.get_by_role("article", name=second)).to_be_focused()
    physio.does_not_read("I have seen the privacy notice.")
    physio.touches(physio.page.get_by_role("link", name="All answers", exact=True))
    expect(physio.main.get_by_role("region", name="All answers", exact=True)).to_be_focused()
    physio.reads("I have seen the privacy notice.")
    expect(note).to_have_value("Ask about stairs")
    physio.finds_page_accessible()
    physio.confirms(third)
    physio.sees_decided(third, "Confirmed").opens_all_findings()
    assert len(physio.main.get_by_role("article").all()) == 3


@pytest.mark.deep
def test_an_open_page_tells_what_a_colleague_decided(
    come: Come, product: Product, physio_account, intakes
) -> None:
    made = product.reception("visit", given="Jordan", family="Shared", answers=intakes["SPARING"])
    path = f"/staff/intake/questionnaireresponse/{made['response']}/review/"
    physio = come(Physio).signs_in(physio_account).goes_to(path)
    account = product.reception(
        "staff", role="physio", username="lind", first_name="Ada", last_name="Lind", title="Dr."
    )
    colleague = come(Physio).signs_in(account).goes_to(path)
    title = colleague.open_findings()[0]
    colleague.confirms(title, note="Seen on video")
    # The open page asks by itself; coming back to its tab makes it ask at once.
    physio.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(physio.page.get_by_role("status").filter(has_text="Dr. Lind decided")).to_be_visible()
    physio.does_not_read("Seen on video").follows("Show it")
    physio.sees_decided(title, "Confirmed", "“Seen on video”", "Ada Lind")


@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts", marks=pytest.mark.deep), pytest.param(False, id="no scripts")],
)
def test_an_urgent_answer_reaches_the_clinic(
    come: Come, product: Product, physio_account, scripts: bool
) -> None:
    """J4.6, J4.8 to J4.11: a patient ticks it and is gone; the form was never sent."""
    name = f"Urgent{scripts}".title()
    desk_account = product.reception(
        "staff", role="front desk", username="desk", first_name="Robin", last_name="Hale"
    )
    visit = product.reception("visit", given="Lee", family=name, born="1979-01-05", minutes_ahead=600)
    desk = come(FrontDesk, scripts=scripts).signs_in(desk_account)
    physio = come(Physio, scripts=scripts).signs_in(physio_account)
    before = desk.urgent_answers()

    patient = come(Patient, scripts=scripts).opens_with_birth_date(visit["link"], visit["born"])
    patient.has_filled_up_to("safety")
    patient.chooses("Do you have any of these now?", "Calf more swollen than the other", side="Left leg")
    patient.continues().reads_heading("Get medical help today").closes_tab()

    for member in (desk, physio):
        if scripts:
            # The open page asks again by itself; coming back to its tab makes it ask at once.
            member.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(member.banner).to_contain_text(f"{before + 1} urgent answer")
        member.reloads()
        assert member.urgent_answers() == before + 1
        member.follows_banner()
        assert f"Lee {name}" in member.names_in_worklist()[: before + 1], "urgent ones come first"

    # The front desk reads a name, a number and the word: nothing of the answer.
    expect(desk.row(f"Lee {name}")).to_contain_text("Urgent")
    expect(desk.row(f"Lee {name}")).to_contain_text("(310) 555-0188")
    desk.does_not_read("calf").does_not_read("clot").does_not_read("Swollen")

    physio.opens_row(f"Lee {name}").reads("Calf more swollen than the other").finds_page_accessible()
    physio.reads("Lee has not answered the page that says what to do").reads("Form not sent yet")
    physio.records_call(outcome="Left a message").is_told("The call is recorded.")
    physio.reads("The flag stayed open.")
    assert physio.urgent_answers() == before + 1
    physio.records_call(outcome="Spoke to the patient", next_step="Goes to the emergency room now")
    physio.reads("Red flags: the call is recorded").reads("“Goes to the emergency room now”")
    physio.reads("Recorded by Maya Ortiz")
    assert physio.urgent_answers() == before


def test_a_review_with_an_urgent_answer_waits_for_the_call(
    come: Come, product: Product, physio_account, intakes
) -> None:
    """J4.9 and J4.10."""
    made = product.reception("visit", given="Lee", family="Waits", answers=intakes["SWOLLEN_CALF"])
    physio = come(Physio).signs_in(physio_account)
    physio.goes_to(f"/staff/intake/questionnaireresponse/{made['response']}/review/")
    physio.reads("Finishing waits for the call")
    physio.finishes().sees_error("Record what was done about the urgent answer")
    physio.records_call(outcome="Spoke to the patient").sees_error(
        "Write what was agreed, or why no call is needed."
    )
    physio.records_call(outcome="Spoke to the patient", next_step="Sees her doctor today").reads(
        "Everything is decided"
    )
    physio.finishes().is_told("Review finished.")


@pytest.mark.deep
def test_what_a_role_may_not_see_is_not_there(come: Come, product: Product, intakes) -> None:
    made = product.reception("visit", given="Nobody", family="Sees", answers=intakes["ROLLING_IN"])
    review = f"/staff/intake/questionnaireresponse/{made['response']}/review/"
    unknown = review.replace(made["response"], "00000000-0000-4000-8000-000000000000")
    for role in ("front desk", "editor", "owner"):
        person = come(Staff).signs_in(product.reception("staff", role=role, username=f"x-{role.split()[0]}"))
        pages = []
        for path in (review, unknown):
            with person.refused_with(404):
                person.goes_to(path)
            pages.append(person.main.inner_html())
        assert pages[0] == pages[1]
        person.does_not_read("Nobody").does_not_read("Sees")
