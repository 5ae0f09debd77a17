"""Sending: once, whole, and in one transaction."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients.models import Invitation
from intake.questionnaires.definition import read_definition
from intake.responses.answers import read_answers
from intake.responses.models import QuestionnaireResponse
from intake.review.models import FindingTally, LessonOpening
from intake.screening.explain import evidence_json
from intake.screening.models import Finding, RedFlag, Rule, ScreeningRun
from intake.screening.screen import parse_rule, screen
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, filled_in, invited, stored

pytestmark = pytest.mark.django_db

KEY = uuid.UUID("7a0b5d0e-6a52-4a0b-9e0c-0d6a7b1f2c3d")
AGAIN = "Please press Send once more."


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    """A form that is filled in, foot rolling in and a sore kneecap on the right."""
    invitation, token = invited()
    visitor = Visitor(token).open()
    return visitor.fill(invitation.questionnaire.tree(), ROLLING_IN), invitation


def read(model, **filters):
    with audit.audited("tests.read", by=SETUP):
        return list(model.objects.filter(**filters).select_related(None))


def test_one_press_stores_the_record_the_findings_and_one_line_in_the_trail(visit):
    visitor, invitation = visit
    response = visitor.send(str(KEY))
    assert (response.status_code, response.headers["Location"]) == (303, reverse("intake:sent"))
    intake = stored(invitation)
    assert (intake.status, intake.submit_key) == ("completed", KEY)
    assert timezone.now() - intake.authored < timedelta(minutes=1)
    with audit.audited("tests.read", by=SETUP):
        rules = set(Finding.objects.filter(response=intake).values_list("rule__rule_id", "side"))
        run = ScreeningRun.objects.get(response=intake)
    assert ("overpronation-kneecap", "right") in rules
    assert not any(side == "left" for _, side in rules)
    assert run.rule_versions == dict(Rule.objects.filter(status="active").values_list("rule_id", "version"))
    (line,) = AuditEvent.objects.filter(action="intake.sent")
    assert (line.actor_kind, line.actor_id) == ("patient", str(invitation.pk))
    assert line.objects_seen == {"response": [str(intake.pk)]}
    assert line.detail == {}


def test_a_finding_keeps_the_very_answers_and_the_version_behind_it(visit):
    visitor, invitation = visit
    visitor.send()
    with audit.audited("tests.read", by=SETUP):
        finding = Finding.objects.select_related("rule").get(
            response=stored(invitation), rule__rule_id="overpronation-kneecap"
        )
    assert (finding.source_side, finding.target_side, finding.direction) == ("right", "right", "up")
    assert finding.rule.version == 1
    told = {answer["linkId"] for group in finding.evidence["requires"] for answer in group["answers"]}
    assert {"pain.regions.right", "gait.foot-roll.right"} <= told
    assert finding.score > 0


def test_the_same_answers_and_versions_give_the_same_findings_again(visit):
    """R25: what was stored with the intake is enough to work its findings out once more."""
    visitor, invitation = visit
    visitor.send()
    intake = stored(invitation)
    with audit.audited("tests.read", by=SETUP):
        run = ScreeningRun.objects.get(response=intake)
        kept = {(f.rule_id, f.side): (f.score, f.evidence) for f in Finding.objects.filter(run=run)}
    versions = {
        rule.rule_id: rule
        for rule in Rule.objects.all()
        if run.rule_versions.get(rule.rule_id) == rule.version
    }
    definition = read_definition(intake.questionnaire.definition)
    rules = [parse_rule(versions[rule_id].definition) for rule_id in run.rule_versions]
    again = screen(rules, read_answers(intake.answers))
    worked_out = {
        (versions[raised.rule.id].pk, raised.side): (raised.score, evidence_json(definition, raised))
        for raised in again.rules
    }
    assert worked_out == kept
    assert kept


def test_the_record_is_a_fhir_response_to_the_version_that_was_opened(visit):
    visitor, invitation = visit
    visitor.send(str(KEY))
    intake = stored(invitation)
    document = intake.document
    questionnaire = intake.questionnaire
    assert document["resourceType"] == "QuestionnaireResponse"
    assert document["id"] == str(intake.pk)
    assert document["status"] == "completed"
    assert document["questionnaire"] == f"{questionnaire.url}|{questionnaire.version}"
    assert document["authored"] == intake.authored.isoformat(timespec="seconds")
    with audit.covered():
        patient = invitation.evaluation.patient
    assert document["subject"] == {"reference": f"Patient/{patient.pk}"}
    assert patient.family_name not in str(document)
    answers = dict(answers_in(document["item"]))
    definition = questionnaire.tree()
    assert answers.keys() == set(intake.answers)
    assert answers["pain.now"] == [{"valueInteger": 3}]
    (coded,) = answers["gait.foot-roll.right"]
    assert coded["valueCoding"]["code"] == "inward"
    assert coded["valueCoding"]["display"] == definition.item("gait.foot-roll.right").option("inward").label
    assert answers["consent.privacy"] == [{"valueBoolean": True}]


def answers_in(items):
    for item in items:
        if "answer" in item:
            yield (
                item["linkId"],
                [{name: value for name, value in one.items() if name != "item"} for one in item["answer"]],
            )
            for one in item["answer"]:
                yield from answers_in(one.get("item", []))
        yield from answers_in(item.get("item", []))


def test_answers_of_questions_that_are_not_asked_any_more_are_not_sent(visit):
    visitor, invitation = visit
    visitor.save("knee", {"knee.aggravators.right": ["stairs-down"], "knee.events.right": ["none"]})
    visitor.save("where", {"pain.regions.left": ["none"], "pain.regions.right": ["calf"]})
    assert "knee.aggravators.right" in stored(invitation).answers
    visitor.send()
    intake = stored(invitation)
    assert "knee.aggravators.right" not in intake.answers
    assert "knee.aggravators.right" not in str(intake.document)


def test_answers_hidden_for_comfort_are_sent(visit):
    """Hiding is presentation only; enableWhen alone prunes."""
    visitor, invitation = visit
    visitor.save("try", {"try.safe": [True], "try.chair-stands": [12]})
    visitor.save("pain", {"pain.now": [8], "pain.worst": [8], "pain.average": [8]})
    visitor.send()
    assert stored(invitation).answers["try.chair-stands"] == [12]


def test_a_form_that_lacks_answers_is_not_sent_and_says_which():
    _, token = invited()
    visitor = Visitor(token).open()
    visitor.save("pain", {"pain.now": [3], "pain.worst": [6], "pain.average": [4]})
    before = digests()
    response = visitor.send()
    assert response.status_code == 200
    assert "<title>Error: " in response.text
    for slug in ("about", "safety", "health", "where"):
        assert f'href="{reverse("intake:page", args=[slug])}?change=1"' in response.text
    assert digests() == before
    assert not AuditEvent.objects.filter(action__startswith="intake.sent").exists()


def test_what_was_sent_counts_for_its_rules_as_if_it_were_worked_out_again(visit):
    visitor, invitation = visit
    visitor.send(str(KEY))
    columns = ("finding", "rule", "decision", "result")

    def tallies():
        return sorted(FindingTally.objects.values_list(*columns))

    with audit.audited("tests.read", by=SETUP), connection.cursor() as cursor:
        found = Finding.objects.filter(response=stored(invitation), rule__kind=Rule.Kind.CHAIN)
        counted = tallies()
        assert [one[:3] for one in counted] == sorted(
            (pk, rule, "") for pk, rule in found.values_list("pk", "rule")
        )
        cursor.execute("SELECT intake_tally_findings(ARRAY(SELECT id FROM intake_finding))")
        assert tallies() == counted


def test_sending_before_anything_was_saved_stores_nothing():
    _, token = invited()
    visitor = Visitor(token).open()
    before = digests()
    assert visitor.send().status_code == 200
    assert digests() == before


def test_not_complete_names_the_questions_in_the_order_of_the_form():
    invitation, token = invited()
    Visitor(token).open().save("pain", {"pain.now": [3]})
    with pytest.raises(journey.NotComplete) as refused:
        journey.submit(invitation=invitation, submit_key=KEY, by=SETUP)
    link_ids = refused.value.link_ids
    order = [item.link_id for item in invitation.questionnaire.tree().walk()]
    assert link_ids == sorted(link_ids, key=order.index)
    assert link_ids[0] == "consent.understand"
    assert "pain.now" not in link_ids
    assert "pain.worst" in link_ids


def test_the_box_that_answers_are_right_has_to_be_ticked(visit):
    visitor, invitation = visit
    response = visitor.client.post(reverse("intake:check"), {"key": str(KEY)})
    assert response.status_code == 200
    assert "Tick this box to send your form." in response.text
    assert f'name="key" value="{KEY}"' in response.text
    assert stored(invitation).status == "in-progress"


def test_an_answer_that_does_not_fit_any_more_is_not_sent(visit):
    """However it came to stand in the draft."""
    visitor, invitation = visit
    with audit.audited("tests.changed", by=SETUP):
        draft = QuestionnaireResponse.objects.get(pk=stored(invitation).pk)
        draft.answers["pain.now"] = [11]
        draft.save()
    assert visitor.send().status_code == 200
    assert stored(invitation).status == "in-progress"


# ------------------------------------------------------------ once and for all


def test_the_same_key_again_leads_to_the_same_page_and_changes_nothing(visit):
    visitor, _ = visit
    visitor.send(str(KEY))
    before = digests()
    for _ in range(7):
        again = visitor.send(str(KEY))
        assert (again.status_code, again.headers["Location"]) == (303, reverse("intake:sent"))
    assert digests() == before


def test_another_tab_is_told_that_it_was_sent_already(visit):
    visitor, invitation = visit
    visitor.send(str(KEY))
    intake = stored(invitation)
    before = digests()
    other = visitor.send(str(uuid.uuid4()))
    assert other.status_code == 409
    assert "Already sent at " in other.text
    assert intake.reference in other.text
    assert digests() == before
    assert stored(invitation).submit_key == KEY


def test_a_page_of_an_old_tab_changes_nothing_once_sent(visit):
    visitor, _ = visit
    visitor.send(str(KEY))
    before = digests()
    page = visitor.save("pain", {"pain.now": [9], "pain.worst": [9], "pain.average": [9]})
    assert (page.status_code, page.headers["Location"]) == (302, reverse("intake:sent"))
    typed = visitor.autosave("pain", {"pain.now": [9]})
    assert (typed.status_code, typed.json()) == (409, {"sent": True})
    assert visitor.page("pain").headers["Location"] == reverse("intake:sent")
    assert visitor.look("/intake/").headers["Location"] == reverse("intake:sent")
    assert digests() == before


def test_a_key_of_another_intake_is_no_key_of_this_one(visit):
    visitor, _ = visit
    visitor.send(str(KEY))
    invitation, token = invited()
    other = Visitor(token).open().fill(invitation.questionnaire.tree(), ROLLING_IN)
    response = other.send(str(KEY))
    assert response.status_code == 200
    assert AGAIN in response.text
    assert stored(invitation).status == "in-progress"
    fresh = response.text.split('name="key" value="')[1].split('"')[0]
    assert other.send(fresh).status_code == 303
    assert stored(invitation).status == "completed"


@pytest.mark.parametrize("key", ["", "x", "1", "00000000", "\x00", "9" * 5000, "'; DROP TABLE x; --"])
def test_a_key_that_is_none_sends_nothing_and_gives_a_new_one(visit, key: str):
    visitor, invitation = visit
    response = visitor.client.post(reverse("intake:check"), {"key": key, "confirm": "yes"})
    assert response.status_code == 200
    assert AGAIN in response.text
    assert 'value="yes" checked' in response.text
    assert AGAIN not in visitor.look(reverse("intake:check")).text
    assert stored(invitation).status == "in-progress"
    fresh = response.text.split('name="key" value="')[1].split('"')[0]
    assert uuid.UUID(fresh)
    assert visitor.send(fresh).status_code == 303


def test_the_link_leads_to_the_status_page_once_sent(visit):
    visitor, invitation = visit
    visitor.send()
    page = visitor.open().look(reverse("intake:start"))
    assert page.headers["Location"] == reverse("intake:status")
    page = visitor.look(reverse("intake:status"))
    assert "We have your answers" in page.text
    assert stored(invitation).reference in page.text


# ------------------------------------------------------------ all of it or nothing


class Trouble:
    """A database that fails at the n-th statement on a table, as one that runs full or is killed does."""

    def __init__(self, table: str, verb: str) -> None:
        self.statement = re.compile(rf'\b{verb} (INTO )?"?{table}"?\s')

    def __call__(self, execute, sql, params, many, context):
        if isinstance(sql, str) and self.statement.search(sql):
            raise DatabaseError("no space left")
        return execute(sql, params, many, context)


@pytest.mark.parametrize(
    ("table", "verb"),
    [
        ("intake_questionnaireresponse", "UPDATE"),
        ("intake_screeningrun", "INSERT"),
        ("intake_finding", "INSERT"),
        ("intake_redflag", "INSERT"),
        ("intake_redflagevent", "INSERT"),
        ("intake_auditevent", "INSERT"),
    ],
)
def test_trouble_in_the_middle_leaves_nothing_of_it(table: str, verb: str):
    invitation, token = invited()
    visitor = Visitor(token, raise_request_exception=False).open()
    definition = invitation.questionnaire.tree()
    # The flag stands in the draft by autosave alone, so that sending has to raise it.
    visitor.fill(definition, ROLLING_IN)
    visitor.autosave("safety", filled_in(definition, SWOLLEN_CALF))
    before = digests()
    lines = AuditEvent.objects.count()
    with connection.execute_wrapper(Trouble(table, verb)):
        response = visitor.send(str(KEY))
    assert response.status_code in (500, 503)
    assert digests() == before
    assert AuditEvent.objects.exclude(action__startswith="tests.").count() <= lines
    assert visitor.send(str(KEY)).status_code == 303
    assert stored(invitation).status == "completed"
    assert len(read(RedFlag)) == 1
    assert ProcrastinateJob.objects.filter(task_name="mail_on_call").count() == 1


# ------------------------------------------------------------ lessons


def lessons_on(page: str) -> list[str]:
    """The slugs of the lessons that a page offers."""
    return re.findall(r'<button name="lesson" value="([^"]+)"', page)


def openings() -> dict[str, int]:
    return dict(LessonOpening.objects.values_list("lesson", "number"))


def test_lessons_are_offered_with_the_answer_that_is_the_reason(visit):
    visitor, _ = visit
    visitor.send()
    page = visitor.look(reverse("intake:sent")).text
    offered = lessons_on(page)
    assert 2 <= len(offered) <= 4
    assert "rolling-in" in offered
    assert "You told us your right foot or ankle goes inwards." in page
    assert "They are not a diagnosis" in page


def test_opening_a_lesson_from_there_is_counted_and_leaves_no_trace_of_who(visit):
    visitor, _ = visit
    visitor.send()
    trail = AuditEvent.objects.exclude(actor_kind="system").count()
    before = digests(["intake_auditevent"])
    for _again in range(2):
        answer = visitor.client.post(reverse("intake:lesson"), {"lesson": "rolling-in"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/learn/rolling-in/")
        assert answer.headers["Cache-Control"] == "no-store"
    assert openings() == {"rolling-in": 2}
    after = digests(["intake_auditevent"])
    assert {table for table, value in after.items() if value != before[table]} == {"intake_lessonopening"}
    assert AuditEvent.objects.exclude(actor_kind="system").count() == trail


def test_without_a_form_that_was_sent_it_leads_on_and_counts_nothing(visit):
    visitor, _ = visit
    nobody = Visitor()
    for client in (visitor.client, nobody.client):
        answer = client.post(reverse("intake:lesson"), {"lesson": "rolling-in"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/learn/rolling-in/")
    visitor.send()
    visitor.client.post(reverse("intake:leave"))
    assert visitor.client.post(reverse("intake:lesson"), {"lesson": "rolling-in"}).status_code == 303
    assert openings() == {}


@pytest.mark.parametrize("slug", ["", "no-such-lesson", "\x00", "../staff/", "a" * 5000, "//evil.example"])
def test_what_is_no_lesson_is_no_page(visit, slug):
    visitor, _ = visit
    visitor.send()
    assert visitor.client.post(reverse("intake:lesson"), {"lesson": slug}).status_code == 404
    assert openings() == {}


def test_somebody_without_a_sign_still_gets_two_lessons():
    invitation, token = invited()
    visitor = Visitor(token).open().fill(invitation.questionnaire.tree(), {})
    visitor.send()
    page = visitor.look(reverse("intake:sent")).text
    assert len(lessons_on(page)) == 2


def test_no_lesson_stands_beside_an_urgent_answer():
    invitation, token = invited()
    visitor = Visitor(token).open().fill(invitation.questionnaire.tree(), {**ROLLING_IN, **SWOLLEN_CALF})
    assert visitor.send().status_code == 303
    page = visitor.look(reverse("intake:sent")).text
    assert "Get medical help today" in page
    assert lessons_on(page) == []
    assert "/learn/" not in page.split("<main")[1].split("</main>")[0]


def test_the_thanks_page_shows_no_finding_no_rule_and_no_score(visit):
    visitor, invitation = visit
    visitor.send()
    page = visitor.look(reverse("intake:sent")).text.lower()
    with audit.audited("tests.read", by=SETUP):
        titles = list(
            Finding.objects.filter(response=stored(invitation)).values_list("rule__title", flat=True)
        )
    assert titles
    assert [title for title in titles if title.lower() in page] == []
    for word in ("overpronation-kneecap", "finding", "score", "rule"):
        assert word not in page
