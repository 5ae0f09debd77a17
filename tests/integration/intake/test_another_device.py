"""R6: another phone gets to what is stored by the link, the date of birth and a code by e-mail; only so."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import DatabaseError, IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey, tasks
from intake.patients.codes import read_code
from intake.patients.models import AccessCode, Evaluation, Invitation, Patient
from tests.factories import CALM, SETUP, make_patient
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, invited, sent_form, without_form_tokens

pytestmark = pytest.mark.django_db

STORY = "Zyxstory"
CODE = "/intake/code/"
DOES_NOT_WORK = "That code doesn’t work"


@pytest.fixture(autouse=True)
def post(settings) -> None:
    """Mail as messages, not as files."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def begun() -> tuple[Invitation, str]:
    """A form that was begun on another phone."""
    invitation, token = invited(starts_at=timezone.now() + timedelta(days=7))
    Visitor(token).open().save("about", {"why.main-problem": ["knee"], "why.story": [STORY]})
    return invitation, token


def asks(token: str, **client: str) -> Visitor:
    visitor = Visitor(token, **client)
    response = visitor.type_date()
    assert (response.status_code, response.headers["Location"]) == (303, CODE)
    assert settings.PATIENT_COOKIE_NAME not in response.cookies
    return visitor


def work() -> int:
    """Run what is queued for the mail of codes, each once. Returns how many."""
    jobs = ProcrastinateJob.objects.filter(task_name=journey.SEND_CODE).order_by("pk")
    for job in jobs:
        assert set(job.args) == {"code_id"}
        tasks.send_code(**job.args)
    return len(jobs)


def newest_code() -> str:
    work()
    found = re.search(r"^Your code: (\d{6})$", mail.outbox[-1].body, re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def types(visitor: Visitor, code: str) -> HttpResponse:
    return visitor.client.post(CODE, {"code": code})


def asks_again(visitor: Visitor) -> HttpResponse:
    return visitor.client.post(CODE, {"again": "1"})


def codes_of(invitation: Invitation) -> list[AccessCode]:
    with audit.audited("tests.read", by=SETUP):
        return list(AccessCode.objects.filter(invitation=invitation).order_by("pk"))


def kinds(invitation: Invitation) -> list[str]:
    with audit.audited("tests.read", by=SETUP):
        return list(invitation.events.order_by("pk").values_list("kind", flat=True))


def is_let_in(response: HttpResponse) -> bool:
    return response.status_code == 303 and settings.PATIENT_COOKIE_NAME in response.cookies


# ------------------------------------------------------------ the way in


def test_the_code_opens_the_task_list_and_the_device_is_known_from_then_on(begun):
    _, token = begun
    visitor = asks(token)
    page = visitor.look(CODE)
    assert page.status_code == 200
    assert 'autocomplete="one-time-code"' in page.text
    assert 'inputmode="numeric"' in page.text
    assert STORY not in page.text
    assert visitor.look("/intake/").status_code == 403
    assert visitor.page("about").status_code == 403

    response = types(visitor, newest_code())
    assert is_let_in(response)
    there = visitor.client.get(response.headers["Location"], follow=True)
    assert there.redirect_chain[-1][0] == "/intake/"
    assert "Welcome back, Jordan" in there.text
    assert "Check so far" in there.text
    assert STORY in visitor.page("about").text
    # Back leads from there to the page that asked for the code: on into the form, which is open.
    assert visitor.look(CODE).headers["Location"] == "/intake/"
    # Next time the date is enough here, as on the first phone.
    del visitor.client.cookies[settings.PATIENT_COOKIE_NAME]
    assert visitor.open().page("about").status_code == 200


def test_the_first_phone_is_welcomed_back_too_and_a_new_form_is_not(begun):
    _, token = invited()
    visitor = Visitor(token).open()
    assert "Hello Jordan" in visitor.look("/intake/").text
    visitor.save("about", {"why.main-problem": ["knee"]})
    assert "Welcome back" not in visitor.look("/intake/").text


def test_a_form_that_was_sent_shows_where_it_stands_on_any_device():
    """J1.15."""
    visitor, _ = sent_form(CALM)
    other = asks(visitor.token)
    response = types(other, newest_code())
    assert response.headers["Location"] == "/intake/status/"
    assert "We have your answers" in other.look("/intake/status/").text


def test_digits_may_be_typed_with_a_space(begun):
    visitor = asks(begun[1])
    code = newest_code()
    assert is_let_in(types(visitor, f" {code[:3]} {code[3:]} "))


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "\x00" * 6, "9" * 5000])
def test_what_is_no_code_is_no_try(begun, typed: str):
    visitor = asks(begun[1])
    newest_code()
    before = digests()
    page = types(visitor, typed)
    assert page.status_code == 200
    assert "Enter the 6 numbers from the e-mail." in page.text
    assert digests() == before


@pytest.mark.parametrize(
    ("typed", "code"),
    [("123456", "123456"), ("123 456", "123456"), ("12-34-56\n", "123456"), ("1234 5", None)],
)
def test_reading_a_code(typed: str, code: str | None):
    assert read_code(typed) == code


# ------------------------------------------------------------ the mail


def test_the_mail_says_nothing_but_the_code(begun):
    invitation, token = begun
    asks(token)
    code = newest_code()
    [sent] = mail.outbox
    with audit.covered():
        assert sent.to == [invitation.evaluation.patient.email]
    assert sent.subject == "Your code"
    assert "10 minutes" in sent.body
    words = re.findall(r"[a-z]+", sent.body.lower())
    assert not {"form", "answers", "pain", "knee", "foot", "visit", "jordan", "lee"} & set(words)
    assert "http" not in sent.body
    assert code not in sent.subject


def test_the_code_itself_is_kept_nowhere(begun):
    from tests.integration.intake.test_links import everything_as_text

    invitation, token = begun
    visitor = asks(token)
    code = newest_code()
    types(visitor, other_than(code))
    assert not re.search(rf"\b{code}\b", everything_as_text())
    [kept] = codes_of(invitation)
    assert len(bytes(kept.code_hash)) == 32
    lines = audit.AuditEvent.objects.filter(action__startswith="code.").order_by("pk")
    assert [line.action for line in lines] == ["code.asked", "code.made", "code.sent", "code.wrong"]
    assert "WrongCode" in str(lines[3].detail)


def test_a_job_that_runs_twice_sends_once(begun):
    asks(begun[1])
    work()
    work()
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_leaves_the_job_to_try_again(begun, settings):
    visitor = asks(begun[1])
    away = "django.core.mail.backends.smtp.EmailBackend"
    at_hand, settings.EMAIL_BACKEND, settings.EMAIL_PORT = settings.EMAIL_BACKEND, away, 1
    with pytest.raises(OSError, match="refused"):
        work()
    settings.EMAIL_BACKEND = at_hand
    assert is_let_in(types(visitor, newest_code()))


def test_no_mail_leaves_for_a_code_that_is_late_replaced_or_of_a_link_that_ended(begun):
    invitation, token = begun
    visitor = asks(token)
    [code] = codes_of(invitation)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert journey.deliver_code(code_id=code.pk) is False
    asks_again(visitor)
    assert journey.deliver_code(code_id=code.pk) is False
    with audit.audited("tests.changed", by=SETUP):
        Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now())
    assert journey.deliver_code(code_id=codes_of(invitation)[-1].pk) is False
    assert mail.outbox == []


def test_a_patient_without_an_address_is_asked_to_call():
    invitation, token = invited(patient=make_patient(email=""))
    Visitor(token).open().save("about", {"why.story": [STORY]})
    response = Visitor(token).type_date()
    assert response.status_code == 403
    assert "they open only there" in response.text
    assert codes_of(invitation) == []


# ------------------------------------------------------------ what does not open it


def test_a_code_works_once(begun):
    _, token = begun
    visitor = asks(token)
    code = newest_code()
    assert is_let_in(types(visitor, code))
    assert not is_let_in(types(visitor, code))


def test_a_code_works_for_ten_minutes(begun):
    _, token = begun
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = asks(token)
        code = newest_code()
        clock.shift(timedelta(minutes=10))
        assert DOES_NOT_WORK in types(visitor, code).text
        # Not a guess: it is not counted as one.
        assert kinds(begun[0]).count("wrong-code") == 0
        asks_again(visitor)
        code = newest_code()
        clock.shift(timedelta(minutes=9, seconds=59))
        assert is_let_in(types(visitor, code))


def test_a_code_works_only_in_the_browser_that_asked(begun):
    _, token = begun
    asks(token)
    code = newest_code()
    stranger = Visitor(token)
    assert types(stranger, code).status_code == 403
    assert stranger.look(CODE).status_code == 403
    # Another browser that knows the link and the date gets a code of its own; this one is none of its.
    neighbour = asks(token)
    work()
    assert DOES_NOT_WORK in types(neighbour, code).text


def test_a_code_of_another_visit_does_not_open_this_one(begun):
    _, token = begun
    other, other_token = invited()
    Visitor(other_token).open().save("about", {"why.story": ["Zyxother"]})
    visitor = asks(token)
    first = newest_code()
    visitor.token = other_token
    assert visitor.type_date().headers["Location"] == CODE
    second = newest_code()
    if first != second:
        assert DOES_NOT_WORK in types(visitor, first).text
    assert is_let_in(types(visitor, second))
    assert "Zyxother" in visitor.page("about").text
    assert kinds(other).count("wrong-code") == (first != second)


def test_another_code_ends_the_one_before(begun):
    visitor = asks(begun[1])
    first = newest_code()
    assert asks_again(visitor).headers["Location"] == CODE + "?again=1"
    assert "Another code is on its way" in visitor.look(CODE + "?again=1").text
    second = newest_code()
    if first != second:
        assert DOES_NOT_WORK in types(visitor, first).text
    assert is_let_in(types(visitor, second))


def test_five_wrong_codes_rest_the_link_and_the_right_one_shows_the_same_page(begun):
    invitation, token = begun
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = asks(token)
        code = newest_code()
        pages = {without_form_tokens(types(visitor, other_than(code)).text) for _ in range(5)}
        pages.add(without_form_tokens(types(visitor, code).text))
        clock.shift(timedelta(minutes=11))
        pages.add(without_form_tokens(types(visitor, code).text))
        assert len(pages) == 1
        assert codes_of(invitation)[0].tries == 5
        assert kinds(invitation).count("wrong-code") == 5
        # The date of birth rests with it, and no other code is sent.
        assert "match what the clinic has" in Visitor(token).type_date().text
        refused = asks_again(visitor)
        assert refused.status_code == 429
        # One code was sent: the page does not say that it were several, nor that the newest one works.
        assert "Several were sent or tried just now. Wait 15 minutes" in refused.text
        clock.shift(timedelta(minutes=4))
        asks_again(visitor)
        assert is_let_in(types(visitor, newest_code()))


def test_wrong_dates_and_wrong_codes_count_together(begun):
    invitation, token = begun
    for _ in range(3):
        Visitor(token).type_date(date(1986, 4, 13))
    visitor = asks(token)
    code = newest_code()
    for _ in range(2):
        types(visitor, other_than(code))
    assert DOES_NOT_WORK in types(visitor, code).text
    assert kinds(invitation)[-1] == "resting"


def test_ten_wrong_codes_in_a_day_end_the_link(begun):
    invitation, token = begun
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = asks(token)
        for _ in range(2):
            code = newest_code()
            for _ in range(5):
                assert DOES_NOT_WORK in types(visitor, other_than(code)).text
            clock.shift(timedelta(minutes=16))
            asks_again(visitor)
        assert types(visitor, "123456").status_code == 403
        assert Visitor(token).type_date().status_code == 404
        assert kinds(invitation)[-1] == "ended"


def test_wrong_codes_from_one_address_rest_the_address(begun):
    _, token = begun
    others = [invited()[1] for _ in range(8)]
    for other in others:
        for _ in range(4):
            Visitor(other, REMOTE_ADDR="203.0.113.9").type_date(date(1986, 4, 13))
    visitor = asks(token)
    code = newest_code()
    answer = visitor.client.post(CODE, {"code": code}, REMOTE_ADDR="203.0.113.9")
    assert DOES_NOT_WORK in answer.text


def test_a_link_that_is_revoked_or_cancelled_ends_the_code_with_it(begun):
    invitation, token = begun
    visitor = asks(token)
    code = newest_code()
    with audit.audited("tests.changed", by=SETUP):
        Evaluation.objects.filter(pk=invitation.evaluation_id).update(status="cancelled")
    assert visitor.look(CODE).status_code == 403
    assert types(visitor, code).status_code == 403
    assert asks_again(visitor).status_code == 403


# ------------------------------------------------------------ how many are sent


def test_the_date_typed_twice_sends_one_mail(begun):
    visitor = asks(begun[1])
    assert visitor.type_date().headers["Location"] == CODE
    work()
    assert len(mail.outbox) == 1


def test_three_codes_in_a_quarter_of_an_hour_from_all_browsers_together(begun):
    invitation, token = begun
    with time_machine.travel(timezone.now(), tick=False) as clock:
        visitor = asks(token)
        asks_again(visitor)
        asks(token)
        page = asks_again(visitor)
        assert page.status_code == 429
        assert "We could not send another code" in page.text
        stranger = Visitor(token).type_date()
        assert stranger.status_code == 429
        assert "Please wait a little" in stranger.text
        assert len(codes_of(invitation)) == 3
        clock.shift(timedelta(minutes=15))
        assert asks_again(visitor).status_code == 303


def test_ten_codes_a_day_also_over_a_new_link(begun):
    invitation, token = begun
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            asks(token)
            clock.shift(timedelta(minutes=16))
        assert Visitor(token).type_date().status_code == 429
        with audit.audited("tests.read", by=SETUP):
            evaluation = Evaluation.objects.get(pk=invitation.evaluation_id)
        again = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
        fresh = journey.make_link(invitation_id=again.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
        assert Visitor(fresh).type_date().status_code == 429


def test_looking_at_the_page_changes_nothing_and_wants_a_browser_that_asked(begun):
    visitor = asks(begun[1])
    before = digests()
    assert visitor.look(CODE).status_code == 200
    assert visitor.look(CODE, headers={"Purpose": "prefetch"}).headers["Cache-Control"] == "no-store"
    assert Visitor().look(CODE).status_code == 403
    assert digests() == before
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert visitor.look(CODE).status_code == 403


def test_an_address_that_changed_meanwhile_is_the_one_that_counts(begun):
    invitation, token = begun
    asks(token)
    with audit.audited("tests.changed", by=SETUP):
        Patient.objects.filter(evaluations=invitation.evaluation_id).update(email="new@example.org")
    work()
    assert mail.outbox[-1].to == ["new@example.org"]


# ------------------------------------------------------------ what the database holds


@pytest.mark.parametrize(
    "wrong",
    [
        {"tries": 6},
        {"used_at": timezone.now()},
        {"expires_at": timezone.now() + timedelta(days=1)},
        {"device_hash": b"another"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_the_database_refuses_what_a_code_may_not_be(begun, wrong: dict[str, object]):
    invitation, token = begun
    asks(token)
    with (
        pytest.raises((IntegrityError, DatabaseError)),
        audit.audited("tests.changed", by=SETUP),
        transaction.atomic(),
    ):
        AccessCode.objects.filter(invitation=invitation).update(**wrong)


def test_the_database_refuses_to_use_a_code_twice(begun):
    invitation, token = begun
    visitor = asks(token)
    types(visitor, newest_code())
    with pytest.raises(DatabaseError), audit.audited("tests.changed", by=SETUP), transaction.atomic():
        AccessCode.objects.filter(invitation=invitation).update(used_at=None)
