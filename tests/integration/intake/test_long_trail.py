"""A long trail: filters go by index, and one line of ten thousand that was changed is found."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from intake import trail
from intake.audit import AuditEvent
from intake.review.looked import Filters, about, beyond, lines
from tests.conftest import address
from tests.integration.intake.test_trail import tamper

pytestmark = [pytest.mark.deep, pytest.mark.usefixtures("committed_db")]

LINES = 200_000
PATIENTS = 4_000

# Of 20 people of the staff, and one who was hardly ever here. Each hundredth line is a worklist of 40 visits.
FILL = """
INSERT INTO intake_auditevent (at, actor_kind, actor_id, action, objects_seen, detail)
SELECT
  now() - make_interval(secs => (%(lines)s - n) * 60),
  CASE WHEN n %% 3 = 0 THEN 'patient' ELSE 'staff' END,
  CASE WHEN n %% 3 = 0 THEN md5('link' || n %% %(patients)s)::uuid::text
    WHEN n %% 20000 = 1 THEN '999' ELSE (n %% 20)::text END,
  CASE WHEN n %% 5000 = 0 THEN 'trail.exported' WHEN n %% 100 = 0 THEN 'worklist.read' ELSE 'review.read' END,
  CASE WHEN n %% 100 = 0 THEN jsonb_build_object('evaluation', (
    SELECT jsonb_agg(md5('visit' || (n + m) %% %(patients)s)::uuid::text) FROM generate_series(1, 40) m
  ))
  ELSE jsonb_build_object(
    'response', jsonb_build_array(md5('intake' || n %% %(patients)s)::uuid::text),
    'evaluation', jsonb_build_array(md5('visit' || n %% %(patients)s)::uuid::text)
  ) END,
  '{}'
FROM generate_series(1, %(lines)s) n
"""


@pytest.fixture
def owner(database_urls: tuple[str, str], committed_db: None):
    """Whoever owns the database."""
    with psycopg.connect(address(database_urls[0], connection.settings_dict["NAME"]), autocommit=True) as one:
        yield one


def fill(owner: psycopg.Connection, number: int) -> None:
    owner.execute(FILL, {"lines": number, "patients": PATIENTS})
    owner.execute("VACUUM ANALYZE intake_auditevent")


def visit(number: int) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT md5('visit' || %s)::uuid", [number])
        return cursor.fetchone()[0]


def plan(rows) -> str:
    """How the first page of these lines is found."""
    found: str = rows[:51].explain(analyze=True)
    return found


def test_filters_of_a_long_trail_go_by_index(owner):
    owner.execute("ALTER TABLE intake_auditevent DISABLE TRIGGER linked")
    fill(owner, LINES)
    whole = re.compile(r"Seq Scan on intake_auditevent")
    one = plan(lines(Filters(record=f"evaluation:{visit(7)}")))
    assert "audit_ids" in one
    assert not whole.search(one)
    # As many keys as a patient with some visits has.
    keys = [f"response:{uuid4()}" for _ in range(60)] + [f"evaluation:{visit(9)}"]
    hers = plan(AuditEvent.objects.filter(about(keys)).order_by("-at", "-pk"))
    assert "audit_ids" in hers
    assert not whole.search(hers)
    assert "audit_staff" in plan(lines(Filters(who=999)))
    assert not whole.search(plan(lines(Filters(who=7))))
    assert "audit_action" in plan(lines(Filters(group="copied")))
    assert not whole.search(plan(lines(Filters(group="read"))))
    assert "audit_at" in plan(lines(Filters(day=timezone.localdate() - timedelta(days=30))))
    old = AuditEvent.objects.order_by("pk")[LINES // 2]
    assert not whole.search(plan(beyond(lines(Filters()), old)))
    assert not whole.search(plan(beyond(lines(Filters(who=7)), old)))


LINE = "DELETE FROM intake_auditevent WHERE id = {event}"
LINK = "DELETE FROM intake_traillink WHERE event = {event}"


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (("UPDATE intake_auditevent SET detail = '{{\"x\": 1}}' WHERE id = {event}",), "changed"),
        ((LINE,), "removed"),
        ((LINE, LINK), "gap"),
    ],
)
def test_one_line_of_ten_thousand_that_its_owner_touched_is_found(owner, statements, what: str):
    fill(owner, 10_000)
    assert trail.verify().wrong == ()
    for place in (1, 2, 4_999, 9_900):
        event, number = owner.execute(
            "SELECT event, number FROM intake_traillink ORDER BY number OFFSET %s LIMIT 1", [place]
        ).fetchone()
        tamper(owner, *(statement.format(event=event) for statement in statements))
        here = number + 1 if what == "gap" else number
        assert (what, here) in {(one.what, one.number) for one in trail.verify().wrong}


def test_each_of_ten_thousand_lines_is_covered_by_its_link(owner):
    """All at once: no line could be changed without its own place being named."""
    fill(owner, 10_000)
    first, last = owner.execute("SELECT min(number), max(number) FROM intake_traillink").fetchone()
    tamper(owner, "UPDATE intake_auditevent SET actor_id = actor_id || 'x'")
    assert [(one.what, one.number) for one in trail.verify().wrong] == [
        ("changed", number) for number in range(first, last + 1)
    ]
