"""J5.1, J9.2: two steps at the door, the first factor, passkeys, and a screen that nobody sits at."""

import os
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.browser import find_browser
from tests.browser.conftest import Come
from tests.browser.desk import Physio, Staff
from tests.browser.product import Product
from tests.totp import code_at, next_code


def test_two_steps_lead_to_the_page_that_was_asked_for(come: Come, product: Product) -> None:
    account = product.reception("staff", role="physio", username="nel")
    physio = come(Physio).goes_to("/staff/intake/patient/").reads_heading("Staff sign-in")
    physio.types(physio.page.get_by_label("Username"), account["username"])
    physio.types(physio.page.get_by_label("Password"), "not the password")
    physio.presses("Log in").reads("The username or the password is not right.")
    physio.types(physio.page.get_by_label("Password"), account["password"])
    physio.presses("Log in").reads_heading("Second step")
    physio.gives_code("12345")
    physio.reads("That did not fit.").finds_page_accessible()
    physio.gives_code(next_code(account["totp"]))
    physio.reads_heading("Patients")


def test_a_new_account_sets_up_its_app_first(come: Come, product: Product) -> None:
    account = product.reception("newcomer", role="physio", username="newcomer")
    physio = come(Physio, scripts=False).signs_in(account)
    physio.reads_heading("Authenticator app").reads("your account needs a second factor")
    physio.goes_to("/staff/intake/patient/").reads_heading("Authenticator app")
    secret = physio.page.locator("#key").inner_text().replace(" ", "")
    physio.types(physio.page.get_by_label("Code", exact=True), code_at(secret, time.time()))
    physio.presses("Set up")
    physio.reads_heading("Recovery codes")
    codes = physio.main.locator(".k-codes li").all_inner_texts()
    with physio.page.expect_download() as file:
        physio.page.get_by_role("link", name="Download as text").click()
    text = file.value.path().read_text()
    assert len(codes) == 10
    assert all(code in text for code in codes)
    physio.follows("I have kept them, go on").reads_heading("Patients")

    again = come(Physio)
    again.goes_to("/staff/")
    again.types(again.page.get_by_label("Username"), account["username"])
    again.types(again.page.get_by_label("Password"), account["password"])
    again.presses("Log in")
    again.gives_code(codes[0])
    again.goes_to("/staff/account/").reads("9 codes are left")


@pytest.mark.deep
def test_a_passkey(chromium: Browser, product: Product) -> None:
    """With Chromium's own authenticator that no hand has to touch. A bare IP address can have no passkey."""
    account = product.reception("staff", role="owner", username="key-owner")
    home = product.address.replace("127.0.0.1", "localhost")
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    arguments = [rules, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    browser = chromium.browser_type.launch(executable_path=find_browser(), args=arguments)
    owner = Staff(browser, home)
    devtools = owner.context.new_cdp_session(owner.page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    owner.goes_to(f"{home}/staff/")
    owner.types(owner.page.get_by_label("Username"), account["username"])
    owner.types(owner.page.get_by_label("Password"), account["password"])
    owner.presses("Log in")
    owner.gives_code(next_code(account["totp"]))
    owner.goes_to(f"{home}/staff/account/passkey/").reads_heading("Passkey")
    owner.types(owner.page.get_by_label("Name"), "Laptop")
    owner.page.get_by_role("button", name="Make a passkey").click()
    owner.page.wait_for_url("**/staff/account/recovery/**")
    owner.goes_to(f"{home}/staff/account/").reads("Laptop")
    owner.presses("Remove the authenticator app").reads("It is removed")
    owner.presses("Log out")

    owner.goes_to(f"{home}/staff/")
    owner.types(owner.page.get_by_label("Username"), account["username"])
    owner.types(owner.page.get_by_label("Password"), account["password"])
    owner.presses("Log in").reads_heading("Second step")
    owner.page.get_by_role("button", name="Use a passkey").click()
    owner.page.wait_for_url(f"{home}/staff/")
    owner.goes_to(f"{home}/staff/prove/").reads_heading("Is it still you?")
    owner.page.get_by_role("button", name="Use a passkey").click()
    owner.page.wait_for_url(f"{home}/staff/account/")
    assert owner.leaves() == []
    browser.close()


@pytest.mark.deep
def test_a_screen_that_nobody_sits_at_goes_to_the_sign_in_and_back(come: Come, product: Product) -> None:
    """R15: the session is over, so the page leaves; signing in again leads to the same page."""
    account = product.reception("staff", role="physio", username="idle-physio")
    physio = come(Physio).signs_in(account)
    physio.page.clock.install()
    physio.goes_to("/staff/intake/patient/?q=Nobody")
    product.reception("idle_staff")
    physio.page.clock.fast_forward("00:21")
    expect(physio.page.get_by_role("heading", name="Staff sign-in")).to_be_visible()
    account = product.reception("staff", role="physio", username="idle-physio")
    physio.types(physio.page.get_by_label("Username"), account["username"])
    physio.types(physio.page.get_by_label("Password"), account["password"])
    physio.presses("Log in")
    physio.gives_code(next_code(account["totp"]))
    assert physio.page.url.endswith("/staff/intake/patient/?q=Nobody")
