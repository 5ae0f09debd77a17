"""A database that is away in the middle of a page is told as that, wherever it was noticed."""

import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from clinic.middleware import DatabaseAway

pytestmark = pytest.mark.django_db


def answer_to(
    statement: str, path: str = "/intake/about/", *, tablet: str = "", **sent: Any
) -> HttpResponse | None:
    """To a page whose job could not be queued for what comes of the statement."""
    middleware = DatabaseAway(lambda request: HttpResponse())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")
    with pytest.raises(ConnectorException) as raised:
        app.connector.get_sync_connector().execute_query(statement)
    request = RequestFactory().post(path, **sent)
    if tablet:
        request.COOKIES["tablet"] = tablet
    return middleware.process_exception(request, raised.value)


FORM = "application/x-www-form-urlencoded"


def test_also_where_a_job_is_queued():
    answer = answer_to("SELECT pg_sleep(5)")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "We will be right back" in answer.text


def test_a_database_that_takes_no_writes():
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    answer = answer_to("DELETE FROM procrastinate_jobs")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_what_is_our_own_fault_is_not_called_an_outage():
    assert answer_to("SELECT 1 / 0") is None


def test_what_was_sent_stands_in_the_page_to_be_sent_again():
    body = "csrfmiddlewaretoken=old&why.story=It+%3Cb%3Ehurts%3C%2Fb%3E&tick=one&tick=two&leave="
    answer = answer_to("SELECT pg_sleep(5)", data=body, content_type=FORM)
    assert answer is not None
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
    token, *kept = fields
    assert (token[0], token[1] != "old") == ("csrfmiddlewaretoken", True)
    assert kept == [
        ("why.story", "It &lt;b&gt;hurts&lt;/b&gt;"),
        ("tick", "one"),
        ("tick", "two"),
        ("leave", ""),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {"path": "/staff/login/", "data": "username=maya&password=secret", "content_type": FORM},
        {"path": "/editor/images/add/", "data": {"title": "A knee"}},
        {"tablet": "1", "data": "why.story=secret", "content_type": FORM},
    ],
    ids=["password", "files", "tablet"],
)
def test_what_must_not_stay_is_not_kept(sent):
    answer = answer_to("SELECT pg_sleep(5)", **sent)
    assert answer is not None
    assert "<form" not in answer.text
    assert "secret" not in answer.text
