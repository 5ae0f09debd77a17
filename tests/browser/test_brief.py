"""The brief on paper: exactly one page each, Letter and A4, however much there is. J5.12."""

import io
import re
import unicodedata
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from pypdf import PageObject, PdfReader

from tests.browser.conftest import Come
from tests.browser.desk import Physio
from tests.browser.product import Product

PAPERS = {"letter": (612, 792), "a4": (595, 842)}
ALL_PAPERS = pytest.mark.parametrize("paper", ["letter", pytest.param("a4", marks=pytest.mark.deep)])
BRIEF = "/staff/intake/questionnaireresponse/{}/brief/"


@pytest.fixture
def account(product: Product) -> dict[str, str]:
    return product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )


@pytest.fixture
def fullest(product: Product) -> str:
    """The intake with every text at its limit and more findings than a page lists."""
    answers = product.reception("known_intakes")["FULLEST"]
    family = "Nuñez-Wolkenstein von und zu Hohenwaldeck"
    made: dict[str, str] = product.reception(
        "visit", given="Zoë Wilhelmina Maximiliane", family=family, answers=answers
    )
    return made["response"]


def printed(physio: Physio) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(physio.page.pdf(prefer_css_page_size=True))).pages)


def is_on(page: PageObject, paper: str) -> bool:
    return (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == PAPERS[paper]


def words_of(page: PageObject) -> str:
    """Without spaces: lines break where they like; and fonts may join an f with an i."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", page.extract_text()))


@ALL_PAPERS
def test_the_fullest_intake_is_one_page(come: Come, account: Any, fullest: str, paper: str) -> None:
    physio: Physio = come(Physio, dark=True).signs_in(account)
    for _number in range(2):
        physio.goes_to(f"/staff/intake/questionnaireresponse/{fullest}/review/")
        physio.records_call(outcome="Spoke to the patient", next_step="Goes to the emergency room now. " * 12)
    for starts in ("Right hip, side", "Right calf"):
        physio.goes_to(f"/staff/intake/questionnaireresponse/{fullest}/review/?add=1")
        physio.adds_missed_link(starts=starts, shows="Left knee, inner side", words="Widely 1234 " * 16)
        physio.presses("Add the link")
    physio.goes_to(BRIEF.format(fullest) + f"?paper={paper}").reads_heading("Brief")
    (page,) = printed(physio)
    assert is_on(page, paper)
    words = words_of(page)
    for wanted in (
        "Zoë",
        "morefindings",
        "AddedbyDr.Ortiz",
        "Assessthewholechain",
        "Alreadyanswered:donotaskagain",
        "(seefullanswers)",
        "Page1of1",
    ):
        assert wanted in words, wanted
    for only_on_a_screen in ("DownloadPDF", "Worklist", "Logout", "urgent"):
        assert only_on_a_screen not in words, only_on_a_screen


@pytest.mark.deep
@ALL_PAPERS
def test_every_intake_of_the_demo_is_one_page(come: Come, product: Product, paper: str) -> None:
    day = product.reception("demo_day")
    physio: Physio = come(Physio).signs_in(day)
    for name in ("Jordan Lee", "Priya Raman", "Ana Delgado", "Sam Okafor", "Theo Brandt"):
        physio.goes_to(BRIEF.format(day[name]) + f"?paper={paper}")
        (page,) = printed(physio)
        assert is_on(page, paper), name
        assert "Page1of1" in words_of(page), name


@pytest.mark.deep
def test_the_briefs_of_a_day_are_a_page_each(come: Come, product: Product, account: Any) -> None:
    intakes = product.reception("known_intakes")
    people = {"Ana": "SPARING", "Ben": "FULLEST", "Cem": "ROLLING_IN"}
    # In the morning: one after the other they are of one day, at whatever hour this runs.
    now = datetime.now(ZoneInfo("America/Los_Angeles"))
    morning = (now + timedelta(days=40)).replace(hour=9, minute=0)
    ahead = (morning - now) // timedelta(minutes=1)
    for given, kind in people.items():
        product.reception("visit", given=given, family="Ofday", minutes_ahead=ahead, answers=intakes[kind])
    physio: Physio = come(Physio).signs_in(account)
    date = morning.date().isoformat()
    physio.goes_to_worklist(f"?day={date}&mine=1").follows("Print this day’s briefs")
    assert f"day={date}" in physio.page.url
    assert "mine=1" in physio.page.url
    pages = list(map(words_of, printed(physio)))
    assert len(pages) == 3
    assert {given for given in people for page in pages if f"brief:{given}Ofday" in page} == set(people)
    assert all("Page1of1" in page for page in pages)
    with physio.page.expect_download() as download:
        physio.main.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename == f"{date}.pdf"
    physio.follows("Back to the worklist")
    assert "mine=1" in physio.page.url


@pytest.mark.deep
def test_the_brief_is_copied_as_text(come: Come, product: Product, account: Any, scripts: bool) -> None:
    answers = product.reception("known_intakes")["SPARING"]
    made = product.reception("visit", given="Zoë", family="Text", answers=answers)
    physio: Physio = come(Physio, scripts=scripts).signs_in(account)
    physio.goes_to(BRIEF.format(made["response"])).follows("Copy as text").reads_heading("Brief as text")
    text = physio.main.get_by_label("The brief in plain text").input_value()
    assert "Left heel, from right knee" in text
    assert "<" not in text
    if scripts:
        physio.context.grant_permissions(["clipboard-read", "clipboard-write"])
        physio.main.get_by_role("button", name="Copy").click()
        expect(physio.page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
        assert physio.page.evaluate("navigator.clipboard.readText()") == text
    else:
        expect(physio.main.get_by_role("button", name="Copy")).to_be_hidden()
    physio.follows("Back to the brief").finds_page_accessible()
