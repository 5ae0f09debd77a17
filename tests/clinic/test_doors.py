"""R11-R16: the staff's doors, from the password to the end of a session."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from clinic import demo
from clinic.door import factors, throttle
from clinic.door.stepup import PROVED_AT
from clinic.models import User
from clinic.people import staff as people
from intake import audit
from intake.audit import AuditEvent
from tests import factories
from tests.totp import code_at

pytestmark = pytest.mark.django_db

LOGIN = "/staff/login/"
CODE = "/staff/login/code/"
ENROL = "/staff/account/app/"
ACCOUNT = "/staff/account/"
PROVE = "/staff/prove/"
# A page that asks the database nothing by itself.
CHEAP = "/staff/jsi18n/"
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

    @pytest.mark.parametrize(
        "typed", ["Pat.Reed@Clinic.Example", " pat.reed@clinic.example ", "PAT.REED@clinic.example"]
    )
    def test_an_address_is_the_same_whatever_its_capitals(self, typed: str):
        user = factories.make_user("physio", username="pat.reed@clinic.example")
        client = Client()
        assert types(client, typed).headers["Location"].startswith(CODE)
        assert gives(client, code(user)).status_code == 302
        # The device is known by any of its spellings too.
        client.post("/staff/logout/")
        for _ in range(5):
            types(Client(), user.username, "wrong horse battery")
        assert types(client, typed).status_code == 302

    def test_a_name_that_is_no_address_is_compared_as_it_is(self):
        factories.make_user("physio", username="Reed")
        assert types(Client(), " Reed ").status_code == 302
        assert NOT_RIGHT in types(Client(), "reed").text

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


class TestTheFirstFactor:
    @pytest.fixture
    def newcomer(self, db: None) -> Client:
        user = factories.make_user("physio", enrolled=False)
        client = Client()
        assert types(client, user.username, next=WORKLIST).headers["Location"] == WORKLIST
        client.user = user
        return client

    def test_every_url_leads_to_the_page_that_sets_one_up(self, newcomer: Client):
        """R11: the crawl, as somebody who has a password alone."""
        wrong = {}
        for path in every_path():
            for method in ("GET", "POST"):
                answer = newcomer.generic(method, path)
                where = answer.headers.get("Location", "").split("?")[0]
                if where != ENROL:
                    wrong[f"{method} {path}"] = (answer.status_code, where)
        assert wrong == {}

    def test_the_page_itself_asks_nothing_about_patients(self, newcomer: Client):
        before = last()
        page = newcomer.get(ENROL)
        assert page.status_code == 200
        assert "urgent" not in page.text
        assert lines(before) == []

    def test_setting_up_an_app_shows_ten_codes_once_and_leads_on(self, newcomer: Client):
        page = newcomer.get(ENROL, {"next": WORKLIST})
        secret = shown_key(page.text)
        before = last()
        assert "That did not fit" in newcomer.post(ENROL, {"code": "000000"}).text
        answer = newcomer.post(ENROL, {"code": code_at(secret, time.time()), "next": WORKLIST})
        shown = newcomer.get(answer.headers["Location"])
        codes = re.findall(r"<li>(\d{8})</li>", shown.text)
        assert len(set(codes)) == 10
        assert f'href="{WORKLIST}"' in shown.text
        assert all(text in shown.text.split("data:text/plain")[1].split('"')[0] for text in codes)
        assert is_in(newcomer)
        assert codes[0] not in newcomer.get(answer.headers["Location"]).text
        assert lines(before)[:2] == ["factor.added", "recovery.made"]

    @pytest.mark.parametrize(("way_on", "words"), [(WORKLIST, "Go on"), ("", "Back to your account")])
    def test_shown_again_the_page_of_the_codes_leads_on(self, user: User, way_on: str, words: str):
        client = signs_in(user)
        page = client.get("/staff/account/recovery/", {"next": way_on}).text
        assert "Make fresh codes" in page
        assert re.search(rf'<a class="[^"]*" href="{way_on or ACCOUNT}">{words}</a>', page)

    def test_the_secret_is_not_to_be_read_in_the_database(self, newcomer: Client):
        secret = shown_key(newcomer.get(ENROL).text)
        newcomer.post(ENROL, {"code": code_at(secret, time.time())})
        found = factors.of(newcomer.user)
        assert factors.secret_of(found.app) == secret
        assert secret not in str(found.app.data)

    def test_a_password_is_not_changed_before(self, newcomer: Client):
        assert newcomer.get("/staff/password_change/").headers["Location"].startswith(ENROL)


def shown_key(page: str) -> str:
    return re.search(r'id="key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")


def every_path() -> Iterator[str]:
    """Every URL of the staff and of the editor but where one gets a factor, and out, and an invitation."""
    from clinic.door.gate import INVITED, open_doors
    from tests.architecture.test_editor_urls import path_of_route
    from tests.architecture.urlconf import editor_patterns, patterns

    for pattern in (*patterns(), *editor_patterns()):
        path = path_of_route(pattern.route.replace("<path:object_id>", "1"))
        inside = path.startswith(("/staff/", "/editor/")) and not path.startswith(INVITED)
        if inside and path not in open_doors():
            yield path


def make_passkey(user: User) -> None:
    """One of a device that nobody here has."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    made = AttestedCredentialData.create(Aaguid.NONE, b"a key of nobody ", key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(b"0" * 32, flags, 0, made)
    said = CollectedClientData.create(CollectedClientData.TYPE.CREATE, b"any", "https://clinic.example")
    answer = {
        "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        "clientDataJSON": websafe_encode(said),
    }
    credential = {"rawId": websafe_encode(made.credential_id), "type": "public-key", "response": answer}
    Authenticator.objects.create(
        user=user, type=factors.PASSKEY, data={"name": "Key", "credential": credential}
    )


class TestThrottle:
    """R14: what is wrong is counted, in the database."""

    def test_wrong_unknown_and_resting_are_the_same_page(self, user: User):
        client = Client()
        pages = {plain(types(Client(), "nobody-has-this-name", "x" * 12))}
        pages |= {plain(types(client, user.username, "wrong horse battery")) for _ in range(7)}
        pages.add(plain(types(client, user.username)))
        assert len(pages) == 1
        assert NOT_RIGHT in pages.pop()

    def test_after_five_wrong_ones_the_right_one_waits_fifteen_minutes(self, user: User):
        client = Client()
        for _ in range(5):
            types(client, user.username, "wrong horse battery")
        with time_machine.travel(timezone.now() + timedelta(minutes=14)):
            assert NOT_RIGHT in types(client, user.username).text
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert types(client, user.username).status_code == 302

    def test_however_an_address_is_written_its_tries_are_counted_as_one(self):
        address = "pat.reed@clinic.example"
        factories.make_user("physio", username=address)
        for typed in (address, address.upper(), address.title(), f" {address}", f"{address.upper()} "):
            page = types(Client(), typed, "wrong horse battery")
            assert NOT_RIGHT in page.text
        assert NOT_RIGHT in types(Client(), address).text
        assert lines().count("signin.locked-out") == 1

    def test_a_right_one_does_not_count(self, user: User):
        for _ in range(7):
            assert types(Client(), user.username).status_code == 302

    def test_a_stranger_closes_it_neither_elsewhere_nor_on_a_known_device(self, user: User):
        known = signs_in(user)
        known.post("/staff/logout/")
        for _ in range(6):
            types(Client(), user.username, "wrong horse battery")
        assert NOT_RIGHT in types(Client(), user.username).text
        assert types(Client(REMOTE_ADDR=ELSEWHERE), user.username).status_code == 302
        assert types(known, user.username).status_code == 302

    def test_a_device_is_not_known_for_others_nor_after_logging_out_everywhere(self, user: User):
        known = signs_in(user)
        known.post("/staff/account/everywhere/")
        other = factories.make_user("front desk")
        for name in (user.username, other.username):
            for _ in range(5):
                types(Client(), name, "wrong horse battery")
            assert NOT_RIGHT in types(known, name).text

    def test_too_many_from_one_address_is_said_with_when_to_come_again(self, user: User, monkeypatch):
        monkeypatch.setattr(throttle, "ADDRESS", throttle.Limit("signin.address", 7, timedelta(minutes=15)))
        client = Client(REMOTE_ADDR=ELSEWHERE)
        for number in range(throttle.ADDRESS.tries):
            assert types(client, f"nobody-{number}", "x").status_code == 200
        answer = types(client, user.username)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
        assert types(Client(), user.username).status_code == 302

    def test_five_wrong_codes_lock_the_second_step_for_fifteen_minutes(self, user: User):
        """J5.1."""
        client = Client()
        types(client, user.username)
        for _ in range(4):
            assert gives(client, wrong(user)).status_code == 200
        answer = gives(client, wrong(user))
        assert answer.status_code == 429
        assert 14 * 60 < int(answer.headers["Retry-After"]) <= 15 * 60
        assert gives(client, code(user)).status_code == 429
        elsewhere = Client(REMOTE_ADDR=ELSEWHERE)
        types(elsewhere, user.username)
        assert elsewhere.get(CODE).status_code == 429
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert types(client, user.username).status_code == 302
            assert gives(client, code(user)).status_code == 302

    def test_while_it_rests_trying_again_keeps_the_way_on(self, user: User):
        client = Client()
        types(client, user.username, next=WORKLIST + "?day=coming&q=1")
        for _ in range(5):
            page = gives(client, wrong(user), next=WORKLIST + "?day=coming&q=1")
        way = f"{CODE}?next={quote(WORKLIST + '?day=coming&q=1', safe='')}"
        for answer in (page, client.get(way)):
            assert answer.status_code == 429
            assert f'href="{way}"' in answer.text
        assert f'href="{CODE}"' in client.get(CODE).text

    def test_a_reset_by_the_owner_ends_that_rest(self, user: User):
        client = Client()
        types(client, user.username)
        assert [gives(client, wrong(user)).status_code for _ in range(5)][-1] == 429
        people.reset_factor(user=user, by=audit.staff(factories.make_user("owner")))
        types(client, user.username)
        secret = shown_key(client.get(ENROL).text)
        assert client.post(ENROL, {"code": code_at(secret, time.time())}).status_code == 303
        client.post("/staff/logout/")
        again = Client()
        types(again, user.username)
        assert again.get(CODE).status_code == 200
        assert gives(again, code_at(secret, time.time())).status_code == 302
        assert is_in(again)

    def test_guesses_from_everywhere_wait_too_but_not_on_a_known_device(self, user: User, monkeypatch):
        monkeypatch.setattr(throttle, "ACCOUNT", throttle.Limit("signin.account", 6, timedelta(hours=1)))
        known = signs_in(user)
        known.post("/staff/logout/")
        for number in range(6):
            types(Client(REMOTE_ADDR=f"198.51.100.{number}"), user.username, "wrong horse battery")
        assert NOT_RIGHT in types(Client(REMOTE_ADDR=ELSEWHERE), user.username).text
        assert types(known, user.username).status_code == 302


def plain(answer: HttpResponse) -> str:
    """The page without its token and the name that was typed."""
    assert answer.status_code == 200
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.text)
    return re.sub(r'(name="username"[^>]*?) value="[^"]*"', r"\1", text)


class TestSessions:
    """R15."""

    def test_without_use_it_ends_after_fifteen_minutes_and_leads_back(self, user: User):
        client = signs_in(user)
        with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
            asked = client.get(WORKLIST + "?day=coming")
            assert asked.headers["Location"].startswith(LOGIN)
            assert "day%3Dcoming" in asked.headers["Location"]

    def test_used_it_goes_on_for_twelve_hours(self, user: User):
        client, began = signs_in(user), timezone.now()
        for minutes in range(13, 12 * 60, 13):
            with time_machine.travel(began + timedelta(minutes=minutes)):
                assert client.get(CHEAP).status_code == 200
        with time_machine.travel(began + timedelta(hours=12, seconds=1)):
            assert not is_in(client)

    def test_what_pages_ask_by_themselves_keeps_nothing_alive(self, user: User):
        client, began = signs_in(user), timezone.now()
        for minutes in range(1, 15):
            with time_machine.travel(began + timedelta(minutes=minutes)):
                assert client.get("/staff/urgent/").status_code == 200
        with time_machine.travel(began + timedelta(minutes=15, seconds=1)):
            assert client.get("/staff/urgent/").status_code == 302

    def test_what_somebody_touched_does(self, user: User):
        client, began = signs_in(user), timezone.now()
        with time_machine.travel(began + timedelta(minutes=10)):
            client.get("/staff/urgent/?here")
        with time_machine.travel(began + timedelta(minutes=20)):
            assert is_in(client)

    def test_using_it_is_written_once_a_minute_at_most(self, user: User, django_assert_num_queries):
        client, began = signs_in(user), timezone.now()
        with time_machine.travel(began + timedelta(seconds=50)), django_assert_num_queries(1):
            client.get(CHEAP)

    def test_whoever_is_deactivated_is_out_at_the_next_request(self, user: User):
        other = factories.make_user("physio")
        first, second = signs_in(user), signs_in(other)
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert not is_in(first)
        assert is_in(second)

    def test_logging_out_everywhere_ends_all_of_ones_own(self, user: User):
        first, second = signs_in(user), Client()
        second.force_login(user)
        other = signs_in(factories.make_user("physio"))
        assert first.post("/staff/account/everywhere/").headers["Location"] == LOGIN
        assert (is_in(first), is_in(second), is_in(other)) == (False, False, True)

    @pytest.mark.parametrize("path", ["/staff/logout/", "/staff/account/everywhere/"])
    def test_logged_out_the_sign_in_says_so_once(self, user: User, path: str):
        client = signs_in(user)
        client.cookies["sought"] = "somebody"
        answer = client.post(path, {"next": "/staff/intake/patient/"})
        assert (answer.status_code, answer.headers["Location"]) == (303, LOGIN)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Clear-Site-Data"] == '"cache"'
        assert answer.cookies["sought"].value == ""
        assert "You are logged out" in client.get(LOGIN).text
        assert "You are logged out" not in client.get(LOGIN).text
        assert not is_in(client)

    def test_only_a_button_logs_out(self, user: User):
        client = signs_in(user)
        assert client.get("/staff/logout/").status_code == 405
        assert is_in(client)
        forged = Client(enforce_csrf_checks=True)
        forged.force_login(user)
        assert forged.post("/staff/logout/").status_code == 403
        assert is_in(forged)

    def test_a_new_password_ends_the_others(self, user: User):
        first, second = signs_in(user), Client()
        second.force_login(user)
        new = "a wholly new battery"
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert first.post("/staff/password_change/", fields).status_code == 303
        assert (is_in(first), is_in(second)) == (True, False)

    def test_a_new_factor_ends_the_others(self, user: User):
        first, second = signs_in(user), Client()
        second.force_login(user)
        secret = shown_key(first.get(ENROL).text)
        assert first.post(ENROL, {"code": code_at(secret, time.time())}).status_code == 303
        assert (is_in(first), is_in(second)) == (True, False)
        fresh = Client()
        types(fresh, user.username)
        assert gives(fresh, code(user, 1)).status_code == 200
        assert gives(fresh, code_at(secret, time.time())).status_code == 302


class TestStepUp:
    """R16."""

    @pytest.fixture
    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def test_signing_in_is_fresh_for_five_minutes(self, user: User):
        client = signs_in(user)
        assert client.get(ENROL).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
            assert client.get(ENROL).headers["Location"].startswith(PROVE)

    def test_a_code_leads_back_to_the_page_that_asked(self, user: User, client: Client):
        asked = client.get(ENROL + "?next=/staff/account/").headers["Location"]
        assert client.get(asked).status_code == 200
        page = gives(client, wrong(user), PROVE, next=ENROL)
        assert "That did not fit" in page.text
        assert f'name="next" value="{ENROL}"' in page.text
        answer = gives(client, code(user), PROVE, next=ENROL)
        assert (answer.status_code, answer.headers["Location"]) == (303, ENROL)
        assert client.get(ENROL).status_code == 200

    def test_five_wrong_ones_rest(self, user: User, client: Client):
        answers = [gives(client, wrong(user), PROVE).status_code for _ in range(5)]
        assert answers == [200, 200, 200, 200, 429]
        assert gives(client, code(user), PROVE).status_code == 429
        assert PROVED_AT not in client.session
        # It does not throw anybody out.
        assert is_in(client)

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/staff/",
            "/\\evil.example",
            "javascript:alert(1)",
            "/staff/\r\nX: y",
            "/intake/",
            "/",
            "staff/",
            "http://testserver/staff/",
            "/staff\t/",
        ],
    )
    def test_it_leads_nowhere_else(self, user: User, client: Client, target: str):
        answer = gives(client, code(user), PROVE, next=target)
        assert (answer.status_code, answer.headers["Location"]) == (303, ACCOUNT)

    def test_a_recovery_code_works_once(self, user: User, client: Client):
        codes = factors.new_recovery_codes(user)
        typed = f"{codes[3][:4]} {codes[3][4:]}"
        assert gives(client, typed, PROVE).status_code == 303
        assert gives(client, codes[3], PROVE).status_code == 200
        fresh = Client()
        types(fresh, user.username)
        assert gives(fresh, codes[3]).status_code == 200
        assert gives(fresh, codes[4]).status_code == 302
        assert factors.of(user).codes_left == 8

    def test_whoever_has_passkeys_alone_is_asked_for_no_app(self, user: User, client: Client):
        page = client.get(PROVE).text
        assert "Six numbers from your authenticator app, or one of your recovery codes." in page
        assert "Type the code that the app shows now." in gives(client, "000000", PROVE).text
        factors.of(user).app.delete()
        make_passkey(user)
        codes = factors.new_recovery_codes(user)
        page = client.get(PROVE).text
        assert ">Recovery code</label>" in page
        assert "authenticator app" not in page
        assert "one-time-code" not in page
        refused = gives(client, "00000000", PROVE).text
        assert "That did not fit. Type a recovery code that you have not used." in refused
        assert "the app" not in refused
        assert gives(client, codes[0], PROVE).status_code == 303

    def test_the_last_factor_stays(self, user: User, client: Client):
        app = factors.of(user).app
        path = f"/staff/account/remove/{app.pk}/"
        assert client.post(path).headers["Location"].startswith(PROVE)
        gives(client, code(user), PROVE)
        assert "The last one stays" in client.post(path, follow=True).text
        assert factors.of(user).app == app

    def test_a_factor_of_somebody_else_is_not_there(self, user: User, client: Client):
        other = factories.make_user("physio")
        assert client.post(f"/staff/account/remove/{factors.of(other).app.pk}/").status_code == 404


class TestTheTrail:
    """R23: each of these is one line."""

    def test_of_signing_in_and_out(self, user: User):
        before, client = last(), Client()
        types(client, user.username, "wrong horse battery")
        types(client, "Zyxnobody", "wrong horse battery")
        types(client, user.username)
        gives(client, wrong(user))
        gives(client, code(user))
        client.post("/staff/logout/")
        found = list(AuditEvent.objects.filter(pk__gt=before).order_by("pk"))
        assert [line.action for line in found] == [
            "signin.failed",
            "signin.failed",
            "signin.failed",
            "signin.done",
            "signout.done",
        ]
        account = {"staff": [str(user.pk)]}
        assert [line.objects_seen for line in found] == [account, {}, account, account, account]
        assert [line.actor_kind for line in found] == ["anonymous"] * 3 + ["staff"] * 2
        everything = str([(line.objects_seen, line.detail) for line in found])
        assert "Zyxnobody" not in everything
        assert user.username not in everything

    def test_of_a_lock_there_is_one_and_none_of_what_is_not_judged(self, user: User):
        before, client = last(), Client()
        for _ in range(9):
            types(client, user.username, "wrong horse battery")
        assert lines(before) == ["signin.failed"] * 4 + ["signin.locked-out"]
        before = last()
        client = Client(REMOTE_ADDR=ELSEWHERE)
        types(client, user.username)
        for _ in range(9):
            gives(client, wrong(user))
        assert lines(before) == ["signin.failed"] * 4 + ["signin.locked-out"]

    def test_of_proving_it_anew_and_of_a_recovery_code(self, user: User):
        client = Client()
        client.force_login(user)
        codes = factors.new_recovery_codes(user)
        before = last()
        gives(client, wrong(user), PROVE)
        gives(client, code(user), PROVE)
        assert lines(before) == ["stepup.failed", "stepup.done"]
        before = last()
        gives(client, codes[0], PROVE)
        assert lines(before) == ["recovery.used", "stepup.done"]

    def test_of_what_is_changed(self, user: User):
        client, before = signs_in(user), last()
        secret = shown_key(client.get(ENROL).text)
        client.post(ENROL, {"code": code_at(secret, time.time())})
        assert lines(before) == ["factor.replaced", "recovery.made"]
        before = last()
        client.post("/staff/account/recovery/")
        assert lines(before) == ["recovery.made"]
        before, new = last(), "a wholly new battery"
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        client.post("/staff/password_change/", {**fields, "old_password": "x"})
        client.post("/staff/password_change/", fields)
        assert lines(before) == ["password.changed"]
        before = last()
        client.post("/staff/account/everywhere/")
        assert lines(before) == ["signout.everywhere"]

    def test_of_a_reset_by_somebody_else(self, user: User):
        client, before = signs_in(user), last()
        people.reset_factor(user=user, by=audit.staff(factories.make_user("owner")))
        assert lines(before) == ["staff.factor-reset"]
        assert not is_in(client)
        assert types(client, user.username).headers["Location"] == "/staff/"
        assert client.get(WORKLIST).headers["Location"].startswith(ENROL)


class TestDoors:
    """R12: whatever signs somebody in asks for both steps."""

    def test_no_other_page_signs_in_or_resets_a_password(self):
        from tests.architecture.urlconf import editor_patterns, patterns

        words = ("login", "sign", "password", "reset", "auth")
        found = {one.key for one in patterns() if any(word in one.key for word in words)}
        assert found == {
            "admin:login",
            "admin:login_code",
            "admin:password_change",
            "admin:password_change_done",
        }
        client = Client()
        for one in editor_patterns():
            if any(word in one.key for word in words):
                path = "/" + re.sub(r"[<(].*", "1/", one.route)
                assert client.post(path).headers["Location"].startswith(LOGIN), one.key

    def test_the_cookie_of_a_known_device_says_nothing_and_opens_nothing(self, user: User):
        client = signs_in(user)
        cookie = client.cookies[settings.KNOWN_COOKIE_NAME]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert user.username not in cookie.value
        other = Client()
        other.cookies[settings.KNOWN_COOKIE_NAME] = cookie.value
        assert not is_in(other)
        other.cookies[settings.KNOWN_COOKIE_NAME] = cookie.value + "x"
        assert other.get(reverse("admin:login")).status_code == 200
        assert types(other, user.username).status_code == 302


def test_the_demos_staff_come_with_an_app_and_keep_it():
    rows = demo.make_staff({})
    assert demo.make_staff({row["username"]: row for row in rows}) == rows
    for row in rows:
        client = Client()
        types(client, row["username"], row["password"])
        gives(client, code_at(row["totp"], time.time()))
        assert client.get(ACCOUNT).status_code == 200
    # A key that is not the account's, as after `.local` came from elsewhere, becomes it.
    row = {**rows[0], "totp": factors.new_secret()}
    assert demo.make_staff({row["username"]: row})[0]["totp"] == row["totp"]
    assert factors.has_app_with(User.objects.get(username=row["username"]), row["totp"])


def test_the_page_of_the_password_tells_what_is_wrong(user: User):
    client = signs_in(user)
    fields = {"old_password": "not this", "new_password1": "short", "new_password2": "short"}
    page = client.post("/staff/password_change/", fields).text
    assert 'id="id_old_password_error"' in page
    assert 'id="id_new_password2_error"' in page
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.deep
def test_a_thousand_guesses_are_five(user: User):
    before = last()
    for number in range(1_000):
        types(Client(), user.username, f"guess number {number}")
    assert lines(before) == ["signin.failed"] * 4 + ["signin.locked-out"]
