"""Whether a kept connection still lives is seen at its socket, without a word sent (ADR 0049)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection

pytestmark = pytest.mark.django_db


def one_more() -> Iterator[Any]:
    """A connection besides the test's own, in no transaction."""
    made = connection.copy()
    made.connect()
    yield made
    made.close()


kept = pytest.fixture(one_more, name="kept")
other = pytest.fixture(one_more, name="other")


def backend(kept: Any) -> int:
    return int(kept.connection.info.backend_pid)


def ask(other: Any, sql: str, *values: object) -> tuple[Any, ...]:
    with other.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def last_heard(kept: Any, other: Any) -> tuple[Any, ...]:
    """When the server last heard from it, and what."""
    return ask(other, "SELECT query_start, query FROM pg_stat_activity WHERE pid = %s", backend(kept))


def end_from_outside(kept: Any, other: Any) -> None:
    assert ask(other, "SELECT pg_terminate_backend(%s, 5000)", backend(kept)) == (True,)
    hear(kept)


def hear(kept: Any) -> None:
    """Until what was just sent has come through."""
    for _ in range(400):
        if kept._has_something_to_read():
            return
        time.sleep(0.01)
    raise AssertionError("nothing came through")


def test_one_that_lives_is_usable_and_the_server_is_not_asked(kept: Any, other: Any):
    ask(kept, "SELECT 'the last word'")
    before = last_heard(kept, other)
    assert kept.is_usable()
    assert last_heard(kept, other) == before


def test_one_that_the_server_ended_is_not(kept: Any, other: Any):
    end_from_outside(kept, other)
    assert not kept.is_usable()


def test_the_next_request_gets_a_new_one(kept: Any, other: Any):
    old = backend(kept)
    end_from_outside(kept, other)
    # As at the end of a request.
    kept.close_if_unusable_or_obsolete()
    ask(kept, "SELECT 1")
    assert backend(kept) != old


def test_what_only_tells_something_does_not_end_it(kept: Any, other: Any):
    with kept.cursor() as cursor:
        cursor.execute("LISTEN news")
    with other.cursor() as cursor:
        cursor.execute("NOTIFY news")
    hear(kept)
    assert kept.is_usable()
    assert not kept._has_something_to_read()


def test_after_an_error_the_server_is_asked(kept: Any, other: Any):
    with pytest.raises(DatabaseError):
        ask(kept, "SELECT nonsense")
    assert kept.errors_occurred
    assert kept.is_usable()
    assert last_heard(kept, other)[1] == "SELECT 1"


def test_within_a_transaction_that_failed_it_is_not(kept: Any):
    kept.set_autocommit(False)
    with pytest.raises(DatabaseError):
        ask(kept, "SELECT 1 / 0")
    assert not kept.is_usable()


def test_none_and_a_closed_one_are_not(kept: Any):
    kept.connection.close()
    assert not kept.is_usable()
    kept.connection = None
    assert not kept.is_usable()
