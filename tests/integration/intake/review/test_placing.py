"""Whoever writes, the worklist's row of an evaluation says what stands."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from intake import audit
from intake.patients.models import Evaluation
from intake.responses.models import QuestionnaireResponse
from intake.review.models import QueueEntry, Review
from intake.screening import record
from tests import factories
from tests.integration.locks import until_somebody_waits

Status = QueueEntry.Status


def place(evaluation: Evaluation) -> QueueEntry:
    with audit.audited("tests.read", by=factories.SETUP):
        return QueueEntry.objects.get(pk=evaluation.pk)


@pytest.mark.django_db
class TestStatus:
    def test_a_booked_evaluation_is_not_started(self):
        evaluation = factories.make_evaluation()
        entry = place(evaluation)
        assert (entry.status, entry.urgent, entry.response_id) == (Status.NOT_STARTED, False, None)
        assert (entry.physio_id, entry.at) == (evaluation.physio_id, evaluation.starts_at)

    def test_one_that_was_asked_for_stands_at_the_time_of_asking_until_it_is_booked(self):
        with audit.audited("tests.made", by=factories.SETUP):
            evaluation = Evaluation.objects.create(patient=factories.make_patient(), status="requested")
        entry = place(evaluation)
        assert (entry.needs_appointment, entry.at, entry.physio_id) == (True, evaluation.created_at, None)
        assert entry.status == Status.NOT_STARTED
        physio, starts_at = factories.make_user("physio"), timezone.now() + timedelta(days=2)
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=evaluation.pk).update(
                status="booked", starts_at=starts_at, physio=physio
            )
        entry = place(evaluation)
        assert (entry.needs_appointment, entry.at, entry.physio_id) == (False, starts_at, physio.pk)

    def test_a_draft_is_in_progress(self):
        response = factories.make_response(factories.CALM, sent=False)
        entry = place(response.evaluation)
        assert (entry.status, entry.response_id) == (Status.IN_PROGRESS, response.pk)

    def test_a_sent_intake_is_to_review_with_its_directions_counted(self):
        entry = place(factories.make_response(factories.SPARING).evaluation)
        assert entry.status == Status.TO_REVIEW
        assert entry.down >= 1
        assert not entry.urgent

    def test_a_review_moves_it_on_and_a_reopened_one_back(self):
        response = factories.make_response(factories.ROLLING_IN)
        user = response.evaluation.physio
        with audit.audited("tests.made", by=factories.SETUP):
            review = Review.objects.create(response=response, started_by=user)
        assert place(response.evaluation).status == Status.IN_REVIEW
        with audit.audited("tests.made", by=factories.SETUP):
            Review.objects.filter(pk=review.pk).update(finished_at=timezone.now(), finished_by=user)
        assert place(response.evaluation).status == Status.REVIEWED
        with audit.audited("tests.made", by=factories.SETUP):
            Review.objects.filter(pk=review.pk).update(finished_at=None, finished_by=None)
        assert place(response.evaluation).status == Status.IN_REVIEW

    def test_moving_the_visit_and_cancelling_it(self):
        evaluation = factories.make_evaluation()
        other = factories.make_user("physio")
        later = evaluation.starts_at + timezone.timedelta(days=3)
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=evaluation.pk).update(starts_at=later, physio=other)
        entry = place(evaluation)
        assert (entry.at, entry.physio_id) == (later, other.pk)
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=evaluation.pk).update(status="cancelled")
        assert place(evaluation).status == Status.CANCELLED

    def test_a_deleted_draft_leaves_the_visit_not_started(self):
        response = factories.make_response(factories.CALM, sent=False)
        with audit.audited("tests.made", by=factories.SETUP):
            QuestionnaireResponse.objects.filter(pk=response.pk).delete()
        entry = place(response.evaluation)
        assert (entry.status, entry.response_id) == (Status.NOT_STARTED, None)

    def test_many_rows_in_one_statement(self):
        template = factories.make_evaluation()
        with audit.audited("tests.made", by=factories.SETUP):
            made = Evaluation.objects.bulk_create(
                Evaluation(
                    patient=template.patient,
                    physio=template.physio,
                    starts_at=template.starts_at + timedelta(hours=number),
                )
                for number in range(1, 31)
            )
            ids = [one.pk for one in made]
            assert QueueEntry.objects.filter(pk__in=ids, status=Status.NOT_STARTED).count() == 30


@pytest.mark.django_db
class TestUrgent:
    def test_a_flag_on_a_draft_counts_and_stays_when_the_patient_withdraws_it(self):
        response = factories.make_response(factories.SWOLLEN_CALF, sent=False)
        entry = place(response.evaluation)
        assert (entry.status, entry.urgent) == (Status.IN_PROGRESS, True)
        with audit.audited("tests.made", by=factories.SETUP):
            record.sync_red_flags(response, response.questionnaire.tree(), [], record.active_rules())
        assert place(response.evaluation).urgent

    def test_acknowledging_settles_it(self):
        response = factories.make_response(factories.SWOLLEN_CALF)
        with audit.audited("tests.made", by=factories.SETUP):
            record.acknowledge(response.red_flags.all())
        assert not place(response.evaluation).urgent

    def test_a_cancelled_visit_with_a_waiting_flag_is_still_urgent(self):
        response = factories.make_response(factories.SWOLLEN_CALF)
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=response.evaluation_id).update(status="cancelled")
        entry = place(response.evaluation)
        assert (entry.status, entry.urgent, entry.response_id) == (Status.CANCELLED, True, response.pk)

    def test_a_stopped_draft_with_a_waiting_flag_is_still_urgent_and_leads_to_it(self):
        response = factories.make_response(factories.SWOLLEN_CALF, sent=False)
        with audit.audited("tests.made", by=factories.SETUP):
            QuestionnaireResponse.objects.filter(pk=response.pk).update(status="stopped")
        entry = place(response.evaluation)
        assert (entry.status, entry.urgent, entry.response_id) == (Status.NOT_STARTED, True, response.pk)


def test_of_two_writers_at_once_the_later_sees_what_the_earlier_wrote(committed_db):
    """A review is started while a page save that raises a flag has not yet committed."""
    response = factories.make_response(factories.ROLLING_IN)
    flag_written, go_on = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    def raise_flag() -> None:
        try:
            with audit.audited("tests.made", by=factories.SETUP):
                active = record.active_rules()
                definition = response.questionnaire.tree()
                screening = record.screen_draft(definition, factories.SWOLLEN_CALF, active)
                record.sync_red_flags(response, definition, screening.red_flags, active)
                flag_written.set()
                go_on.wait(10)
        except BaseException as problem:  # a thread's failure has to reach the test
            problems.append(problem)
        finally:
            flag_written.set()
            connections.close_all()

    def start_review() -> None:
        try:
            with audit.audited("tests.made", by=factories.SETUP):
                Review.objects.create(response=response, started_by=response.evaluation.physio)
        except BaseException as problem:  # a thread's failure has to reach the test
            problems.append(problem)
        finally:
            connections.close_all()

    first = threading.Thread(target=raise_flag)
    first.start()
    flag_written.wait(10)
    second = threading.Thread(target=start_review)
    second.start()
    until_somebody_waits()
    go_on.set()
    first.join(20)
    second.join(20)
    assert problems == []
    entry = place(response.evaluation)
    assert (entry.status, entry.urgent) == (Status.IN_REVIEW, True)
