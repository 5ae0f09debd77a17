"""Statements and commits, read from libpq's trace."""

import pytest

from tests.bench.statements import kind_of, read_wire


def simple(statement: str, tag: str, state: str = "I") -> str:
    return (
        f'F\t16\tQuery\t "{statement}"\n'
        'B\t33\tRowDescription\t 1 "?column?" 0 0 23 4 -1 0\n'
        "B\t11\tDataRow\t 1 1 '2'\n"
        f'B\t13\tCommandComplete\t "{tag}"\n'
        f"B\t5\tReadyForQuery\t {state}\n"
    )


def bound(name: str, state: str = "I") -> str:
    return (
        f'F\t25\tBind\t "" "{name}" 1 0 1 5 \'a\'b\\x09c\' 1 0\n'
        'F\t6\tDescribe\t P ""\nF\t9\tExecute\t "" 0\nF\t4\tSync\n'
        'B\t4\tBindComplete\nB\t13\tCommandComplete\t "SELECT 1"\n'
        f"B\t5\tReadyForQuery\t {state}\n"
    )


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ('SELECT "education_lesson"."id" FROM "education_lesson" WHERE true', "own"),
        ('SELECT 1 AS "a" FROM "education_lesson" LIMIT 1', "own"),
        ('SELECT "clinic_user"."id", ARRAY(SELECT 1 FROM "auth_permission") FROM "clinic_user"', "user"),
        ("SELECT 1", "connection"),
        ("SET TIME ZONE 'UTC'", "connection"),
        ("BEGIN", "transaction"),
        ('SAVEPOINT "s1"', "transaction"),
        ('SELECT "clinic_session"."session_key" FROM "clinic_session"', "session"),
        ('UPDATE "clinic_session" SET "expire_date" = now()', "session"),
        ('SELECT "clinic_user"."id" FROM "clinic_user" WHERE "clinic_user"."id" = 1', "user"),
        ('INSERT INTO "intake_auditevent" ("id") VALUES (1)', "audit"),
        # A page's own question that also looks at users.
        ('SELECT e.id FROM "intake_evaluation" e JOIN "clinic_user" u ON u.id = e.physio_id', "own"),
        ('SELECT (SELECT name FROM "clinic_user" LIMIT 1) FROM "intake_evaluation"', "own"),
        ("WITH words AS (SELECT 1) SELECT 2", "own"),
    ],
)
def test_kinds_of_statements(statement: str, kind: str) -> None:
    assert kind_of(statement) == kind


def test_statements_of_several_lines_and_quotes_are_one_each() -> None:
    wire = simple('SELECT "a"\nFROM "lesson"\nWHERE b = \'F\tx\'', "SELECT 1") + simple(
        "SELECT 1", "SELECT 1"
    )
    asked = read_wire(wire)
    assert [kind for kind, _ in asked.statements] == ["own", "connection"]
    assert asked.own == 1
    assert asked.others()["connection"] == 1


def test_a_prepared_statement_counts_each_time_it_is_executed() -> None:
    wire = 'F\t27\tParse\t "one" "SELECT $1::text" 1 25\n' + bound("one") + bound("one")
    assert read_wire(wire).own == 2


def test_reading_commits_nothing() -> None:
    wire = simple("BEGIN", "BEGIN", "T") + simple("SELECT 2", "SELECT 1", "T") + simple("COMMIT", "COMMIT")
    assert read_wire(wire).commits == 0


def test_a_transaction_that_writes_commits_once_whatever_it_writes() -> None:
    wire = (
        simple("BEGIN", "BEGIN", "T")
        + simple("INSERT INTO a VALUES (1)", "INSERT 0 1", "T")
        + simple("UPDATE b SET c = 1", "UPDATE 1", "T")
        + simple("COMMIT", "COMMIT")
    )
    assert read_wire(wire).commits == 1


def test_a_write_outside_a_transaction_is_a_commit_of_its_own() -> None:
    assert read_wire(2 * simple("DELETE FROM a", "DELETE 1")).commits == 2


def test_what_is_rolled_back_is_no_commit() -> None:
    wire = (
        simple("BEGIN", "BEGIN", "T")
        + simple("INSERT INTO a VALUES (1)", "INSERT 0 1", "T")
        + simple("COMMIT", "ROLLBACK")
    )
    assert read_wire(wire).commits == 0


def test_back_to_a_savepoint_is_not_the_end_of_a_transaction() -> None:
    wire = (
        simple("BEGIN", "BEGIN", "T")
        + simple("INSERT INTO a VALUES (1)", "INSERT 0 1", "T")
        + simple('ROLLBACK TO SAVEPOINT "s1"', "ROLLBACK", "T")
        + simple("COMMIT", "COMMIT")
    )
    assert read_wire(wire).commits == 1


def test_between_two_readings_lies_one_operation_though_the_last_reply_comes_late() -> None:
    once = (
        simple("BEGIN", "BEGIN", "T")
        + simple("INSERT INTO a VALUES (1)", "INSERT 0 1", "T")
        + simple("COMMIT", "COMMIT")
    )
    without_last_reply = once[: once.rindex("B\t33")]
    asked = read_wire(once + without_last_reply).since(read_wire(without_last_reply))
    assert asked.commits == 1
    assert [text for _, text in asked.statements] == ["BEGIN", "INSERT INTO a VALUES (1)", "COMMIT"]


def test_nothing_asked() -> None:
    assert read_wire("").statements == ()
