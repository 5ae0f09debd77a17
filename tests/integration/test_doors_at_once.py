"""R14: guesses from many connections at the same moment are judged one by one."""

import time

import pytest
from django.test import Client

from clinic.door import signin
from clinic.models import User
from intake.audit import AuditEvent
from tests import factories
from tests.integration.intake.test_parallel import at_once
from tests.totp import code_at

LOCKED = ["signin.failed"] * 4 + ["signin.locked-out"]


def lines(user: User) -> list[str]:
    found = AuditEvent.objects.filter(objects_seen={"staff": [str(user.pk)]}).order_by("pk")
    return sorted(found.values_list("action", flat=True))


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.deep)])
def test_of_many_passwords_five_are_judged(committed_db: None, count: int):
    user = factories.make_user("physio")

    def guess(number: int) -> int:
        last = number == count - 1
        fields = {"username": user.username, "password": "correct horse battery" if last else f"no {number}"}
        return Client(raise_request_exception=False).post("/staff/login/", fields).status_code

    at_once(count, guess)
    assert [line for line in lines(user) if line != "signin.done"] == LOCKED


def test_of_many_codes_five_are_judged_and_one_works_once(committed_db: None):
    user = factories.make_user("physio")
    code = code_at(user.totp, time.time())
    used = at_once(2, lambda _: signin.try_code(user=user, typed=code, why="signin"))
    assert sorted(map(str, used)) == ["NotRight()", "totp"]
    at_once(20, lambda _: signin.try_code(user=user, typed="000000", why="signin"))
    assert lines(user) == LOCKED
