"""Whatever patients and staff type is shown as text wherever it is read (R29)."""

import re
from io import BytesIO
from itertools import cycle

import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from intake import audit, journey, tasks
from intake.patients import links
from tests.architecture.answers import forbidden_in
from tests.factories import SETUP
from tests.hostile import CORPUS, bones, hostile_words, pieces
from tests.hostile_world import Hostile, Words, make_hostile
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

# What differs from world to world in an address.
KEY = re.compile(r"[0-9a-f-]{36}|[0-9]+(?=/)|typed-[0-9]+")


def calm_words(limit: int) -> str:
    return "calm words"[:limit]


def browsers(made: Hostile) -> dict[str, Client]:
    found = {}
    for role, user in made.users.items():
        found[role] = Client()
        found[role].force_login(user)
    with audit.audited("tests.opened", by=SETUP):
        opened = links.open_session(invitation=made.response.invitation, address=None, device_token="")
    found["patient"] = Client()
    found["patient"].cookies[settings.PATIENT_COOKIE_NAME] = opened.session_token
    return found


def pages(made: Hostile) -> dict[str, str]:
    """Every view of it, by who looks and the place in her list: addresses hold keys that differ."""
    found = {}
    for role, client in browsers(made).items():
        for place, path in enumerate(made.views[role]):
            response = client.get(path)
            assert response.status_code == 200, f"{role} {path} {response.status_code}"
            found[f"{role} {place} {re.sub(KEY, '*', path)}"] = response.text
    return found


def looked_at(words: Words) -> tuple[Hostile, dict[str, str]]:
    """In a world of its own, so that lists hold the same number of rows."""
    with transaction.atomic():
        made = make_hostile(words)
        found = pages(made)
        transaction.set_rollback(True)
    return made, found


def check_worlds(starts: list[int]) -> None:
    _, calm = looked_at(calm_words)
    for start in starts:
        _, shown = looked_at(hostile_words(start))
        assert shown.keys() == calm.keys()
        wrong = {}
        for name, page in shown.items():
            # A text of several lines is shown in several.
            alive = (set(bones(page)) ^ set(bones(calm[name]))) - {"br"}
            # The editor's own pages bring scripts along (ADR 0017).
            amiss = forbidden_in(page)
            if "/editor/" in name:
                amiss = [one for one in amiss if one not in forbidden_in(calm[name])]
            if alive or amiss:
                wrong[name] = (sorted(alive)[:5], amiss[:5])
        assert wrong == {}


def test_the_corpus_is_large_enough():
    assert len(set(CORPUS)) >= 500


def test_what_anybody_typed_is_text_in_every_view():
    check_worlds([0])


@pytest.mark.deep
def test_every_string_is_text_in_every_field_and_view():
    check_worlds(list(range(len(pieces(80)))))


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.deep)], ids=["some", "all"])
def test_a_patients_words_are_text_in_the_boxes_she_types_into(step: int):
    invitation, token = invited()
    visitor = Visitor(token).open()
    paths = ["/intake/about/", "/intake/life/", "/intake/check/"]

    def answer(story: str, goal: str) -> None:
        assert visitor.autosave("about", {"why.story": [story]}).status_code == 200
        life = {"activity.usual": ["other"], "activity.other": [goal], "goal.one.activity": [goal]}
        assert visitor.autosave("life", life).status_code == 200

    answer("calm", "calm")
    calm = {path: bones(visitor.look(path).text) for path in paths}
    goals = cycle(pieces(80))
    for story in pieces(500)[::step]:
        answer(story, next(goals))
        assert stored(invitation).answers["why.story"] == [story]
        for path in paths:
            page = visitor.look(path).text
            assert forbidden_in(page) == []
            assert bones(page) == calm[path]


def test_paper_holds_nothing_that_runs_or_leads_elsewhere():
    made = make_hostile(hostile_words(0))
    client = browsers(made)["physio"]
    pdf = client.get(reverse("admin:intake_questionnaireresponse_brief_pdf", args=[made.response.pk]))
    assert pdf.headers["Content-Type"] == "application/pdf"
    paper = PdfReader(BytesIO(pdf.content))
    root = paper.trailer["/Root"]
    assert [name for name in ("/OpenAction", "/AA", "/Names", "/AcroForm") if name in root] == []
    assert [page.get("/Annots") or page.get("/AA") for page in paper.pages] == [None] * len(paper.pages)
    assert "zyx()" in "".join(page.extract_text() for page in paper.pages)
    text = brief_text(client, made)
    assert text.headers["Content-Type"].startswith("text/html")
    answers = browsers(made)["patient"].get("/intake/answers.txt")
    assert answers.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answers.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in answers.headers["Content-Disposition"]


def brief_text(client: Client, made: Hostile):
    return client.get(reverse("admin:intake_questionnaireresponse_brief_text", args=[made.response.pk]))


def test_mails_are_plain_text_whatever_anybody_is_called(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    words = hostile_words(0)
    made = make_hostile(words)
    evaluation = made.evaluation
    for _ in range(3):
        again = journey.invite(evaluation=evaluation, by=SETUP)
        with audit.covered():
            tasks.send_invitation(invitation_id=str(again.pk))
    assert len(mail.outbox) >= 3
    for one in mail.outbox:
        assert one.content_subtype == "plain"
        assert not getattr(one, "alternatives", [])
        assert "\n" not in one.subject
        headers = one.message()
        assert set(headers.keys()) <= {
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
        }
        assert headers["To"] == evaluation.patient.email
