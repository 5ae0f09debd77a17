"""The page after the evaluation, over HTTP: plain forms, nothing lost, everything in the trail."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from intake import audit, journey
from intake.patients.models import Evaluation
from intake.review.models import Closing, Measurement, MissedLink, Outcome
from intake.screening.models import Rule
from tests import factories
from tests.integration.intake.admin.conftest import browser
from tests.integration.intake.admin.test_review import chain, rows

pytestmark = pytest.mark.django_db

TWO = {**factories.ROLLING_IN, "pain.regions.right": ["knee-front", "knee-outer"]}


def address(response) -> str:
    return reverse("admin:intake_questionnaireresponse_outcome", args=[response.pk])


def send(client, response, do="save", **fields):
    """The form as the page offers it, with these fields changed."""
    page = client.get(address(response)).content.decode()
    seen = re.findall(r'name="seen" value="([^"]*)"', page)
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.post(address(response), {"do": do, "seen": "".join(seen), **names})


def all_found(response) -> dict[str, str]:
    return {f"result-{finding.pk}": "found" for finding in chain(response)}


@pytest.fixture
def intake(physio):
    starts_at = timezone.now() - timedelta(hours=2)
    return factories.make_response(
        TWO, evaluation=factories.make_evaluation(physio=physio, starts_at=starts_at)
    )


@pytest.fixture
def closed(desk, intake):
    assert send(desk, intake, "close", **all_found(intake)).status_code == 303
    return intake


class TestReading:
    def test_it_names_each_finding_each_test_and_what_is_left(self, desk, intake):
        page = desk.get(address(intake)).content.decode()
        for words in (
            "After the evaluation: Jordan",
            "What you found: 0 of 2 filled in",
            "2 findings left",
            "Right foot to knee",
            "Foot Posture Index, total, left, points",
            "Over 10 is a large drop. Never read alone",
            "Something the rules missed?",
        ):
            assert words in page, words
        title = re.search(r"<title>(.*?)</title>", page, re.S).group(1)
        assert "Jordan" not in title

    def test_a_dismissed_finding_is_filled_in_already(self, desk, intake, physio):
        dismissed, other = chain(intake)
        journey.decide_finding(
            response=intake.pk,
            finding=dismissed.pk,
            decision="refuted",
            reason="old-injury",
            by=audit.staff(physio),
        )
        page = desk.get(address(intake)).content.decode()
        for words in ("What you found: 1 of 2 filled in", "1 finding left"):
            assert words in page, words
        assert page.count("To fill in") == 1
        typed = {f"result-{dismissed.pk}": "not-tested", f"reason-{dismissed.pk}": "dismissed"}
        assert send(desk, intake, "close", **typed, **{f"result-{other.pk}": "found"}).status_code == 303

    def test_what_the_visit_before_showed_stands_on_top(self, desk, intake):
        assert "Last time" not in desk.get(address(intake)).content.decode()
        earlier = factories.make_evaluation(
            patient=intake.evaluation.patient,
            physio=intake.evaluation.physio,
            starts_at=timezone.now() - timedelta(days=40),
        )
        first, second = chain(before := factories.make_response(TWO, evaluation=earlier))
        fields = {f"result-{first.pk}": "found", f"result-{second.pk}": "not-found"}
        measures = {"navicular-drop-left": "6.5", "navicular-drop-right": "11"}
        assert send(desk, before, **fields, **measures).status_code == 303
        assert "Last time" not in desk.get(address(intake)).content.decode()
        assert send(desk, before, "close").status_code == 303
        page = desk.get(address(intake)).content.decode()
        last = page[page.index("Last time") : page.index("What you found")]
        for words in (
            f"<b>Found:</b> {first.rule.title}",
            f"<b>Not found:</b> {second.rule.title}",
            "Navicular drop 6.5\xa0mm left, 11\xa0mm right",
            address(before),
        ):
            assert words in last, words
        event = audit.AuditEvent.objects.filter(action="outcome.read").last()
        assert event.objects_seen["response"] == [str(intake.pk), str(before.pk)]
        assert {str(first.pk), str(second.pk)} <= set(event.objects_seen["finding"])
        assert "Last time" not in desk.get(address(before)).content.decode()

    def test_reading_writes_one_line_of_the_trail_and_nothing_else(self, desk, intake):
        before = audit.AuditEvent.objects.count()
        desk.get(address(intake))
        (event,) = [
            one for one in audit.AuditEvent.objects.order_by("pk")[before:] if one.actor_kind == "staff"
        ]
        assert event.action == "outcome.read"
        assert event.objects_seen["response"] == [str(intake.pk)]
        assert set(event.objects_seen["finding"]) == {str(one.pk) for one in chain(intake)}

    @pytest.mark.parametrize("role", ["front desk", "editor", "owner", None])
    def test_other_roles_get_the_page_of_an_unknown_intake(self, intake, role):
        client = browser(factories.make_user(role))
        unknown = reverse("admin:intake_questionnaireresponse_outcome", args=[uuid4()])
        for path in (address(intake), unknown):
            answers = [
                client.get(path),
                client.post(path, {"do": "close"}),
                client.post(path, {"do": "save"}),
            ]
            assert [answer.status_code for answer in answers] == [404, 404, 404]
            assert b"Jordan" not in answers[0].content

    @pytest.mark.parametrize("key", [uuid4(), "1", "x", "%00"])
    def test_a_wrong_id_is_an_unknown_page(self, desk, key):
        path = f"/staff/intake/questionnaireresponse/{key}/outcome/"
        assert desk.get(path).status_code == 404
        for do in ("save", "close", "reopen"):
            assert desk.post(path, {"do": do, "reason": "x"}).status_code == 404

    def test_a_draft_has_no_such_page(self, desk):
        assert desk.get(address(factories.make_response(factories.CALM, sent=False))).status_code == 404

    def test_before_the_visit_and_without_one_there_is_no_form(self, desk):
        coming = factories.make_response(TWO)
        page = desk.get(address(coming)).content.decode()
        assert "The visit has not begun yet." in page
        assert "Close this evaluation" not in page
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=coming.evaluation_id).update(status="cancelled")
        assert "This visit is cancelled." in desk.get(address(coming)).content.decode()


class TestWriting:
    def test_saved_for_later_it_stands_in_the_fields(self, desk, intake):
        first, _second = chain(intake)
        fields = {f"result-{first.pk}": "not-tested", f"reason-{first.pk}": "pain", f"note-{first.pk}": "<i>"}
        assert send(desk, intake, **fields, **{"fpi6-left": "+8"}).status_code == 303
        page = desk.get(address(intake)).content.decode()
        assert re.search(rf'id="result-{first.pk}-not-tested" value="not-tested" checked', page)
        assert 'value="&lt;i&gt;"' in page
        assert 'value="+8"' in page
        assert "1 finding left" in page

    def test_a_refused_closing_names_what_is_left_and_keeps_what_was_typed(self, desk, intake):
        first, second = chain(intake)
        page = send(
            desk, intake, "close", **{f"result-{first.pk}": "found", "balance-left": "22"}
        ).content.decode()
        assert "Saved, but not closed" in page
        assert f"Say what you found about 1 finding: {second.rule.title}" in page
        assert re.search(rf'id="result-{first.pk}-found" value="found" checked', page)
        assert [one.result for one in rows(Outcome)] == ["found"]
        assert rows(Closing) == []

    @pytest.mark.parametrize(
        ("fields", "field", "message"),
        [
            ({"fpi6-left": "13"}, "fpi6-left", "Type a number from -12 to 12."),
            ({"navicular-drop-right": "a lot"}, "navicular-drop-right", "Type a number from 0 to 30."),
            ({"starts": "left.knee-front"}, "shows", "Choose the part where it shows."),
            ({"words": "Hip"}, "starts", "Choose the part where it starts."),
            (
                {"starts": "left.knee-front", "shows": "nowhere", "words": "x\x00"},
                "words",
                "This has a character we cannot keep.",
            ),
        ],
    )
    def test_what_cannot_be_kept_is_said_beside_its_field(self, desk, intake, fields, field, message):
        page = send(desk, intake, "close", **all_found(intake), **fields).content.decode()
        assert f'href="#{field}"' in page
        assert message in page
        assert f'id="{field}-e"' in page
        assert "checked" in page
        assert rows(Outcome) == rows(Measurement) == rows(MissedLink) == []

    def test_closed_twice_by_an_impatient_finger_it_is_closed_once(self, desk, intake):
        for _tap in range(2):
            assert desk.post(address(intake), {"do": "close", **all_found(intake)}).status_code == 303
        assert len(rows(Closing)) == 1
        assert len(rows(Outcome)) == 2

    @pytest.mark.parametrize("slip", [{}, {"fpi6-left": "400"}])
    def test_what_is_typed_when_somebody_else_has_closed_it_is_listed_and_no_form_is_left(
        self, desk, closed, slip
    ):
        first, second = chain(closed)
        typed = {
            **all_found(closed),
            f"note-{first.pk}": "Mine",
            "balance-right": "22",
            "starts": "right.hip-side",
            "shows": "right.knee-inner",
            "words": "<i>Hip drops</i>",
        }
        page = desk.post(address(closed), {"do": "close", **typed, **slip}).content.decode()
        assert "This evaluation is closed. Open it again to change it." in page
        kept = page[page.index("What you typed, not saved") : page.index("What was found")]
        for words in (
            "Found. Mine",
            "One-leg balance, right:</b> 22\xa0sec",
            "From Right hip, side to Right knee, inner side:</b> &lt;i&gt;Hip drops",
        ):
            assert words in kept, words
        assert second.rule.title not in kept
        assert "Nothing was measured." in page
        for gone in ("Close this evaluation", 'name="note-', "Type a number"):
            assert gone not in page, gone

    def test_an_unknown_action_changes_nothing(self, desk, intake):
        assert desk.post(address(intake), {"do": "burn", **all_found(intake)}).status_code == 400
        assert desk.put(address(intake)).status_code == 405
        assert rows(Outcome) == []

    @pytest.mark.parametrize("seen", ["", "x", "9" * 40, "1.1.1"])
    def test_a_broken_mark_of_the_page_is_no_mark(self, desk, intake, seen):
        answer = desk.post(address(intake), {"do": "close", "seen": seen, **all_found(intake)})
        assert answer.status_code == 303
        assert len(rows(Closing)) == 1


class TestOpeningAgain:
    def test_it_needs_a_reason_and_keeps_the_history(self, desk, closed):
        page = desk.post(address(closed), {"do": "reopen", "reason": " "}).content.decode()
        assert "Write why you open it again." in page
        assert desk.post(address(closed), {"do": "reopen", "reason": "Wrong foot"}).status_code == 303
        page = desk.get(address(closed)).content.decode()
        assert "This evaluation was opened again" in page
        assert "“Wrong foot”" in page
        assert "Close this evaluation" in page

    def test_an_owner_reads_nobody_and_may_open_it(self, closed):
        owner = browser(factories.make_user("owner"))
        page = owner.get(address(closed)).content.decode()
        assert "A closed evaluation" in page
        for words in ("Jordan", closed.evaluation.patient.family_name, chain(closed)[0].rule.title):
            assert words not in page
        answer = owner.post(address(closed), {"do": "reopen", "reason": "Asked by the physio"})
        assert answer.status_code == 303
        assert [one.act for one in rows(Closing)] == ["closed", "reopened"]
        assert owner.get(address(closed)).status_code == 404


class TestRulePage:
    def rule_page(self, client, response) -> str:
        path = reverse("admin:intake_rule_change", args=[chain(response)[0].rule_id])
        return client.get(path).content.decode()

    def test_an_editor_reads_the_counts_and_nobody(self, closed):
        page = self.rule_page(browser(factories.make_user("editor")), closed)
        assert "Raised 1 time." in page
        assert "Found 1, not found 0, not tested 0." in page
        assert "Too few to say: at least 10 have to be tested." in page
        assert "Shipped with Footing, last changed today. Draft: not yet" in " ".join(page.split())
        assert "Jordan" not in page
        event = audit.AuditEvent.objects.filter(action="rule.counted").last()
        assert list(event.objects_seen) == ["rule"]

    def test_from_ten_tested_on_an_interval_is_said_in_words(self, desk, physio):
        starts_at = timezone.now() - timedelta(hours=2)
        for number in range(12):
            evaluation = factories.make_evaluation(physio=physio, starts_at=starts_at, is_over=True)
            response = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
            result = "found" if number < 7 else "not-found" if number < 10 else "not-tested"
            fields = {}
            for finding in chain(response):
                fields |= {f"result-{finding.pk}": result, f"reason-{finding.pk}": "time"}
            assert desk.post(address(response), {"do": "close", **fields}).status_code == 303
        page = self.rule_page(desk, response)
        assert "Raised 12 times." in page
        assert "Found 7, not found 3, not tested 2." in page
        assert "Found 7 of 10 tested." in page
        assert "Of 100 such findings, likely between 39 and 90 would be found." in page

    def test_a_rule_that_is_no_chain_rule_has_no_record(self, desk, closed):
        key = Rule.objects.filter(kind="red-flag").values_list("pk", flat=True).first()
        page = desk.get(reverse("admin:intake_rule_change", args=[key])).content.decode()
        assert "Versions side by side" not in page
