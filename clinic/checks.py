"""What only the database can tell about safety: `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

_ROLE = """
SELECT rolsuper OR rolbypassrls OR rolcreaterole,
  EXISTS (SELECT FROM pg_tables WHERE tablename = 'intake_auditevent' AND tableowner = current_user)
FROM pg_roles WHERE rolname = current_user
"""


@register(Tags.database)
def the_role_that_runs(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The product runs as a role that may neither do everything nor own the tables."""
    if not databases or settings.AS_OWNER:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ROLE)
        mighty, owns = cursor.fetchone()
    found: list[CheckMessage] = []
    if mighty:
        found.append(Error("The role in DATABASE_URL is a superuser or nearly one.", id="clinic.E001"))
    if owns:
        found.append(
            Error(
                "The role in DATABASE_URL owns the tables.",
                hint="Make two roles; DATABASE_OWNER_URL names the owner.",
                id="clinic.E002",
            )
        )
    return found
