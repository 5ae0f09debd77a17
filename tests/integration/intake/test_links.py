"""The link: who gets in, who does not, and what either learns (security requirements R1-R7, R10)."""

import hashlib
from datetime import date, timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from intake import audit, journey
from intake.patients import links
from intake.patients.models import AccessEvent, Evaluation, Invitation
from tests.factories import SETUP, make_evaluation, make_patient
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, invited, stored, told_by_headers, without_form_tokens

RIGHT = date(1986, 4, 12)
WRONG = date(1986, 4, 13)
ENDED = "This link no longer works"
CODE = "/intake/code/"
MISMATCH = "That doesn’t match what the clinic has"
SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0) Microsoft Outlook SafeLinks",
    "Mozilla/5.0 (compatible; GoogleImageProxy)",
    "Barracuda Sentinel",
    "curl/8.5.0",
    "",
)

pytestmark = pytest.mark.django_db


def open_events(invitation: Invitation, kind: str) -> int:
    with audit.audited("tests.read", by=SETUP):
        return AccessEvent.objects.filter(invitation=invitation, kind=kind).count()


def reread(invitation: Invitation) -> Invitation:
    with audit.audited("tests.read", by=SETUP):
        return Invitation.objects.select_related("evaluation").get(pk=invitation.pk)


def change(invitation: Invitation, **fields: object) -> None:
    with audit.audited("tests.changed", by=SETUP):
        Invitation.objects.filter(pk=invitation.pk).update(**fields)


# ------------------------------------------------------------ the token (R1)


def test_a_token_is_256_random_bits():
    tokens = [links.new_token() for _ in range(500)]
    assert len(set(tokens)) == 500
    assert {len(token) for token in tokens} == {43}
    # Every one of the 64 letters comes up: nothing is constant.
    assert len(set("".join(tokens))) == 64


def test_the_database_holds_no_token_only_its_hash():
    _, token = invited()
    visitor = Visitor(token).open()
    secrets = [
        token,
        visitor.client.cookies[settings.PATIENT_COOKIE_NAME].value,
        visitor.client.cookies[settings.DEVICE_COOKIE_NAME].value,
    ]
    dump = everything_as_text()
    assert [secret for secret in secrets if secret in dump] == []
    assert hashlib.sha256(token.encode()).hexdigest() in dump


def everything_as_text() -> str:
    with audit.audited("tests.read", by=SETUP), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_a_new_link_ends_the_one_before():
    invitation, first = invited()
    second = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    assert Visitor(first).look(Visitor(first).link).status_code == 404
    assert Visitor(second).type_date().status_code == 303


# ------------------------------------------------------------ looking changes nothing (R2, R3)


def test_mail_scanners_look_fifty_times_and_the_patient_still_gets_in():
    invitation, token = invited()
    before = digests()
    for number in range(50):
        visitor = Visitor(token)
        agent = {"User-Agent": SCANNERS[number % len(SCANNERS)], "Purpose": "prefetch"}
        method = ("get", "head", "options")[number % 3]
        response = getattr(visitor.client, method)(visitor.link, headers=agent)
        assert response.status_code == (405 if method == "options" else 200)
        assert settings.PATIENT_COOKIE_NAME not in response.cookies
        assert settings.DEVICE_COOKIE_NAME not in response.cookies
    assert digests() == before
    assert reread(invitation).opened_at is None
    assert Visitor(token).type_date().status_code == 303
    assert reread(invitation).opened_at is not None


def test_a_scanner_that_presses_buttons_gets_nowhere_and_wastes_no_try():
    _, token = invited()
    before = digests()
    for data in ({}, {"month": "", "day": "", "year": ""}, {"month": "x"}, {"month": "13", "day": "40"}):
        visitor = Visitor(token)
        response = visitor.client.post(visitor.link, data)
        assert response.status_code == 200
        assert settings.PATIENT_COOKIE_NAME not in response.cookies
    assert digests() == before


def test_the_page_before_the_date_tells_no_name():
    _, token = invited(patient=make_patient(given_name="Zyxgiven", family_name="Zyxfamily"))
    page = Visitor(token).look(Visitor(token).link)
    assert "Zyx" not in page.text
    assert "Dr." in page.text or "Ortiz" in page.text


def test_the_right_date_leaves_the_token_behind():
    _, token = invited()
    visitor = Visitor(token)
    response = visitor.type_date()
    assert (response.status_code, response.headers["Location"]) == (303, "/intake/start/")
    page = visitor.look("/intake/start/")
    assert page.status_code == 200
    assert token not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


# ------------------------------------------------------------ wrong dates (R4, R5)


def test_five_wrong_dates_rest_the_link_for_a_quarter_of_an_hour():
    _, token = invited()
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(5):
            assert MISMATCH in Visitor(token).type_date(WRONG).text
        assert MISMATCH in Visitor(token).type_date(RIGHT).text
        clock.shift(timedelta(minutes=14, seconds=59))
        assert MISMATCH in Visitor(token).type_date(RIGHT).text
        clock.shift(timedelta(seconds=1))
        assert Visitor(token).type_date(RIGHT).status_code == 303


def test_tries_while_the_link_rests_are_not_judged_and_do_not_prolong_it():
    invitation, token = invited()
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(5):
            Visitor(token).type_date(WRONG)
        for _ in range(20):
            clock.shift(timedelta(seconds=30))
            Visitor(token).type_date(WRONG)
        assert open_events(invitation, AccessEvent.Kind.WRONG_DATE) == 5
        assert open_events(invitation, AccessEvent.Kind.REFUSED_AT_REST) == 20
        clock.move_to(start + timedelta(minutes=15))
        assert Visitor(token).type_date(RIGHT).status_code == 303


def test_four_wrong_dates_leave_the_link_open():
    _, token = invited()
    for _ in range(4):
        Visitor(token).type_date(WRONG)
    assert Visitor(token).type_date(RIGHT).status_code == 303


def test_five_wrong_dates_spread_over_more_than_a_quarter_of_an_hour_do_not_rest_it():
    _, token = invited()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            Visitor(token).type_date(WRONG)
            clock.shift(timedelta(minutes=4))
        assert Visitor(token).type_date(RIGHT).status_code == 303


def test_ten_wrong_dates_in_a_day_end_the_link():
    invitation, token = invited(starts_at=timezone.now() + timedelta(days=7))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(10):
            assert MISMATCH in Visitor(token).type_date(WRONG).text, number
            clock.shift(timedelta(minutes=20))
        response = Visitor(token).type_date(RIGHT)
        assert response.status_code == 404
        assert ENDED in response.text
        assert reread(invitation).ended_at is not None
        clock.shift(timedelta(days=2))
        assert Visitor(token).type_date(RIGHT).status_code == 404


def test_ten_wrong_dates_over_more_than_a_day_do_not_end_it():
    _, token = invited(starts_at=timezone.now() + timedelta(days=7))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            Visitor(token).type_date(WRONG)
            clock.shift(timedelta(hours=2, minutes=41))
        assert Visitor(token).type_date(RIGHT).status_code == 303


def test_staff_can_send_a_new_link_after_the_old_one_ended():
    invitation, token = invited()
    change(invitation, ended_at=timezone.now())
    with audit.audited("tests.read", by=SETUP):
        evaluation = Evaluation.objects.get(pk=invitation.evaluation_id)
    again = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
    fresh = journey.make_link(invitation_id=again.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    assert Visitor(fresh).type_date(RIGHT).status_code == 303
    assert Visitor(token).type_date(RIGHT).status_code == 404


def test_other_links_from_the_same_phone_are_not_affected():
    _, token = invited()
    _, other = invited()
    for _ in range(6):
        Visitor(token).type_date(WRONG)
    assert Visitor(other).type_date(RIGHT).status_code == 303


def test_thirty_wrong_dates_from_one_address_rest_the_address_for_an_hour():
    tokens = [invited()[1] for _ in range(9)]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for token in tokens[:-1]:
            for _ in range(4):
                Visitor(token, REMOTE_ADDR="203.0.113.9").type_date(WRONG)
        last = tokens[-1]
        assert MISMATCH in Visitor(last, REMOTE_ADDR="203.0.113.9").type_date(RIGHT).text
        # A header that anybody can write does not help.
        spoofed = Visitor(last, REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.1")
        assert MISMATCH in spoofed.type_date(RIGHT).text
        assert Visitor(last, REMOTE_ADDR="198.51.100.1").type_date(RIGHT).status_code == 303
        clock.shift(timedelta(hours=1))
        assert Visitor(tokens[0], REMOTE_ADDR="203.0.113.9").type_date(RIGHT).status_code == 303


@pytest.mark.parametrize("forwarded", ["198.51.100.1", "evil, 198.51.100.1", "junk", "", "198.51.100.1:4711"])
def test_a_named_proxy_says_who_visits_whatever_it_says(forwarded: str, settings):
    settings.TRUSTED_PROXY = "127.0.0.1"
    invitation, token = invited()
    visitor = Visitor(token, HTTP_X_FORWARDED_FOR=forwarded)
    assert MISMATCH in visitor.type_date(WRONG).text
    with audit.audited("tests.read", by=SETUP):
        address = AccessEvent.objects.get(invitation=invitation).address
    assert address == ("198.51.100.1" if "198.51" in forwarded else None)


def test_no_count_of_tries_is_shown():
    _, token = invited()
    pages = {without_form_tokens(Visitor(token).type_date(WRONG).text) for _ in range(8)}
    assert len(pages) == 1


def test_a_wrong_date_and_a_resting_link_show_one_page():
    _, token = invited()
    wrong = Visitor(token).type_date(WRONG)
    for _ in range(4):
        Visitor(token).type_date(WRONG)
    resting = Visitor(token).type_date(WRONG)
    assert without_form_tokens(resting.text) == without_form_tokens(wrong.text)
    assert resting.status_code == wrong.status_code
    assert headers_of(resting) == headers_of(wrong)


def headers_of(response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name not in ("Content-Length", "X-Request-ID")
    }


def test_all_links_that_are_not_live_show_one_page():
    """Unknown, expired, replaced, ended, cancelled, and one whose mail was never sent: byte for byte."""
    answers = {}
    now = timezone.now()
    for name, fields in {
        "expired": {"expires_at": now - timedelta(seconds=1), "created_at": now - timedelta(days=9)},
        "replaced": {"revoked_at": now},
        "ended": {"ended_at": now},
    }.items():
        invitation, token = invited()
        change(invitation, **fields)
        answers[name] = token
    invitation, answers["cancelled"] = invited()
    with audit.audited("tests.changed", by=SETUP):
        Evaluation.objects.filter(pk=invitation.evaluation_id).update(status="cancelled")
    answers |= {"unknown": links.new_token(), "junk": "%00%ff ' OR 1=1", "short": "x", "long": "x" * 3000}
    seen = set()
    for token in answers.values():
        visitor = Visitor(token)
        for response in (visitor.look(visitor.link), visitor.type_date(RIGHT), visitor.type_date(WRONG)):
            assert response.status_code == 404
            seen.add((without_form_tokens(response.text), told_by_headers(response)))
    assert len(seen) == 1
    assert ENDED in seen.pop()[0]


# ------------------------------------------------------------ other devices (R6)

ABOUT = {"why.main-problem": ["knee"], "why.story": ["Zyxstory"]}


def test_another_device_is_not_let_to_stored_answers():
    invitation, token = invited()
    Visitor(token).open().save("about", ABOUT)
    assert stored(invitation).answers["why.story"] == ["Zyxstory"]
    other = Visitor(token)
    response = other.type_date()
    assert (response.status_code, response.headers["Location"]) == (303, CODE)
    assert "Zyxstory" not in response.text
    assert settings.PATIENT_COOKIE_NAME not in response.cookies
    assert other.look("/intake/").status_code == 403
    assert open_events(invitation, AccessEvent.Kind.OTHER_DEVICE) == 1


def test_the_same_device_goes_on_where_it_was():
    _, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", ABOUT)
    del visitor.client.cookies[settings.PATIENT_COOKIE_NAME]
    visitor.open()
    assert "Zyxstory" in visitor.page("about").text


def test_another_device_may_begin_while_nothing_is_stored():
    _, token = invited()
    Visitor(token).open()
    assert Visitor(token).type_date().status_code == 303


def test_stored_answers_stay_closed_also_beside_an_empty_form():
    """A form that was given up without an answer does not open the one with answers."""
    invitation, token = invited()
    Visitor(token).open()
    with audit.audited("tests.made", by=SETUP):
        from intake.responses.models import QuestionnaireResponse

        QuestionnaireResponse.objects.create(
            evaluation_id=invitation.evaluation_id,
            invitation=invitation,
            questionnaire=invitation.questionnaire,
            status="stopped",
        )
    Visitor(token).open().save("about", ABOUT)
    assert Visitor(token).type_date().headers["Location"] == CODE


def test_a_device_is_known_for_its_own_visit_only():
    _, token = invited()
    _, other_token = invited()
    Visitor(token).open().save("about", ABOUT)
    stranger = Visitor(other_token).open()
    stranger.token = token
    assert stranger.type_date().headers["Location"] == CODE


# ------------------------------------------------------------ how long it lives (R7), sessions (R10)


def test_the_link_lives_until_a_day_after_the_visit():
    starts_at = timezone.now() + timedelta(days=3)
    evaluation = make_evaluation(starts_at=starts_at)
    invitation = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
    token = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    with time_machine.travel(starts_at + timedelta(hours=24) - timedelta(seconds=1), tick=False) as clock:
        visitor = Visitor(token).open()
        clock.shift(timedelta(seconds=2))
        assert Visitor(token).type_date().status_code == 404
        assert visitor.look("/intake/").status_code == 403


@pytest.mark.parametrize("how", ["revoked", "ended", "expired", "new link", "cancelled"])
def test_an_open_session_ends_with_its_link_at_the_next_request(how: str):
    invitation, token = invited()
    visitor = Visitor(token).open()
    assert visitor.look("/intake/").status_code == 200
    now = timezone.now()
    if how == "revoked":
        change(invitation, revoked_at=now)
    elif how == "ended":
        change(invitation, ended_at=now)
    elif how == "expired":
        change(invitation, expires_at=now - timedelta(seconds=1), created_at=now - timedelta(days=1))
    elif how == "new link":
        journey.invite(evaluation=reread(invitation).evaluation, by=SETUP, mail=False)
    else:
        with audit.audited("tests.changed", by=SETUP):
            Evaluation.objects.filter(pk=invitation.evaluation_id).update(status="cancelled")
    response = visitor.look("/intake/")
    assert response.status_code == 403
    assert "Open your link again" in response.text
    # One page for all of these, which is true of each.
    assert "or when we send you a newer link" in response.text
    assert "the link in our newest e-mail" in response.text


def test_a_session_is_over_after_half_an_hour_without_a_request():
    _, token = invited()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = Visitor(token).open()
        for _ in range(3):
            clock.shift(timedelta(minutes=29, seconds=59))
            assert visitor.look("/intake/").status_code == 200
        clock.shift(timedelta(minutes=30))
        assert visitor.look("/intake/").status_code == 403
        assert visitor.save("about", ABOUT).status_code == 403
        assert visitor.autosave("about", ABOUT).status_code == 403


def test_a_session_is_over_after_four_hours_whatever_happens():
    _, token = invited(starts_at=timezone.now() + timedelta(days=1))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = Visitor(token).open()
        for _ in range(11):
            clock.shift(timedelta(minutes=20))
            assert visitor.save("about", ABOUT).status_code == 200
        clock.shift(timedelta(minutes=20))
        assert visitor.look("/intake/").status_code == 403
        # What was saved is there once the link is opened again.
        visitor.open()
        assert "Zyxstory" in visitor.page("about").text


def test_leaving_ends_the_session_and_a_copied_cookie_opens_nothing():
    _, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", ABOUT)
    stolen = visitor.client.cookies[settings.PATIENT_COOKIE_NAME].value
    response = visitor.client.post(reverse("intake:leave"))
    assert (response.status_code, response.headers["Location"]) == (303, reverse("intake:left"))
    assert response.cookies[settings.PATIENT_COOKIE_NAME].value == ""
    assert '"cache"' in response.headers["Clear-Site-Data"]
    thief = Visitor(token)
    thief.client.cookies[settings.PATIENT_COOKIE_NAME] = stolen
    page = thief.page("about")
    assert page.status_code == 403
    assert "Zyxstory" not in page.text


@pytest.mark.parametrize(
    "cookie", ["", "x", "x" * 4000, "\u00e9\u00e9", '"\\000\\000abcdefgh"', "' OR 1=1 --", "../../etc/passwd"]
)
def test_a_cookie_that_is_no_session_opens_nothing(cookie: str):
    _, token = invited()
    Visitor(token).open()
    visitor = Visitor()
    names = (settings.PATIENT_COOKIE_NAME, settings.DEVICE_COOKIE_NAME, settings.SESSION_COOKIE_NAME)
    header = {"Cookie": "; ".join(f"{name}={cookie}" for name in names)}
    assert visitor.look("/intake/", headers=header).status_code == 403
    assert visitor.look("/staff/", headers=header).status_code == 302
    visitor.token = token
    assert visitor.type_date(headers=header).status_code == 303


def test_opening_writes_one_line_by_the_patient_and_a_wrong_date_one_by_nobody_that_names_the_link():
    invitation, token = invited()
    Visitor(token).type_date(WRONG)
    Visitor(token).open()
    tried = audit.AuditEvent.objects.get(action="link.wrong-date")
    assert (tried.actor_kind, tried.actor_id) == ("anonymous", "")
    assert tried.detail == {"outcome": "Mismatch", "event": "wrong-date"}
    assert tried.objects_seen == {"invitation": [str(invitation.pk)]}
    opened = audit.AuditEvent.objects.get(action="session.opened")
    assert (opened.actor_kind, opened.actor_id) == ("patient", str(invitation.pk))
    assert opened.objects_seen == {
        "invitation": [str(invitation.pk)],
        "evaluation": [str(invitation.evaluation_id)],
    }
