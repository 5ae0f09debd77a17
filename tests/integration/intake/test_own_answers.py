"""A patient reads, prints and downloads what she sent; nothing that anybody made of it."""

from html import unescape

import pytest
from django.conf import settings

from intake import audit, journey
from intake.audit import AuditEvent
from intake.screening.models import Finding
from tests.factories import ROLLING_IN, SETUP
from tests.integration.intake.tables import digests
from tests.integration.intake.test_pages import PAIN
from tests.integration.intake.visitor import Visitor, invited, sent_form, stored

pytestmark = pytest.mark.django_db

PAGE, FILE, STATUS = "/intake/answers/", "/intake/answers.txt", "/intake/status/"
STORY = "Zyxstory <b>&</b> “stairs”"
GIVEN = {
    **ROLLING_IN,
    "why.story": [STORY],
    "pain.pattern": ["first-steps", "at-night"],
    "health.conditions": ["diabetes"],
    # Left out for comfort where feet may be numb, and answered before that was known.
    "foot.footprint.right": ["full"],
}
# Words of rules; a patient reads none of them here.
OURS = ("finding", "likely", "diagnos", "risk factor", "confirmed", "threshold")


@pytest.fixture
def visit():
    visitor, invitation = sent_form(GIVEN)
    return visitor.open(), invitation


def test_both_list_every_answer_in_the_words_of_the_form(visit):
    visitor, invitation = visit
    html, text = visitor.look(PAGE).text, visitor.look(FILE).text
    assert STORY not in html
    for said in (unescape(html), text):
        assert STORY in said
        assert "3 out of 10" in said
        assert "It rolls in" in said
        assert "Right foot" in said
        assert stored(invitation).reference in said
        assert "Wet footprint" in said, "answered before it was hidden"
        assert "No answer" not in said


def test_the_file_is_plain_text_with_a_name_that_tells_nothing(visit):
    answer = visit[0].look(FILE)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-answers.txt"'
    assert "&lt;" not in answer.text
    assert "\n\n\n\n" not in answer.text


@pytest.mark.parametrize("path", [PAGE, FILE])
def test_nothing_of_what_was_made_of_it_is_there_and_nothing_is_kept_by_the_browser(visit, path):
    visitor, invitation = visit
    answer = visitor.look(path)
    assert answer.headers["Cache-Control"] == "no-store"
    with audit.audited("tests.read", by=SETUP):
        titles = list(
            Finding.objects.filter(response__evaluation=invitation.evaluation_id).values_list(
                "rule__title", flat=True
            )
        )
    assert titles
    body = answer.text.split("<main", 1)[-1].split("</main", 1)[0]
    for words in (*titles, *OURS):
        assert words not in body


def test_looking_changes_nothing_and_a_copy_that_leaves_is_in_the_trail(visit):
    visitor, invitation = visit
    before = digests()
    visitor.look(PAGE)
    assert not AuditEvent.objects.filter(action="answers.taken").exists()
    visitor.look(FILE)
    event = AuditEvent.objects.get(action="answers.taken")
    assert (event.actor_kind, event.actor_id) == ("patient", str(invitation.pk))
    assert event.objects_seen == {"response": [str(stored(invitation).pk)]}
    assert digests() == before


def test_the_page_of_the_visit_and_the_thanks_lead_there(visit):
    visitor, _ = visit
    assert f'href="{PAGE}">View my answers</a>' in visitor.look(STATUS).text
    assert f'href="{PAGE}"' in visitor.look("/intake/sent/").text
    assert f'href="{FILE}"' in visitor.look(PAGE).text


def test_a_change_that_is_not_sent_is_no_part_of_it(visit):
    visitor, invitation = visit
    with audit.audited("tests.made", by=SETUP):
        journey.begin_change(invitation=invitation, by=SETUP)
    visitor.save("pain", {**PAIN, "pain.now": [9]}, "?change=1")
    page = visitor.look(PAGE).text
    assert "This is what you sent before" in page
    assert "3 out of 10" in page
    assert "9 out of 10" not in page
    assert "9 out of 10" not in visitor.look(FILE).text


@pytest.mark.parametrize("path", [PAGE, FILE])
def test_before_it_is_sent_there_is_nothing_to_keep(path):
    _, token = invited()
    assert Visitor(token).open().look(path).headers["Location"] == "/intake/"


@pytest.mark.parametrize("path", [PAGE, FILE])
def test_without_a_session_and_on_another_device_there_is_nothing(visit, path):
    visitor, _ = visit
    assert Visitor().look(path).status_code == 403
    stranger = Visitor(visitor.token)
    assert stranger.type_date().headers["Location"] == "/intake/code/"
    answer = stranger.look(path)
    assert answer.status_code == 403
    assert "Zyxstory" not in answer.text
    visitor.client.post("/intake/leave/")
    assert settings.PATIENT_COOKIE_NAME in visitor.client.cookies
    assert visitor.look(path).status_code == 403
