"""Somebody who reads the lessons and tells nobody who they are."""

from typing import Final, Self

from playwright.sync_api import expect

from tests.browser.visitor import Visitor

# What scripts of ours may keep in a reader's browser: names of lessons, nothing else.
KEPT: Final = "lessons-read"


class Reader(Visitor):
    def types_and_searches(self, words: str) -> Self:
        self.page.get_by_role("searchbox", name="Search lessons").fill(words)
        return self.presses("Search")

    def follows_on_map(self, name: str) -> Self:
        """A link of the drawing, by its name."""
        return self.uses(self.page.locator("svg.m-map").get_by_role("link", name=name, exact=True))

    def walks_with_tab_to(self, name: str, most: int = 60) -> Self:
        """Keyboard alone: Tab until the link of this name has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            named = self.page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
            )
            if named.strip() == name:
                return self
        raise AssertionError(f"{most} tabs did not lead to {name!r}")

    def presses_enter(self) -> Self:
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.look()
        return self

    def reads_to_the_end(self) -> Self:
        self.page.locator(".c-pager").scroll_into_view_if_needed()
        return self

    def is_told_it_was_read(self) -> Self:
        expect(self.main).to_contain_text("You have read this lesson. Only this device knows.")
        expect(self.page.get_by_role("button", name="Forget what I read")).to_be_visible()
        return self

    def is_not_told_it_was_read(self) -> Self:
        expect(self.page.get_by_role("button", name="Forget what I read")).to_be_hidden()
        return self

    @property
    def keeps(self) -> dict[str, str]:
        """All that this site left in the browser."""
        assert self.cookies() == {}
        found: dict[str, str] = self.page.evaluate("() => ({...sessionStorage, ...localStorage})")
        return found
