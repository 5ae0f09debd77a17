"""J1.2 to J1.6: the link is looked at by machines, tried with wrong dates, and opened."""

import http.client
import re
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import BOTH_WAYS, Come
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.integration.intake.visitor import without_form_tokens
from tests.patience import PATIENCE_SECONDS

MISMATCH = "That doesn’t match what the clinic has."


def look_at(link: str, method: str) -> http.client.HTTPResponse:
    """As a mail scanner does: no browser, no cookie."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, parts.path, headers={"User-Agent": "MailScanner/1.0"})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_a_mail_scanner_changes_nothing(come: Come, product: Product) -> None:
    visit = product.reception("visit")
    for _ in range(3):
        for method in ("HEAD", "GET"):
            answer = look_at(visit["link"], method)
            assert answer.status == 200
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            cookies = answer.headers.get_all("Set-Cookie") or []
            assert [cookie.partition("=")[0] for cookie in cookies if "intake" in cookie] == []
    stored = product.reception("stored", evaluation=visit["evaluation"])
    assert (stored["opened"], stored["tries"], stored["sessions"]) == (False, [], 0)
    # And then the person comes.
    come(Patient).opens_with_birth_date(visit["link"]).reads_heading("Before you start")


def test_what_the_link_shows_before_anything_is_typed(patient: Patient, product: Product) -> None:
    visit = product.reception("visit", given="Zyxana", born="1961-09-30")
    patient.opens(visit["link"]).reads_heading("Is it you?")
    patient.reads("with Dr. Ortiz at i.Athlete Physio").reads("Your answers are private")
    patient.does_not_read("Zyxana").does_not_read("1961")
    assert "Zyxana" not in patient.page.content()


@pytest.mark.deep
def test_dates_that_are_none(patient: Patient, product: Product) -> None:
    patient.opens(product.reception("visit")["link"])
    patient.gives_birth_date("13", "40", "1986").sees_error("Enter a real date, like 4 12 1986")
    assert patient.page.get_by_label("Day", exact=True).input_value() == "40", "what was typed is kept"
    patient.gives_birth_date("", "", "").sees_error("Enter your date of birth")
    patient.gives_birth_date("4", "12", "2086").sees_error("Enter a date of birth in the past")
    patient.gives_birth_date("4", "12", "1886").sees_error("Enter a year after 1900")
    patient.gives_birth_date("4", "12", "86").sees_error("Enter all four numbers of the year")
    patient.gives_birth_date("4", "12", "1986").reads_heading("Before you start")


@pytest.mark.deep
def test_five_wrong_dates_rest_the_link(patient: Patient, come: Come, product: Product) -> None:
    visit, other = product.reception("visit"), product.reception("visit", born="1961-09-30")
    patient.opens(visit["link"])
    for day in ("1", "2", "3", "4", "5"):
        patient.gives_birth_date("4", day, "1986").sees_error(MISMATCH).reads("call us: (310)")
    # Even the right date: the same words, so that a guesser learns nothing.
    patient.gives_birth_date("4", "12", "1986").sees_error(MISMATCH)
    assert product.reception("stored", evaluation=visit["evaluation"])["sessions"] == 0
    # Another link from the same phone is not affected.
    patient.opens_with_birth_date(other["link"], "1961-09-30").reads_heading("Before you start")


def test_links_that_no_longer_work_look_alike(patient: Patient, product: Product) -> None:
    visit = product.reception("visit")
    product.reception("another_link", evaluation=visit["evaluation"])
    pages = []
    for link in (visit["link"], "/intake/open/no-such-token/"):
        with patient.refused_with(404):
            patient.opens(link).reads_heading("This link no longer works").reads("Call us")
        pages.append(without_form_tokens(patient.main.inner_html()))
    assert pages[0] == pages[1]


def test_a_new_link_instead_of_one_that_ended(patient: Patient, product: Product, scripts: bool) -> None:
    """J3.7: to the address that the clinic has, and the same words for a link that nobody ever had."""
    address = f"new.link.{scripts}@patients.example"
    visit = product.reception("visit", email=address, minutes_ahead=60 * 24)
    product.reception("another_link", evaluation=visit["evaluation"])
    pages = []
    for link in ("/intake/open/no-such-token/", visit["link"]):
        with patient.refused_with(404):
            patient.opens(link)
        with patient.refused_with(404):
            patient.presses("Send me a new one").reads("If this link was yours, a new one is on its way.")
        pages.append(patient.main.inner_html())
    assert pages[0] == pages[1]
    patient.finds_page_accessible()
    [mail] = product.mail.wait_for(address)
    link = re.search(r"http\S+/intake/open/\S+/", mail)
    assert link, mail
    patient.opens_with_birth_date(link[0]).reads_heading("Before you start")


@BOTH_WAYS
def test_the_right_date_opens_the_form(patient: Patient, product: Product) -> None:
    visit = product.reception("visit")
    patient.opens_with_birth_date(visit["link"]).reads_heading("Before you start")
    assert patient.page.url == f"{product.address}/intake/start/", "the token has left the address"
    patient.reads("Hello Casey. Dr. Ortiz would like to know").reads("call 911")
    patient.reads("Only the clinic’s team can see your answers")
    session = patient.cookies()["intake"]
    assert (session["httpOnly"], session["sameSite"], session["expires"]) == (True, "Lax", -1)
    patient.starts().reads_heading("Hello Casey. Here is your pre-visit form").reads("0 of 10 parts done")
