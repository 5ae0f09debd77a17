"""J9.11: a code from the front desk opens a form on the clinic's tablet, which keeps nothing of it."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients import tablet
from intake.patients.models import (
    AccessEvent,
    Evaluation,
    Invitation,
    PatientSession,
    TabletCode,
    TabletTry,
)
from intake.questionnaires.load import active_questionnaire
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF, make_evaluation, make_response, make_user
from tests.integration.intake.visitor import AUTOSAVE, Visitor, filled_in, invited, stored
from tests.log_lines import log_lines

pytestmark = pytest.mark.django_db

START = "/intake/tablet/"
BORN = {"month": "4", "day": "12", "year": "1986"}
WRONG_DATE = {**BORN, "day": "13"}
NO_CODE = "That code doesn’t work."
QUESTION = "Is it you?"


@pytest.fixture
def evaluation(db: None) -> Evaluation:
    return make_evaluation()


def start(evaluation: Evaluation, role: str = "front desk") -> tablet.Started:
    by = make_user(role, username=f"{role}-{uuid.uuid4().hex[:8]}")
    return journey.start_tablet(evaluation=evaluation, by=audit.staff(by))


def wrong(started: tablet.Started, by: int = 1) -> str:
    return f"{(int(started.digits) + by) % 10**6:06}"


def types(client: Client, digits: str, **more: str) -> HttpResponse:
    return client.post(START, {"code": digits, **more})


def opened(evaluation: Evaluation) -> Visitor:
    """The tablet in the patient's hand, at the start of the form."""
    visitor = Visitor()
    answer = types(visitor.client, start(evaluation).digits, **BORN)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/intake/start/"
    return visitor


def kinds(action: str) -> list[dict[str, object]]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk").values_list("detail", flat=True))


def rows(model, **wanted) -> list:
    with audit.audited("tests.read", by=SETUP):
        return list(model.objects.filter(**wanted))


@contextmanager
def later(**time: float) -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(**time)):
        yield


# ---- the code


def test_the_code_then_the_date_of_birth_open_the_form(evaluation: Evaluation) -> None:
    started, client = start(evaluation), Client()
    page = types(client, f"{started.digits[:3]} {started.digits[3:]}")
    assert QUESTION in page.text
    assert "Casey" not in page.text
    assert settings.PATIENT_COOKIE_NAME not in page.cookies
    answer = types(client, started.digits, **BORN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/intake/start/")
    assert client.get("/intake/start/").status_code == 200
    [session] = rows(PatientSession)
    assert session.on_tablet
    assert kinds("tablet.opened") == [{"outcome": "Opened"}]
    assert AuditEvent.objects.get(action="tablet.started").actor_kind == "staff"


def test_the_qr_code_is_used_up_by_no_look(evaluation: Evaluation) -> None:
    started, client = start(evaluation), Client()
    path = f"{START}{started.token}/"
    for _ in range(3):
        assert client.head(path).status_code == 200
        assert QUESTION in client.get(path).text
    assert rows(PatientSession) == []
    assert client.post(path, BORN).status_code == 303
    assert Client().get(path).status_code == 404
    assert NO_CODE in Client().post(path, BORN).text


def test_a_code_works_once(evaluation: Evaluation) -> None:
    started = start(evaluation)
    assert types(Client(), started.digits, **BORN).status_code == 303
    for more in ({}, BORN):
        assert NO_CODE in types(Client(), started.digits, **more).text
    assert len(rows(PatientSession)) == 1


def test_a_code_works_for_five_minutes(evaluation: Evaluation) -> None:
    started = start(evaluation)
    with later(minutes=4, seconds=50):
        assert QUESTION in types(Client(), started.digits).text
    with later(minutes=5, seconds=1):
        assert NO_CODE in types(Client(), started.digits, **BORN).text
        assert Client().get(f"{START}{started.token}/").status_code == 404


def test_another_code_ends_the_one_before_and_no_other_visits(evaluation: Evaluation) -> None:
    first, other, second = start(evaluation), start(make_evaluation()), start(evaluation)
    assert NO_CODE in types(Client(), first.digits).text
    assert QUESTION in types(Client(), second.digits).text
    assert QUESTION in types(Client(), other.digits).text


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "\x00" * 6])
def test_what_is_no_code_is_no_try(evaluation: Evaluation, typed: str) -> None:
    start(evaluation)
    page = types(Client(), typed)
    assert (page.status_code, "Enter the 6 numbers" in page.text) == (200, True)
    assert rows(TabletTry) == []


def test_three_wrong_codes_end_it(evaluation: Evaluation) -> None:
    started = start(evaluation)
    for number in (1, 2, 3):
        assert NO_CODE in types(Client(), wrong(started, number)).text
    # In another browser too: what counts is the address, and it is kept in the database.
    assert NO_CODE in types(Client(), started.digits, **BORN).text
    # A new one works at once.
    assert QUESTION in types(Client(), start(evaluation).digits).text


def test_a_stranger_elsewhere_does_not_end_it(evaluation: Evaluation) -> None:
    started = start(evaluation)
    for number in range(1, 6):
        types(Client(REMOTE_ADDR="203.0.113.9"), wrong(started, number))
    assert len(rows(TabletTry)) == 3, "the others were not judged"
    assert QUESTION in types(Client(), started.digits).text
    # Thirty from all over do.
    for number in range(6, 33):
        types(Client(REMOTE_ADDR=f"198.51.100.{number}"), wrong(started, number))
    assert NO_CODE in types(Client(), started.digits).text
    assert len(rows(TabletTry)) == 30
    # The QR code cannot be guessed, so it goes on.
    assert QUESTION in Client().get(f"{START}{started.token}/").text


def test_a_wrong_date_counts_at_the_link(evaluation: Evaluation) -> None:
    started = start(evaluation)
    for _ in range(5):
        page = types(Client(), started.digits, **WRONG_DATE)
        assert "doesn’t match" in page.text
        assert 'value="13"' in page.text
    # It rests: the right one is refused too, in the same words.
    assert "doesn’t match" in types(Client(), started.digits, **BORN).text
    events = [event.kind for event in rows(AccessEvent)]
    assert events == [AccessEvent.Kind.WRONG_DATE] * 5 + [AccessEvent.Kind.REFUSED_AT_REST]
    assert "Enter a real date" in types(Client(), started.digits, month="13", day="40", year="1986").text


def test_only_hashes_are_kept_and_what_was_used_stays(evaluation: Evaluation) -> None:
    started = start(evaluation)
    [code] = rows(TabletCode)
    kept = b"".join(bytes(part) for part in (code.code_hash, code.token_hash))
    assert len(kept) == 64
    assert started.digits.encode() not in kept
    types(Client(), started.digits, **BORN)
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        audit.audited("tests.change", by=SETUP),
    ):
        TabletCode.objects.update(used_at=None)


def test_a_link_that_is_out_goes_on_working() -> None:
    invitation, token = invited()
    start(invitation.evaluation)
    assert rows(Invitation) == [invitation]
    Visitor(token).open()


def test_a_cancelled_visit_opens_nothing(evaluation: Evaluation) -> None:
    started = start(evaluation)
    with audit.audited("tests.cancelled", by=SETUP):
        Evaluation.objects.update(status=Evaluation.Status.CANCELLED)
    assert NO_CODE in types(Client(), started.digits, **BORN).text


def test_no_log_line_holds_the_token_of_the_qr_code(evaluation: Evaluation) -> None:
    started = start(evaluation)
    with log_lines() as written:
        path = f"{START}{started.token}/"
        assert Client(enforce_csrf_checks=True).post(path, BORN).status_code == 403
    printed = written.getvalue()
    assert "/intake/tablet/.../" in printed
    assert started.token not in printed
    # Forgery is refused before anything is looked at.
    assert QUESTION in types(Client(), started.digits).text


# ---- the session


def test_answers_of_another_device_need_no_mailed_code() -> None:
    invitation, token = invited()
    Visitor(token).open().save("about", {"about.age": [39]})
    visitor = opened(invitation.evaluation)
    assert visitor.client.get("/intake/").status_code == 200


def test_the_tablet_is_never_a_known_device() -> None:
    invitation, token = invited()
    visitor = opened(invitation.evaluation)
    visitor.save("about", {"about.age": [39]})
    assert settings.DEVICE_COOKIE_NAME not in visitor.client.cookies
    visitor.token = token
    # It asks for the mailed code, as any device would that did not write what is stored.
    assert visitor.type_date().headers["Location"] == "/intake/code/"


def test_two_minutes_of_nothing_clear_it(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    visitor.save("about", {"about.age": [39]})
    for path in ("/intake/", "/intake/about/", "/intake/start/", "/intake/check/"):
        with later(minutes=2, seconds=1):
            client = Client()
            client.cookies = visitor.client.cookies.copy()
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Location"]) == (302, START)
            assert answer.cookies[settings.PATIENT_COOKIE_NAME].value == ""
            assert answer.headers["Clear-Site-Data"] == '"cache"'
            assert answer.headers["Cache-Control"] == "no-store"
    with later(minutes=2, seconds=1):
        late = visitor.save("about", {"about.age": [40]})
        assert late.status_code == 403
        assert "The form was cleared from this tablet." in late.text
        assert "date of birth" not in late.text
    with audit.audited("tests.read", by=SETUP):
        assert stored(Invitation.objects.get()).answers == {"about.age": [39]}


def test_each_touch_of_the_server_goes_on_for_two_minutes(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    for seconds in (100, 200, 300):
        with later(seconds=seconds):
            answer = visitor.client.post("/intake/stay/")
            assert answer.json()["seconds"] == pytest.approx(120, abs=10)
    with later(seconds=405):
        answer = visitor.autosave("about", {"about.age": [39]})
        assert answer.json()["seconds"] == pytest.approx(120, abs=10)


def test_pages_are_larger_lead_nowhere_else_and_go_without_scripts(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    for path in ("/intake/start/", "/intake/", "/intake/about/"):
        page = visitor.client.get(path).text
        assert '<body class="site is-tablet">' in page
        assert 'data-warn="30" data-clear="/intake/tablet/"' in page
        assert re.search(r'<noscript><meta http-equiv="refresh" content="1\d\d;url=/intake/tablet/">', page)
        assert 'href="/"' not in page
        assert 'download="visit.ics"' not in page
    assert visitor.client.get("/intake/visit.ics").status_code == 404
    _invitation, token = invited()
    phone = Visitor(token).open().client.get("/intake/start/").text
    assert "tablet" not in phone


def test_save_and_leave_ends_on_the_blank_start(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    answer = visitor.save("about", {"about.age": [39]}, leave="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{START}?left=1")
    assert answer.cookies[settings.PATIENT_COOKIE_NAME].value == ""
    assert "Saved, and cleared" in visitor.client.get(answer.headers["Location"]).text
    assert visitor.client.get("/intake/about/").headers["Location"] == START
    # The next one gets a session of her own.
    other = make_evaluation()
    types(visitor.client, start(other).digits, **BORN)
    sessions = rows(PatientSession)
    assert len({bytes(one.token_hash) for one in sessions}) == len(sessions) == 2


def test_the_start_screen_drops_what_went_before(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    page = visitor.client.get(START)
    assert page.cookies[settings.PATIENT_COOKIE_NAME].value == ""
    assert visitor.client.get("/intake/").headers["Location"] == START


def test_it_ends_when_it_is_sent(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    visitor.fill(active_questionnaire().tree(), ROLLING_IN)
    session, key = visitor.client.cookies[settings.PATIENT_COOKIE_NAME].value, str(uuid.uuid4())
    answer = visitor.send(key)
    assert answer.status_code == 200
    assert "Please hand the tablet back" in answer.text
    assert "Casey" not in answer.text
    for path in ("/intake/sent/", "/intake/status/", "/intake/check/", "/intake/about/"):
        assert visitor.client.get(path).headers["Location"] == START
    # A reload of that page, by the next who holds it.
    assert "Please hand the tablet back" not in visitor.send(key).text
    # Where the answer never came, the cookie is there still: sent once, and said so.
    visitor.client.cookies[settings.PATIENT_COOKIE_NAME] = session
    again = visitor.send(key)
    assert (again.status_code, "Please hand the tablet back" in again.text) == (200, True)
    visitor.client.cookies[settings.PATIENT_COOKIE_NAME] = session
    assert visitor.send().status_code == visitor.send("junk").status_code == 403
    with audit.audited("tests.read", by=SETUP):
        assert Evaluation.objects.get().responses.count() == 1


def test_what_to_do_today_stands_in_the_last_answer(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    visitor.fill(active_questionnaire().tree(), SWOLLEN_CALF)
    page = visitor.send().text
    assert "Get medical help today" in page or "Get help now" in page
    assert "tell the front desk now" in page


def test_an_own_phone_is_no_tablet_any_more(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    visitor.save("about", {"about.age": [39]}, leave="1")
    _other, visitor.token = invited()
    visitor.open()
    with later(minutes=31):
        assert "Are you still there?" in visitor.page("about").text
    visitor.client.post("/intake/leave/")
    assert visitor.page("about").status_code == 403


def test_autosave_after_the_end_is_refused_plainly(evaluation: Evaluation) -> None:
    visitor = opened(evaluation)
    with later(minutes=3):
        answer = visitor.client.post("/intake/about/", {"about.age": "39"}, headers=AUTOSAVE)
        assert answer.status_code == 403


# ---- the front desk


def desk(role: str = "front desk") -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def page_of(evaluation: Evaluation) -> str:
    return f"/staff/intake/evaluation/{evaluation.pk}/"


@pytest.mark.parametrize("role", ["front desk", "physio"])
def test_staff_start_it_and_see_the_code_once(evaluation: Evaluation, role: str) -> None:
    client = desk(role)
    visit = client.get(f"{page_of(evaluation)}change/").text
    assert "Fill in on the clinic’s tablet" in visit
    answer = client.post(f"{page_of(evaluation)}tablet/")
    assert answer.headers["Cache-Control"] == "no-store"
    digits = re.search(r'id="digits">(\d{3}) (\d{3})<', answer.text)
    assert digits is not None
    assert '<svg class="k-qr"' in answer.text
    assert "style=" not in answer.text.split('<svg class="k-qr"')[1].split("</svg>")[0]
    assert "".join(digits.groups()) not in client.get(f"{page_of(evaluation)}change/").text
    assert QUESTION in types(Client(), "".join(digits.groups())).text
    line = AuditEvent.objects.get(action="tablet.started")
    assert line.objects_seen["evaluation"] == [str(evaluation.pk)]


def test_a_sent_form_starts_no_tablet() -> None:
    answers = filled_in(active_questionnaire().tree(), ROLLING_IN)
    evaluation = make_response(answers, evaluation=make_evaluation()).evaluation
    client = desk()
    assert "clinic’s tablet" not in client.get(f"{page_of(evaluation)}change/").text
    assert client.post(f"{page_of(evaluation)}tablet/").status_code == 303
    assert rows(TabletCode) == []


@pytest.mark.parametrize("key", [uuid.uuid4(), "no-key"])
def test_a_visit_that_is_none_is_unknown(db: None, key: object) -> None:
    assert desk().post(f"/staff/intake/evaluation/{key}/tablet/").status_code == 404


def test_an_old_invitation_waits_for_its_mail_no_more_than_before(evaluation: Evaluation) -> None:
    with audit.audited("tests.invited", by=SETUP):
        invitation = journey.invite(evaluation=evaluation, by=SETUP)
    assert QUESTION in types(Client(), start(evaluation).digits).text
    link = journey.make_link(invitation_id=invitation.pk, by=SETUP)
    Visitor(link.rstrip("/").rsplit("/", 1)[-1]).open()


@pytest.mark.parametrize("path", ["/intake/answers.txt", "/intake/visit.ics"])
def test_no_file_is_left_on_the_tablet(evaluation: Evaluation, path: str) -> None:
    assert opened(evaluation).client.get(path).status_code == 404
