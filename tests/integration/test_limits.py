"""Where a limit bites: 429, when it no longer does, what was typed, and nobody else is held up (R36)."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from education import newsletter_views, views
from education.visitors import limits
from education.visitors.models import RecentUse
from intake.audit import AuditEvent
from intake.patients import asking, links
from tests.integration.intake.visitor import invited

pytestmark = pytest.mark.django_db

FEW = 4
HERE, THERE = "203.0.113.9", "203.0.113.10"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes sixty takes some here."""
    assert (views.SEARCHES_A_MINUTE, links.MISSES_AN_HOUR) == (60, 60)
    monkeypatch.setattr(views, "SEARCHES_A_MINUTE", FEW)
    monkeypatch.setattr(links, "MISSES_AN_HOUR", FEW)


def search(address: str) -> HttpResponse:
    return Client().get("/learn/search/", {"q": "stairs <b>"}, REMOTE_ADDR=address)


def miss(address: str) -> HttpResponse:
    return Client().get("/intake/open/nobody-has-this/", REMOTE_ADDR=address)


@pytest.mark.parametrize(
    ("ask", "seconds"),
    [(search, 60), (miss, 3600)],
    ids=["search", "miss"],
)
def test_one_visitor_waits_and_no_other(
    ask: Callable[[str], HttpResponse], seconds: int, clock: time_machine.Traveller
):
    free = ask(HERE).status_code
    assert {ask(HERE).status_code for _ in range(FEW - 1)} == {free}
    late = ask(HERE)
    assert (late.status_code, late.headers["Retry-After"]) == (429, str(seconds))
    assert late.headers["Cache-Control"].count("no-store") == 1
    assert ask(THERE).status_code == free
    clock.shift(seconds + 1)
    assert ask(HERE).status_code == free


def test_a_search_that_has_to_wait_is_kept_and_the_search_page_itself_never_waits():
    for _ in range(FEW):
        search(HERE)
    assert 'value="stairs &lt;b&gt;"' in search(HERE).text
    assert Client().get("/learn/search/", REMOTE_ADDR=HERE).status_code == 200


def test_a_link_that_opens_something_opens_for_whoever_opened_many_that_do_not():
    _, token = invited()
    before = AuditEvent.objects.count()
    for _ in range(FEW + 3):
        miss(HERE)
    assert AuditEvent.objects.count() == before + FEW
    assert Client().get(f"/intake/open/{token}/", REMOTE_ADDR=HERE).status_code == 200
    pages = {
        Client().get(f"/intake/{kind}/{links.new_token()}/", REMOTE_ADDR=HERE).text for kind in ("open",)
    }
    assert pages == {miss(HERE).text}


def test_everybody_together_asks_for_no_more_than_a_clinic_can_call_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "REQUESTS_OF_ALL_AN_HOUR", 3)
    assert [asking.may_ask(f"203.0.113.{last}") for last in range(4)] == [True, True, True, False]


def test_everybody_together_makes_no_more_than_some_mails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(newsletter_views, "SIGN_UPS_OF_ALL_AN_HOUR", 3)
    asks = [RequestFactory().post("/", REMOTE_ADDR=f"203.0.113.{last}") for last in range(4)]
    assert [newsletter_views.may_sign_up(one) for one in asks] == [True, True, True, False]


# ---------------------------------------------------------------- whose address it is


def address(peer: str, forwarded: str | None = None) -> str | None:
    extra = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return limits.visitor_address(RequestFactory().get("/", REMOTE_ADDR=peer, **extra))


@pytest.mark.parametrize(
    ("proxy", "peer", "forwarded", "found"),
    [
        ("", HERE, "198.51.100.1", HERE),
        ("", HERE, None, HERE),
        ("10.0.0.1", HERE, "198.51.100.1", HERE),
        ("10.0.0.1", "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "10.0.0.1", "junk", None),
        ("10.0.0.1", "10.0.0.1", "", None),
        ("", "::ffff:203.0.113.9", None, HERE),
        ("", "2001:db8::1", None, "2001:db8::1"),
        ("", "", None, None),
    ],
)
def test_whose_address_counts(proxy: str, peer: str, forwarded: str | None, found: str | None, settings):
    settings.TRUSTED_PROXY = proxy
    assert address(peer, forwarded) == found


def test_another_forwarded_address_with_each_request_evades_nothing():
    for number in range(FEW):
        Client().get("/learn/search/?q=x", REMOTE_ADDR=HERE, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert Client().get("/learn/search/?q=x", REMOTE_ADDR=HERE, HTTP_X_FORWARDED_FOR=THERE).status_code == 429
    assert search(THERE).status_code == 200


def test_behind_the_proxy_each_visitor_has_a_count_of_their_own(settings):
    settings.TRUSTED_PROXY = "10.0.0.1"
    proxy = {"REMOTE_ADDR": "10.0.0.1"}
    for _ in range(FEW):
        Client().get("/learn/search/?q=x", HTTP_X_FORWARDED_FOR=f"6.6.6.6, {HERE}", **proxy)
    asks = [Client().get("/learn/search/?q=x", HTTP_X_FORWARDED_FOR=who, **proxy) for who in (HERE, THERE)]
    assert [answer.status_code for answer in asks] == [429, 200]


def test_a_line_with_many_addresses_is_one_visitor():
    within = timedelta(hours=1)
    asks = [limits.allow("tests", f"2001:db8:0:7::{last:x}", limit=2, within=within) for last in (1, 2, 3)]
    assert asks == [True, True, False]
    assert limits.allow("tests", "2001:db8:0:8::1", limit=2, within=within)
    assert RecentUse.objects.filter(what="tests").count() == 2
    assert limits.line_of("2001:db8:0:7::5") == ("2001:db8:0:7::", "2001:db8:0:7:ffff:ffff:ffff:ffff")
    assert limits.line_of(HERE) == (HERE, HERE)


def test_wrong_dates_from_one_line_are_counted_together():
    from intake import audit
    from intake.patients.models import AccessEvent
    from tests.factories import SETUP

    _, token = invited()
    with audit.audited("tests.made", by=SETUP):
        other, _ = invited()
        AccessEvent.objects.bulk_create(
            AccessEvent(invitation=other, kind="wrong-date", at=timezone.now(), address=f"2001:db8::{n:x}")
            for n in range(30)
        )
    right = {"month": "4", "day": "12", "year": "1986"}
    link = f"/intake/open/{token}/"
    assert Client().post(link, right, REMOTE_ADDR="2001:db8::ffff").status_code == 200
    assert Client().post(link, right, REMOTE_ADDR="2001:db8:0:1::1").status_code == 303
