"""What tests with a database share."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections

from tests.conftest import copy_database, drop_database


@pytest.fixture
def committed_db(
    django_db_setup: None, django_db_blocker, database_urls: tuple[str, str], ready_database: str
) -> Iterator[None]:
    """A database of this test's own, where writes are committed, for what several connections do at once.

    The app role may not empty tables, so there is nothing to clean up in a shared one.
    """
    owner_url, _ = database_urls
    name = f"footing_test_{os.getpid()}_own"
    connection = connections["default"]
    before = connection.settings_dict["NAME"]
    copy_database(owner_url, ready_database, name)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = before
    drop_database(owner_url, name)
