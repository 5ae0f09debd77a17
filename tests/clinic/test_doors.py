"""R11-R16: the staff's doors, from the password to the end of a session."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from clinic.models import User
from intake.audit import AuditEvent
from tests import factories
from tests.totp import code_at

pytestmark = pytest.mark.django_db

LOGIN = "/staff/login/"
CODE = "/staff/login/code/"
ENROL = "/staff/account/app/"
ACCOUNT = "/staff/account/"
PROVE = "/staff/prove/"
WORKLIST = "/staff/intake/evaluation/"
PASSWORD = "correct horse battery"
NOT_RIGHT = "The username or the password is not right."
ELSEWHERE = "203.0.113.9"


@pytest.fixture
def user(db: None) -> User:
    made: User = factories.make_user("physio")
    return made


def types(client: Client, username: str, password: str = PASSWORD, **more: str) -> HttpResponse:
    return client.post(LOGIN, {"username": username, "password": password, **more})


def gives(client: Client, code: str, path: str = CODE, **more: str) -> HttpResponse:
    return client.post(path, {"code": code, **more})


def code(user: User, ahead: int = 0) -> str:
    """The code that the account's app shows now, or so many codes later."""
    return code_at(user.totp, time.time() + 30 * ahead)


def wrong(user: User) -> str:
    shown = {code(user, ahead) for ahead in (-2, -1, 0, 1, 2)}
    return next(text for text in (f"{number:06}" for number in range(9)) if text not in shown)


def signs_in(user: User, **how: Any) -> Client:
    client = Client(**how)
    assert types(client, user.username).status_code == 302
    assert gives(client, code(user)).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(WORKLIST).status_code == 200


def lines(since: int = 0) -> list[str]:
    return list(AuditEvent.objects.filter(pk__gt=since).order_by("pk").values_list("action", flat=True))


def last() -> int:
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


class TestTwoSteps:
    def test_password_then_code_then_the_page_that_was_asked_for(self, user: User):
        client = Client()
        asked = client.get(WORKLIST + "?day=coming")
        assert asked.headers["Location"].startswith(LOGIN)
        answer = types(client, user.username, next=WORKLIST + "?day=coming")
        assert answer.headers["Location"].startswith(CODE)
        assert not is_in(client)
        page = client.get(answer.headers["Location"])
        assert 'name="code"' in page.text
        answer = gives(client, code(user), next=WORKLIST + "?day=coming")
        assert answer.headers["Location"] == WORKLIST + "?day=coming"
        assert is_in(client)

    def test_the_session_gets_a_new_key_at_each_step(self, user: User):
        client = Client()
        types(client, user.username)
        half = client.cookies["staff"].value
        gives(client, code(user))
        assert client.cookies["staff"].value != half

    def test_a_code_works_once(self, user: User):
        signs_in(user)
        client = Client()
        types(client, user.username)
        assert "That did not fit" in gives(client, code(user)).text
        assert not is_in(client)
        assert gives(client, code(user, 1)).status_code == 302

    def test_one_code_early_or_late_fits_and_an_older_one_does_not(self, user: User):
        for ahead, status in ((-2, 200), (2, 200), (-1, 302)):
            client = Client()
            types(client, user.username)
            assert gives(client, code(user, ahead)).status_code == status

    @pytest.mark.parametrize("typed", ["", " ", "12345", "abcdef", "１２３４５６", "0" * 41, "\x00"])
    def test_what_is_no_code_is_told_beside_the_field(self, user: User, typed: str):
        client = Client()
        types(client, user.username)
        page = gives(client, typed)
        assert page.status_code == 200
        assert 'id="id_code_error"' in page.text
        assert not is_in(client)

    def test_nobody_comes_to_the_second_step_without_the_first(self, user: User):
        client = Client()
        assert client.get(CODE).headers["Location"] == LOGIN
        assert gives(client, code(user)).headers["Location"] == LOGIN
        assert not is_in(client)

    def test_the_first_step_is_over_after_ten_minutes_and_after_a_change_of_password(self, user: User):
        for later, change in ((timedelta(minutes=11), ""), (timedelta(), "another horse battery")):
            client = Client()
            types(client, user.username)
            if change:
                user.set_password(change)
                user.save()
            with time_machine.travel(timezone.now() + later):
                assert gives(client, code(user)).headers["Location"] == LOGIN
                assert not is_in(client)

    def test_the_editor_has_the_same_door(self):
        editor = factories.make_user("editor")
        client = Client()
        assert client.get("/editor/").headers["Location"] == f"{LOGIN}?next=/editor/"
        assert types(client, editor.username, next="/editor/").headers["Location"].startswith(CODE)
        assert client.get("/editor/").status_code == 302
        assert gives(client, code(editor), next="/editor/").headers["Location"] == "/editor/"
        assert client.get("/editor/").status_code == 200
