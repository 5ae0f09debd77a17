"""What a physio reads on the review page, and that it takes the same few queries whatever an intake holds."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake import audit, journey
from intake.responses.models import QuestionnaireResponse
from intake.review.page import ReviewPage, review_page
from intake.screening import record
from intake.screening.models import Finding
from tests import factories

pytestmark = pytest.mark.django_db


def read(response: QuestionnaireResponse, user=None) -> ReviewPage:
    user = user or response.evaluation.physio
    with audit.audited("tests.read", by=audit.staff(user)):
        return review_page(user=user, response_id=response.pk)


def own_queries(response: QuestionnaireResponse) -> int:
    """Queries of the page itself, on a process that has read the rules before."""
    read(response)
    user = response.evaluation.physio
    with audit.audited("tests.read", by=audit.staff(user)):
        user.has_perm("intake.review_intake")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            review_page(user=user, response_id=response.pk)
    return len(queries)


class TestWhatThePatientSaid:
    def test_story_problem_goals_scores_and_marks(self):
        page = read(factories.make_response(factories.ROLLING_IN))
        assert [line.answer for line in page.story] == [factories.ROLLING_IN["why.story"][0]]
        assert page.problem == "My knee"
        assert [(goal.label, goal.value, goal.most) for goal in page.goals] == [("Run 5 km", 4, 10)]
        assert [(score.label, score.value) for score in page.scores] == [
            ("Right now", 3),
            ("Worst in the last 7 days", 6),
            ("Usual in the last 7 days", 4),
        ]
        assert (page.marked_left, page.marked_right) == (("none",), ("knee-front",))

    def test_every_question_asked_stands_in_the_answers_with_its_answer_or_none(self):
        page = read(factories.make_response(factories.ROLLING_IN))
        lines = {line.link_id: line for section in page.sections for line in section.lines}
        assert lines["gait.foot-roll.right"].answers == ("It rolls in",)
        assert lines["gait.foot-roll.left"].answers == ()
        assert "safety.after-injury.left" not in lines


class TestFindings:
    def test_a_card_says_where_why_against_and_what_was_not_answered(self):
        page = read(factories.make_response(factories.ROLLING_IN))
        card = next(card for card in page.findings if card.rule_id == "overpronation-kneecap")
        assert card.place.where == "right kneecap, from right foot"
        assert card.place.course == "Right foot to knee"
        assert {line.question for line in card.because} >= {"Where is your weight on this foot as you walk?"}
        assert [line.question for line in card.against] == ["Turn over a worn shoe. Where is it worn most?"]
        assert (card.fitting, card.asked, card.contrary) == (2, 8, 1)
        assert "Wet footprint: which is most like yours?" in {line.question for line in card.not_answered}
        assert [grade.grade for grade in card.grades] == ["moderate", "limited"]
        assert card.explanation.startswith("Front-of-knee pain on the right together")
        assert {check.name for check in card.checks} >= {"Navicular drop"}
        assert all(check.threshold for check in card.checks)
        assert card.lesson.title == "When the foot rolls in"
        assert not card.approved
        assert not page.approved

    def test_an_opposite_side_finding_names_both_ends(self):
        page = read(factories.make_response(factories.SPARING))
        card = next(card for card in page.findings if card.rule_id == "weight-shift-heel")
        assert card.place.where == "left heel, from right knee"
        assert card.place.course == "Right knee to left foot"

    def test_the_strongest_stands_first_and_notes_stand_apart(self):
        both = {**factories.SPARING, "gait.leg-use.left": ["more"], "gait.leg-use.right": ["more"]}
        response = factories.make_response(both)
        page = read(response)
        with audit.audited("tests.read", by=factories.SETUP):
            scores = dict(Finding.objects.filter(response=response).values_list("pk", "score"))
        shown = [scores[card.key] for card in page.findings]
        assert shown == sorted(shown, reverse=True)
        assert [card.rule_id for card in page.notes] == ["note-leg-use-disagrees"]

    def test_an_answer_quoted_by_two_groups_is_read_once(self):
        page = read(factories.make_response(factories.ROLLING_IN))
        card = next(card for card in page.findings if card.rule_id == "overpronation-kneecap")
        questions = [(line.question, line.side) for line in card.because]
        assert len(questions) == len(set(questions))


class TestSafety:
    def test_flags_not_raised_are_listed_with_how_many_were_answered(self):
        answers = {
            **factories.ROLLING_IN,
            "safety.leg-signs.left": ["none"],
            "safety.leg-signs.right": ["none"],
            "safety.body-signs": ["none"],
            "safety.injury.left": [False],
            "safety.injury.right": [False],
            "pain.onset": ["slow"],
        }
        page = read(factories.make_response(answers))
        states = {line.title: line.state for line in page.safety}
        assert len(states) == 17
        assert page.raised == 0
        assert states["Swollen or hot calf or leg"] == "clear"
        assert states["Long morning stiffness pattern"] == "unanswered"
        assert page.answered < 17

    def test_a_raised_flag_quotes_what_was_ticked(self):
        page = read(factories.make_response(factories.SWOLLEN_CALF))
        (flag,) = page.urgent_flags
        assert flag.waiting
        assert flag.name == "Swollen or hot calf or leg (left)"
        assert "Calf" in flag.ticked[0].answer
        assert flag.action[0] == "Call today."
        assert page.safety[0].state == "raised"
        assert page.standing.waiting == (flag.name,)

    def test_a_withdrawn_flag_still_waits(self):
        response = factories.make_response(factories.SWOLLEN_CALF)
        with audit.audited("tests.made", by=factories.SETUP):
            record.sync_red_flags(response, response.questionnaire.tree(), [], record.active_rules())
        (flag,) = read(response).urgent_flags
        assert flag.state == "withdrawn"
        assert flag.withdrawn_at is not None
        assert flag.waiting

    def test_precautions_come_with_their_note(self):
        page = read(factories.make_response({**factories.CALM, "health.medicines": ["blood-thinner"]}))
        assert [precaution.title for precaution in page.precautions] == ["Blood thinners"]
        assert "Bruises" in page.precautions[0].note


class TestWhoMayOpenIt:
    def test_a_draft_opens_only_for_its_red_flag(self):
        assert read(factories.make_response(factories.SWOLLEN_CALF, sent=False)).standing.sent is False
        with pytest.raises(QuestionnaireResponse.DoesNotExist):
            read(factories.make_response(factories.ROLLING_IN, sent=False))

    @pytest.mark.parametrize("role", ["front desk", "editor", "owner", None])
    def test_nobody_but_a_physio(self, role: str | None):
        response = factories.make_response(factories.ROLLING_IN)
        with pytest.raises(QuestionnaireResponse.DoesNotExist):
            read(response, factories.make_user(role))

    def test_an_unknown_intake(self):
        user = factories.make_user("physio")
        with (
            audit.audited("tests.read", by=audit.staff(user)),
            pytest.raises(QuestionnaireResponse.DoesNotExist),
        ):
            review_page(user=user, response_id=uuid4())


class TestDecisions:
    def test_the_last_decision_stands_and_the_earlier_ones_are_its_history(self):
        response = factories.make_response(factories.ROLLING_IN)
        user = response.evaluation.physio
        with audit.audited("tests.read", by=factories.SETUP):
            finding = Finding.objects.select_related("response", "rule").get(
                response=response, rule__rule_id="overpronation-kneecap"
            )
        by = audit.staff(user)
        journey.decide_finding(
            response=finding.response_id,
            finding=finding.pk,
            decision="confirmed",
            note="Clear on video",
            by=by,
        )
        journey.decide_finding(
            response=finding.response_id, finding=finding.pk, decision="unconfirmed", by=by
        )
        journey.decide_finding(
            response=finding.response_id, finding=finding.pk, decision="refuted", reason="old-injury", by=by
        )
        card = next(card for card in read(response).findings if card.key == finding.pk)
        assert (card.verdict.label, card.verdict.reason, card.verdict.mine) == (
            "Dismissed",
            "An old injury explains it",
            True,
        )
        assert [line.decision for line in card.history] == ["confirmed", "unconfirmed", "refuted"]
        assert read(response, factories.make_user("physio")).findings[0].verdict.mine is False


@pytest.mark.parametrize("number", [1, 10, 40])
def test_three_queries_whatever_the_number_of_findings(number: int):
    response = factories.make_response(factories.ROLLING_IN)
    factories.give_findings(response, number)
    assert len(read(response).findings) == number
    assert own_queries(response) == 3, "what the library says was read with the page before"


def test_scores_stand_beside_those_of_earlier_intakes():
    patient = factories.make_patient()
    for days, worst in ((300, 8), (100, 7), (50, 5)):
        at = timezone.now() - timedelta(days=days)
        visit = factories.make_evaluation(patient=patient)
        factories.make_response({**factories.ROLLING_IN, "pain.worst": [worst]}, evaluation=visit, at=at)
    somebody_else = factories.make_evaluation()
    factories.make_response({**factories.ROLLING_IN, "pain.worst": [1]}, evaluation=somebody_else)
    now = factories.make_response(factories.ROLLING_IN, evaluation=factories.make_evaluation(patient=patient))
    (worst,) = [score for score in read(now).scores if "worst" in score.label.lower()]
    assert (worst.value, [one.value for one in worst.before]) == (6, [8, 7, 5])
    assert [one.link_id for one in read(now).last_time.differences] == ["pain.worst"]
    heights = [float(y) for _x, y in worst.curve]
    assert heights[2] > heights[3] > heights[1] > heights[0], "a higher number stands higher"


def test_a_place_that_is_new_since_last_time_is_named_and_what_is_left_out_is_counted_apart():
    patient = factories.make_patient()
    before = {**factories.ROLLING_IN, "pain.regions.left": ["hip-front"]}
    at = timezone.now() - timedelta(days=100)
    factories.make_response(before, evaluation=factories.make_evaluation(patient=patient), at=at)
    now = {key: value for key, value in before.items() if key != "pain.worst"}
    now["pain.regions.left"] = ["hip-front", "sole-heel"]
    visit = factories.make_evaluation(patient=patient)
    last = read(factories.make_response(now, evaluation=visit)).last_time
    assert last.new_places == ("Left foot, under the heel",)
    assert (last.different, last.left_out) == (1, 1)


def test_a_first_intake_has_no_curve():
    (worst,) = [
        score
        for score in read(factories.make_response(factories.ROLLING_IN)).scores
        if "worst" in score.label.lower()
    ]
    assert (worst.before, worst.curve) == ((), ())
    assert read(factories.make_response(factories.ROLLING_IN)).last_time is None


class TestWhoElseIsThere:
    def look(self, response: QuestionnaireResponse, user) -> ReviewPage:
        """As the page does it: the look stands in the trail."""
        objects = {"response": [response.pk]}
        with audit.audited("review.read", by=audit.staff(user), objects=objects):
            return review_page(user=user, response_id=response.pk)

    def test_a_colleague_who_has_it_open_is_named(self):
        response = factories.make_response(factories.ROLLING_IN)
        me, other = factories.make_user("physio"), factories.make_user("physio", last_name="Lind")
        assert self.look(response, other).others == ()
        assert self.look(response, other).others == (), "nobody is told of her own look"
        (found,) = self.look(response, me).others
        assert found.name == "Maya Lind"

    def test_another_intake_or_a_look_of_long_ago_is_nothing(self):
        response, another = (factories.make_response(factories.ROLLING_IN) for _ in range(2))
        me, other = factories.make_user("physio"), factories.make_user("physio")
        self.look(another, other)
        assert self.look(response, me).others == ()
        self.look(response, other)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            assert self.look(response, me).others == ()
