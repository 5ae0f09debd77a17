"""Every element of the clinic's own text is somewhere in the product: the walk of coverage.toml."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import demo
from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.lessons.models import Author, Lesson
from education.newsletter import subscribe
from education.newsletter.models import Subscriber
from intake.conditions import Value
from intake.questionnaires.load import active_questionnaire
from intake.views.ask import stamp
from tests import factories
from tests.catalog.page import Page
from tests.catalog.test_lessons import LESSONS, TAUGHT
from tests.integration.education.newsletter import OWN, make_subscriber, sign_up
from tests.integration.intake.visitor import Visitor, filled_in, invited

pytestmark = pytest.mark.django_db

Answers = Mapping[str, Sequence[Value]]
ROWS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("coverage.toml").read_text("utf-8"))
SIGHTS = [
    pytest.param(name, sight, id=f"{name}-{number}-{sight['page']}")
    for name, row in ROWS.items()
    for number, sight in enumerate(row["see"], start=1)
]
# Elements that are a question or a card of the review desk as well as a lesson.
ASKED = ("S09", "S17", "S18", "S19", "S20", "S25", "S26", "S28", "S31")
READER = "new@readers.example"

# Intakes that the table names, by what they say.
INTAKES: dict[str, Answers] = {
    "the four movements": {
        "pain.regions.right": ["knee-front"],
        "knee.aggravators.right": ["squat-kneel", "running", "jumping", "walking"],
    },
    "a stiff foot and the outer knee": {
        "pain.regions.right": ["knee-outer"],
        "gait.foot-roll.right": ["outer"],
        "foot.ankle-lean.right": ["out"],
        "foot.arch.right": ["high"],
    },
    "a stiff foot and the inner knee": {
        "pain.regions.right": ["knee-inner"],
        "gait.foot-roll.right": ["outer"],
        "foot.ankle-lean.right": ["out"],
        "foot.arch.right": ["high"],
    },
    "a flat foot and more running": {
        "pain.regions.right": ["knee-inner"],
        "foot.arch.right": ["flat-always"],
        "foot.footprint.right": ["full"],
        "pain.onset": ["after-more"],
        "activity.usual": ["run"],
    },
    "a high arch and the knee": {
        "pain.regions.right": ["knee-front"],
        "foot.arch.right": ["high"],
        "foot.footprint.right": ["thin"],
    },
    "a guarded knee and the outer edge of its foot": {
        "pain.regions.right": ["knee-inner", "sole-arch"],
        "gait.foot-roll.right": ["outer"],
        "timeline.first": ["knee-first"],
        "knee.history.right": ["old-injury"],
        "gait.changed": ["after-knee"],
    },
    "a stiff knee and the ankle": {
        "pain.regions.right": ["knee-front", "ankle-front"],
        "gait.knee-bend.right": ["guarded"],
        "timeline.first": ["knee-first"],
        "gait.changed": ["after-knee"],
    },
    "a knee that gives way": {
        "pain.regions.right": ["knee-front", "sole-arch", "calf"],
        "knee.events.right": ["gives-way", "swells"],
        "knee.aggravators.right": ["stairs-down", "stairs-up"],
        "timeline.first": ["knee-first"],
        "gait.tires-first.right": [True],
    },
    "both stories in one person": {
        "pain.regions.right": ["knee-front", "sole-arch"],
        "pain.regions.left": ["knee-inner", "sole-arch"],
        "foot.arch.right": ["drops"],
        "gait.foot-roll.right": ["inward"],
        "foot.ankle-lean.right": ["in"],
        "try.safe": [True],
        "try.step-knee.right": ["inward"],
        "timeline.first": ["together"],
        "knee.history.left": ["arthritis", "old-injury"],
        "gait.foot-roll.left": ["outer"],
        "gait.leg-use.left": ["spare"],
        "gait.knee-bend.left": ["guarded"],
    },
    "insoles in a drawer": {"pain.regions.right": ["knee-front"], "shoes.insoles": ["not-worn"]},
    "no insoles": {"pain.regions.right": ["knee-front"], "shoes.insoles": ["none"]},
}


# ---- places that are more than an address


def form(slug: str) -> HttpResponse:
    """A page of the pre-visit form, for somebody whose right knee and left heel hurt."""
    _, token = invited()
    visitor = Visitor(token).open()
    visitor.save("where", {"pain.regions.left": ["sole-heel"], "pain.regions.right": ["knee-front"]})
    return visitor.page(slug)


def review(name: str) -> HttpResponse:
    """The review of an intake of ours, or of a patient of the demo."""
    definition = active_questionnaire_tree()
    people = {person.given: person for person in demo.TODAY}
    answers = demo.fill(definition, people[name]) if name in people else filled_in(definition, INTAKES[name])
    physio = factories.make_user("physio")
    response = factories.make_response(answers, evaluation=factories.make_evaluation(physio=physio))
    where = reverse("admin:intake_questionnaireresponse_review", args=[response.pk])
    return signed_in(physio).get(where, {"show": "all"})


def active_questionnaire_tree() -> Any:
    from intake import audit

    with audit.audited("tests.read", by=factories.SETUP):
        return active_questionnaire().tree()


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def signing_up(how: str) -> HttpResponse:
    client = Client()
    if how == "again":
        sign_up(client, READER)
        how = READER
    if how != "on a bad day":
        return client.post("/newsletter/", {"email": how, "topic": ""}, headers=OWN, follow=True)

    def refuse(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if "education_subscriber" in str(sql):
            raise OperationalError("the disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        return sign_up(client, READER)


def asking(email: str) -> HttpResponse:
    """Somebody fills in the form that asks for an evaluation."""
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        shown = stamp()
    return Client().post(
        "/evaluation/ask/",
        {
            "given_name": "Ana",
            "family_name": "Silva",
            "month": "4",
            "day": "12",
            "year": "1986",
            "email": email,
            "topic": "",
            "from": "rolling-in",
            "shown": shown,
        },
    )


def requests_list() -> HttpResponse:
    assert asking("ana@example.org").status_code == 303
    return signed_in(factories.make_user("front desk")).get("/staff/intake/evaluationrequest/")


def confirm_page() -> HttpResponse:
    return Client().get(subscribe.confirm_url(Subscriber.objects.create(email=READER)))


def leave_page() -> HttpResponse:
    return Client().get(subscribe.leave_url(make_subscriber(READER)))


KINDS: dict[str, Callable[[str], HttpResponse]] = {
    "form": form,
    "review": review,
    "sign-up": signing_up,
    "ask": asking,
}
PLACES: dict[str, Callable[[], HttpResponse]] = {
    "the front desk's list, after somebody asked": requests_list,
    "link of the mail that asks to confirm": confirm_page,
    "link to leave, at the end of every mail": leave_page,
}


def pages_at(place: str) -> Iterator[HttpResponse]:
    if place == "every lesson":
        for slug in LESSONS:
            yield Client().get(f"/learn/{slug}/")
    elif place.startswith("/"):
        yield Client().get(place)
    elif place in PLACES:
        yield PLACES[place]()
    else:
        kind, _, name = place.partition(": ")
        yield KINDS[kind](name)


# ---- what is set up before


def an_author() -> None:
    Lesson.objects.update(author=Author.objects.create(name="Maya Ortiz", credentials="DPT"))


def a_change() -> None:
    Lesson.objects.filter(slug="rolling-in").update(updated_on=date(2026, 2, 3))


def subscribers() -> None:
    make_subscriber("one@readers.example")
    make_subscriber("two@readers.example")
    Subscriber.objects.create(email="three@readers.example")


def a_second_notice() -> None:
    PrivacyNotice(text="## What is new\n\nWe keep less.").save()


GIVEN: dict[str, Callable[[], None]] = {
    "an author with credentials": an_author,
    "a change on February 3, 2026": a_change,
    "two subscribers who confirmed, and one who did not": subscribers,
    "a second version of the privacy notice": a_second_notice,
}


# ---- the walk


def in_order(words: Sequence[str], text: str) -> list[str]:
    """Those of the words that do not come after the ones before them."""
    lost, place = [], 0
    for one in words:
        found = text.find(one, place)
        if found < 0:
            lost.append(one)
        else:
            place = found + len(one)
    return lost


def list_under(page: Page, heading: str) -> list[str]:
    """Addresses of the links from this heading to the next one."""
    found: list[str] | None = None
    for element in page.elements:
        if re.fullmatch("h[1-6]", element.tag):
            if found:
                break
            found = [] if element.text == heading else None
        elif element.tag == "a" and found is not None and "/learn/" in element.attributes.get("href", ""):
            found.append(element.attributes["href"])
    return found or []


def named(value: str) -> str:
    site = settings.SITE_URL
    return value.replace("{site}", site).replace("{quoted site}", quote(site, safe=""))


def lacks(page: Page, sight: Mapping[str, Any]) -> list[str]:
    """What should be on the page and is not, or the other way round, in words."""
    lost = []
    if not page.title.startswith(sight.get("title", "")):
        lost.append(f"its title is {page.title!r}")
    if "h1" in sight and page.headings("h1") != [sight["h1"]]:
        lost.append(f"its h1 is {page.headings('h1')}")
    lost += [f"no heading {words!r} in this order" for words in missing_headings(page, sight)]
    lost += [f"no {words!r} in this order" for words in in_order(sight.get("order", []), page.text)]
    lost += [f"no {words!r}" for words in sight.get("text", []) if words not in page.text]
    lost += [f"there is {words!r}" for words in sight.get("absent", []) if words in page.text]
    lost += [
        f"no link {words!r} to {address}"
        for words, address in sight.get("links", {}).items()
        if (words, address) not in page.links
    ]
    for wanted in sight.get("elements", []):
        rest = {name: named(value) for name, value in wanted.items() if name not in ("tag", "text")}
        if not page.has(wanted["tag"], wanted.get("text", ""), **rest):
            lost.append(f"no element {wanted}")
    if "next" in sight and list_under(page, sight["within"]) != sight["next"]:
        lost.append(f"{sight['within']!r} leads to {list_under(page, sight['within'])}")
    return lost


def missing_headings(page: Page, sight: Mapping[str, Any]) -> list[str]:
    left = iter(page.headings())
    return [words for words in sight.get("headings", []) if words not in left]


@pytest.mark.parametrize(("row", "sight"), SIGHTS)
def test_an_element_is_seen_where_the_table_says(row: str, sight: dict[str, Any]) -> None:
    if "given" in sight:
        GIVEN[sight["given"]]()
    if "clinic" in sight:
        clinic = ClinicInfo.current()
        for name, value in sight["clinic"].items():
            setattr(clinic, name, value)
        clinic.full_clean()
        clinic.save()
    responses = list(pages_at(sight["page"]))
    assert responses
    for response in responses:
        about = f"{row}, {ROWS[row]['about']}: {response.request['PATH_INFO']}"
        assert response.status_code == sight.get("status", 200), about
        lost = lacks(Page(response.content.decode()), sight)
        assert not lost, f"{about}: {'; '.join(lost)}"


def test_the_table_has_every_element_once_and_in_order() -> None:
    assert list(ROWS) == [f"S{number:02}" for number in range(1, 45)]
    for name, row in ROWS.items():
        assert row["about"], name
        assert row["see"], name
        for sight in row["see"]:
            assert set(sight) - {"page", "given", "clinic", "status", "within"}, f"{name} looks for nothing"


@pytest.mark.parametrize("row", ASKED)
def test_an_element_that_is_asked_about_is_in_lesson_form_and_review(row: str) -> None:
    places = [sight["page"] for sight in ROWS[row]["see"]]
    assert any(place.startswith("/learn/") for place in places)
    assert any(place.startswith("form: ") for place in places)
    assert any(place.startswith("review: ") for place in places)


# ---- every point of the plan


@pytest.mark.parametrize("slug", LESSONS)
def test_every_point_of_a_lesson_is_taught_on_its_page(slug: str) -> None:
    """The words that teach a point (test_lessons.py) are read on the live page, not only in the catalog."""
    response = Client().get(f"/learn/{slug}/")
    assert response.status_code == 200
    text = Page(response.content.decode()).text
    taught = {point for lesson, points, _ in TAUGHT.values() if lesson == slug for point in points}
    assert set(LESSONS[slug]["articlePoints"]) <= taught
    for row, (lesson, _, teaching) in TAUGHT.items():
        if lesson == slug:
            # The last words of a text are not the last words of its page.
            assert re.search(teaching.removesuffix("$"), text, re.DOTALL), f"{row} is not taught by {slug}"


def test_lessons_of_the_catalog_are_the_lessons_of_the_site() -> None:
    catalog = Path(demo.__file__).parents[1] / "education" / "catalog" / "lessons.json"
    order = [entry["slug"] for entry in json.loads(catalog.read_text("utf-8"))["lessons"]]
    assert list(Lesson.objects.live().values_list("slug", flat=True)) == order
