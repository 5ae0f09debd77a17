"""Somebody who keeps the lessons, at /editor/ with a mouse. The editor needs scripts."""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from playwright.sync_api import FrameLocator, Locator, Response, TimeoutError, expect

from tests.browser.visitor import LAPTOP, Visitor
from tests.totp import next_code

SNIPPETS: Final = "/editor/snippets/education"

PASTE: Final = """(text, html) => {
  const data = new DataTransfer();
  data.setData("text/html", html);
  text.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


class Editor(Visitor):
    """Every page visited keeps to the policy, asks nobody outside, and meets no script error."""

    window = LAPTOP
    touch = False

    def signs_in(self, account: Mapping[str, str]) -> Self:
        self.page.goto("/editor/")
        assert self.path == "/staff/login/"
        self.page.get_by_label("Username").fill(account["username"])
        self.page.get_by_label("Password").fill(account["password"])
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_label("Code").fill(next_code(account["totp"]))
        self.page.get_by_role("button", name="Go on").click()
        self.page.wait_for_url("**/editor/")
        return self.rests()

    def rests(self) -> Self:
        self.page.wait_for_load_state("networkidle")
        return self

    def types_until_saved(self, field: Locator, words: str) -> str:
        """What stood in the field when the page saved by itself.

        The page first notes what it began with, some time after it is there, and sees no change before.
        """
        for number in range(10):
            with contextlib.suppress(TimeoutError):
                with self.page.expect_response(self._is_save, timeout=4_000):
                    field.fill(f"{words} {number}")
                    self.page.keyboard.press("Tab")
                return field.input_value()
        raise AssertionError("the page never saved by itself")

    def _is_save(self, answer: Response) -> bool:
        return self.path in answer.url and answer.request.method == "POST"

    def opens(self, path: str) -> Self:
        self.page.goto(path)
        return self.rests()

    def opens_lesson(self, title: str) -> Self:
        self.opens(f"{SNIPPETS}/lesson/?q={title}")
        self.page.get_by_role("link", name=title, exact=True).first.click()
        return self.rests()

    def field(self, label: str) -> Locator:
        return self.page.get_by_role("textbox", name=label)

    def turns_to_panel(self, name: str) -> Self:
        self.page.get_by_role("tab", name=re.compile(name)).click()
        return self

    def adds_block(self, kind: str) -> Self:
        """After the last one."""
        self.page.get_by_role("button", name="Insert a block").last.click()
        self.page.get_by_role("option", name=kind, exact=True).click()
        # Until it stands there, the last text is the one of an earlier block.
        last = self.page.locator("[data-streamfield-child] > section [data-panel-heading]").last
        expect(last).to_have_text(re.compile(rf"^\s*{kind}\b"))
        return self

    def pastes(self, html: str) -> Self:
        """Into the last text."""
        self.text.click()
        expect(self.text).to_be_focused()
        self.text.evaluate(PASTE, html)
        return self

    @property
    def text(self) -> Locator:
        """The last text with bold words and links."""
        return self.page.locator("[contenteditable=true]").last

    def asks_for_link(self, *, by_button: bool = False) -> Locator:
        """The dialog behind the Link button of the text with the cursor. The button needs chosen words."""
        if by_button:
            self.page.locator("button[name=LINK]:visible").last.click()
        else:
            self.page.keyboard.press("Control+k")
        return self.page.get_by_role("dialog").filter(has_text="Words of the link")

    def chooses_picture(self, file: Path) -> Self:
        """One from this machine, for the last block that wants one."""
        self.page.get_by_role("button", name="Choose an image").last.click()
        self.page.get_by_role("tab", name="Upload").click()
        dialog = self.page.get_by_role("dialog")
        dialog.locator("input[type=file]").set_input_files(file)
        expect(dialog.get_by_label("Title")).to_have_value(file.stem)
        self.page.get_by_role("button", name="Upload").last.click()
        expect(dialog).to_be_hidden()
        return self

    def notes_text(self) -> Self:
        """Until the last text stands in the form: the page notes it a quarter of a second after a change."""
        words = json.dumps(self.text.inner_text().strip())[1:-1]
        notes = self.page.locator("[name^=body-][name$='-value']").last
        expect(notes).to_have_value(re.compile(re.escape(words)))
        return self

    def saves(self) -> Self:
        self.page.get_by_role("button", name="Save draft", exact=True).first.click()
        return self

    def does(self, action: str) -> Self:
        """One of the buttons behind the arrow beside Save draft."""
        button = self.page.get_by_role("button", name=action, exact=True).last
        self.page.get_by_role("button", name="More actions").last.click()
        expect(button).to_be_visible()
        with self.page.expect_navigation():
            button.click()
        return self.rests()

    def opens_preview(self) -> FrameLocator:
        self.page.get_by_role("button", name="Toggle preview").click()
        return self.preview

    @property
    def preview(self) -> FrameLocator:
        return self.page.frame_locator("iframe[title=Preview]").last

    def is_told(self, words: str) -> Self:
        expect(self.page.locator("main")).to_contain_text(words)
        return self

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path
