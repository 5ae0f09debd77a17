"""A database that is away in the middle of a page is told as that, wherever it was noticed."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from clinic.middleware import DatabaseAway

pytestmark = pytest.mark.django_db


def answer_to(statement: str) -> HttpResponse | None:
    """To a page whose job could not be queued for what comes of the statement."""
    middleware = DatabaseAway(lambda request: HttpResponse())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")
    with pytest.raises(ConnectorException) as raised:
        app.connector.get_sync_connector().execute_query(statement)
    return middleware.process_exception(RequestFactory().post("/intake/about/"), raised.value)


def test_also_where_a_job_is_queued():
    answer = answer_to("SELECT pg_sleep(5)")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "We will be right back" in answer.text


def test_what_is_our_own_fault_is_not_called_an_outage():
    assert answer_to("SELECT 1 / 0") is None
