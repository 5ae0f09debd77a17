"""The page of a visit after sending, and changing what was sent until the visit begins."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import Error, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients.models import Evaluation, Invitation
from intake.responses import amend
from intake.responses.models import QuestionnaireResponse
from intake.review.models import Outcome, QueueEntry, RedFlagContact, Review, Verdict
from intake.screening.models import Finding, RedFlag, RedFlagEvent
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF, make_user
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, filled_in, invited, sent_form, stored

pytestmark = pytest.mark.django_db

STATUS, CHANGE, KEEP, CHECK = (reverse(f"intake:{name}") for name in ("status", "change", "keep", "check"))
SENT, TASKS = reverse("intake:sent"), reverse("intake:tasks")
PAIN = {"pain.now": [7], "pain.worst": [8], "pain.average": [4]}


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    """A form that was sent, foot rolling in and a sore kneecap on the right."""
    return sent_form(ROLLING_IN)


def responses(invitation: Invitation) -> list[QuestionnaireResponse]:
    with audit.audited("tests.read", by=SETUP):
        return list(
            QuestionnaireResponse.objects.filter(evaluation=invitation.evaluation_id).order_by("started_at")
        )


def entry(invitation: Invitation) -> QueueEntry:
    with audit.audited("tests.read", by=SETUP):
        return QueueEntry.objects.get(pk=invitation.evaluation_id)


def chain(response) -> dict[str, Finding]:
    with audit.audited("tests.read", by=SETUP):
        found = Finding.objects.filter(response=response, rule__kind="chain").select_related("rule")
        return {f"{one.rule.rule_id}.{one.side}": one for one in found}


def verdicts(**wanted) -> list[Verdict]:
    with audit.audited("tests.read", by=SETUP):
        return list(Verdict.objects.filter(**wanted).order_by("pk"))


def decide(finding: Finding, user, decision: str = "confirmed", **words) -> Verdict:
    with audit.audited("tests.read", by=SETUP):
        mine = Finding.objects.select_related("response", "rule").get(pk=finding.pk)
        return journey.decide_finding(
            response=mine.response_id, finding=mine.pk, decision=decision, by=audit.staff(user), **words
        )


def finish(response, user) -> Review:
    with audit.audited("tests.read", by=SETUP):
        fresh = QuestionnaireResponse.objects.get(pk=response.pk)
        return journey.finish_review(response=fresh, by=audit.staff(user))


def review_all(response, user) -> None:
    for finding in chain(response).values():
        decide(finding, user)
    finish(response, user)


def move_visit(invitation: Invitation, **changes) -> None:
    with audit.audited("tests.made", by=SETUP):
        Evaluation.objects.filter(pk=invitation.evaluation_id).update(**changes)


def begin(visitor: Visitor) -> Visitor:
    answer = visitor.client.post(CHANGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, TASKS)
    return visitor


def change(visitor: Visitor, key: str | None = None, **pages) -> Visitor:
    """Change one page, by default the pain, and send."""
    begin(visitor)
    for slug, answers in (pages or {"pain": PAIN}).items():
        assert visitor.save(slug, answers, "?change=1").headers["Location"] == CHECK
    answer = visitor.send(key)
    assert (answer.status_code, answer.headers["Location"]) == (303, SENT), answer.text
    return visitor


# ------------------------------------------------------------ the page of the visit


class TestStatus:
    def test_it_says_that_the_form_was_received_and_by_what_reference(self, visit):
        visitor, invitation = visit
        page = visitor.open().look(STATUS).text
        (sent,) = responses(invitation)
        assert sent.reference in page
        assert "We have your answers" in page
        assert "read your answers on" not in page
        assert "Something changed" in page
        assert page.count('href="/learn/') >= 2

    def test_before_the_form_is_sent_there_is_none(self):
        _, token = invited()
        assert Visitor(token).open().look(STATUS).headers["Location"] == TASKS

    def test_another_device_is_asked_for_a_code(self, visit):
        visitor, _ = visit
        assert Visitor(visitor.token).type_date().headers["Location"] == "/intake/code/"

    def test_the_receipt_comes_with_finish_and_not_before(self, visit):
        visitor, invitation = visit
        (sent,) = responses(invitation)
        with audit.covered():
            physio = invitation.evaluation.physio
        for finding in chain(sent).values():
            decide(finding, physio)
        assert "read your answers on" not in visitor.look(STATUS).text
        review = finish(sent, physio)
        page = visitor.look(STATUS).text
        local = timezone.localtime(review.finished_at)
        at = f"{local:%a %b} {local.day}, {local.hour % 12 or 12}:{local:%M} {local:%p}".replace("AM", "am")
        assert f"{physio} read your answers on {at.replace('PM', 'pm')}" in page

    def test_a_reader_who_is_not_the_physio_of_the_visit_is_named_beside_the_physio(self, visit):
        visitor, invitation = visit
        (sent,) = responses(invitation)
        other = make_user("physio", first_name="Alex", last_name="Reyes", title="Dr.")
        review_all(sent, other)
        page = visitor.look(STATUS).text
        with audit.covered():
            physio = invitation.evaluation.physio
        assert "Dr. Alex Reyes read your answers on" in page
        assert f"Your visit is with {physio.formal_name}" in page

    def test_no_finding_and_no_decision_stands_there(self, visit):
        visitor, invitation = visit
        (sent,) = responses(invitation)
        review_all(sent, make_user("physio"))
        page = visitor.look(STATUS).text
        for finding in chain(sent).values():
            assert finding.rule.title not in page
        for word in ("Confirmed", "finding", "verdict", "decision"):
            assert word not in page

    def test_a_review_that_is_opened_again_takes_the_receipt_back(self, visit):
        visitor, invitation = visit
        (sent,) = responses(invitation)
        physio = make_user("physio")
        review_all(sent, physio)
        with audit.audited("tests.read", by=SETUP):
            fresh = QuestionnaireResponse.objects.get(pk=sent.pk)
            journey.reopen_review(response=fresh, by=audit.staff(physio))
        assert "We have your answers" in visitor.look(STATUS).text

    def test_an_urgent_answer_leads_the_page_and_no_lesson_stands_beside_it(self):
        visitor, _ = sent_form({**ROLLING_IN, **SWOLLEN_CALF})
        page = visitor.look(STATUS).text
        assert "Get medical help today" in page
        assert 'href="/learn/' not in page

    def test_looking_changes_nothing(self, visit):
        visitor, _ = visit
        before = digests()
        assert visitor.look(STATUS).status_code == 200
        assert visitor.look(CHANGE).status_code == 405
        assert visitor.look(KEEP).status_code == 405
        assert digests() == before

    @pytest.mark.parametrize("path", [STATUS, CHANGE, KEEP])
    def test_without_a_session_it_is_over(self, path):
        client = Visitor().client
        answer = client.get(path) if path == STATUS else client.post(path)
        assert answer.status_code == 403


# ------------------------------------------------------------ changing


class TestChanging:
    def test_what_was_sent_stands_until_the_change_is_sent(self, visit):
        visitor, invitation = visit
        begin(visitor)
        visitor.save("pain", PAIN, "?change=1")
        sent, draft = responses(invitation)
        assert (sent.status, sent.answers["pain.now"], sent.replaced_at) == ("completed", [3], None)
        assert (draft.status, draft.answers["pain.now"], draft.replaces_id) == ("in-progress", [7], sent.pk)
        assert (entry(invitation).status, entry(invitation).response_id) == ("to-review", sent.pk)
        assert "You began to change your answers" in visitor.look(STATUS).text
        assert visitor.open().look(reverse("intake:start")).headers["Location"] == STATUS

    def test_the_check_page_shows_what_changed_and_nothing_else(self, visit):
        visitor, _ = visit
        begin(visitor).save("pain", PAIN, "?change=1")
        page = visitor.look(CHECK).text
        assert "You changed 2 answers" in page
        assert page.count("<del>") == 2

    def test_sending_makes_an_amended_response_and_keeps_the_earlier_one_whole(self, visit):
        visitor, invitation = visit
        (before,) = responses(invitation)
        key = uuid.uuid4()
        change(visitor, str(key))
        earlier, amended = responses(invitation)
        assert (earlier.status, earlier.answers, earlier.document, earlier.authored) == (
            "completed",
            before.answers,
            before.document,
            before.authored,
        )
        assert earlier.replaced_at == amended.authored
        assert (amended.status, amended.submit_key, amended.replaces_id) == ("amended", key, earlier.pk)
        assert (amended.document["status"], amended.answers["pain.now"]) == ("amended", [7])
        assert (entry(invitation).status, entry(invitation).response_id) == ("to-review", amended.pk)
        (line,) = AuditEvent.objects.filter(action="intake.changed")
        assert line.objects_seen == {"response": [str(amended.pk), str(earlier.pk)]}
        assert line.detail == {"changed": 2}
        page = visitor.look(STATUS).text
        assert "Received again, with your changes" in page
        assert amended.reference in page

    def test_a_change_of_nothing_is_not_sent(self, visit):
        visitor, invitation = visit
        answer = begin(visitor).send()
        assert answer.status_code == 200
        assert "Nothing is different from what you sent" in answer.text
        assert [one.status for one in responses(invitation)] == ["completed", "in-progress"]

    def test_boxes_ticked_in_another_order_are_no_change(self):
        visitor, _ = sent_form({**ROLLING_IN, "knee.aggravators.right": ["stairs-down", "running"]})
        begin(visitor)
        visitor.save("knee", {"knee.aggravators.right": ["running", "stairs-down"]}, "?change=1")
        assert "Nothing is different" in visitor.send().text

    def test_keeping_what_was_sent_gives_the_change_up_and_another_may_be_begun(self, visit):
        visitor, invitation = visit
        begin(visitor).save("pain", PAIN, "?change=1")
        answer = visitor.client.post(KEEP)
        assert (answer.status_code, answer.headers["Location"]) == (303, STATUS)
        assert [one.status for one in responses(invitation)] == ["completed", "stopped"]
        change(visitor)
        assert [one.status for one in responses(invitation)] == ["completed", "stopped", "amended"]

    def test_two_tabs_begin_one_change_and_one_is_sent(self, visit):
        visitor, invitation = visit
        begin(visitor)
        begin(visitor)
        assert len(responses(invitation)) == 2
        visitor.save("pain", PAIN, "?change=1")
        key = str(uuid.uuid4())
        assert visitor.send(key).headers["Location"] == SENT
        before = digests()
        assert visitor.send(key).headers["Location"] == SENT
        other = visitor.send()
        assert other.status_code == 409
        assert "Already sent at" in other.text
        assert digests() == before

    def test_the_first_key_again_sends_nothing_of_a_change_that_is_begun(self):
        """The network repeats the first sending after "Something changed" was pressed."""
        invitation, token = invited()
        visitor = Visitor(token).open().fill(invitation.questionnaire.tree(), ROLLING_IN)
        key = str(uuid.uuid4())
        visitor.send(key)
        begin(visitor).save("pain", PAIN, "?change=1")
        before = digests()
        assert visitor.send(key).headers["Location"] == SENT
        assert digests() == before
        change(visitor)
        assert visitor.send(key).headers["Location"] == SENT
        assert [one.status for one in responses(invitation)] == ["completed", "amended"]

    def test_a_change_of_a_change_is_a_third_version(self, visit):
        visitor, invitation = visit
        change(visitor)
        change(visitor, pain={**PAIN, "pain.now": [2]})
        first, second, third = responses(invitation)
        assert (third.replaces_id, second.replaces_id) == (second.pk, first.pk)
        assert second.replaced_at == third.authored
        assert entry(invitation).response_id == third.pk

    def test_once_the_visit_has_begun_it_is_refused_in_words(self, visit):
        visitor, invitation = visit
        move_visit(invitation, starts_at=timezone.now() - timedelta(minutes=1))
        before = digests()
        answer = visitor.client.post(CHANGE)
        assert answer.status_code == 409
        assert "Your visit has begun. Tell your physio in person what changed." in answer.text
        assert digests() == before
        assert "Something changed" not in visitor.look(STATUS).text

    def test_a_change_that_is_open_when_the_visit_begins_is_not_sent_and_says_so(self, visit):
        visitor, invitation = visit
        begin(visitor).save("pain", PAIN, "?change=1")
        move_visit(invitation, starts_at=timezone.now() - timedelta(minutes=1))
        for path in (TASKS, CHECK, reverse("intake:page", args=["pain"])):
            assert visitor.look(path).headers["Location"] == STATUS
        assert visitor.send().headers["Location"] == STATUS
        assert "Your change was not sent" in visitor.look(STATUS).text
        with pytest.raises(amend.ChangeRefused):
            journey.submit(invitation=invitation, submit_key=uuid.uuid4(), by=SETUP)
        assert [one.status for one in responses(invitation)] == ["completed", "in-progress"]

    def test_an_urgent_answer_posted_after_the_visit_began_alarms_still(self, visit):
        visitor, invitation = visit
        begin(visitor)
        move_visit(invitation, starts_at=timezone.now() - timedelta(minutes=1))
        answers = filled_in(invitation.questionnaire.tree(), SWOLLEN_CALF)
        answer = visitor.save("safety", {k: v for k, v in answers.items() if k.startswith("safety.")})
        assert "Get medical help today" in answer.text
        assert entry(invitation).urgent

    def test_a_cancelled_visit_opens_nothing(self, visit):
        visitor, invitation = visit
        begin(visitor)
        move_visit(invitation, status="cancelled")
        assert visitor.look(STATUS).status_code == 403
        assert visitor.client.post(CHANGE).status_code == 403
        with pytest.raises(amend.ChangeRefused):
            journey.begin_change(invitation=invitation, by=SETUP)

    def test_before_anything_is_sent_there_is_nothing_to_change(self):
        invitation, token = invited()
        visitor = Visitor(token).open()
        assert visitor.client.post(CHANGE).headers["Location"] == TASKS
        assert visitor.client.post(KEEP).headers["Location"] == TASKS
        assert responses(invitation) == []

    @pytest.mark.parametrize(
        "wrong", [{"status": "amended"}, {"replaced_at": timezone.now()}], ids=["amended", "replaced"]
    )
    def test_the_database_refuses_what_no_change_can_be(self, wrong):
        invitation, token = invited()
        Visitor(token).open().save("pain", {"pain.now": [3]})
        (draft,) = responses(invitation)
        with audit.audited("tests.made", by=SETUP), pytest.raises(Error), transaction.atomic():
            QuestionnaireResponse.objects.filter(pk=draft.pk).update(**wrong)

    def test_what_was_replaced_stays_replaced(self, visit):
        visitor, invitation = visit
        change(visitor)
        earlier, _ = responses(invitation)
        for undo in ({"replaced_at": None}, {"replaced_at": timezone.now()}):
            with audit.audited("tests.made", by=SETUP), pytest.raises(Error), transaction.atomic():
                QuestionnaireResponse.objects.filter(pk=earlier.pk).update(**undo)


# ------------------------------------------------------------ what becomes of the review


class TestDecisions:
    """Of two findings, one rests on an answer that changes."""

    @pytest.fixture
    def two(self) -> tuple[Visitor, Invitation]:
        visitor, invitation = sent_form({**ROLLING_IN, "pain.regions.right": ["knee-front", "knee-outer"]})
        assert len(chain(responses(invitation)[0])) >= 2
        return visitor, invitation

    def test_all_are_kept_where_nothing_behind_them_changed(self, two):
        visitor, invitation = two
        (sent,) = responses(invitation)
        physio = make_user("physio")
        findings = chain(sent)
        first, *others = findings
        decide(findings[first], physio, "refuted", reason="old-injury", note="Surgery in 2019")
        for name in others:
            decide(findings[name], physio)
        finish(sent, physio)
        change(visitor, life={"goal.one.activity": ["Run 10 km"], "goal.one.score": ["4"]})
        _, amended = responses(invitation)
        now = chain(amended)
        assert now.keys() == findings.keys()
        for name, finding in now.items():
            (kept,) = verdicts(finding=finding)
            (made,) = verdicts(finding=findings[name])
            assert kept.carried_from_id == made.pk
            same = ("decision", "reason", "note", "at", "by_id")
            assert [getattr(kept, one) for one in same] == [getattr(made, one) for one in same]
        with audit.audited("tests.read", by=SETUP):
            (review,) = Review.objects.filter(response__evaluation=invitation.evaluation_id)
        assert (review.response_id, review.finished_by_id) == (sent.pk, physio.pk)
        assert entry(invitation).status == "to-review"
        assert "read your earlier answers on" in visitor.look(STATUS).text
        finish(amended, physio)
        assert entry(invitation).status == "reviewed"
        assert "read your answers on" in visitor.look(STATUS).text

    def test_one_whose_answers_changed_is_undecided_again(self, two):
        visitor, invitation = two
        (sent,) = responses(invitation)
        physio = make_user("physio")
        for finding in chain(sent).values():
            decide(finding, physio)
        change(visitor, foot={"foot.shoe-wear.right": ["inner"], "foot.ankle-lean.right": ["in"]})
        _, amended = responses(invitation)
        before, now = chain(sent), chain(amended)
        for name, finding in now.items():
            same = name in before and before[name].evidence == finding.evidence
            assert bool(verdicts(finding=finding)) == same, name
        assert not verdicts(finding=now["overpronation-kneecap.right"])
        assert len(verdicts(finding=before["overpronation-kneecap.right"])) == 1

    def test_going_back_to_the_first_answers_brings_the_decision_back(self, two):
        visitor, invitation = two
        (sent,) = responses(invitation)
        decide(chain(sent)["overpronation-kneecap.right"], make_user("physio"))
        lean = {"foot.ankle-lean.right": ["in"]}
        change(visitor, foot={**lean, "foot.shoe-wear.right": ["inner"]})
        change(visitor, foot={**lean, "foot.shoe-wear.right": ["outer-edge"]})
        third = chain(responses(invitation)[2])["overpronation-kneecap.right"]
        assert [one.decision for one in verdicts(finding=third)] == ["confirmed"]

    def test_an_undone_decision_is_none(self, two):
        visitor, invitation = two
        finding = chain(responses(invitation)[0])["overpronation-kneecap.right"]
        physio = make_user("physio")
        decide(finding, physio)
        decide(finding, physio, "unconfirmed")
        change(visitor)
        assert not verdicts(finding__response=responses(invitation)[1])


# ------------------------------------------------------------ red flags


class TestRedFlags:
    def swell(self, visitor: Visitor, invitation: Invitation):
        answers = filled_in(invitation.questionnaire.tree(), SWOLLEN_CALF)
        return visitor.save("safety", {k: v for k, v in answers.items() if k.startswith("safety.")})

    def test_an_urgent_answer_typed_in_a_change_alarms_as_in_a_first_form(self, visit):
        visitor, invitation = visit
        mails = ProcrastinateJob.objects.filter(task_name="mail_on_call")
        begin(visitor)
        answer = self.swell(visitor, invitation)
        assert "Get medical help today" in answer.text
        assert mails.count() == 1
        sent, draft = responses(invitation)
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
        assert (flag.response_id, flag.state) == (sent.pk, "open")
        assert (entry(invitation).urgent, entry(invitation).response_id) == (True, sent.pk)
        assert visitor.look(TASKS).headers["Location"] == reverse("intake:advice")
        visitor.client.post(reverse("intake:advice"), {"answer": "understood"})
        assert visitor.look(TASKS).status_code == 200
        assert visitor.send().headers["Location"] == SENT
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
            kinds = list(RedFlagEvent.objects.values_list("kind", flat=True))
        assert (flag.response_id, flag.state) == (draft.pk, "open")
        assert kinds == ["raised", "seen"]
        assert mails.count() == 1
        assert (entry(invitation).urgent, entry(invitation).response_id) == (True, draft.pk)

    def test_a_mistake_in_a_change_is_withdrawn_and_waits(self, visit):
        visitor, invitation = visit
        begin(visitor)
        self.swell(visitor, invitation)
        visitor.client.post(reverse("intake:advice"), {"answer": "mistake"})
        calm = filled_in(invitation.questionnaire.tree(), {})
        visitor.save("safety", {k: v for k, v in calm.items() if k.startswith("safety.")})
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
        assert flag.state == "withdrawn"
        visitor.client.post(KEEP)
        assert entry(invitation).urgent

    def test_what_was_sent_is_not_taken_back_by_a_change_that_is_not_sent(self):
        visitor, invitation = sent_form({**ROLLING_IN, **SWOLLEN_CALF})
        begin(visitor)
        calm = filled_in(invitation.questionnaire.tree(), {})
        visitor.save("safety", {k: v for k, v in calm.items() if k.startswith("safety.")})
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
        assert flag.state == "open"
        assert visitor.look(TASKS).status_code == 200
        assert "Get medical help today" in visitor.look(STATUS).text
        visitor.send()
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
        assert (flag.state, flag.response_id) == ("withdrawn", responses(invitation)[1].pk)
        assert entry(invitation).urgent

    def test_a_flag_that_was_dealt_with_does_not_alarm_again_and_its_call_stays(self):
        visitor, invitation = sent_form({**ROLLING_IN, **SWOLLEN_CALF})
        (sent,) = responses(invitation)
        mails = ProcrastinateJob.objects.filter(task_name="mail_on_call").count()
        with audit.audited("tests.read", by=SETUP):
            journey.record_contact(
                response=sent,
                called="Jordan",
                called_at=timezone.now(),
                outcome="reached",
                next_step="Sees her doctor today",
                by=audit.staff(make_user("physio")),
            )
        visitor.client.post(reverse("intake:advice"), {"answer": "understood"})
        change(visitor)
        with audit.audited("tests.read", by=SETUP):
            (flag,) = RedFlag.objects.all()
            (contact,) = RedFlagContact.objects.all()
        assert (flag.state, contact.flags) == ("acknowledged", [flag.pk])
        assert not entry(invitation).urgent
        assert ProcrastinateJob.objects.filter(task_name="mail_on_call").count() == mails

    def test_one_that_is_only_typed_alarms_when_no_button_follows(self, visit):
        visitor, invitation = visit
        begin(visitor)
        visitor.autosave("safety", {k: list(v) for k, v in SWOLLEN_CALF.items()})
        _, draft = responses(invitation)
        assert not entry(invitation).urgent
        assert journey.settle_draft(response_id=draft.pk) == 1
        assert entry(invitation).urgent
        visitor.client.post(KEEP)
        assert journey.settle_draft(response_id=draft.pk) == 0


def test_what_was_found_is_never_recorded_on_answers_that_were_replaced():
    """To a page that was opened before she changed them the newest one answers, with what was typed."""
    visitor, invitation = sent_form(ROLLING_IN)
    first = stored(invitation)
    visitor.client.post("/intake/change/")
    visitor.save("pain", {"pain.now": [9], "pain.worst": [9], "pain.average": [9]})
    assert visitor.send().status_code == 303
    second = stored(invitation)
    with audit.audited("tests.read", by=SETUP):
        (old,) = Finding.objects.filter(response=first, rule__kind="chain").values_list("pk", flat=True)
        (new,) = Finding.objects.filter(response=second, rule__kind="chain").values_list("pk", flat=True)
    page, newest = (
        reverse("admin:intake_questionnaireresponse_outcome", args=[one.pk]) for one in (first, second)
    )
    typed = {f"result-{old}": "found", f"note-{old}": "Zyxnote"}
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        desk = Client()
        desk.force_login(make_user("physio"))
        assert desk.get(page).headers["Location"] == newest
        for do in ("save", "close"):
            shown = desk.post(page, {"do": do, **typed})
            assert shown.status_code == 200
            assert "This is the newest version" in shown.text
            assert f'action="{newest}"' in shown.text
            assert re.search(rf'id="result-{new}-found" value="found" checked', shown.text)
            assert "Zyxnote" in shown.text
        assert desk.post(page, {"do": "reopen", "reason": "why"}).status_code == 200
        with audit.audited("tests.read", by=SETUP):
            assert not Outcome.objects.filter(finding__in=[old, new]).exists()
        assert desk.post(newest, {"do": "close", f"result-{new}": "found"}).status_code == 303
