"""What is recorded after the evaluation: rows that are added, one closing, and the tally of each rule."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake import audit, journey
from intake.patients.models import Evaluation
from intake.review import outcomes
from intake.review.decide import NotAllowed
from intake.review.hit_rate import HitRate, hit_rates
from intake.review.measures import MEASURES
from intake.review.models import Closing, FindingTally, Measurement, MissedLink, Outcome, QueueEntry
from intake.review.outcome_page import outcome_page
from intake.review.outcomes import NotRecorded, Typed, TypedLink, TypedOutcome
from intake.screening.models import Finding, Rule
from tests import factories

pytestmark = pytest.mark.django_db

TWO = {**factories.ROLLING_IN, "pain.regions.right": ["knee-front", "knee-outer"]}
LINK = TypedLink("right.hip-side", "right.knee-front", "Hip drops on the right")


def past_intake(answers=TWO, **visit):
    visit.setdefault("starts_at", timezone.now() - timedelta(hours=2))
    return factories.make_response(answers, evaluation=factories.make_evaluation(**visit))


@pytest.fixture
def intake(db):
    return past_intake()


@pytest.fixture
def physio(intake):
    return intake.evaluation.physio


def findings(response) -> list[Finding]:
    with audit.audited("tests.read", by=factories.SETUP):
        found = Finding.objects.filter(response=response, rule__kind="chain").select_related("rule")
        return list(found.order_by("-score", "pk"))


def rows(model, **wanted) -> list:
    with audit.audited("tests.read", by=factories.SETUP):
        return list(model.objects.filter(**wanted).order_by("pk"))


def everything(response, result="found", **reason) -> Typed:
    return Typed(outcomes={one.pk: TypedOutcome(result, **reason) for one in findings(response)})


def record(response, typed, by=None):
    by = audit.staff(by or response.evaluation.physio)
    return journey.record_outcome(response=response, typed=typed, by=by)


def close(response, by=None):
    return journey.close_evaluation(response=response, by=audit.staff(by or response.evaluation.physio))


def reopen(response, reason="Typed on the wrong side", by=None):
    by = audit.staff(by or response.evaluation.physio)
    return journey.reopen_evaluation(response=response, reason=reason, by=by)


def page(response, by=None):
    by = by or response.evaluation.physio
    with audit.audited("tests.read", by=audit.staff(by)):
        return outcome_page(user=by, response_id=response.pk)


def rate(finding, user=None) -> HitRate:
    user = user or factories.make_user("editor")
    with audit.audited("tests.read", by=audit.staff(user)):
        return next(
            one for one in hit_rates(user, finding.rule.rule_id) if one.version == finding.rule.version
        )


class TestRecording:
    def test_a_row_for_each_thing_said_and_none_for_what_was_left_empty(self, intake, physio):
        first, *_others = findings(intake)
        typed = Typed(
            outcomes={first.pk: TypedOutcome("not-tested", "time", " Came late ")},
            values={("fpi6", "left"): "+8", ("fpi6", "right"): "", ("navicular-drop", "left"): "11.5"},
            link=LINK,
        )
        assert record(intake, typed) == outcomes.Recorded(1, 2, 1)
        (outcome,) = rows(Outcome)
        assert (outcome.finding_id, outcome.result, outcome.reason, outcome.note, outcome.by_id) == (
            first.pk,
            "not-tested",
            "time",
            "Came late",
            physio.pk,
        )
        assert {(one.kind, one.side, one.value) for one in rows(Measurement)} == {
            ("fpi6", "left", Decimal(8)),
            ("navicular-drop", "left", Decimal("11.5")),
        }
        (link,) = rows(MissedLink)
        assert (link.starts_side, link.starts_at, link.shows_at) == ("right", "hip-side", "knee-front")

    def test_the_trail_says_neither_what_nor_how_many(self, intake):
        record(intake, replace(everything(intake), link=LINK))
        event = audit.AuditEvent.objects.order_by("pk").last()
        assert event.action == "outcome.recorded"
        assert event.objects_seen["response"] == [str(intake.pk)]
        assert event.detail == {}

    def test_the_same_again_adds_nothing_closed_or_not(self, intake):
        typed = replace(everything(intake), values={("balance", "left"): "22"}, link=LINK)
        record(intake, typed)
        assert not record(intake, typed)
        close(intake)
        assert not record(intake, typed)
        with pytest.raises(outcomes.AlreadyClosed):
            record(intake, replace(typed, values={("balance", "left"): "23"}))
        assert len(rows(Outcome)) == len(findings(intake))
        assert len(rows(Measurement)) == len(rows(MissedLink)) == 1

    def test_nothing_is_kept_of_a_page_with_a_mistake(self, intake):
        with pytest.raises(NotRecorded) as refusal:
            record(intake, replace(everything(intake), values={("lunge-angle", "left"): "340"}))
        assert refusal.value.problems == {"lunge-angle-left": "Type a number from 0 to 60."}
        assert rows(Outcome) == rows(Measurement) == []

    def test_a_later_row_stands_and_an_emptied_box_takes_back(self, intake):
        (first, *_others) = findings(intake)
        record(intake, Typed({first.pk: TypedOutcome("found")}, {("balance", "left"): "22"}))
        seen = page(intake).typed.seen
        record(intake, Typed({first.pk: TypedOutcome("not-found")}, {("balance", "left"): ""}, seen=seen))
        shown = page(intake)
        assert shown.findings[0].typed.result == "not-found"
        assert [line.label for line in shown.findings[0].history] == ["Found", "Not found"]
        assert ("balance", "left") in shown.typed.values
        assert shown.typed.values["balance", "left"] == ""
        assert [one.value for one in rows(Measurement)] == [Decimal(22), None]

    def test_of_two_open_pages_neither_undoes_what_the_other_said(self, intake):
        (first, second, *_others) = findings(intake)
        stale = page(intake).typed.seen
        other = factories.make_user("physio")
        record(intake, Typed({first.pk: TypedOutcome("found")}, {("balance", "left"): "22"}), by=other)
        # This page shows the first finding and the balance still empty.
        mine = {first.pk: TypedOutcome(), second.pk: TypedOutcome("not-found")}
        record(intake, Typed(mine, {("balance", "left"): "", ("balance", "right"): "30"}, seen=stale))
        shown = page(intake)
        assert [row.typed.result for row in shown.findings[:2]] == ["found", "not-found"]
        assert shown.typed.values == {("balance", "left"): "22", ("balance", "right"): "30"}

    def test_an_older_page_does_not_write_again_what_it_never_changed(self, intake):
        (first, *_others) = findings(intake)
        record(intake, Typed({first.pk: TypedOutcome("found")}))
        stale = page(intake).typed.seen
        record(intake, Typed({first.pk: TypedOutcome("not-found")}, seen=stale))
        assert not record(intake, Typed({first.pk: TypedOutcome("found")}, seen=stale))
        assert page(intake).findings[0].typed.result == "not-found"

    def test_a_missed_link_can_be_taken_back_once_and_stays_to_be_read(self, intake):
        record(intake, Typed(link=LINK))
        (link,) = rows(MissedLink)
        typed = Typed(taken_back=frozenset({link.pk, 999_999}))
        assert record(intake, typed).links == 1
        assert not record(intake, typed)
        (line,) = page(intake).links
        assert (line.starts, line.taken_back) == ("Right hip, side", True)

    def test_a_finding_of_another_intake_is_left_alone(self, intake):
        other = past_intake()
        assert not record(intake, everything(other))
        assert rows(Outcome) == []

    def test_a_dismissed_finding_is_offered_as_not_tested_for_that(self, intake, physio):
        (first, *_others) = findings(intake)
        journey.decide_finding(
            response=first.response_id,
            finding=first.pk,
            decision="refuted",
            reason="old-injury",
            by=audit.staff(physio),
        )
        row = page(intake).findings[0]
        assert (row.typed.result, row.typed.reason, row.stands) == ("not-tested", "dismissed", None)

    @pytest.mark.parametrize(
        ("visit", "words"),
        [
            ({"starts_at": timezone.now() + timedelta(hours=2)}, "has not begun"),
            ({"status": "cancelled"}, "cancelled"),
        ],
    )
    def test_there_is_nothing_to_record_before_the_visit_or_without_one(self, visit, words):
        response = past_intake(**visit)
        with pytest.raises(NotAllowed, match=words):
            record(response, everything(response))
        with pytest.raises(NotAllowed, match=words):
            close(response)


class TestClosing:
    def test_a_finding_without_an_outcome_refuses_it_and_is_named(self, intake):
        (first, *others) = findings(intake)
        record(intake, Typed({one.pk: TypedOutcome("found") for one in others}))
        with pytest.raises(NotAllowed) as refusal:
            close(intake)
        assert first.rule.title in refusal.value.message
        assert rows(Closing) == []

    def test_closed_opened_again_with_a_reason_and_closed_with_its_history(self, intake):
        record(intake, everything(intake))
        close(intake)
        with pytest.raises(outcomes.AlreadyClosed):
            close(intake)
        with pytest.raises(NotAllowed, match="Write why"):
            reopen(intake, reason=" ")
        reopen(intake)
        with pytest.raises(NotAllowed, match="not closed"):
            reopen(intake)
        close(intake)
        assert [(line.label, line.reason) for line in page(intake).closings] == [
            ("Closed", ""),
            ("Opened again", "Typed on the wrong side"),
            ("Closed", ""),
        ]
        actions = audit.AuditEvent.objects.order_by("pk").values_list("action", flat=True)
        assert [one for one in actions if one.startswith("evaluation.")] == [
            "evaluation.closed",
            "evaluation.reopened",
            "evaluation.closed",
        ]

    def test_an_intake_without_findings_can_be_closed(self, db):
        close(past_intake(factories.CALM))

    def test_an_owner_may_open_it_again(self, intake):
        record(intake, everything(intake))
        close(intake)
        reopen(intake, by=factories.make_user("owner"))
        assert [one.act for one in rows(Closing)] == ["closed", "reopened"]


class TestWorklist:
    def test_closing_moves_its_place_and_opening_again_moves_it_back(self, intake):
        record(intake, everything(intake))
        close(intake)
        assert rows(QueueEntry)[0].status == "closed"
        assert rows(QueueEntry)[0].readable == intake.pk
        reopen(intake)
        assert rows(QueueEntry)[0].status == "to-review"


class TestTally:
    def test_it_moves_at_closing_and_a_reload_counts_nothing_twice(self, intake):
        (first, *_others) = findings(intake)
        assert rate(first) == HitRate(1, raised=1)
        record(intake, everything(intake))
        assert rate(first) == HitRate(1, raised=1)
        close(intake)
        assert rate(first) == HitRate(1, raised=1, found=1)
        with pytest.raises(outcomes.AlreadyClosed):
            close(intake)
        record(intake, everything(intake))
        assert rate(first) == HitRate(1, raised=1, found=1)

    def test_opening_again_takes_it_back_and_closing_counts_what_stands_then(self, intake):
        (first, *_others) = findings(intake)
        record(intake, everything(intake))
        close(intake)
        reopen(intake)
        assert rate(first) == HitRate(1, raised=1)
        record(intake, Typed({first.pk: TypedOutcome("not-tested", "pain")}))
        close(intake)
        assert rate(first) == HitRate(1, raised=1, not_tested=1)

    def test_verdicts_count_as_they_stand(self, intake, physio):
        (first, *_others) = findings(intake)
        by = audit.staff(physio)
        journey.decide_finding(response=first.response_id, finding=first.pk, decision="confirmed", by=by)
        assert rate(first) == HitRate(1, raised=1, confirmed=1)
        journey.decide_finding(
            response=first.response_id, finding=first.pk, decision="refuted", reason="known", by=by
        )
        assert rate(first) == HitRate(1, raised=1, refuted=1)
        journey.decide_finding(response=first.response_id, finding=first.pk, decision="unconfirmed", by=by)
        assert rate(first) == HitRate(1, raised=1)

    def test_a_cancelled_visit_counts_nowhere_until_it_is_booked_again(self, intake):
        (first, *_others) = findings(intake)
        record(intake, everything(intake))
        close(intake)
        for status, wanted in (("cancelled", HitRate(1)), ("booked", HitRate(1, raised=1, found=1))):
            with audit.audited("tests.made", by=factories.SETUP):
                Evaluation.objects.filter(pk=intake.evaluation_id).update(status=status)
            assert rate(first) == wanted

    def test_another_physio_of_the_visit_changes_no_verdict_and_no_tally(self, intake, physio):
        (first, *_others) = findings(intake)
        journey.decide_finding(
            response=first.response_id, finding=first.pk, decision="confirmed", by=audit.staff(physio)
        )
        other = factories.make_user("physio", first_name="Alex", last_name="Reyes")
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=intake.evaluation_id).update(physio=other)
        record(intake, everything(intake), by=other)
        close(intake, by=other)
        assert rate(first) == HitRate(1, raised=1, confirmed=1, found=1)
        with audit.audited("tests.read", by=factories.SETUP):
            assert first.verdicts.get().by == physio
            assert first.outcomes.get().by == other

    def test_another_version_has_its_own_counts(self, intake):
        (first, *_others) = findings(intake)
        record(intake, everything(intake))
        close(intake)
        first.rule.status = "retired"
        first.rule.save()
        Rule.objects.create(
            rule_id=first.rule.rule_id,
            version=2,
            kind="chain",
            title=first.rule.title,
            status="active",
            definition=first.rule.definition,
        )
        user = factories.make_user("editor")
        with audit.audited("tests.read", by=audit.staff(user)):
            assert hit_rates(user, first.rule.rule_id) == (HitRate(2), HitRate(1, raised=1, found=1))

    def test_notes_and_drafts_have_no_tally(self, db):
        draft = factories.make_response(factories.SPARING, sent=False)
        assert rows(FindingTally, finding__response=draft) == []
        intake = past_intake({**factories.SPARING, **TWO})
        assert {one.finding_id for one in rows(FindingTally)} == {one.pk for one in findings(intake)}

    def test_whoever_does_not_keep_rules_counts_nothing(self, intake):
        assert rate(findings(intake)[0], factories.make_user("front desk")) == HitRate(1)


class TestDatabase:
    @pytest.mark.parametrize("kind", MEASURES)
    def test_it_refuses_impossible_values(self, intake, physio, kind):
        measure = MEASURES[kind]
        wrong = [measure.low - 1, measure.high + 1, *([Decimal("1.5")] if measure.whole else [])]
        for value in wrong:
            with (
                pytest.raises(IntegrityError, match="measurement_possible"),
                audit.audited("tests.made", by=factories.SETUP),
            ):
                Measurement.objects.create(response=intake, kind=kind, side="left", value=value, by=physio)

    @pytest.mark.parametrize(
        ("model", "fields", "constraint"),
        [
            (Measurement, {"kind": "height", "side": "left", "value": 1}, "measurement_possible"),
            (Measurement, {"kind": "fpi6", "side": "both", "value": 1}, "measurement_side_known"),
            (Closing, {"number": 1, "act": "reopened", "reason": "x"}, "closing_and_reopening_in_turn"),
            (Closing, {"number": 2, "act": "closed"}, "closing_and_reopening_in_turn"),
            (Closing, {"number": 2, "act": "reopened"}, "closing_and_reopening_in_turn"),
            (
                MissedLink,
                {
                    "starts_at": "a",
                    "starts_side": "left",
                    "shows_at": "a",
                    "shows_side": "left",
                    "words": "x",
                },
                "missed_link_leads_elsewhere",
            ),
            (
                MissedLink,
                {"starts_at": "a", "starts_side": "left", "shows_at": "b", "shows_side": "left", "words": ""},
                "missed_link_whole",
            ),
        ],
    )
    def test_it_refuses_rows_that_cannot_be(self, intake, physio, model, fields, constraint):
        with (
            pytest.raises(IntegrityError, match=constraint),
            audit.audited("tests.made", by=factories.SETUP),
        ):
            model.objects.create(response=intake, by=physio, **fields)

    @pytest.mark.parametrize(
        ("fields", "constraint"),
        [
            ({"result": "perhaps"}, "outcome_result_known"),
            ({"result": "not-tested"}, "not_tested_has_a_reason"),
            ({"result": "found", "reason": "time"}, "not_tested_has_a_reason"),
        ],
    )
    def test_it_refuses_outcomes_that_cannot_be(self, intake, physio, fields, constraint):
        with (
            pytest.raises(IntegrityError, match=constraint),
            audit.audited("tests.made", by=factories.SETUP),
        ):
            Outcome.objects.create(finding=findings(intake)[0], by=physio, **fields)

    @pytest.mark.parametrize("model", [Outcome, Measurement, MissedLink, Closing])
    def test_rows_are_only_added(self, intake, model):
        record(intake, replace(everything(intake), values={("fpi6", "left"): "3"}, link=LINK))
        close(intake)
        for statement in ("UPDATE {} SET at = now()", "DELETE FROM {}"):
            with (
                pytest.raises(DatabaseError, match="permission denied"),
                audit.audited("tests.made", by=factories.SETUP),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement.format(model._meta.db_table))


def test_the_page_asks_as_much_whatever_the_number_of_findings(intake):
    physio = intake.evaluation.physio
    record(intake, replace(everything(intake), values={("fpi6", "left"): "3"}, link=LINK))
    few = past_intake(factories.ROLLING_IN, physio=physio)
    counts = []
    for response in (intake, few):
        assert findings(response)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(response)
        counts.append([one["sql"].split()[0] for one in queries].count("SELECT"))
    # Seven of its own, two that ask for permissions where they are not known yet.
    assert counts[1] <= counts[0] <= 9


def test_counting_a_rule_reads_its_index_alone(intake):
    with CaptureQueriesContext(connection) as queries:
        rate(findings(intake)[0])
    (counting,) = [one["sql"] for one in queries if "findingtally" in one["sql"]]
    with audit.audited("tests.read", by=factories.SETUP), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {counting}")
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "Index Only Scan using tally_of_rule" in plan


def test_a_finding_of_answers_that_were_changed_counts_no_more(physio):
    """The changed answers have a finding of their own, with the decision that was kept."""
    evaluation = factories.make_evaluation(physio=physio)
    response = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
    with audit.audited("tests.made", by=factories.SETUP):
        keys = set(Finding.objects.filter(response=response).values_list("pk", flat=True))
        assert FindingTally.objects.filter(finding__in=keys).exists()
        type(response).objects.filter(pk=response.pk).update(replaced_at=timezone.now())
        assert not FindingTally.objects.filter(finding__in=keys).exists()
