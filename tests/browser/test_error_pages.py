"""Pages for when something goes wrong, ours or theirs: plain words, for everybody, in both themes."""

import pytest

from tests.browser.conftest import Come
from tests.browser.database import locked, without
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.usefixtures("broken_on_purpose")


def send_form(visitor: Visitor, action: str, fields: int = 1) -> None:
    """Send a form that none of our pages has."""
    with visitor.page.expect_navigation():
        visitor.page.evaluate(
            """([action, fields]) => {
              const form = document.createElement("form");
              Object.assign(form, { action, method: "post" });
              for (let number = 0; number < fields; number += 1) {
                const input = document.createElement("input");
                input.name = `field-${number}`;
                form.append(input);
              }
              document.body.append(form);
              form.submit();
            }""",
            [action, fields],
        )
    visitor.look()


def test_a_page_that_is_not_there(come: Come) -> None:
    visitor: Visitor = come(Visitor)
    for path in ("/no/such/page/", "/learn/no-such-lesson/", "/learn/category/none/", "/chain/elbow/"):
        with visitor.refused_with(404):
            visitor.goes_to(path)
        visitor.reads_heading("We cannot find that page").reads("(310) 555-0142")
    visitor.finds_page_accessible(themes=True)
    visitor.follows("Go to the first page").reads_heading("It hurts here. It may start there.")


def test_an_address_that_only_a_button_leads_to(come: Come) -> None:
    visitor: Visitor = come(Visitor)
    with visitor.refused_with(405):
        visitor.goes_to("/intake/leave/")
    visitor.reads_heading("This address is not a page").reads("(310) 555-0142")
    visitor.finds_page_accessible(themes=True)


def test_what_was_sent_cannot_be_read(come: Come) -> None:
    visitor: Visitor = come(Visitor).goes_to("/privacy/")
    with visitor.refused_with(400):
        send_form(visitor, "/newsletter/", fields=2000)
    visitor.reads_heading("We could not read that").finds_page_accessible(themes=True)


def test_a_form_that_was_open_too_long(come: Come) -> None:
    visitor: Visitor = come(Visitor).goes_to("/evaluation/ask/")
    visitor.context.clear_cookies()
    with visitor.refused_with(403):
        send_form(visitor, "/evaluation/ask/")
    visitor.reads_heading("This page was open too long").finds_page_accessible(themes=True)


def test_a_failure_of_ours_says_nothing_of_how_it_came(come: Come, product: Product) -> None:
    visitor: Visitor = come(Visitor)
    with without(product, "education_lesson"), visitor.refused_with(500):
        visitor.goes_to("/learn/")
    visitor.reads_heading("Something went wrong on our side").does_not_read("education_lesson")
    visitor.finds_page_accessible(themes=True)
    visitor.follows("Go to the first page").reads_heading("It hurts here. It may start there.")


@pytest.mark.deep
def test_a_database_that_is_busy(come: Come, product: Product) -> None:
    visitor: Visitor = come(Visitor)
    with locked(product, "education_lesson"), visitor.refused_with(503):
        visitor.goes_to("/learn/")
    visitor.reads_heading("We will be right back").finds_page_accessible(themes=True)
    visitor.reloads().reads_heading("Lessons")
