"""Lines of the log: one a record, in UTC, with the request they belong to, whatever somebody sends (R27)."""

import logging
import re

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from clinic.middleware import RequestId, UtcLine
from tests.log_lines import log_lines

LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r" (?P<level>[A-Z]+) (?P<who>[\w.]+) (?P<request>\S+) (?P<what>.*)"
)
OURS = re.compile(r"[0-9a-f]{16}")
logger = logging.getLogger("clinic.tests")


def line_of(message: str, *args: object) -> str:
    return UtcLine().format(
        logging.LogRecord("clinic.tests", logging.ERROR, __file__, 1, message, args, None)
    )


@pytest.mark.parametrize(
    "text",
    [
        "one\n2026-01-01T00:00:00.000Z ERROR django - forged",
        "one\r\ntwo",
        "one\rtwo",
        "one\x0btwo\x0ctwo",
        "one\x85two",
        "one\u2028two\u2029three",
        "\x1b[2J\x1b[31mred",
        "\x9b31m",
        "\x00",
        "\x08\x08\x08gone",
        "\u202egnp.exe",
        "\u2066hidden\u2069",
        "half \ud800 a pair",
    ],
)
def test_nothing_that_is_logged_starts_a_line_of_its_own_or_moves_a_terminal(text: str):
    line = line_of("Not found: %s", text)
    assert line.splitlines() == [line]
    assert line.isprintable()
    line.encode("utf-8")
    assert LINE.fullmatch(line)


def test_people_words_stay_as_they_are():
    assert line_of("Zal\u0300go, 100% sûr, \U0001f9b5").endswith(" Zal\u0300go, 100% sûr, \U0001f9b5")


def ask(**extra: str) -> tuple[HttpResponse, str]:
    """An answer, and the line that was logged on the way to it."""

    def view(request):
        logger.error("on the way")
        return HttpResponse()

    with log_lines() as written:
        response = RequestId(view)(RequestFactory().get("/", **extra))
    return response, written.getvalue().strip()


def test_an_answer_and_the_lines_of_its_request_have_the_same_name():
    response, line = ask()
    name = response.headers["X-Request-ID"]
    found = LINE.fullmatch(line)
    assert OURS.fullmatch(name)
    assert found
    assert found["request"] == name
    again, _ = ask()
    assert again.headers["X-Request-ID"] != name


def test_outside_a_request_there_is_none():
    ask()
    assert LINE.fullmatch(line_of("x"))["request"] == "-"  # type: ignore[index]


@pytest.mark.parametrize(
    ("proxy", "sent", "taken"),
    [
        ("", "4bf92f3577b34da6", False),
        ("203.0.113.1", "4bf92f3577b34da6", False),
        ("127.0.0.1", "4bf92f3577b34da6", True),
        ("127.0.0.1", "0af76519-16cd-43dd-8448-eb211c80319c", True),
        ("127.0.0.1", "short", False),
        ("127.0.0.1", "a" * 65, False),
        ("127.0.0.1", "with a space in it", False),
        ("127.0.0.1", "abcdefgh\nforged", False),
        ("127.0.0.1", "abcdefgh\n", False),
        ("127.0.0.1", "<script>alert(1)", False),
        ("127.0.0.1", "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", False),
        ("127.0.0.1", "", False),
    ],
)
def test_only_the_trusted_proxy_names_a_request(proxy: str, sent: str, taken: bool, settings):
    settings.TRUSTED_PROXY = proxy
    response, line = ask(HTTP_X_REQUEST_ID=sent)
    name = response.headers["X-Request-ID"]
    assert (name == sent) == taken
    if not taken:
        assert OURS.fullmatch(name)
    assert f" {name} on the way" in line


@pytest.mark.django_db
@pytest.mark.usefixtures("failing_urls")
def test_an_error_is_found_by_the_name_in_its_answer_which_tells_nothing_else():
    with log_lines() as written:
        response = Client(raise_request_exception=False).get("/fail/broken/")
    (line,) = written.getvalue().splitlines()
    found = LINE.fullmatch(line)
    assert response.status_code == 500
    assert found
    assert found["request"] == response.headers["X-Request-ID"]
    assert re.fullmatch(r"RuntimeError at \S+:\d+", found["what"])
    for word in ("RuntimeError", "Traceback", "Django", "Python", "gunicorn", "failing_urls"):
        assert word not in response.text
