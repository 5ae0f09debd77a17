"""The review desk as a physio uses it: plain forms, one thing a POST, everything in the trail."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from intake import audit
from intake.patients.models import Evaluation
from intake.review.models import MissedLink, RedFlagContact, Review, Verdict
from intake.screening import record
from intake.screening.models import Finding, RedFlag
from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db


def address(response, **query) -> str:
    found = reverse("admin:intake_questionnaireresponse_review", args=[response.pk])
    return f"{found}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else found


def rows(model, **wanted) -> list:
    with audit.audited("tests.read", by=factories.SETUP):
        return list(model.objects.filter(**wanted).order_by("pk"))


def chain(response) -> list[Finding]:
    with audit.audited("tests.read", by=factories.SETUP):
        found = Finding.objects.filter(response=response, rule__kind="chain").select_related("rule")
        return list(found.order_by("-score", "pk"))


def decide(client, response, finding, do, **fields):
    return client.post(address(response), {"do": do, "finding": finding.pk, **fields})


def call(client, response, **fields):
    """The form as the page offers it, filled in."""
    page = client.get(address(response)).content.decode()
    typed = {
        "do": "contact",
        "called": "Sam Okafor",
        "called_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
        "outcome": "reached",
        "next_step": "Goes to the emergency room now",
        "flags": "".join(re.findall(r'name="flags" value="([^"]*)"', page)),
    }
    return client.post(address(response), {**typed, **fields})


@pytest.fixture
def intake(physio):
    return factories.make_response(factories.ROLLING_IN, evaluation=factories.make_evaluation(physio=physio))


@pytest.fixture
def flagged(physio):
    return factories.make_response(
        {**factories.SWOLLEN_CALF, **factories.SPARING}, evaluation=factories.make_evaluation(physio=physio)
    )


class TestReading:
    def test_the_page_says_both_ends_evidence_and_that_it_is_a_draft(self, desk, intake):
        page = desk.get(address(intake)).content.decode()
        for words in (
            "Right kneecap, from right foot",
            "Right foot to knee",
            "Where is your weight on this foot as you walk? (right)",
            "It rolls in",
            "Speaks against it",
            "Whole outer edge",
            "Not answered:",
            "2 of 8 signs",
            "1 against",
            "Navicular drop",
            "Over 10 mm = a lot of drop.",
            "The rule behind this",
            "Draft content: not yet approved by a physio.",
            "None reported.",
        ):
            assert words in page, words

    def test_the_whole_chain_to_assess_leads_from_flagged_places_to_their_findings(self, desk, intake):
        page = desk.get(address(intake)).content.decode()
        box = page[page.index('id="assess"') :]
        box = box[: box.index("</section>")]
        flagged, others = box.split("<details")
        assert re.findall("<h3>(.*?)</h3>", flagged)[:2] == ["Right hip", "Right knee"]
        assert "Left knee" in others
        kneecap = next(one for one in chain(intake) if one.rule.rule_id == "overpronation-kneecap")
        assert f'href="#finding-{kneecap.pk}"' in flagged
        assert f'id="finding-{kneecap.pk}"' in page
        assert page.count("Over 10 mm = a lot of drop.") == 1

    def test_a_dismissed_finding_flags_no_place(self, desk, intake):
        for finding in chain(intake):
            decide(desk, intake, finding, "dismiss", reason="old-injury")
        box = (
            desk.get(address(intake)).content.decode().partition('id="assess"')[2].partition("</section>")[0]
        )
        assert "#finding-" not in box
        assert "Left hip" in box

    def test_the_patients_words_are_text(self, desk, intake):
        page = desk.get(address(intake)).content.decode()
        assert "&lt;b&gt;when tired&lt;/b&gt;" in page
        assert "<b>when tired" not in page

    def test_the_title_names_nobody(self, desk, intake):
        page = desk.get(address(intake)).content.decode()
        title = re.search(r"<title>(.*?)</title>", page, re.S).group(1)
        assert intake.evaluation.patient.family_name not in title
        assert "Jordan" not in title

    def test_reading_begins_no_review_and_writes_one_line_of_the_trail(self, desk, intake, physio):
        before = audit.AuditEvent.objects.count()
        desk.get(address(intake))
        assert rows(Review) == []
        with audit.audited("tests.read", by=factories.SETUP):
            findings = set(Finding.objects.filter(response=intake).values_list("pk", flat=True))
        events = list(audit.AuditEvent.objects.order_by("pk"))[before:]
        read = [event for event in events if event.actor_kind == "staff"]
        assert [event.action for event in read] == ["review.read"]
        assert read[0].actor_id == str(physio.pk)
        assert read[0].objects_seen["response"] == [str(intake.pk)]
        assert read[0].objects_seen["patient"] == [str(intake.evaluation.patient_id)]
        assert set(read[0].objects_seen["finding"]) == set(map(str, findings))

    def test_the_line_names_the_findings_that_were_shown(self, desk, physio):
        evaluation = factories.make_evaluation(physio=physio)
        many = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
        factories.give_findings(many, 40)
        page = desk.get(address(many)).content.decode()
        shown = set(re.findall(r' id="finding-(\d+)"', page))
        assert len(shown) == 7
        assert set(audit.AuditEvent.objects.latest("pk").objects_seen["finding"]) == shown

    @pytest.mark.parametrize("role", ["front desk", "editor", "owner", None])
    def test_other_roles_get_the_page_of_an_unknown_intake(self, intake, role):
        client = browser(factories.make_user(role))
        answer = client.get(address(intake))
        unknown = client.get(reverse("admin:intake_questionnaireresponse_review", args=[uuid4()]))
        assert answer.status_code == unknown.status_code == 404
        assert answer.content == unknown.content
        assert b"Jordan" not in answer.content

    @pytest.mark.parametrize("key", [uuid4(), "1", "x", "../../etc", "%00"])
    def test_a_wrong_id_is_an_unknown_page(self, desk, key):
        assert desk.get(f"/staff/intake/questionnaireresponse/{key}/review/").status_code == 404
        assert desk.post(f"/staff/intake/questionnaireresponse/{key}/review/").status_code in (400, 404)

    def test_a_draft_opens_for_its_red_flag_and_offers_no_decision(self, desk, physio):
        evaluation = factories.make_evaluation(physio=physio)
        draft = factories.make_response(factories.SWOLLEN_CALF, evaluation=evaluation, sent=False)
        page = desk.get(address(draft)).content.decode()
        assert "Form not sent yet" in page
        assert "Record the call" in page
        assert "Finish review" not in page
        calm = factories.make_response(factories.ROLLING_IN, sent=False)
        assert desk.get(address(calm)).status_code == 404


class TestDeciding:
    @pytest.mark.parametrize(
        ("do", "decision", "word"),
        [("confirm", "confirmed", "Confirmed"), ("assess", "provisional", "To assess")],
    )
    def test_confirm_and_assess_with_a_note(self, desk, intake, physio, do, decision, word):
        finding = chain(intake)[0]
        answer = decide(desk, intake, finding, do, note=" Single-leg squat ")
        assert answer.status_code == 303
        (verdict,) = rows(Verdict)
        assert (verdict.decision, verdict.note, verdict.by_id) == (decision, "Single-leg squat", physio.pk)
        page = desk.get(address(intake)).content.decode()
        assert word in page
        assert "“Single-leg squat”" in page
        (review,) = rows(Review)
        assert (review.started_by_id, review.finished_at) == (physio.pk, None)

    def test_after_a_decision_the_next_undecided_card_is_shown(self, desk, physio):
        answers = {**factories.ROLLING_IN, "pain.regions.right": ["knee-front", "knee-outer"]}
        intake = factories.make_response(answers, evaluation=factories.make_evaluation(physio=physio))
        first, second, *_rest = chain(intake)
        answer = decide(desk, intake, first, "confirm")
        assert answer.headers["Location"].endswith(f"#finding-{second.pk}")
        for finding in chain(intake)[1:]:
            answer = decide(desk, intake, finding, "confirm")
        assert answer.headers["Location"].endswith("#finish")

    def test_dismissing_needs_a_reason_and_keeps_what_was_typed(self, desk, intake):
        finding = chain(intake)[0]
        answer = decide(desk, intake, finding, "dismiss", note="Seen before <i>")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert rows(Verdict) == []
        assert rows(Review) == []
        assert f'href="#finding-{finding.pk}-reason"' in page
        assert 'value="Seen before &lt;i&gt;"' in page
        assert "Foot rolling in may be loading the kneecap (right): Choose why you dismiss it." in page
        assert page.count("Choose why you dismiss it.") == 2
        assert "<title>Error:" in re.sub(r"\s+", " ", page)
        decide(desk, intake, finding, "dismiss", reason="old-injury", note="Seen before")
        (verdict,) = rows(Verdict)
        assert (verdict.decision, verdict.reason) == ("refuted", "old-injury")
        assert "An old injury explains it" in desk.get(address(intake)).content.decode()

    def test_undo_adds_a_row_and_keeps_the_history(self, desk, intake):
        finding = chain(intake)[0]
        decide(desk, intake, finding, "confirm")
        decide(desk, intake, finding, "undo")
        assert [verdict.decision for verdict in rows(Verdict)] == ["confirmed", "unconfirmed"]
        page = desk.get(address(intake)).content.decode()
        assert "Both decisions" in page
        assert 'value="confirm"' in page

    def test_nothing_to_undo(self, desk, intake):
        page = decide(desk, intake, chain(intake)[0], "undo").content.decode()
        assert "There is no decision to undo." in page
        assert rows(Verdict) == []

    @pytest.mark.parametrize("note", ["x" * 501, "a\x00b"])
    def test_a_note_that_cannot_be_kept_is_shown_again(self, desk, intake, note):
        answer = decide(desk, intake, chain(intake)[0], "confirm", note=note)
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in answer.content.decode()
        assert rows(Verdict) == []

    def test_two_physios_both_decisions_stay_and_the_second_is_told(self, desk, intake):
        finding = chain(intake)[0]
        other = factories.make_user("physio", first_name="Luis", last_name="Reyes")
        decide(browser(other), intake, finding, "confirm", seen="0")
        answer = decide(desk, intake, finding, "assess", seen="0")
        page = desk.get(answer.headers["Location"]).content.decode()
        assert [verdict.decision for verdict in rows(Verdict)] == ["confirmed", "provisional"]
        assert "Luis Reyes decided on this finding while your page was open." in page

    def test_a_finding_of_another_intake_is_unknown_here(self, desk, intake):
        other = factories.make_response(factories.SPARING)
        assert decide(desk, intake, chain(other)[0], "confirm").status_code == 404
        urgent = factories.make_response(factories.SWOLLEN_CALF, sent=False)
        assert decide(desk, urgent, chain(other)[0], "confirm").status_code == 404
        assert rows(Verdict) == []

    @pytest.mark.parametrize("finding", ["", "x", "-1", "9" * 40, "0"])
    def test_a_finding_that_is_none(self, desk, intake, finding):
        answer = desk.post(address(intake), {"do": "confirm", "finding": finding})
        assert answer.status_code == 404

    @pytest.mark.parametrize("do", ["", "approve", "confirm-all"])
    def test_an_action_that_is_none(self, desk, intake, do):
        assert desk.post(address(intake), {"do": do}).status_code == 400

    def test_a_note_on_the_answers_takes_no_decision(self, desk, physio):
        both = {**factories.SPARING, "gait.leg-use.right": ["more"]}
        response = factories.make_response(both, evaluation=factories.make_evaluation(physio=physio))
        (note,) = rows(Finding, response=response, rule__kind="note")
        assert "needs no decision" in decide(desk, response, note, "confirm").content.decode()

    def test_django_keeps_no_log_of_its_own(self, desk, intake):
        decide(desk, intake, chain(intake)[0], "confirm")
        assert LogEntry.objects.count() == 0

    def test_decisions_cannot_be_changed_in_the_database(self, desk, intake):
        decide(desk, intake, chain(intake)[0], "confirm")
        with pytest.raises(DatabaseError), audit.audited("tests.made", by=factories.SETUP):
            Verdict.objects.update(note="other")


class TestRedFlags:
    def test_the_band_stands_first_with_what_was_ticked_and_what_to_do(self, desk, flagged):
        page = desk.get(address(flagged)).content.decode()
        assert "Red flag: Swollen or hot calf or leg (left)." in page
        assert "Calf more swollen than the other" in page
        assert "No massage, no exercise, no self-tests." in page
        assert page.index("Record the call") < page.index("chain finding")

    def test_findings_are_on_hold_until_the_call_is_recorded(self, desk, flagged):
        assert 'value="confirm"' not in desk.get(address(flagged)).content.decode()
        answer = decide(desk, flagged, chain(flagged)[0], "confirm")
        assert "Record the call about the red flag first." in answer.content.decode()
        assert call(desk, flagged).status_code == 303
        assert decide(desk, flagged, chain(flagged)[0], "confirm").status_code == 303

    @pytest.mark.parametrize(
        ("outcome", "settled"),
        [
            ("reached", True),
            ("reached-other", True),
            ("no-call-needed", True),
            ("message", False),
            ("no-answer", False),
        ],
    )
    def test_a_message_or_no_answer_keeps_the_flag_open(self, desk, flagged, outcome, settled):
        assert call(desk, flagged, outcome=outcome).status_code == 303
        (flag,) = rows(RedFlag, response=flagged)
        assert (flag.state == "acknowledged") is settled
        assert len(rows(RedFlagContact)) == 1
        page = desk.get(address(flagged)).content.decode()
        assert "Goes to the emergency room now" in page
        assert ("The flag stayed open." in page) is not settled

    @pytest.mark.parametrize(
        ("field", "typed", "message"),
        [
            ("outcome", "", "Choose what happened."),
            ("called", " ", "Write whom you called."),
            ("called_at", "soon", "Enter a day and a time"),
            ("called_at", "2999-01-01T10:00", "The time of the call is in the future."),
            ("next_step", "", "Write what was agreed"),
            ("next_step", "x" * 501, "at most 500 characters"),
        ],
    )
    def test_what_is_wrong_stands_beside_the_field_and_the_rest_is_kept(
        self, desk, flagged, field, typed, message
    ):
        answer = call(desk, flagged, **{"called": "Her brother", field: typed})
        page = answer.content.decode()
        assert answer.status_code == 200
        assert page.count(message) == 2
        assert rows(RedFlagContact) == []
        if field != "called":
            assert 'value="Her brother"' in page

    def test_a_flag_that_came_in_meanwhile_is_not_settled_unread(self, desk, flagged):
        page = desk.get(address(flagged)).content.decode()
        shown = re.search(r'name="flags" value="([^"]*)"', page).group(1)
        with audit.audited("tests.made", by=factories.SETUP):
            active = record.active_rules()
            definition = flagged.questionnaire.tree()
            worse = {**factories.SWOLLEN_CALF, "safety.body-signs": ["chest-breath"]}
            screening = record.screen_draft(definition, worse, active)
            record.sync_red_flags(flagged, definition, screening.red_flags, active)
        answer = call(desk, flagged, flags=shown)
        assert "A red flag came in while this page was open." in answer.content.decode()
        assert {flag.state for flag in rows(RedFlag, response=flagged)} == {"open"}
        assert rows(RedFlagContact) == []

    def test_a_withdrawn_flag_says_when_and_still_waits(self, desk, flagged):
        with audit.audited("tests.made", by=factories.SETUP):
            record.sync_red_flags(flagged, flagged.questionnaire.tree(), [], record.active_rules())
        page = desk.get(address(flagged)).content.decode()
        assert "Withdrawn by the patient today at" in page
        assert "It still waits for a call." in page
        assert "Reported, then taken back" in page
        worklist = desk.get("/staff/intake/evaluation/").content.decode()
        assert "(patient took it back)" in worklist

    def test_a_recorded_call_can_be_added_to(self, desk, flagged):
        call(desk, flagged, outcome="message")
        call(desk, flagged)
        call(desk, flagged, next_step="Called back: seen at the hospital")
        assert [contact.outcome for contact in rows(RedFlagContact)] == ["message", "reached", "reached"]


class TestTheWayToTheVisit:
    def test_the_worklist_is_kept_there_and_back(self, desk, intake):
        change = reverse("admin:intake_evaluation_change", args=[intake.evaluation_id])
        back = "?back=status%3Dto-review"
        assert f'href="{change}{back}"' in desk.get(address(intake, back="status%3Dto-review")).text
        visit = desk.get(f"{change}{back}").text
        assert f'href="{address(intake)}{back}"' in visit
        assert f'href="{reverse("admin:intake_evaluation_changelist")}?status=to-review"' in visit
        assert f'href="{address(intake)}"' in desk.get(change).text


class TestFinishing:
    def test_refused_while_a_red_flag_waits_and_it_says_what_is_left(self, desk, flagged):
        answer = desk.post(address(flagged), {"do": "finish"})
        page = answer.content.decode()
        assert answer.status_code == 200
        assert (
            page.count("Record what was done about the urgent answer: Swollen or hot calf or leg (left).")
            == 1
        )
        assert 'href="#call"' in page
        assert "Decide on" not in page
        assert rows(Review, finished_at__isnull=False) == []

    def test_refused_while_a_finding_is_undecided_and_it_names_it(self, desk, intake):
        page = desk.post(address(intake), {"do": "finish"}).content.decode()
        assert "Foot rolling in may be loading the kneecap (right)" in page
        assert page.count("Decide on") == 1
        assert f'href="#finding-{chain(intake)[0].pk}">Decide on' in page
        assert rows(Review, finished_at__isnull=False) == []

    def test_finishing_leads_to_the_next_intake_with_the_filters_kept(self, desk, intake, physio):
        later = timezone.now() + timedelta(minutes=100)
        following = factories.make_response(
            factories.CALM, evaluation=factories.make_evaluation(physio=physio, starts_at=later)
        )
        for finding in chain(intake):
            decide(desk, intake, finding, "confirm")
        answer = desk.post(address(intake, back="day%3Dcoming%26mine%3D1"), {"do": "finish"})
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(address(following))
        assert "back=day%3Dcoming%26mine%3D1" in answer.headers["Location"]
        (review,) = rows(Review, response=intake)
        assert review.finished_by_id == physio.pk
        page = desk.get(answer.headers["Location"]).content.decode()
        assert "Review finished. This is the next one." in page
        assert 'href="/staff/intake/evaluation/?day=coming&amp;mine=1"' in page

    def test_with_nothing_left_it_leads_to_the_worklist(self, desk, intake):
        for finding in chain(intake):
            decide(desk, intake, finding, "assess")
        answer = desk.post(address(intake, back="status%3Dto-review"), {"do": "finish"})
        assert answer.headers["Location"] == "/staff/intake/evaluation/?status=to-review"

    @pytest.mark.parametrize(
        "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "%0d%0aX"]
    )
    def test_the_way_back_never_leaves_the_worklist(self, desk, intake, back):
        for finding in chain(intake):
            decide(desk, intake, finding, "confirm")
        answer = desk.post(address(intake, back=back), {"do": "finish"})
        assert answer.headers["Location"] == "/staff/intake/evaluation/"

    def test_a_finished_review_is_locked_until_it_is_opened_again(self, desk, intake):
        for finding in chain(intake):
            decide(desk, intake, finding, "confirm")
        desk.post(address(intake), {"do": "finish"})
        answer = decide(desk, intake, chain(intake)[0], "undo")
        assert "This review is finished. Open it again to change a decision." in answer.content.decode()
        assert desk.post(address(intake), {"do": "reopen"}).status_code == 303
        assert decide(desk, intake, chain(intake)[0], "undo").status_code == 303

    def test_a_draft_cannot_be_finished(self, desk, physio):
        evaluation = factories.make_evaluation(physio=physio)
        draft = factories.make_response(factories.SWOLLEN_CALF, evaluation=evaluation, sent=False)
        assert "has not been sent yet" in desk.post(address(draft), {"do": "finish"}).content.decode()

    def test_an_intake_without_findings_is_finished_at_once(self, desk, physio):
        response = factories.make_response(
            factories.CALM, evaluation=factories.make_evaluation(physio=physio)
        )
        page = desk.get(address(response)).content.decode()
        assert "No rule found a link in these answers. That is no all-clear." in page
        assert desk.post(address(response), {"do": "finish"}).status_code == 303
        with audit.audited("tests.read", by=factories.SETUP):
            assert Evaluation.objects.get(responses=response).queue_entry.status == "reviewed"

    @pytest.mark.parametrize("do", ["confirm", "contact", "finish", "reopen"])
    def test_nobody_but_a_physio_acts(self, reception, flagged, do):
        answer = reception.post(address(flagged), {"do": do, "finding": chain(flagged)[0].pk})
        assert answer.status_code == 404
        assert rows(Review) == rows(Verdict) == rows(RedFlagContact) == []


class TestALinkTheRulesMissed:
    TYPED = {"do": "link", "starts": "right.hip-side", "shows": "right.knee-front", "words": "Hip drops"}  # noqa: RUF012

    def test_it_is_added_and_marked_as_the_physios(self, desk, intake, physio):
        assert 'name="starts"' not in desk.get(address(intake)).text, "the lists come when they are asked for"
        assert 'name="starts"' in desk.get(address(intake, add=1)).text
        for _twice in range(2):
            response = desk.post(address(intake), self.TYPED)
            assert (response.status_code, response.headers["Location"].endswith("#added")) == (303, True)
        page = desk.get(address(intake)).text
        assert page.count("“Hip drops”") == 1
        assert f"Added by {physio.first_name} {physio.last_name}" in page

    def test_what_is_missing_is_named_and_what_was_typed_stays(self, desk, intake):
        response = desk.post(address(intake), {**self.TYPED, "shows": "", "words": "Hip <drops>"})
        assert response.status_code == 200
        assert "Choose the part where it shows." in response.text
        assert 'value="Hip &lt;drops&gt;"' in response.text
        assert rows(MissedLink) == []
