"""Nobody reaches a patient's data without a line in the trail: by the ORM or SQL, in any kind of process."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.urls import reverse
from psycopg import sql

from intake import audit
from intake.audit import AuditEvent, PatientData, UnauditedAccess, audited
from intake.patients.models import Patient, PatientSession
from intake.responses.models import QuestionnaireResponse
from tests.architecture.conftest import CONTACT_MARKS, HEALTH_MARKS, STORY, Process, World
from tests.architecture.test_urls import ROWS, path_of
from tests.architecture.urlconf import patterns
from tests.conftest import ROOT, address

BY = audit.system("tests")
PATIENT_MODELS = [model for model in apps.get_models() if issubclass(model, PatientData)]
APPEND_ONLY = ("intake_auditevent", "intake_verdict", "intake_redflagcontact", "intake_redflagevent")


def raw(text: str, *, many: bool = False) -> Callable[[type[models.Model]], object]:
    def run(model: type[models.Model]) -> None:
        with connection.cursor() as cursor:
            statement = text.format(table=model._meta.db_table, TABLE=model._meta.db_table.upper())
            if many:
                cursor.executemany(statement, [()])
            else:
                cursor.execute(statement)

    return run


def unchanged(model: type[models.Model]) -> dict[str, models.F]:
    """An update that sets one column to itself."""
    name = next(field.attname for field in model._meta.concrete_fields if not field.primary_key)
    return {name: models.F(name)}


def composed(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(model._meta.db_table)))


# Each touches the table of a model: one way in which code may try to.
READS: dict[str, Callable[[type[models.Model]], object]] = {
    "get": lambda model: model._base_manager.filter(pk=None).order_by().first(),
    "list": lambda model: list(model._base_manager.all()),
    "values": lambda model: list(model._base_manager.values("pk")),
    "values_list": lambda model: list(model._base_manager.values_list("pk", flat=True)),
    "exists": lambda model: model._base_manager.exists(),
    "count": lambda model: model._base_manager.count(),
    "iterator": lambda model: list(model._base_manager.iterator(chunk_size=1)),
    "aggregate": lambda model: model._base_manager.aggregate(n=models.Count("pk")),
    "in_bulk": lambda model: model._base_manager.filter(pk__isnull=True).in_bulk(),
    "raw": lambda model: list(model._base_manager.raw(f"SELECT * FROM {model._meta.db_table}")),
    "subquery": lambda model: list(
        apps.get_model("auth.Group")
        .objects.filter(pk__in=[1])
        .filter(models.Exists(model._base_manager.all()))
    ),
    "raw SQL": raw("SELECT 1 FROM {table}"),
    "raw SQL in capitals": raw("SELECT 1 FROM {TABLE}"),
    "raw SQL in quotes": raw('SELECT 1 FROM "public"."{table}"'),
    "composed SQL": composed,
}
WRITES: dict[str, Callable[[type[models.Model]], object]] = {
    "update": lambda model: model._base_manager.update(**unchanged(model)),
    "delete": lambda model: model._base_manager.all().delete(),
    "bulk_create": lambda model: model._base_manager.bulk_create([model()]),
    "create": lambda model: model._base_manager.create(),
    "raw update": raw("UPDATE {table} SET {table} = {table}"),
    "raw delete": raw("DELETE FROM {table}"),
    "raw delete of many": raw("DELETE FROM {table}", many=True),
    "copy": raw("COPY {table} TO STDOUT"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("model", PATIENT_MODELS, ids=lambda model: model.__name__)
def test_every_way_to_a_patient_table_is_refused_outside_of_a_context(model: type[models.Model]):
    passed = []
    for name, touch in {**READS, **WRITES}.items():
        try:
            with transaction.atomic():
                touch(model)
        except UnauditedAccess:
            continue
        passed.append(name)
    assert passed == []


@pytest.mark.django_db
@pytest.mark.parametrize("model", PATIENT_MODELS, ids=lambda model: model.__name__)
def test_inside_a_context_they_pass(model: type[models.Model]):
    with audited("tests.read", by=BY):
        for touch in READS.values():
            touch(model)
    assert AuditEvent.objects.get().action == "tests.read"


@pytest.mark.django_db
def test_the_refusal_names_the_table_and_no_value():
    with pytest.raises(UnauditedAccess) as refused:
        Patient.objects.filter(family_name="Zyxcanary").first()
    assert "intake_patient" in str(refused.value)
    assert "Zyxcanary" not in str(refused.value)


@pytest.mark.django_db
def test_a_context_ends_with_its_block_also_after_an_error():
    with audited("tests.read", by=BY):
        Patient.objects.count()
    with pytest.raises(UnauditedAccess):
        Patient.objects.count()
    with pytest.raises(ZeroDivisionError), audited("tests.read", by=BY):
        raise ZeroDivisionError
    with pytest.raises(UnauditedAccess):
        Patient.objects.count()


@pytest.mark.django_db
def test_one_context_writes_one_line_with_who_what_and_which():
    with audited(
        "tests.read", by=audit.Actor("staff", "7"), objects={"patient": ["b", "a"]}, why="x"
    ) as access:
        access.saw("patient", ["a", "c"])
    event = AuditEvent.objects.get()
    assert (event.actor_kind, event.actor_id, event.action) == ("staff", "7", "tests.read")
    assert event.objects_seen == {"patient": ["b", "a", "c"]}
    assert event.detail == {"why": "x"}
    assert event.at is not None


@pytest.mark.django_db
def test_what_fails_leaves_neither_data_nor_a_line():
    def write_and_fail() -> None:
        with audited("tests.write", by=BY):
            Patient.objects.create(given_name="A", family_name="B", birth_date="1980-01-01")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert AuditEvent.objects.count() == 0
    with audited("tests.read", by=BY):
        assert Patient.objects.count() == 0


@pytest.mark.django_db
def test_a_line_that_cannot_be_written_takes_the_data_back(no_trail: None):
    with pytest.raises(DatabaseError), audited("tests.write", by=BY):
        Patient.objects.create(given_name="A", family_name="B", birth_date="1980-01-01")
    with audit.covered():
        assert Patient.objects.count() == 0


# --------------------------------------------------------------------------------- pages without a trail


@pytest.fixture
def no_trail(django_db_setup: None, database_urls: tuple[str, str]) -> Iterator[None]:
    """The trail's table refuses new lines while the test runs."""
    owner = address(database_urls[0], connection.settings_dict["NAME"])
    role = connection.settings_dict["USER"]
    with psycopg.connect(owner, autocommit=True) as schema:
        statement = sql.SQL("{} INSERT ON intake_auditevent {} {}")
        schema.execute(statement.format(sql.SQL("REVOKE"), sql.SQL("FROM"), sql.Identifier(role)))
        try:
            yield
        finally:
            schema.execute(statement.format(sql.SQL("GRANT"), sql.SQL("TO"), sql.Identifier(role)))


# Pages about patients, by how their names begin.
ABOUT_PATIENTS = (
    "admin:figures",
    "admin:trail",
    *(f"admin:intake_{model}" for model in ("patient_", "evaluation", "questionnaireresponse_")),
)


def test_without_a_trail_no_staff_page_shows_a_patient(world: World, no_trail: None):
    shown, answered = [], set()
    for pattern in patterns():
        path = path_of(pattern, ROWS[pattern.key], world)
        for actor in ("front desk", "physio", "owner"):
            client = world.clients[actor]
            client.raise_request_exception = False
            with transaction.atomic():
                page = client.get(path)
                transaction.set_rollback(True)
            client.raise_request_exception = True
            content = b"" if page.streaming else page.content
            if any(mark.encode() in content for mark in (*CONTACT_MARKS, *HEALTH_MARKS)):
                shown.append(f"{path} to {actor}")
            if ROWS[pattern.key].expected("GET", actor) == "200" and page.status_code not in (500, 503):
                answered.add(pattern.key)
    assert shown == []
    assert {key for key in answered if key.startswith(ABOUT_PATIENTS)} == set()


@pytest.mark.parametrize(
    ("name", "kwargs", "data"),
    [
        ("intake:open", {"token": "{token}"}, {"month": "1", "day": "5", "year": "1979"}),
        ("intake:page", {"slug": "about"}, {"why.main-problem": "knee", "why.story": STORY}),
        ("intake:advice", {}, {"answer": "understood"}),
        ("intake:leave", {}, {}),
    ],
)
def test_without_a_trail_nothing_of_the_form_is_stored_or_shown(
    name: str, kwargs: dict[str, str], data: dict[str, str], world: World, no_trail: None
):
    client = world.clients["patient"]
    client.raise_request_exception = False
    path = reverse(name, kwargs={key: text.format(token=world.token) for key, text in kwargs.items()})
    with transaction.atomic():
        page = client.post(path, data)
        with audit.covered():
            sessions = PatientSession.objects.filter(ended_at=None, invitation=world.draft.invitation_id)
            after = QuestionnaireResponse.objects.get(pk=world.draft.pk)
            assert (sessions.count(), after.revision, after.answers) == (1, 0, world.draft.answers)
        transaction.set_rollback(True)
    client.raise_request_exception = True
    assert page.status_code in (500, 503)
    assert [mark for mark in (*CONTACT_MARKS, *HEALTH_MARKS) if mark.encode() in page.content] == []


# ----------------------------------------------------------------------------------- every kind of process

TOUCH = "from intake.patients.models import Patient; Patient.objects.count()"

WEB = f"""
import threading
from clinic.wsgi import application
failed = []
def serve():
    try:
        {TOUCH}
    except Exception as error:
        failed.append(type(error).__name__)
for work in (serve, lambda: None):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(failed)
"""

WORKER = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
import django
django.setup()
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
outcome = []
@app.task(name="touch_patients", queue="only-this-test")
def touch_patients():
    try:
        {TOUCH}
    except Exception as error:
        outcome.append(type(error).__name__)
touch_patients.defer()
from django.core.management import execute_from_command_line
execute_from_command_line([
    "manage.py", "procrastinate", "worker", "--one-shot", "--queues", "only-this-test",
])
print(outcome, ProcrastinateJob.objects.get(task_name="touch_patients").status)
"""

REFUSES = {
    "shell": (["manage.py", "shell", "-v", "0", "-c", TOUCH], 1, "UnauditedAccess"),
    "web": (["-c", WEB], 0, "['UnauditedAccess']"),
    "worker": (["-c", WORKER], 0, "['UnauditedAccess'] succeeded"),
}


@pytest.mark.parametrize("kind", REFUSES)
def test_the_guard_stands_in_every_kind_of_process(kind: str, process: Process):
    arguments, code, words = REFUSES[kind]
    done = process(arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr


# ---------------------------------------------------------------------------- what the app role may do

CHANGES = (
    "UPDATE {table} SET id = id",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "DROP TABLE {table} CASCADE",
    "ALTER TABLE {table} ADD COLUMN note text",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER USER",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "CREATE TRIGGER mine BEFORE UPDATE ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "GRANT UPDATE, DELETE ON {table} TO CURRENT_USER",
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
)
SHAPES = (
    "CREATE TABLE mine (id int)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "SET ROLE {owner}",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER CREATEDB",
    "ALTER SYSTEM SET fsync = off",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
)


def accepted(statements: tuple[str, ...], **names: str) -> list[str]:
    """Those of the statements that the app role gets through; each is taken back."""
    through = []
    for statement in statements:
        text = statement.format(**names)
        try:
            with audited("tests.attack", by=BY), connection.cursor() as cursor:
                cursor.execute(text)
                transaction.set_rollback(True)
        except DatabaseError:
            continue
        through.append(text)
    return through


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_app_role_cannot_change_what_is_append_only(table: str):
    assert accepted(CHANGES, table=table) == []


@pytest.mark.django_db
def test_not_even_with_the_triggers_told_to_look_away():
    """pgtrigger's triggers can be told so by anybody; the rights that are not there cannot."""
    attacks = tuple(
        f"SET LOCAL pgtrigger.ignore = 'all'; {change}"
        for change in ("UPDATE {table} SET id = id", "DELETE FROM {table}")
    )
    assert [one for table in APPEND_ONLY for one in accepted(attacks, table=table)] == []


@pytest.mark.django_db
def test_the_app_role_cannot_make_or_become_anything(database_urls: tuple[str, str]):
    owner = psycopg.conninfo.conninfo_to_dict(database_urls[0])["user"]
    assert accepted(SHAPES, owner=str(owner)) == []


@pytest.mark.django_db
def test_the_app_role_cannot_reshape_any_table():
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    shapes = (
        "DROP TABLE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "TRUNCATE {table} CASCADE",
    )
    assert [one for table in tables for one in accepted(shapes, table=table)] == []


@pytest.mark.django_db
def test_the_app_role_cannot_replace_a_trigger_function():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE NOT t.tgisinternal"
        )
        functions = [name for (name,) in cursor.fetchall()]
    assert len(functions) >= len(APPEND_ONLY)
    attack = (
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    drop = "DROP FUNCTION {name}() CASCADE"
    assert [one for name in functions for one in accepted((attack, drop), name=name)] == []


@pytest.mark.django_db
def test_tests_run_as_the_role_that_runs_the_product(database_urls: tuple[str, str]):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        name, is_super, bypasses = cursor.fetchone()
    assert (is_super, bypasses) == (False, False)
    assert name != psycopg.conninfo.conninfo_to_dict(database_urls[0])["user"]


# --------------------------------------------------------------------- our own code

# Where psycopg may be used directly, and why.
DIRECT = {
    "clinic/database.py": "gives the app role its rights, before there is a Django",
    "clinic/middleware.py": "the name of one exception",
    "intake/kept.py": "a cursor for prepared statements, wrapped like Django's own; see test_kept",
}
# Who may touch patient tables without a line of their own, and why.
COVERED = {
    "intake/views/lesson.py": "as a page of that session",
    "intake/views/visit.py": "a patient at work in the session whose opening wrote the line",
    "intake/review/urgent.py": "a number that names nobody",
    "intake/review/news.py": "that something happened to an intake whose page wrote the line",
    "intake/patients/reminders.py": "keys of visits whose reminder may be due; what is claimed has its line",
}


def sources() -> list[Path]:
    return [
        path
        for app in ("clinic", "education", "intake")
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def ways_round(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls that reach the database past `execute_wrappers`, where the guard sits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            inner = node.value
            named = inner.id if isinstance(inner, ast.Name) else getattr(inner, "attr", "")
            if node.attr == "connection" and named in ("connection", "cursor", "conn"):
                yield node.lineno, "connection.connection"
            if node.attr in ("copy", "stream", "pgconn") and named in ("cursor", "connection"):
                yield node.lineno, f"{named}.{node.attr}"
            if node.attr in (
                "execute_wrappers",
                "get_new_connection",
                "temporary_connection",
                "_nodb_cursor",
            ):
                yield node.lineno, node.attr
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or ""
            if any(name.split(".")[0].startswith(("psycopg", "asyncpg")) for name in [module, *names]):
                yield node.lineno, "psycopg"
            if "connections" in names and module == "django.db":
                yield node.lineno, "connections"


def test_no_code_of_ours_goes_round_the_guard():
    found = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        for line, what in ways_round(ast.parse(path.read_text())):
            if name in DIRECT or (name == "clinic/apps.py" and what == "execute_wrappers"):
                continue
            found.append(f"{name}:{line} {what}")
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from django.db import connection\nconnection.connection.execute('SELECT 1')",
        "with connection.cursor() as cursor:\n    cursor.copy('COPY intake_patient TO STDOUT')",
        "import psycopg",
        "from psycopg_pool import ConnectionPool",
        "from django.db import connections",
        "connection.execute_wrappers.clear()",
    ],
)
def test_a_way_round_would_be_found(code: str):
    assert list(ways_round(ast.parse(code)))


def test_only_these_touch_patient_tables_without_a_line_of_their_own():
    users = {
        str(path.relative_to(ROOT))
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "covered")
        or (isinstance(node, ast.Name) and node.id == "covered")
    }
    assert users == COVERED.keys()
