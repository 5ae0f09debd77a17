"""Staff look for a patient by name, and the name stands in no address (R26)."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db

WORKLIST = reverse("admin:intake_evaluation_changelist")
PATIENTS = reverse("admin:intake_patient_changelist")
NAME = "O’Zyxq %;,é"


@pytest.fixture
def visit(physio):
    evaluation = factories.make_evaluation(patient=factories.make_patient(family_name=NAME), physio=physio)
    factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
    factories.make_evaluation(patient=factories.make_patient(family_name="Other"), physio=physio)
    return evaluation


@pytest.mark.parametrize("path", [WORKLIST, PATIENTS])
def test_the_words_go_in_the_body_and_come_back_in_a_cookie(path: str, desk, visit):
    answer = desk.post(path, {"q": f" {NAME} "})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?sought=1")
    cookie = answer.cookies["sought"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/staff/", "Strict", True)
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    page = desk.get(answer.headers["Location"]).text
    assert NAME in page
    assert "Other" not in page
    assert f'value="{NAME}"' in page
    addresses = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert [one for one in addresses if "zyxq" in one.lower() or "q=" in one] == []


def test_a_search_looks_at_all_days_and_keeps_mine(desk, visit):
    answer = desk.post(f"{WORKLIST}?day=past&status=reviewed", {"q": "O’Zyxq", "mine": "1"})
    assert answer.headers["Location"] == f"{WORKLIST}?mine=1&sought=1"


@pytest.mark.parametrize("path", [WORKLIST, PATIENTS])
def test_an_empty_search_shows_all(path: str, desk, visit):
    desk.post(path, {"q": NAME})
    answer = desk.post(path, {"q": " "})
    assert answer.headers["Location"] == path
    assert desk.cookies["sought"].value == ""


def test_other_filters_and_the_way_back_keep_the_search(desk, visit):
    desk.post(WORKLIST, {"q": "O’Zyxq"})
    page = desk.get(f"{WORKLIST}?sought=1").text
    chips = re.findall(r'href="\?([^"]*)"', page.split('class="k-filters"')[1].split("</div>")[0])
    assert chips
    assert all("sought=1" in chip for chip in chips)
    review = re.search(r'href="([^"]*/review/[^"]*)"', page)
    assert review
    back = re.search(r'href="([^"]*)">Back to the worklist', desk.get(review[1]).text)
    assert back
    assert back[1] == f"{WORKLIST}?sought=1"
    assert NAME in desk.get(back[1]).text


def test_the_words_of_one_browser_are_not_another_ones(desk, reception, visit):
    desk.post(WORKLIST, {"q": "Nobody"})
    assert 'name="q" value=""' in reception.get(f"{WORKLIST}?sought=1").text


@pytest.mark.parametrize("path", [WORKLIST, PATIENTS])
def test_the_form_carries_the_token_of_who_looks_at_it(path: str, physio, visit):
    """Also where the part of the page that it stands in was drawn for somebody else."""
    for _ in range(2):
        client = Client(enforce_csrf_checks=True)
        client.force_login(physio)
        form = client.get(path).text.split('role="search"')[1]
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token
        assert client.post(path, {"q": NAME, "csrfmiddlewaretoken": token[1]}).status_code == 303
        assert client.post(path, {"q": NAME}).status_code == 403


def test_signing_out_forgets_them(desk, visit):
    desk.post(WORKLIST, {"q": NAME})
    answer = desk.post(reverse("admin:logout"))
    assert (answer.cookies["sought"].value, answer.cookies["sought"]["max-age"]) == ("", 0)


@pytest.mark.parametrize("value", ["%00", "%ff%fe", "%E2%80", "a" * 5000, "%0d%0aX:1", "<script>", ""])
def test_whatever_the_cookie_holds_is_a_search(value: str, physio):
    client = browser(physio)
    client.cookies["sought"] = value
    for path in (WORKLIST, PATIENTS):
        assert client.get(f"{path}?sought=1").status_code == 200
