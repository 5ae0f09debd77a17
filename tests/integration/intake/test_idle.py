"""A patient who did nothing for half an hour: the date of birth, and on with the same page."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from intake.patients.models import Invitation
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

PAIN = {"pain.now": ["3"], "pain.worst": ["6"], "pain.average": ["4"]}
BORN = {"month": "4", "day": "12", "year": "1986"}
QUESTION = "Are you still there?"


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", {"about.age": [39]})
    return visitor, invitation


def later(minutes: float = 31) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))


def about(minutes: float) -> object:
    """In seconds; some of them go by in a test."""
    return pytest.approx(minutes * 60, abs=20)


def hidden(page: HttpResponse) -> dict[str, list[str]]:
    """What the form that asks carries besides the date."""
    fields: dict[str, list[str]] = {}
    for name, text in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text):
        fields.setdefault(unescape(name), []).append(unescape(text))
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def test_a_page_looked_at_comes_back_after_the_date(visit: tuple[Visitor, Invitation]) -> None:
    visitor, invitation = visit
    with later():
        page = visitor.page("pain", "?change=1")
        assert page.status_code == 403
        assert QUESTION in page.text
        answer = visitor.client.post("/intake/pain/?change=1", {**hidden(page), **BORN})
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/intake/pain/?change=1"
        assert visitor.page("pain").status_code == 200
    assert stored(invitation).answers == {"about.age": [39]}, "looking stores nothing"


def test_what_was_sent_too_late_is_saved_with_the_date(visit: tuple[Visitor, Invitation]) -> None:
    visitor, invitation = visit
    story = 'Stairs & "slopes" <hurt>'
    with later():
        asked = visitor.client.post("/intake/about/", {"why.story": story, "about.age": "40"})
        assert asked.status_code == 403
        assert "40" not in re.sub(r"<input[^>]*>", "", asked.text), "it is carried, not shown"
        wrong = visitor.client.post("/intake/about/", {**hidden(asked), **BORN, "day": "13"})
        assert wrong.status_code == 403
        assert "match what the clinic has" in wrong.text
        visitor.client.post("/intake/about/", {**hidden(wrong), **BORN})
        assert stored(invitation).answers["why.story"] == [story]
        assert stored(invitation).answers["about.age"] == [40]


def test_where_another_tab_came_back_first_nothing_is_cleared(visit: tuple[Visitor, Invitation]) -> None:
    visitor, invitation = visit
    with later():
        asked = visitor.page("about")
        visitor.client.post("/intake/about/", {**hidden(asked), **BORN})
        again = visitor.client.post("/intake/about/", {**hidden(asked), **BORN})
        assert again.headers["Location"] == "/intake/about/"
    assert stored(invitation).answers == {"about.age": [39]}


def test_wrong_dates_rest_the_link_here_too(visit: tuple[Visitor, Invitation]) -> None:
    visitor, _invitation = visit
    with later():
        page = visitor.page("pain")
        for _ in range(5):
            visitor.client.post("/intake/pain/", {**hidden(page), **BORN, "day": "13"})
        assert visitor.client.post("/intake/pain/", {**hidden(page), **BORN}).status_code == 403
        assert visitor.page("pain").status_code == 403


@pytest.mark.parametrize("why", ["left", "another device", "no cookie", "link over"])
def test_elsewhere_only_the_link_opens_it(visit: tuple[Visitor, Invitation], why: str) -> None:
    visitor, _invitation = visit
    if why == "left":
        visitor.client.post(reverse("intake:leave"))
    elif why == "another device":
        del visitor.client.cookies[settings.DEVICE_COOKIE_NAME]
    elif why == "no cookie":
        visitor.client.cookies.clear()
    with later(31 if why != "link over" else 60 * 24 * 60):
        for page in (
            visitor.page("pain"),
            visitor.client.post("/intake/pain/", {**PAIN, **BORN, "again": "save"}),
        ):
            assert page.status_code == 403
            assert QUESTION not in page.text
            assert "Open your link again" in page.text


def test_every_page_says_how_long_it_lasts_and_stay_makes_it_longer(
    visit: tuple[Visitor, Invitation],
) -> None:
    visitor, _invitation = visit
    with later(29):
        answer = visitor.client.post(reverse("intake:stay"))
        assert answer.json() == {"seconds": about(30)}
    with later(58):
        seconds = re.search(r'data-idle="([0-9]+)"', visitor.page("pain").text)
        assert seconds is not None
        assert int(seconds[1]) == about(30)


def test_four_hours_are_the_end_of_it(visit: tuple[Visitor, Invitation]) -> None:
    visitor, _invitation = visit
    for minutes in range(25, 240, 25):
        with later(minutes):
            left = visitor.client.post(reverse("intake:stay")).json()["seconds"]
            assert left == about(min(30, 240 - minutes))
    with later(241):
        assert QUESTION in visitor.page("pain").text
