"""The Link button of a text: what its dialog takes, and what is stored."""

from typing import Any

import pytest
from django.conf import settings
from draftjs_exporter.dom import DOM

from education.editor.links import as_stored
from education.models import Lesson
from tests.integration.education.editor.conftest import Person

DIALOG = "/editor/link/"


def chosen(person: Person, **typed: str) -> Any:
    answer = person.client.post(DIALOG, {f"link-{name}": value for name, value in typed.items()})
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ({"lesson": "flat-feet"}, "/learn/flat-feet/"),
        ({"address": " /learn/flat-feet/#check "}, "/learn/flat-feet/#check"),
        ({"address": f"{settings.SITE_URL}/chain/?side=right"}, "/chain/?side=right"),
        ({"address": "https://www.example.org/a?b=c"}, "https://www.example.org/a?b=c"),
    ],
)
def test_a_lesson_a_page_of_ours_or_an_address_outside(
    sam: Person, lesson: Lesson, typed: dict[str, str], url: str
) -> None:
    answer = chosen(sam, **typed)
    assert (answer["step"], answer["result"]["url"]) == ("external_link_chosen", url)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Choose a lesson or give an address"),
        ({"lesson": "flat-feet", "address": "/chain/"}, "one of the two"),
        ({"lesson": "gone"}, "Select a valid choice"),
        ({"address": "/nowhere/"}, "We have no page at this address."),
        ({"address": "//example.org/"}, "Begin with /"),
        ({"address": "javascript:alert(1)"}, "Begin with /"),
        ({"address": "http://[x"}, "Begin with /"),
        ({"address": "example"}, "Begin with /"),
    ],
)
def test_anything_else_is_said_in_the_dialog(
    sam: Person, lesson: Lesson, typed: dict[str, str], words: str
) -> None:
    answer = chosen(sam, **typed)
    assert answer["step"] == "external_link"
    assert words in answer["html"]


def test_a_link_opens_with_what_it_leads_to(sam: Person, lesson: Lesson) -> None:
    of_lesson = sam.client.get(DIALOG, {"link_url": "/learn/flat-feet/", "link_text": "arches"}).json()[
        "html"
    ]
    assert '<option value="flat-feet" selected>' in of_lesson
    assert 'value="arches"' in of_lesson
    outside = sam.client.get(DIALOG, {"link_url": "https://example.org/"}).json()["html"]
    assert 'value="https://example.org/"' in outside
    assert Person("front desk").client.get(DIALOG).status_code == 404


def test_an_address_of_ours_is_stored_as_its_path() -> None:
    DOM.use(DOM.STRING)
    for given, stored in (
        (f"{settings.SITE_URL}/learn/flat-feet/", "/learn/flat-feet/"),
        ("/learn/flat-feet/", "/learn/flat-feet/"),
        ("https://example.org/", "https://example.org/"),
    ):
        assert as_stored({"url": given, "children": "x"}).attr["href"] == stored
