"""A browser and a running product for the stories, and the people in them.

Both end with the last test of this package: Playwright keeps an event loop running, beside which Django
refuses to touch a database, so it must be gone before tests of other packages begin.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.browser import find_browser
from tests.browser.patient import Patient
from tests.browser.product import Product, on_a_copy
from tests.browser.visitor import PATIENCE, Visitor

Come = Callable[..., Any]

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def product(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    with on_a_copy(database_urls, f"footing_browser_{os.getpid()}", folder) as running:
        yield running.start()
    # Whatever the stories did: the server met no error of its own, and no log holds a link's secret.
    wrong = [line for line in running.said().splitlines() if " ERROR " in line or "Traceback" in line]
    assert wrong == []
    assert "intake/open/" not in running.said()
    assert "staff/join/" not in running.said()


@pytest.fixture
def broken_on_purpose(product: Product) -> Iterator[None]:
    """In a story that breaks something, what the server says of it is no error of the server's."""
    before = product.log.stat().st_size
    yield
    os.truncate(product.log, before)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium without a network: every name but this machine's leads nowhere."""
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.deep)], ids=["scripts", "no scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Every story that asks for this is lived twice, with scripts and without.

    The short run does without the second, but for the stories marked `BOTH_WAYS`.
    """
    return bool(request.param)


BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def come(product: Product, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Come]:
    """`come(Patient, scripts=False)`: a person with a browser. What their pages did wrong fails the test."""
    people: list[Visitor] = []

    def one(kind: type[Visitor], **how: Any) -> Visitor:
        person = kind(chromium, product.address, **how)
        people.append(person)
        return person

    yield one
    if request.node.stash.get(FAILED, False):
        for person in people:
            sys.stdout.write(person.describes() + "\n")
    problems = [problem for person in people for problem in person.leaves()]
    assert not problems, "\n".join(problems)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def patient(come: Come, scripts: bool) -> Patient:
    return come(Patient, scripts=scripts)
