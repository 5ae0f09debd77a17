"""The form as the patient walks it: pages, Back and Change, saving while typing, what hides and shows."""

import re
from collections.abc import Mapping, Sequence

import pytest
import time_machine
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from intake import audit
from intake.conditions import Value
from intake.patients.models import Invitation
from intake.questionnaires.pages import pages
from tests.factories import make_evaluation, make_patient, make_user
from tests.integration.intake.visitor import Visitor, filled_in, invited, stored, text_of

pytestmark = pytest.mark.django_db

ABOUT = {
    "consent.understand": [True],
    "consent.privacy": [True],
    "about.age": [39],
    "why.main-problem": ["knee"],
    "why.story": ["Sore on stairs & steps <since> spring"],
}
SAFE = {
    "safety.leg-signs.left": ["none"],
    "safety.leg-signs.right": ["none"],
    "safety.body-signs": ["none"],
    "safety.injury.left": [False],
    "safety.injury.right": [False],
}
WHERE = {"pain.regions.left": ["none"], "pain.regions.right": ["knee-front"]}
PAIN = {"pain.now": [3], "pain.worst": [6], "pain.average": [4]}


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    invitation, token = invited()
    return Visitor(token).open(), invitation


def checked(page: str) -> set[str]:
    """`name=value` of every ticked box and chosen button, and of every box with text in it."""
    found = set()
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("type") in ("checkbox", "radio"):
            if re.search(r"\schecked\b", tag):
                found.add(f"{attributes['name']}={attributes['value']}")
        elif attributes.get("name") != "csrfmiddlewaretoken" and attributes.get("value"):
            found.add(f"{attributes['name']}={attributes['value']}")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', page, re.S):
        if text.strip():
            found.add(f"{name}={text.strip()}")
    return found


def sent(answers: Mapping[str, Sequence[Value]]) -> set[str]:
    return {f"{link_id}={text_of(value)}" for link_id, values in answers.items() for value in values}


# ------------------------------------------------------------ the way through


def test_before_you_start_says_who_reads_it_and_what_it_is_not_for():
    evaluation = make_evaluation(
        patient=make_patient(given_name="Jordan"), physio=make_user("physio", last_name="Okafor", title="Dr.")
    )
    from intake import journey
    from tests.factories import SETUP

    invitation = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
    token = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    page = Visitor(token).open().look("/intake/start/").text
    assert "Hello Jordan" in page
    assert "Dr. Okafor" in page
    assert "call 911" in page


def test_the_task_list_names_every_part_and_leads_to_the_first(visit):
    visitor, _ = visit
    page = visitor.look("/intake/").text
    assert "0 of 10 parts done" in page
    assert page.count("Not started") == 10
    assert f'href="{reverse("intake:page", args=["about"])}"' in page


def test_save_and_continue_leads_from_page_to_page_to_the_check_page(visit):
    visitor, invitation = visit
    definition = invitation.questionnaire.tree()
    answers = filled_in(definition, {**WHERE, **PAIN})
    where = reverse("intake:page", args=["about"])
    seen = []
    while where != reverse("intake:check"):
        slug = where.strip("/").split("/")[-1]
        seen.append(slug)
        here = {item.link_id for item in definition.item(f"page.{slug}").walk()}
        response = visitor.save(slug, {k: v for k, v in answers.items() if k in here})
        assert response.status_code == 303, (slug, response.text)
        where = response.headers["Location"]
    assert seen == [page.slug for page in pages(definition)]
    assert "10 of 10 parts done" in visitor.look("/intake/").text
    assert stored(invitation).saved_pages == [f"page.{slug}" for slug in seen]


def test_a_part_half_done_is_started_and_says_how_far(visit):
    visitor, _ = visit
    visitor.save("pain", {"pain.now": [3], "pain.worst": [6]})
    page = visitor.look("/intake/").text
    assert "0 of 10 parts done" in page
    assert "2 of 7 answered" in page


def test_back_leads_one_page_back_and_from_the_first_to_the_parts(visit):
    visitor, _ = visit
    assert f'class="c-back" href="{reverse("intake:tasks")}"' in visitor.page("about").text
    assert f'class="c-back" href="{reverse("intake:page", args=["about"])}"' in visitor.page("safety").text


def test_going_back_shows_everything_that_was_saved(visit):
    visitor, _ = visit
    visitor.save("about", ABOUT)
    visitor.save("safety", SAFE)
    visitor.save("where", WHERE)
    assert sent(WHERE) <= checked(visitor.page("where").text)
    assert sent(SAFE) <= checked(visitor.page("safety").text)
    assert "why.story=Sore on stairs &amp; steps &lt;since&gt; spring" in checked(visitor.page("about").text)
    assert "consent.privacy=true" in checked(visitor.page("about").text)


def test_change_leads_back_to_the_check_page_and_changes_one_thing(visit):
    visitor, invitation = visit
    visitor.fill(invitation.questionnaire.tree(), {**ABOUT, **WHERE, **PAIN})
    before = stored(invitation).answers
    assert f'class="c-back" href="{reverse("intake:check")}"' in visitor.page("pain", "?change=1").text
    response = visitor.save("pain", {**PAIN, "pain.now": [5]}, "?change=1")
    assert response.headers["Location"] == reverse("intake:check")
    after = stored(invitation).answers
    assert after.pop("pain.now") == [5]
    assert {**before} == {**after, "pain.now": [3]}
    assert "5 out of 10" in visitor.look(reverse("intake:check")).text


def test_an_answer_that_needs_another_comes_back_with_it_but_is_not_sent_without(visit):
    """Knee questions go when the knee is no longer sore; marked again they return as they were (J1.12)."""
    visitor, invitation = visit
    visitor.save("where", WHERE)
    visitor.save("knee", {"knee.aggravators.right": ["stairs-down"]})
    visitor.save("where", {**WHERE, "pain.regions.right": ["calf"]})
    assert "knee.aggravators.right" not in visitor.page("knee").text
    assert stored(invitation).answers["knee.aggravators.right"] == ["stairs-down"]
    visitor.save("where", WHERE)
    assert "knee.aggravators.right=stairs-down" in checked(visitor.page("knee").text)
    assert "knee.aggravators.left" not in visitor.page("knee").text


def test_what_is_missing_is_named_and_what_is_there_is_kept(visit):
    visitor, invitation = visit
    response = visitor.save("pain", {"pain.now": [3], "pain.duration": ["6-12w"]})
    assert response.status_code == 200
    assert "<title>Error: " in response.text
    assert "There are 2 things to fix" in response.text
    assert 'href="#pain-worst_0"' in response.text
    assert {"pain.now=3", "pain.duration=6-12w"} <= checked(response.text)
    draft = stored(invitation)
    assert draft.answers == {"pain.now": [3], "pain.duration": ["6-12w"]}
    assert draft.saved_pages == []


def test_what_does_not_fit_is_shown_again_and_takes_nothing_away(visit):
    visitor, invitation = visit
    visitor.save("about", ABOUT)
    response = visitor.save("about", {**ABOUT, "why.story": ["x" * 5000], "why.main-problem": ["hip-thigh"]})
    assert response.status_code == 200
    assert "x" * 5000 in response.text
    assert "Use 500 characters or fewer. You have 5,000" in response.text
    answers = stored(invitation).answers
    assert answers["why.story"] == ABOUT["why.story"]
    assert answers["why.main-problem"] == ["hip-thigh"]


def test_an_emptied_answer_is_gone(visit):
    visitor, invitation = visit
    visitor.save("about", ABOUT)
    visitor.save("about", {**ABOUT, "why.story": [""]})
    assert "why.story" not in stored(invitation).answers


def test_the_other_way_to_mark_the_body_keeps_what_was_marked(visit):
    visitor, invitation = visit
    response = visitor.save("where", WHERE, switch="list")
    assert response.headers["Location"] == reverse("intake:page", args=["where"]) + "?list=1"
    page = visitor.page("where", "?list=1").text
    assert sent(WHERE) <= checked(page)
    assert 'value="map"' in page
    assert stored(invitation).answers == WHERE


def test_the_list_stays_a_list_after_an_error(visit):
    visitor, _ = visit
    response = visitor.save("where", {"pain.regions.left": ["none"]}, "?list=1")
    assert response.status_code == 200
    assert 'value="map"' in response.text


def test_names_that_are_not_asked_here_are_not_stored(visit):
    visitor, invitation = visit
    visitor.save(
        "about",
        ABOUT,
        **{"status": "completed", "patient_id": "1", "pain.now": "9", "no.such": "x", "reviewed_by": "1"},
    )
    draft = stored(invitation)
    assert draft.answers == {**ABOUT}
    assert draft.status == "in-progress"
    line = audit.AuditEvent.objects.get(action="page.saved")
    assert line.detail == {"page": "page.about", "ignored": 5, "privacy_notice": 1}


def test_what_a_page_sends_itself_is_no_foreign_name(visit):
    visitor, _ = visit
    page = visitor.page("where").text
    names = set(re.findall(r'<(?:input|button|textarea|select)[^>]*?\bname="([^"]+)"', page))
    sent = dict.fromkeys(names - WHERE.keys() - {"timeline.first", "leave"}, "x")
    (sent["whose"],) = set(re.findall(r'name="whose" value="([^"]+)"', page))
    visitor.save("where", WHERE, **sent)
    line = audit.AuditEvent.objects.filter(action__startswith="page.").latest("pk")
    assert line.detail == {"page": "page.where"}


def test_a_read_only_age_is_known_and_may_be_put_right(visit):
    visitor, invitation = visit
    with audit.covered():
        age = invitation.evaluation.patient.age_on(timezone.localdate())
    assert f"about.age={age}" in checked(visitor.page("about").text)
    visitor.save("about", {**ABOUT, "about.age": [40]})
    assert "about.age=40" in checked(visitor.page("about").text)


@pytest.mark.parametrize("slug", ["no-such-page", "page", "consent", "check-your-answers", "0"])
def test_a_page_that_is_not_there_is_404(visit, slug: str):
    visitor, _ = visit
    assert visitor.page(slug).status_code == 404
    assert visitor.save(slug, {}).status_code == 404


# ------------------------------------------------------------ saving while typing


def test_autosave_says_when_and_keeps_what_fits():
    with time_machine.travel("2026-11-24T17:41:00+00:00", tick=False) as clock:
        invitation, token = invited()
        visitor = Visitor(token).open()
        response = visitor.autosave("about", {"why.story": ["so far"], "about.age": ["thirty"]})
        clock.shift(60)
        page = visitor.page("about").text
    assert response.status_code == 200
    assert response.json() == {"saved_at": "9:41 am", "seconds": 1800}
    assert "Saved at 9:41 am" in page
    draft = stored(invitation)
    assert draft.answers == {"why.story": ["so far"]}
    assert draft.saved_pages == []


def test_autosave_does_not_take_the_part_for_done(visit):
    visitor, _ = visit
    visitor.autosave("pain", PAIN)
    assert "0 of 10 parts done" in visitor.look("/intake/").text
    assert "3 of 7 answered" in visitor.look("/intake/").text


def test_two_tabs_do_not_take_each_others_pages_away(visit):
    visitor, invitation = visit
    visitor.save("pain", PAIN)
    visitor.autosave("about", {"why.story": ["one"]})
    visitor.save("where", WHERE)
    visitor.autosave("about", {"why.story": ["two"]})
    assert stored(invitation).answers == {**PAIN, **WHERE, "why.story": ["two"]}


def test_a_thousand_autosaves_leave_one_draft(visit):
    """Not a thousand: thirty do. What is counted is rows, and that each save is one line in the trail."""
    visitor, invitation = visit
    for number in range(30):
        visitor.autosave("about", {"why.story": [f"so far {number}"]})
    draft = stored(invitation)
    assert draft.answers == {"why.story": ["so far 29"]}
    assert draft.revision == 30
    lines = audit.AuditEvent.objects.filter(action="page.autosaved")
    assert lines.count() == 30
    assert lines.latest("pk").objects_seen == {"response": [str(draft.pk)]}
    assert "so far" not in str(list(lines.values_list("detail", "objects_seen")))


# ------------------------------------------------------------ hidden for comfort


def test_self_tests_hide_when_pain_is_high_and_come_back_with_their_answers(visit):
    visitor, invitation = visit
    visitor.save("try", {"try.safe": [True], "try.chair-stands": [12]})
    visitor.save("pain", {**PAIN, "pain.now": [8]})
    assert visitor.page("try").status_code == 404
    assert "This part is not needed now" in visitor.save("try", {"try.chair-stands": [14]}).text
    assert "Try this" not in visitor.look("/intake/").text
    assert "0 of 9 parts done" not in visitor.look("/intake/").text
    assert stored(invitation).answers["try.chair-stands"] == [14]
    visitor.save("pain", PAIN)
    assert "try.chair-stands=14" in checked(visitor.page("try").text)


def test_the_page_after_a_hidden_one_is_the_next_on_the_path(visit):
    visitor, _ = visit
    visitor.save("pain", {**PAIN, "pain.now": [9]})
    response = visitor.save("walk", {})
    assert response.headers["Location"] == reverse("intake:page", args=["life"])


def test_barefoot_steps_hide_for_feet_that_feel_little(visit):
    visitor, _ = visit
    assert "foot.footprint.left" in visitor.page("foot").text
    visitor.save("health", {"health.conditions": ["diabetes"]})
    assert "foot.footprint.left" not in visitor.page("foot").text
    assert "foot.arch.left" in visitor.page("foot").text


def test_what_is_hidden_does_not_stand_on_the_check_page(visit):
    visitor, invitation = visit
    visitor.fill(invitation.questionnaire.tree(), {**WHERE, **PAIN, "pain.now": [8]})
    page = visitor.look(reverse("intake:check"))
    assert page.status_code == 200
    assert reverse("intake:page", args=["try"]) not in page.text


# ------------------------------------------------------------ the check page


def test_the_check_page_says_each_answer_in_words_with_its_side(visit):
    visitor, invitation = visit
    visitor.fill(invitation.questionnaire.tree(), {**ABOUT, **WHERE, **PAIN})
    page = visitor.look(reverse("intake:check")).text
    assert "Sore on stairs &amp; steps &lt;since&gt; spring" in page
    assert "3 out of 10" in page
    assert "knee-front" not in page
    for words in ("Left", "Right"):
        assert words in page


def test_the_check_page_names_what_is_still_needed_and_links_to_it(visit):
    visitor, _ = visit
    visitor.save("pain", PAIN)
    page = visitor.look(reverse("intake:check")).text
    assert "answers are still needed" in page
    assert "Still needed" in page
    assert f"{reverse('intake:page', args=['where'])}?change=1" in page


def test_leaving_from_a_page_saves_it_first(visit):
    visitor, invitation = visit
    response = visitor.save("pain", PAIN, leave="1")
    assert response.headers["Location"] == reverse("intake:left")
    assert stored(invitation).answers == PAIN
    assert visitor.look("/intake/").status_code == 403
    assert visitor.look(reverse("intake:left")).status_code == 200


def test_leaving_does_not_throw_away_what_does_not_fit(visit):
    visitor, _ = visit
    response = visitor.save("about", {**ABOUT, "why.story": ["x" * 501]}, leave="1")
    assert response.status_code == 200
    assert "x" * 501 in response.text


class TestTheButtonOfTheScript:
    """It follows no redirect, so it is told where to go; a page to show comes as it is."""

    def press(
        self, visitor: Visitor, slug: str, answers: Mapping[str, Sequence[Value]], **extra: str
    ) -> HttpResponse:
        data = {link_id: [text_of(value) for value in values] for link_id, values in answers.items()}
        path = reverse("intake:page", args=[slug])
        return visitor.client.post(path, {**data, **extra}, headers={"X-Autosave": "continue"})

    def test_where_to_go_comes_as_json(self, visit: tuple[Visitor, Invitation]) -> None:
        visitor, invitation = visit
        visitor.save("about", ABOUT)
        visitor.save("safety", SAFE)
        answer = self.press(visitor, "where", WHERE)
        assert answer.json() == {"next": "/intake/pain/"}
        assert stored(invitation).answers["pain.regions.right"] == ["knee-front"]

    def test_what_is_missing_comes_as_the_page(self, visit: tuple[Visitor, Invitation]) -> None:
        visitor, _invitation = visit
        answer = self.press(visitor, "about", {"about.age": [39]})
        assert answer.status_code == 200
        assert "c-errors" in answer.text

    def test_leaving_ends_the_session_as_ever(self, visit: tuple[Visitor, Invitation]) -> None:
        visitor, _invitation = visit
        answer = self.press(visitor, "about", ABOUT, leave="1")
        assert answer.json() == {"next": reverse("intake:left")}
        assert answer.headers["Clear-Site-Data"] == '"cache"'
        assert answer.cookies["intake"].value == ""
        assert visitor.page("about").status_code == 403


def test_the_list_of_parts_says_how_long_it_still_takes():
    invitation, token = invited()
    visitor = Visitor(token).open()
    before = re.search(r"About (\d+) minutes left", visitor.look("/intake/").text)
    assert before
    assert 5 <= int(before[1]) <= 20
    visitor.fill(invitation.questionnaire.tree(), {})
    page = visitor.look("/intake/").text
    assert re.search(r"\b(\d+) of \1 parts done", page)
    assert "left</span>" not in page
