"""What stands in the database, in short: to say that something changed nothing."""

from collections.abc import Collection

from django.db import connection

from intake import audit
from tests.factories import SETUP

# Looking writes a line into the trail, keeps a session alive and counts for a limit; nothing else.
MAY_CHANGE = ("intake_auditevent", "intake_patientsession", "clinic_session", "education_recentuse")


def digests(leaving_out: Collection[str] = MAY_CHANGE) -> dict[str, str]:
    """A fingerprint of the rows of every table."""
    with audit.audited("tests.digest", by=SETUP), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = sorted(name for (name,) in cursor.fetchall() if name not in leaving_out)
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{table}\" t"
            )
            (found[table],) = cursor.fetchone()
    return found
