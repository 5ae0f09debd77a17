"""Nothing that anybody typed runs in a browser, and the policy has nothing to stop (R29)."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Come
from tests.browser.desk import Staff
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.hostile import pieces

# What every text of the corpus calls. Were one of them to run, it would say so.
CANARY = "window.zyx = () => { window.__xss = true; };"
ALIVE = """() => {
  const leads = ["href", "src", "action", "formaction"];
  const runs = /^\\s*(javascript|vbscript|data:text):?/i;
  const wrong = ({ name, value }) => name.startsWith("on") || (leads.includes(name) && runs.test(value));
  return [...document.querySelectorAll("*")].flatMap((element) =>
    [...element.attributes].filter(wrong).map(({ name, value }) => `${element.localName} ${name}=${value}`));
}"""
# Each round puts every field's next texts into it; a few of them cover what parsers treat differently.
ROUNDS = range(0, len(pieces(80)), 8)


def nothing_ran(page: Page, path: str) -> None:
    assert page.evaluate("window.__xss") is None, path
    # Nor does anything wait for a finger: no address, no handler of theirs.
    alive = page.evaluate(ALIVE)
    assert alive == [], path


@pytest.mark.deep
@pytest.mark.parametrize("start", ROUNDS)
def test_nothing_that_was_typed_runs(come: Come, product: Product, start: int) -> None:
    made = product.reception("hostile", start=start)
    for role in ("physio", "front desk", "owner"):
        person: Staff = come(Staff)
        person.context.add_init_script(CANARY)
        person.signs_in(made["accounts"][role])
        for path in made["views"][role]:
            person.page.goto(path)
            nothing_ran(person.page, path)
    patient: Patient = come(Patient)
    patient.context.add_init_script(CANARY)
    patient.context.add_cookies([{**made["cookie"], "url": product.address}])
    for path in made["views"]["patient"]:
        patient.page.goto(path)
        nothing_ran(patient.page, path)
