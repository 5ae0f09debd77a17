"""The clinic's staff: a front desk that invites, and physios who review. At a laptop, with a mouse."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect

from tests.browser.visitor import LAPTOP, PHONE, WCAG, Visitor
from tests.totp import next_code

SECOND_STEP = "/staff/login/code/"


class Staff(Visitor):
    """Anybody with an account."""

    window = LAPTOP
    touch = False
    # To look into style sheets axe writes them into the page anew, where the policy refuses what they import.
    axe: ClassVar[dict[str, Any]] = {**WCAG, "preload": False}

    def signs_in(self, account: Mapping[str, str]) -> Self:
        self.goes_to("/staff/").reads_heading("Staff sign-in")
        self.types(self.page.get_by_label("Username"), account["username"])
        self.types(self.page.get_by_label("Password"), account["password"])
        self.presses("Log in")
        if urlsplit(self.page.url).path == SECOND_STEP:
            self.gives_code(next_code(account["totp"]))
        return self

    def gives_code(self, code: str) -> Self:
        """The second step."""
        self.types(self.page.get_by_label("Code", exact=True), code)
        return self.presses("Go on")

    def is_told(self, words: str) -> Self:
        """The line on top of the page after something was done."""
        expect(self.page.locator(".messagelist")).to_contain_text(words)
        return self

    @property
    def banner(self) -> Locator:
        """What stands on every staff page while urgent answers wait."""
        return self.page.get_by_role("status").filter(has_text="urgent")

    def urgent_answers(self) -> int:
        """How many the banner says are waiting."""
        if not self.banner.is_visible():
            return 0
        return int(self.banner.inner_text().split()[0])

    def follows_banner(self) -> Self:
        return self.uses(self.banner.get_by_role("link"))

    def goes_to_worklist(self, query: str = "") -> Self:
        return self.goes_to(f"/staff/intake/evaluation/{query}")

    def row(self, name: str) -> Locator:
        """A line of the worklist."""
        return self.main.get_by_role("row").filter(has=self.page.get_by_role("link", name=name, exact=True))

    def names_in_worklist(self) -> list[str]:
        return self.main.get_by_role("rowheader").get_by_role("link").all_inner_texts()

    def opens_row(self, name: str) -> Self:
        return self.follows(name, within=self.row(name))


class StaffOnPhone(Staff):
    """The same people on the way to the clinic, with a thumb."""

    window = PHONE
    touch = True

    @property
    def menu_button(self) -> Locator:
        return self.page.locator("summary", has_text="Menu")

    @property
    def menu(self) -> Locator:
        """The pages of the staff: a side bar on a wide screen."""
        return self.page.locator("#nav-sidebar")

    def opens_menu(self) -> Locator:
        self.touches(self.menu_button)
        expect(self.page.get_by_role("navigation", name="Staff pages")).to_be_visible()
        return self.menu


class FrontDesk(Staff):
    """Adds people and visits, sends the link, sees that something is urgent and never an answer."""

    def adds_patient(self, *, given: str, family: str, born: str, email: str, phone: str = "") -> Self:
        self.follows("Add a patient", within=self.main).reads_heading("Add a patient")
        for label, text in (
            ("Given name", given),
            ("Family name", family),
            ("Date of birth", born),
            ("E-mail", email),
            ("Phone", phone),
        ):
            self.types(self.page.get_by_label(label), text)
        return self.presses("Add")

    def adds_evaluation(self, *, physio: str, starts_at: str) -> Self:
        """starts_at as the browser's picker gives it: 2026-12-01T09:00."""
        self.follows("Add an evaluation", within=self.main).reads_heading("Add an evaluation")
        self.picks(self.page.get_by_label("Physio"), physio)
        self.types(self.page.get_by_label("Starts at"), starts_at)
        return self.presses("Add")


class Physio(Staff):
    """Reads an intake, decides on findings, records calls, finishes."""

    def finding(self, title: str) -> Locator:
        """A finding, opened first where it stands by its name only."""
        name = self.main.locator(".k-name").get_by_role("link", name=title, exact=True)
        card = self.main.get_by_role("article", name=title)
        if name.count() == 1 and not card.count():
            self.touches(name)
            expect(card).to_be_visible()
        return card

    def opens_all_findings(self) -> Self:
        return self.follows("Open all findings")

    def open_findings(self) -> list[str]:
        """Titles of the findings that still wait for a decision, in the order of the page."""
        undecided = self.main.locator(".k-find:not(.is-decided):has(form.k-acts) h3, .k-name:not(:has(b)) a")
        return undecided.all_inner_texts()

    def decides(self, button: str, title: str, *, note: str = "", reason: str = "") -> Self:
        """Confirm, Assess or Dismiss."""
        card = self.finding(title)
        if note:
            self.types(card.get_by_label("Note on this finding"), note)
        if reason:
            self.picks(card.get_by_label("Reason, if you dismiss it"), reason)
        return self.presses(button, within=card)

    def confirms(self, title: str, **words: str) -> Self:
        return self.decides("Confirm", title, **words)

    def assesses(self, title: str, **words: str) -> Self:
        return self.decides("Assess", title, **words)

    def dismisses(self, title: str, **words: str) -> Self:
        return self.decides("Dismiss", title, **words)

    def undoes(self, title: str) -> Self:
        return self.uses(self.finding(title).get_by_role("button", name=f"Undo {title}"))

    def sees_decided(self, title: str, *words: str) -> Self:
        for word in words:
            expect(self.finding(title)).to_contain_text(word)
        return self

    def records_call(self, *, outcome: str, next_step: str = "") -> Self:
        call = self.main.locator("form", has=self.page.get_by_role("button", name="Record the call"))
        self.touches(call.get_by_role("radio", name=outcome))
        if next_step:
            self.types(call.get_by_label("Agreed next step"), next_step)
        return self.presses("Record the call", within=call)

    def finishes(self) -> Self:
        return self.presses("Finish review")

    # After the evaluation

    def outcome_of(self, title: str) -> Locator:
        """The fields of one finding after the evaluation."""
        return self.main.get_by_role("group", name=title)

    def findings_to_fill_in(self) -> list[str]:
        """Titles of the findings without an outcome, in the order of the page."""
        cards = self.main.get_by_role("group").filter(has_text="To fill in")
        return [card.locator("legend").inner_text() for card in cards.all()]

    def says(self, title: str, result: str, *, reason: str = "", note: str = "") -> Self:
        """Found, Not found or Not tested."""
        fields = self.outcome_of(title)
        self.touches(fields.get_by_role("radio", name=result, exact=True))
        if reason:
            self.picks(fields.get_by_label("Why was it not tested?"), reason)
        if note:
            self.types(fields.get_by_label("Note (optional)"), note)
        return self

    def measures(self, test: str, **sides: str) -> Self:
        for side, value in sides.items():
            self.types(self.main.get_by_role("textbox", name=f"{test}, {side}"), value)
        return self

    def adds_missed_link(self, *, starts: str, shows: str, words: str) -> Self:
        self.picks(self.main.get_by_label("Starts at"), starts)
        self.picks(self.main.get_by_label("Shows at"), shows)
        self.types(self.main.get_by_label("In a few words"), words)
        return self

    def saves_for_later(self) -> Self:
        return self.presses("Save for later")

    def closes_evaluation(self) -> Self:
        return self.presses("Close this evaluation")

    def opens_again(self, reason: str) -> Self:
        self.types(self.main.get_by_label("Why do you open it again?"), reason)
        return self.presses("Open again")
