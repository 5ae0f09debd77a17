"""After the evaluation: found, measured, missed; closing, the record of the rule, opening again. J6.1-6.7."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.desk import Physio, Staff
from tests.browser.product import Product


@pytest.mark.deep
@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts"), pytest.param(False, id="no scripts", marks=pytest.mark.deep)],
)
def test_an_evaluation_is_closed_and_its_rule_learns(come: Come, product: Product, scripts: bool) -> None:
    account = product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )
    family = f"Over{scripts}".title()
    answers = product.reception("known_intakes")["SPARING"]
    made = product.reception("visit", given="Pat", family=family, minutes_ahead=-90, answers=answers)
    outcome = f"/staff/intake/questionnaireresponse/{made['response']}/outcome/"
    physio = come(Physio, scripts=scripts).signs_in(account)

    def record_of_rule() -> tuple[int, ...]:
        """Found, not found and not tested on the page of the rule."""
        said = rule.goes_to(rule_page).main.get_by_text(re.compile("Raised [0-9]+ time")).inner_text()
        return tuple(int(number) for number in re.findall(r"[0-9]+", said))[1:]

    # J6.1: it is over, so it is to close.
    physio.goes_to_worklist(f"?status=to-close&q={family}")
    expect(physio.row(f"Pat {family}")).to_contain_text("To close")
    physio.opens_row(f"Pat {family}")
    (title,) = physio.open_findings()
    physio.confirms(title)
    physio.follows("After the evaluation", within=physio.main).reads_heading(
        f"After the evaluation: Pat {family}"
    )

    rule = come(Staff, scripts=scripts).signs_in(product.reception("staff", role="editor", username="sam"))
    rule_page = rule.goes_to("/staff/intake/rule/?kind__exact=chain").page.get_by_role("link", name=title)
    rule_page = rule_page.first.get_attribute("href") or ""
    before = record_of_rule()

    # J6.3: left unset it is named; what was typed stays. Not tested needs a reason.
    assert physio.findings_to_fill_in() == [title]
    physio.measures("Navicular drop", left="11", right="6.5").measures(
        "Foot Posture Index, total", left="+13"
    )
    physio.closes_evaluation().sees_error("Type a number from -12 to 12.")
    physio.measures("Foot Posture Index, total", left="+8").says(title, "Not tested")
    physio.closes_evaluation().sees_error("Choose why it was not tested.")
    expect(physio.main.get_by_role("textbox", name="Navicular drop, right")).to_have_value("6.5")
    physio.says(title, "Not tested", reason="Something needed was not there", note="No scales in the room")
    # J6.4
    physio.adds_missed_link(
        starts="Right hip, side", shows="Right knee, inner side", words="Hip drops in the squat"
    )
    physio.saves_for_later().is_told("Saved.").finds_page_accessible()
    assert record_of_rule() == before
    physio.reads("From right hip, side to right knee, inner side").reads("“Hip drops in the squat”")

    # J6.2, J6.5: closed, it counts once, however often the page is loaded.
    physio.says(title, "Found").closes_evaluation().is_told("The evaluation is closed.")
    physio.reloads().goes_to(outcome).reads("This evaluation is closed").finds_page_accessible()
    found, not_found, not_tested = before
    assert record_of_rule() == (found + 1, not_found, not_tested)
    rule.reads("Too few to say").does_not_read(family).finds_page_accessible()
    physio.goes_to_worklist(f"?q={family}")
    expect(physio.row(f"Pat {family}")).to_contain_text("Closed")

    # J6.7
    physio.opens_row(f"Pat {family}").presses("Open again").sees_error("Write why you open it again.")
    physio.opens_again("It was the other foot").is_told("The evaluation is open again.")
    assert record_of_rule() == before
    physio.says(title, "Not found").closes_evaluation().is_told("The evaluation is closed.")
    assert record_of_rule() == (found, not_found + 1, not_tested)
    physio.reads("“It was the other foot”")

    # The owner may open it again, without a word of whom it is about.
    owner = come(Staff, scripts=scripts).signs_in(product.reception("staff", role="owner", username="dana"))
    owner.goes_to(outcome).reads_heading("A closed evaluation").does_not_read(family).does_not_read(title)
