"""The calendar file, read back by a parser."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from education.clinic_info.models import ClinicInfo
from intake import audit, journey
from intake.patients import calendar, diary
from tests import factories
from tests.health_words import health_words
from tests.integration.intake.visitor import Visitor, invited

CLINIC = ZoneInfo("America/Los_Angeles")
NOW = datetime(2027, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def parse(content: bytes | str):
    found = Calendar.from_ical(content)
    (event,) = found.walk("VEVENT")
    return found, event


def of(evaluation):
    with audit.audited("tests.read", by=factories.SETUP):
        return parse(calendar.visit_file(evaluation, sequence=diary.sequence(evaluation), now=NOW))


class TestTheFile:
    def test_when_where_and_nobody_s_name(self):
        starts_at = datetime(2027, 6, 16, 14, 0, tzinfo=CLINIC)
        evaluation = factories.make_evaluation(starts_at=starts_at, minutes=45)
        found, event = of(evaluation)
        clinic = ClinicInfo.current()
        assert found["METHOD"] == "PUBLISH"
        assert event["UID"].startswith(str(evaluation.pk))
        assert event.start == starts_at
        assert event.end == starts_at + timedelta(minutes=45)
        assert event["DTSTART"].params["TZID"] == "America/Los_Angeles"
        assert event["SUMMARY"] == f"Appointment at {clinic.name}"
        assert event["LOCATION"].startswith(f"{clinic.name}, {clinic.street_address}")
        assert event["STATUS"] == "CONFIRMED"
        text = found.to_ical().decode()
        assert "COMMENT" not in text
        assert health_words(text, evaluation.patient.family_name) == []

    @pytest.mark.parametrize("day", [(2027, 3, 14), (2027, 11, 7)])
    def test_the_file_says_itself_when_the_clocks_change(self, day):
        starts_at = datetime(*day, 1, 30, tzinfo=CLINIC)
        evaluation = factories.make_evaluation(starts_at=starts_at, minutes=120)
        found, event = of(evaluation)
        assert [zone["TZID"] for zone in found.walk("VTIMEZONE")] == ["America/Los_Angeles"]
        assert event.end.astimezone(UTC) - event.start.astimezone(UTC) == timedelta(hours=2)

    def test_a_change_keeps_the_entry_and_raises_its_number(self):
        evaluation = factories.make_evaluation()
        desk = audit.staff(factories.make_user("front desk"))
        _, before = of(evaluation)
        evaluation.starts_at += timedelta(days=1)
        journey.move_evaluation(evaluation=evaluation, by=desk, mail=False)
        _, moved = of(evaluation)
        journey.cancel_evaluation(evaluation=evaluation, reason="", by=desk, mail=False)
        _, cancelled = of(evaluation)
        assert before["UID"] == moved["UID"] == cancelled["UID"]
        assert [one["SEQUENCE"] for one in (before, moved, cancelled)] == [0, 1, 2]
        assert cancelled["STATUS"] == "CANCELLED"


def test_it_comes_with_the_invitation(mail_dir: Path):
    evaluation = factories.make_evaluation()
    journey.invite(evaluation=evaluation, by=audit.staff(factories.make_user("front desk")), mail=False)
    with audit.audited("tests.read", by=factories.SETUP):
        invitation = evaluation.invitations.get()
    journey.deliver_invitation(invitation_id=invitation.pk)
    (path,) = mail_dir.glob("*")
    message = email.message_from_string(path.read_text(), policy=email.policy.default)
    (attached,) = message.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("text/calendar", "visit.ics")
    _, event = parse(attached.get_content())
    assert event.start == evaluation.starts_at.replace(microsecond=0)


class TestItsPage:
    def test_inside_the_session(self):
        invitation, token = invited()
        visitor = Visitor(token).open()
        assert 'href="/intake/visit.ics"' in visitor.look("/intake/start/").text
        answer = visitor.look("/intake/visit.ics")
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert 'filename="visit.ics"' in answer.headers["Content-Disposition"]
        assert "no-store" in answer.headers["Cache-Control"]
        _, event = parse(answer.content)
        assert event.start == invitation.evaluation.starts_at.replace(microsecond=0)

    def test_outside_of_one_there_is_none(self):
        assert Visitor().look("/intake/visit.ics").status_code == 403
