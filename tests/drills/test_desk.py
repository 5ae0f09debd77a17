"""Many decisions at the same moment on one intake, over HTTP: none is lost, and each stands once."""

import logging
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.browser.product import Product, on_a_copy
from tests.drills.stream import Caller
from tests.totp import next_code

PHYSIOS: Final = 4
REVIEW: Final = "/staff/intake/questionnaireresponse/{}/review/"
logger = logging.getLogger("tests.drills")


@pytest.fixture(scope="module")
def product(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("desk")
    with on_a_copy(database_urls, f"footing_desk_{os.getpid()}", folder) as product:
        product.environment["WEB_WORKERS"] = "2"
        yield product.start(worker=False)


@dataclass
class Click(threading.Thread):
    """A physio's press of a button on one finding. answer: status, or what went wrong instead."""

    caller: Caller
    path: str
    who: str
    finding: int
    note: str
    together: threading.Barrier
    answer: str = field(default="", init=False)

    __hash__ = threading.Thread.__hash__

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        button = ("confirm", "assess", "dismiss")[int(self.note) % 3]
        fields = {"do": button, "finding": str(self.finding), "note": self.note, "reason": "old-injury"}
        body = self.caller.form({name: [text] for name, text in fields.items()})
        self.together.wait(60)
        try:
            status, _where = self.caller.ask("POST", self.path, body)
            self.answer = str(status)
        except Exception as error:
            self.answer = type(error).__name__
        finally:
            self.caller.hang_up()


def signed_in(product: Product, username: str, role: str = "physio") -> Caller:
    account = product.reception("staff", role=role, username=username)
    caller = Caller(product.port)
    caller.ask("GET", "/staff/login/")
    fields = {"username": [account["username"]], "password": [account["password"]], "next": ["/staff/"]}
    assert caller.ask("POST", "/staff/login/", caller.form(fields))[0] in (302, 303)
    fields = {"code": [next_code(account["totp"])]}
    assert caller.ask("POST", "/staff/login/code/", caller.form(fields))[0] in (302, 303)
    caller.hang_up()
    return caller


@pytest.mark.deep
@pytest.mark.parametrize("number", [40, 200])
def test_parallel_decisions_on_one_intake(product: Product, number: int) -> None:
    known = product.reception("known_intakes")
    answers = known["ROLLING_IN"] | known["SPARING"]
    answers["pain.regions.right"] = ["knee-front", "knee-inner", "knee-outer"]
    response = product.reception("visit", family=f"Parallel {number}", answers=answers)["response"]
    path = REVIEW.format(response)
    physios = {name: signed_in(product, name) for name in (f"physio-{at}" for at in range(PHYSIOS))}
    reader = next(iter(physios.values()))
    status, where, page = reader.read("GET", path)
    assert (status, where) == (200, "")
    reader.hang_up()
    findings = [int(key) for key in dict.fromkeys(re.findall(r'name="finding" value="([0-9]+)"', page))]
    assert len(findings) > 1

    together = threading.Barrier(number)
    names = list(physios)
    clicks = []
    for at in range(number):
        who = names[at % PHYSIOS]
        caller = Caller(product.port, physios[who].cookies)
        clicks.append(Click(caller, path, who, findings[at % len(findings)], str(at), together))
    began = time.monotonic()
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    seconds = time.monotonic() - began
    seen = Counter(click.answer for click in clicks)
    logger.info("%s decisions in %.1f s, clients saw %s", number, seconds, dict(seen))

    assert seen == {"303": number}
    stored = product.reception("decisions", response=response)
    made = Counter((click.finding, click.who, click.note) for click in clicks)
    assert Counter((finding, who, note) for _key, finding, who, note in stored["verdicts"]) == made
    in_trail = Counter((click.finding, click.who) for click in clicks)
    assert Counter((finding, who) for finding, who in stored["trail"]) == in_trail
    last = {str(finding): note for _key, finding, _who, note in stored["verdicts"]}
    assert stored["standing"] == last
    assert stored["reviews"] == 1
    assert "Traceback" not in product.said()
