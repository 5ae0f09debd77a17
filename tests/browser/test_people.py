"""J9: an owner invites staff and lets somebody go; in an emergency she reads and decides nothing."""

import email
import email.policy
import re

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import Come
from tests.browser.desk import Staff
from tests.browser.product import Product
from tests.browser.visitor import LAPTOP, PHONE

OWNER = {"role": "owner", "username": "owner", "first_name": "Dana", "last_name": "Whitlock"}


def comes_in(come: Come, product: Product, scripts: bool) -> Staff:
    """The owner, signed in, who has just given a second factor."""
    owner: Staff = come(Staff, scripts=scripts)
    owner.signs_in(product.reception("staff", **OWNER))
    product.reception("proves", username="owner")
    return owner


@pytest.mark.deep
@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts"), pytest.param(False, id="no scripts", marks=pytest.mark.deep)],
)
def test_somebody_is_invited_and_makes_an_account(come: Come, product: Product, scripts: bool) -> None:
    address = f"sam.{scripts}@clinic.example".lower()
    owner = comes_in(come, product, scripts)
    owner.goes_to("/staff/people/").follows("Invite somebody", within=owner.main)
    owner.types(owner.page.get_by_label("E-mail"), "sam@")
    owner.presses("Invite", within=owner.main)
    owner.reads("Enter an e-mail address like name@example.com.").reads("Choose a role.")
    expect(owner.page.get_by_label("E-mail")).to_have_value("sam@")
    owner.types(owner.page.get_by_label("E-mail"), address)
    owner.picks(owner.page.get_by_label("Role"), "Front desk")
    owner.presses("Invite", within=owner.main).is_told("Invited. The e-mail with the link is on its way.")

    [mail] = product.mail.wait_for(address)
    body = email.message_from_string(mail, policy=email.policy.default).get_content()
    [link] = re.findall(r"/staff/join/\S+", body)
    sam: Staff = come(Staff, scripts=scripts)
    sam.goes_to(link).reads("You are invited as front desk.")
    sam.finds_page_accessible()
    sam.types(sam.page.get_by_label("First name"), "Sam")
    sam.types(sam.page.get_by_label("Last name"), "Okafor")
    for label in ("Password", "Password again"):
        sam.types(sam.page.get_by_label(label, exact=True), "password1234")
    sam.presses("Make the account").reads("This password is too common.")
    expect(sam.page.get_by_label("First name")).to_have_value("Sam")
    for label in ("Password", "Password again"):
        sam.types(sam.page.get_by_label(label, exact=True), "three wet stones")
    sam.presses("Make the account").is_told(f"Your account is made. Sign in as {address}.")
    with sam.refused_with(404):
        sam.goes_to(link).reads("This link no longer works")
    owner.goes_to("/staff/people/").reads("Sam Okafor")
    owner.finds_page_accessible()


@pytest.mark.deep
def test_a_physio_leaves_and_another_takes_over(come: Come, product: Product, scripts: bool) -> None:
    # Weeks ahead: who takes over has no other visit then, whatever other stories booked.
    name, ahead = f"Haddad{scripts}", 60 * 24 * 40 + 90 * scripts
    product.reception("staff", role="physio", username=name.lower(), first_name="Noor", last_name=name)
    product.reception(
        "visit", given="Zyxleave", minutes_ahead=ahead, answers={**factories.SPARING}, physio=name.lower()
    )
    owner = comes_in(come, product, scripts)
    owner.goes_to("/staff/people/").follows(f"Noor {name}", within=owner.main)
    owner.finds_page_accessible()
    owner.follows("Remove from the clinic", within=owner.main).reads("1 open review")
    owner.does_not_read("Zyxleave").presses("Remove", within=owner.main).reads("Choose who takes over.")
    owner.finds_page_accessible()
    owner.picks(owner.page.get_by_label("Who takes over?"), "Maya Ortiz")
    owner.presses("Remove", within=owner.main)
    owner.is_told(f"Noor {name} can no longer sign in. Maya Ortiz has taken over.")
    # On a phone, too, the list says without being pushed aside who has left.
    owner.page.set_viewport_size(PHONE)
    row = owner.row(f"Noor {name}")
    row.get_by_role("link").scroll_into_view_if_needed()
    expect(row.get_by_text("Left", exact=True)).to_be_in_viewport(ratio=1)
    owner.page.set_viewport_size(LAPTOP)
    owner.follows(f"Noor {name}", within=owner.main).follows("Let back in", within=owner.main)
    owner.finds_page_accessible()
    owner.presses("Let back in", within=owner.main).is_told(f"Noor {name} can sign in again.")


@pytest.mark.deep
def test_the_glass_is_broken_for_an_hour(come: Come, product: Product, scripts: bool) -> None:
    visit = product.reception(
        "visit", given="Zyxglass", minutes_ahead=60 * 80 + scripts, answers={**factories.ROLLING_IN}
    )
    owner = comes_in(come, product, scripts)
    owner.goes_to("/staff/emergency/").finds_page_accessible()
    owner.types(owner.page.get_by_label("Why do you need it?"), "ill")
    owner.presses("Open for one hour", within=owner.main).reads("Write a little more")
    owner.types(owner.page.get_by_label("Why do you need it?"), "Both physios are ill")
    owner.presses("Open for one hour", within=owner.main).reads("Emergency access until")
    owner.goes_to(f"/staff/intake/questionnaireresponse/{visit['response']}/review/").reads("Zyxglass")
    owner.reads("Emergency access until").finds_page_accessible()
    for button in ("Confirm", "Dismiss", "Finish review"):
        expect(owner.main.get_by_role("button", name=button)).to_have_count(0)
    owner.presses("End it now").is_told("Emergency access has ended.").reads("Both physios are ill")
    with owner.refused_with(404):
        owner.goes_to("/staff/intake/evaluation/").does_not_read("Zyxglass")
