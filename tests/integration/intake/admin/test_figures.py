"""The page of figures: who sees it, what stands in it, what an odd address gets."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from intake.audit import AuditEvent
from intake.review.models import LessonOpening
from intake.review.opened import monday
from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db

PAGE = "/staff/figures/"


@pytest.fixture
def owner(db):
    return browser(factories.make_user("owner"))


@pytest.fixture
def some():
    """Two intakes, one with a red flag, and a lesson that was opened."""
    factories.make_response(factories.ROLLING_IN)
    factories.make_response({**factories.SWOLLEN_CALF, **factories.SPARING})
    LessonOpening.objects.create(week=monday(timezone.localdate()), lesson="rolling-in", number=3)


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("<main")[1]).split())


def test_the_owner_sees_counts_and_no_patient(owner, some):
    page = owner.get(PAGE)
    assert page.status_code == 200
    words = words_of(page.text)
    for told in (
        "2 of 2 people who were invited sent their form: 100%.",
        "2 forms were sent in this time.",
        "with every break",
        "1 red flag was raised.",
        "Foot rolling in may be loading the kneecap",
        "Nothing decided yet: too few to say.",
        "Up the chain",
        "Down the chain",
        "Lessons were opened 3 times.",
    ):
        assert told in words, told
    assert "Jordan" not in page.text
    assert "Lee" not in words
    assert "555-0188" not in page.text


def test_reading_it_is_one_line_of_the_trail_that_names_nobody(owner, some):
    last = AuditEvent.objects.latest("pk").pk
    owner.get(PAGE, {"weeks": "4"})
    (line,) = AuditEvent.objects.filter(pk__gt=last)
    assert (line.action, line.objects_seen, line.detail) == ("figures.read", {}, {"weeks": 4})
    assert line.actor_kind == "staff"


@pytest.mark.parametrize(
    ("role", "status"), [("physio", 200), ("front desk", 404), ("editor", 404), (None, 404)]
)
def test_who_may_see_it(role, status):
    client = browser(factories.make_user(role))
    assert client.get(PAGE).status_code == status
    assert (PAGE in client.get(reverse("admin:index"), follow=True).text) is (status == 200)


def test_the_owner_finds_it_on_the_start_page(owner):
    assert f'href="{PAGE}"' in owner.get(reverse("admin:index")).text


def test_an_empty_clinic_has_a_page_in_words(owner):
    words = words_of(owner.get(PAGE).text)
    for told in (
        "Nobody was invited in this time.",
        "No form was sent in this time.",
        "No red flag was raised in this time.",
        "No lesson was opened from there in this time.",
        "No form sent in this time raised a finding.",
    ):
        assert told in words


@pytest.mark.parametrize(
    "weeks", ["0", "-1", "13", "5000000000", "x" * 3000, "4 OR 1=1", "%00", "<b>", "\u0664"]
)
def test_a_period_there_is_none_of_is_told_and_the_usual_one_shown(owner, weeks):
    page = owner.get(PAGE, {"weeks": weeks})
    assert page.status_code == 200
    assert "There are figures for 4, 12 or 52 weeks." in page.text
    assert re.search(r'<a href="\?weeks=12" aria-current="page">', page.text)


@pytest.mark.parametrize("weeks", ["4", "12", "52"])
def test_a_period_in_the_address_is_shown(owner, some, weeks):
    page = owner.get(PAGE, {"weeks": weeks}).text
    assert f'<a href="?weeks={weeks}" aria-current="page">' in page
    assert "There are figures for" not in page
    # A line for each week, twice: the intakes and the red flags.
    assert len(re.findall(r'<th scope="row">[A-Z][a-z]{2} \d+</th>', page)) == 2 * int(weeks)


def test_a_comma_for_a_point_breaks_no_drawing(owner, some):
    with translation.override("de"):
        page = owner.get(PAGE).text
    places = re.findall(r' (?:x|y|x1|x2|y1|y2|cx|cy|width|height)="([^"]*)"', page.split('k-figs"')[1])
    assert places
    assert any("." in place for place in places)
    assert [place for place in places if not re.fullmatch(r"\d+(\.\d+)?(%|rem)?", place)] == []


def test_every_chart_has_words_and_a_table(owner, some):
    page = owner.get(PAGE).text
    charts = re.findall(r'<svg class="k-chart" role="img" aria-label="([^"]+)"', page)
    assert len(charts) == 3
    assert all("in the table below" in words for words in charts)
    assert page.count("<table") - page.split('id="content"')[0].count("<table") >= 6


def test_as_many_statements_for_a_year_as_for_a_month(owner, some):
    owner.get(PAGE)
    counts = set()
    for weeks in ("4", "12", "52"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            owner.get(PAGE, {"weeks": weeks})
        counts.add(len(captured))
    # Sign-in: session, user, two of permissions; the transaction's two; six of figures; one of the trail.
    assert len(counts) == 1
    assert counts.pop() <= 13
