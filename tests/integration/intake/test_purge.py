"""Codes and tries go 30 days after they ended; a code that was used stays (R43)."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from intake import audit, journey
from intake.patients.models import AccessCode, TabletCode, TabletTry
from tests.factories import SETUP, make_evaluation, make_invitation, make_user

pytestmark = pytest.mark.django_db


def made(days: int) -> None:
    """Codes that ended so many days ago, one unused and one used; one of the tablet; a wrong one typed."""
    at = timezone.now() - timedelta(days=days)
    life = {"expires_at": at + timedelta(minutes=5)}
    with audit.audited("tests.made", by=SETUP):
        invitation = make_invitation(make_evaluation())
        for used_at in (None, at):
            AccessCode.objects.create(
                invitation=invitation,
                device_hash=b"d" * 32,
                code_hash=b"c" * 32,
                asked_at=at,
                used_at=used_at,
                **life,
            )
        TabletCode.objects.create(
            invitation=invitation,
            code_hash=b"c" * 32,
            token_hash=bytes([days]) * 32,
            started_at=at,
            started_by=make_user("front desk", username=f"desk{days}"),
            **life,
        )
        TabletTry.objects.create(at=at)


def left() -> list[int]:
    with audit.audited("tests.read", by=SETUP):
        return [model.objects.count() for model in (AccessCode, TabletCode, TabletTry)]


def test_what_ended_thirty_days_ago_goes_and_the_trail_says_how_many():
    made(31)
    made(29)
    said = StringIO()
    call_command("purge", dry_run=True, json=True, stdout=said)
    assert json.loads(said.getvalue()) == {"access-code": 1, "tablet-code": 1, "tablet-try": 1}
    assert left() == [4, 2, 2]
    assert journey.purge() == {"access-code": 1, "tablet-code": 1, "tablet-try": 1}
    assert left() == [3, 1, 1]
    line = audit.AuditEvent.objects.filter(action="purged").get()
    assert line.detail == {"access-code": 1, "tablet-code": 1, "tablet-try": 1}
    assert journey.purge() == {"access-code": 0, "tablet-code": 0, "tablet-try": 0}


def test_in_time_everything_but_the_used_code_goes():
    made(1)
    with time_machine.travel(timezone.now() + timedelta(days=60)):
        journey.purge()
    assert left() == [1, 0, 0]
