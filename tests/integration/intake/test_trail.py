"""The trail is a chain: each line carries a digest of itself and of all before it (R22)."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction

from intake import audit, journey, trail
from tests.conftest import address
from tests.factories import SETUP

pytestmark = pytest.mark.usefixtures("committed_db")


OTHER_WORDS = (
    "UPDATE intake_auditevent SET action = 'nothing' WHERE id = (SELECT max(event) FROM intake_traillink)"
)


@pytest.fixture
def owner(database_urls: tuple[str, str], committed_db: None):
    """Whoever owns the database, and may do anything to it."""
    with psycopg.connect(address(database_urls[0], connection.settings_dict["NAME"]), autocommit=True) as one:
        yield one


def lines(count: int, action: str = "tests.line") -> None:
    for _ in range(count):
        with audit.audited(action, by=SETUP):
            pass


def tamper(owner: psycopg.Connection, *statements: str) -> None:
    """As somebody does who can switch the database's own guards off."""
    tables = ("intake_auditevent", "intake_traillink")
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in statements:
        owner.execute(statement)
    for table in tables:
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found() -> list[tuple[str, int]]:
    return [(wrong.what, wrong.number) for wrong in trail.verify().wrong]


def test_lines_are_linked_when_they_are_committed_and_all_is_whole():
    before = trail.verify()
    lines(3)
    with pytest.raises(RuntimeError), audit.audited("tests.rolled-back", by=SETUP):
        raise RuntimeError
    now = trail.verify()
    assert now.wrong == ()
    assert now.head.number == before.head.number + 3
    assert now.head.digest != before.head.digest


def test_what_many_connections_write_at_once_is_one_chain():
    before = trail.verify().head.number

    def work(_: int) -> None:
        try:
            lines(5)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(work, range(12)))
    checked = trail.verify()
    assert checked.wrong == ()
    assert checked.head.number == before + 60


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE intake_auditevent SET actor_id = 'somebody else' WHERE id = {event}", "changed"),
        ("UPDATE intake_auditevent SET at = at - interval '1 day' WHERE id = {event}", "changed"),
        ("DELETE FROM intake_auditevent WHERE id = {event}", "removed"),
        ("DELETE FROM intake_traillink WHERE event = {event}", "unlinked"),
        ("UPDATE intake_traillink SET digest = sha256('x') WHERE event = {event}", "changed"),
    ],
)
def test_what_the_owner_of_the_database_does_to_a_line_is_found(owner, statement: str, what: str):
    lines(4)
    event, number = owner.execute(
        "SELECT event, number FROM intake_traillink ORDER BY number DESC OFFSET 2 LIMIT 1"
    ).fetchone()
    tamper(owner, statement.format(event=event))
    assert what in {kind for kind, _ in found()}
    assert number in {place for _, place in found()} or what == "unlinked"


def test_a_line_that_was_slipped_in_is_found(owner):
    lines(2)
    tamper(
        owner,
        "INSERT INTO intake_auditevent (actor_kind, actor_id, action, objects_seen, detail) "
        "VALUES ('system', 'x', 'tests.slipped-in', '{}', '{}')",
    )
    assert [kind for kind, _ in found()] == ["unlinked"]


def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_kept_elsewhere(owner):
    lines(3)
    kept = trail.verify().head
    tamper(
        owner,
        "DELETE FROM intake_auditevent WHERE id = (SELECT max(event) FROM intake_traillink)",
        "DELETE FROM intake_traillink WHERE number = (SELECT max(number) FROM intake_traillink)",
    )
    assert trail.verify().wrong == ()
    assert [wrong.what for wrong in trail.verify(kept).wrong] == ["head"]


def test_the_role_that_runs_the_product_cannot_touch_the_chain():
    lines(1)
    for statement in (
        "INSERT INTO intake_traillink (number, event, digest) VALUES (10000000, 1, sha256('x'))",
        "UPDATE intake_traillink SET digest = sha256('x')",
        "DELETE FROM intake_traillink",
        "TRUNCATE intake_traillink",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_command_says_so_and_exits_1_where_something_is_wrong(owner):
    lines(2)
    said = StringIO()
    call_command("verify_trail", json=True, stdout=said)
    whole = json.loads(said.getvalue())
    assert whole["wrong"] == []
    call_command(
        "verify_trail", head=f"{whole['head']['number']}:{whole['head']['digest']}", stdout=StringIO()
    )
    tamper(owner, OTHER_WORDS)
    said = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("verify_trail", stdout=said)
    assert left.value.code == 1
    assert f"{whole['head']['number']}: changed" in said.getvalue()


def test_every_night_the_head_leaves_the_machine_by_mail(mailoutbox, settings, owner):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    lines(1)
    head = trail.verify().head
    assert journey.check_trail() is True
    (mail,) = mailoutbox
    assert f"{head.number}:{head.digest}" in mail.body
    tamper(owner, OTHER_WORDS)
    assert journey.check_trail() is False
    assert "changed" in mailoutbox[1].subject
