"""The editor's URLs, all of them: nothing there for whoever is no editor, and no patient for anybody."""

import re
from collections.abc import Container, Iterable
from typing import Any

import pytest
from django.http import HttpResponse

import clinic.editor
from tests.architecture.answers import lacking
from tests.architecture.conftest import CONTACT_MARKS, HEALTH_MARKS, World
from tests.architecture.test_urls import SIGN_IN, outcome, visit
from tests.architecture.urlconf import editor_patterns

OUTSIDE = {"nobody": SIGN_IN, "patient": SIGN_IN, "front desk": "404", "no role": "404"}
INSIDE = ("physio", "editor", "owner")
# What fills the placeholders of a route: any value that fits its type.
FILLED = {"int": "1", "slug": "a", "str": "a", "uuid": "00000000-0000-0000-0000-000000000000"}
# Answers that the editor shows inside its own pages, and the pages that show them.
MAY_BE_FRAMED = {"X-Frame-Options", "CSP frame-ancestors"}
FRAMES = {"CSP frame-src lets in", f"CSP style-src lets in {clinic.editor.POLICIES['edit']['style-src']}"}


def path_of_route(route: str) -> str:
    """A path that the route matches."""
    route = re.sub(r"<(\w+):\w+>", lambda found: FILLED[found[1]], route)
    route = re.sub(r"\(\?P<\w+>[^()]*\)|\([^()]*\)", "1", route.replace(r"\.", "."))
    route = re.sub(r"<\w+>", "a", route)
    return "/" + route.replace("^", "").replace("$", "").replace(".*", "no/such/page").replace("\\", "")


def test_there_are_hundreds():
    assert len(editor_patterns()) > 200


def some(actors: Iterable[str], shortly: Container[str]) -> list[Any]:
    """All actors; the short run asks as these only: it is the same door for the others."""
    return [pytest.param(one, marks=() if one in shortly else pytest.mark.deep) for one in actors]


@pytest.mark.parametrize("actor", some(OUTSIDE, ("patient",)))
def test_nothing_is_there_for_others(actor: str, world: World):
    wrong = {}
    for pattern in editor_patterns():
        path = path_of_route(pattern.route)
        for method in ("GET", "POST"):
            response = visit(world.clients[actor], method, path)
            if outcome(response) != OUTSIDE[actor] or lacking(response, path):
                wrong[f"{method} {path}"] = (outcome(response), lacking(response, path))
    assert wrong == {}


@pytest.mark.parametrize(
    ("actor", "methods"),
    [
        # What is posted without a word is shown again as it was looked at: the short run looks.
        pytest.param("editor", ("GET",), id="editor looks"),
        *(pytest.param(one, ("GET", "POST"), id=one, marks=pytest.mark.deep) for one in INSIDE),
    ],
)
def test_no_page_of_the_editor_holds_a_patient(actor: str, methods: tuple[str, ...], world: World):
    wrong = {}
    for pattern in editor_patterns():
        path = path_of_route(pattern.route)
        for method in methods:
            response = visit(world.clients[actor], method, path)
            met = [mark for mark in (*CONTACT_MARKS, *HEALTH_MARKS) if mark in shown(response)]
            missing = set(lacking(response, path)) - MAY_BE_FRAMED
            if pattern.key.endswith((":add", ":edit")):
                missing -= FRAMES
            if met or missing or response.status_code >= 500:
                wrong[f"{method} {path}"] = (response.status_code, met, sorted(missing))
    assert wrong == {}


def shown(response: HttpResponse) -> str:
    return "" if response.streaming else response.text
