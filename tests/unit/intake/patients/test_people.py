"""Tokens, ages and times, without a database."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from intake.patients.links import hash_token, new_token
from intake.patients.models import Evaluation, Invitation, Patient
from intake.patients.wording import clock, day

NOON = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


def test_a_token_is_fit_for_an_address():
    token = new_token()
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()


@given(st.text(st.characters()))
def test_any_text_has_a_hash_also_what_no_token_can_be(text: str):
    assert hash_token(text) == hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(1986, 4, 12), date(2026, 4, 11), 39),
        (date(1986, 4, 12), date(2026, 4, 12), 40),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2026, 11, 24), date(2026, 11, 24), 0),
    ],
)
def test_age_is_counted_in_whole_years(born: date, on: date, age: int):
    assert Patient(birth_date=born).age_on(on) == age


@pytest.mark.parametrize(
    ("change", "live"),
    [
        ({}, True),
        ({"token_hash": None}, False),
        ({"revoked_at": NOON - timedelta(days=1)}, False),
        ({"ended_at": NOON}, False),
        ({"expires_at": NOON}, False),
        ({"expires_at": NOON + timedelta(seconds=1)}, True),
    ],
)
def test_a_link_is_live_from_its_mail_to_its_end(change: dict, live: bool):
    invitation = Invitation(**{"token_hash": b"x", "expires_at": NOON + timedelta(hours=1), **change})
    assert invitation.is_live(NOON) is live


def test_a_link_ends_a_day_after_the_visit_begins():
    assert Evaluation(starts_at=NOON).link_ends_at == NOON + timedelta(hours=24)


def test_times_are_said_on_the_clinics_clock():
    assert clock(NOON) == "12:00 pm"
    assert clock(datetime(2026, 11, 24, 17, 41, tzinfo=UTC)) == "9:41 am"
    assert day(datetime(2026, 11, 25, 7, 59, tzinfo=UTC)) == "Tuesday, November 24"
    assert day(datetime(2026, 11, 25, 8, 0, tzinfo=UTC)) == "Wednesday, November 25"


@pytest.mark.parametrize("born", [date(2999, 1, 1)])
def test_nobody_is_born_tomorrow(born: date):
    person = Patient(given_name="A", family_name="B", birth_date=born)
    with pytest.raises(ValidationError) as problem:
        person.clean_fields()
    assert problem.value.message_dict == {"birth_date": ["Enter a date in the past."]}
