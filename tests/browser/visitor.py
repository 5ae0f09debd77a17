"""Somebody at a browser: what every person in the stories does, and what is checked at every page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect

PHONE: Final = {"width": 390, "height": 844}
LAPTOP: Final = {"width": 1440, "height": 900}
NARROWEST: Final = 320
# Milliseconds. Nothing here measures time: a loaded machine may take long.
PATIENCE: Final = 60_000

WCAG: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What passes need not be told in full.
    "resultTypes": ["violations"],
    # axe leaves it out unless asked, though it belongs to WCAG 2.2 AA.
    "rules": {"target-size": {"enabled": True}},
}

CONTRAST: Final = {"runOnly": ["color-contrast"], "resultTypes": ["violations"], "preload": False}


def without_contrast(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "rules": {**options.get("rules", {}), "color-contrast": {"enabled": False}}}


# Chromium writes violations to the console too; this also names the place.
TELL_OF_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (event) => console.error(
  `CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""

LOOK: Final = """() => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return {
    title: document.title,
    lang: document.documentElement.lang,
    headings: [...document.querySelectorAll("h1")].filter(seen).map((element) => element.textContent.trim()),
    twice: ids.filter((id, place) => ids.indexOf(id) !== place),
    inline: document.querySelectorAll(
      "[style], style, script:not([src], [type='application/ld+json'])").length,
  };
}"""

# A page without the mark that `uses` leaves on the one before.
CAME = "() => document.body && !document.documentElement.hasAttribute('data-before')"
SCRIPT_TAG: Final = re.compile(r"<script\b.*?</script>", re.DOTALL)

# Colors that are still fading, in Django's own style sheet, are no colors to measure.
# A page that draws no frame never ends its animations: nobody waits for it longer than three seconds.
SETTLE: Final = """() => Promise.race([
  Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  new Promise((done) => setTimeout(done, 3000)),
]).then(() => 0)"""

SCROLL: Final = "(top) => scrollTo({ top, behavior: 'instant' })"

WIDTH: Final = """() => {
  scrollTo(9999, scrollY);
  const moved = scrollX;
  scrollTo(0, scrollY);
  const wide = [...document.body.querySelectorAll("*")].filter(
    (part) => part.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5);
  const named = wide.map((part) => `${part.localName}.${part.className}`);
  return moved ? `${moved} px (${[...new Set(named)].slice(0, 6).join(" ")})` : "";
}"""

# What lies beyond the window once text is twice as large, as a phone's own setting makes it. A card that
# clips hides it for good, so that the page need not scroll for this to be wrong.
LARGE_TEXT: Final = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("html { font-size: 200% }");
  document.adoptedStyleSheets = [sheet];
  const wide = [...document.body.querySelectorAll("*")].filter((part) => {
    const { right, width } = part.getBoundingClientRect();
    return width > 1 && right > document.documentElement.clientWidth + 0.5
      && part.checkVisibility({ visibilityProperty: true }) && !part.closest("svg, .u-vh, .c-skip");
  });
  document.adoptedStyleSheets = [];
  return [...new Set(wide.map((part) => `${part.localName}.${part.className}`))].slice(0, 6).join(" ");
}"""


class Visitor:
    """A person with a browser of her own: cookies, window, touch or mouse, scripts on or off.

    `problems` collects what no page may do; the fixture that made the visitor fails the test on any.
    """

    window = PHONE
    touch = True
    # Whether text twice as large has to fit as well.
    reads_large = False
    axe: ClassVar[dict[str, Any]] = WCAG

    def __init__(self, browser: Browser, address: str, *, scripts: bool = True, dark: bool = False) -> None:
        self.browser = browser
        self.address = address
        self.scripts = scripts
        self.theme: Literal["dark", "light"] = "dark" if dark else "light"
        self.problems: list[str] = []
        self._expected: list[int] = []
        self.context = browser.new_context(
            base_url=address,
            viewport=self.window,
            has_touch=self.touch,
            java_script_enabled=scripts,
            color_scheme=self.theme,
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="America/Los_Angeles",
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(TELL_OF_VIOLATIONS)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        self.context.on("request", self._see_request)
        self.context.on("response", self._see_response)
        self.page = self.context.new_page()

    # ------------------------------------------------------------------------------- what no page may do
    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # Chromium's echo of an answer that `_see_response` judges.
        if message.text.startswith("Failed to load resource: the server responded with a status of"):
            return
        self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _see_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.address:
            self.problems.append(f"request to another host: {request.url}")

    def _see_response(self, response: Response) -> None:
        if response.status >= 400:
            if response.status in self._expected:
                self._expected.remove(response.status)
            else:
                self.problems.append(f"{response.status} {response.request.method} {response.url}")

    @contextmanager
    def refused_with(self, status: int) -> Iterator[None]:
        """Inside, one answer of this status is what the story wants; it has to come."""
        self._expected.append(status)
        yield
        if status in self._expected:
            self._expected.remove(status)
            self.problems.append(f"no answer was {status} at {self.page.url}")

    def look(self) -> None:
        """What holds for every page: one heading, a title, a language, ids once, nothing inline."""
        self.page.wait_for_load_state()
        seen = self.page.evaluate(LOOK)
        where = urlsplit(self.page.url).path
        complaints = {
            f"{len(seen['headings'])} h1: {seen['headings']}": len(seen["headings"]) != 1,
            "an empty h1": seen["headings"] == [""],
            f"title is {seen['title']!r}": not seen["title"].partition(" - ")[0].strip(),
            f"lang is {seen['lang']!r}": not seen["lang"].startswith("en"),
            f"ids twice: {sorted(set(seen['twice']))}": bool(seen["twice"]),
            f"{seen['inline']} inline styles or scripts": bool(seen["inline"]),
        }
        self.problems += [f"{where}: {words}" for words, wrong in complaints.items() if wrong]

    def finds_page_accessible(
        self, *, colors: bool = True, themes: bool = False, everything: bool = False
    ) -> None:
        """No axe violation at all (WCAG 2.2 AA and best practice), no sideways scroll at 320 px.

        Of those who read large text: nothing out of sight when it is twice as large.

        colors: contrast is part of it. themes: contrast in the other theme too.
        everything: all of axe there, and on the other screen.
        """
        complaints: list[str] = []
        with self._page_for_axe() as page:
            complaints += self._axe(page, self.axe if colors else without_contrast(self.axe))
            if themes or everything:
                other = "light" if self.theme == "dark" else "dark"
                page.emulate_media(color_scheme=other)
                complaints += self._axe(page, self.axe if everything else CONTRAST)
                page.emulate_media(color_scheme=self.theme)
            if everything:
                page.set_viewport_size(LAPTOP if self.window == PHONE else PHONE)
                complaints += self._axe(page, self.axe)
        self.page.set_viewport_size({**self.window, "width": NARROWEST})
        moved = self.page.evaluate(WIDTH)
        self.page.set_viewport_size(self.window)
        if moved:
            complaints.append(f"at {NARROWEST} px wide it scrolls sideways by {moved}")
        if self.reads_large and (hidden := self.page.evaluate(LARGE_TEXT)):
            complaints.append(f"with text twice as large, out of sight: {hidden}")
        where = urlsplit(self.page.url).path
        self.problems += [f"{where}: {words}" for words in complaints]

    def _axe(self, page: Page, options: dict[str, Any]) -> list[str]:
        page.evaluate(SETTLE)
        # Where a page ends, a bar that sticks to the window hides nothing; elsewhere it cuts links by chance.
        at = page.evaluate("() => scrollY")
        page.evaluate(SCROLL, 1_000_000)
        found = Axe().run(page, options=options).response
        complaints = [
            f"axe {rule['id']}: {node['target']} {node.get('failureSummary', '')}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]
        # Of words in the very color behind them axe says only that it cannot tell.
        complaints += [
            f"cannot be seen: {node['target']}"
            for rule in found["incomplete"]
            for node in rule["nodes"]
            if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
        ]
        page.evaluate(SCROLL, at)
        return complaints

    @contextmanager
    def _page_for_axe(self) -> Iterator[Page]:
        """axe needs timers, which stand still where scripts are off: there it gets a copy of the page."""
        if self.scripts:
            yield self.page
            return
        context = self.browser.new_context(viewport=self.window, color_scheme=self.theme)
        copy = context.new_page()
        html = SCRIPT_TAG.sub("", self.page.content())
        copy.route(self.page.url, lambda route: route.fulfill(body=html, content_type="text/html"))
        copy.goto(self.page.url)
        yield copy
        context.close()

    # ----------------------------------------------------------------------------------- what everybody does
    def goes_to(self, path: str) -> Self:
        self.page.goto(path)
        self.look()
        return self

    def opens_tab(self) -> Page:
        """A tab beside the others, and she looks at it."""
        self.page = self.context.new_page()
        return self.page

    def turns_to(self, tab: Page) -> Self:
        tab.bring_to_front()
        self.page = tab
        return self

    def closes_tab(self) -> Self:
        """Without a word to the page; a new, empty one opens."""
        self.page.close(run_before_unload=False)
        self.opens_tab()
        return self

    def presses(self, button: str, *, within: Locator | None = None) -> Self:
        """A button, by its words. Waits for the page it leads to."""
        return self.uses((within or self.page).get_by_role("button", name=button, exact=True))

    def follows(self, link: str, *, within: Locator | None = None) -> Self:
        return self.uses((within or self.page).get_by_role("link", name=link, exact=True))

    def uses(self, control: Locator) -> Self:
        """Press or tap what leads to another page."""
        if not self.scripts:
            with self.page.expect_navigation():
                self.touches(control)
        else:
            # A script may put the answer in the place of the page without a navigation.
            self.page.evaluate("() => document.documentElement.setAttribute('data-before', '')")
            self.touches(control)
            self.page.wait_for_function(CAME)
            self.page.wait_for_load_state("load")
        self.look()
        return self

    def touches(self, control: Locator) -> None:
        if self.touch:
            control.tap()
        else:
            control.click()

    def goes_back_in_browser(self) -> Self:
        self.page.go_back()
        self.look()
        return self

    def goes_forward_in_browser(self) -> Self:
        self.page.go_forward()
        self.look()
        return self

    def reloads(self) -> Self:
        self.page.reload()
        self.look()
        return self

    def types(self, control: Locator, text: str) -> None:
        control.fill(text)

    def picks(self, control: Locator, label: str) -> None:
        """One entry of a list that opens."""
        control.select_option(label=label)

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def reads_heading(self, words: str) -> Self:
        expect(self.heading).to_have_text(words)
        return self

    def reads(self, words: str) -> Self:
        """Somewhere on the page. What stands there instead is told once, by `describes`."""
        try:
            expect(self.main).to_contain_text(words)
        except AssertionError:
            raise AssertionError(f"{words!r} is not to be read at {self.page.url}") from None
        return self

    def does_not_read(self, words: str) -> Self:
        try:
            expect(self.main).not_to_contain_text(words)
        except AssertionError:
            raise AssertionError(f"{words!r} is to be read at {self.page.url}") from None
        return self

    def sees_error(self, words: str) -> Self:
        """The summary on top names the problem, has the focus and leads to a control; the title says so."""
        summary = self.page.get_by_role("alert")
        expect(summary).to_contain_text(words)
        expect(summary).to_be_focused()
        assert self.page.title().startswith("Error: "), self.page.title()
        for link in summary.get_by_role("link").all():
            target = (link.get_attribute("href") or "").partition("#")[2]
            if target:
                expect(self.page.locator(f"[id='{target}']")).to_have_count(1)
        return self

    def takes_picture(self, path: Path, *, whole: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.evaluate(SETTLE)
        self.page.screenshot(path=path, full_page=whole)

    def describes(self) -> str:
        """For a failed test: where this person is and what stands there."""
        name = type(self).__name__
        if self.page.is_closed() or not self.main.count():
            return f"{name} at {self.page.url}, which shows nothing"
        return f"{name} at {self.page.url}, {self.page.title()!r}:\n{self.main.inner_text()[:1500]}"

    def leaves(self) -> list[str]:
        """Close the browser and give everything that was wrong on the way."""
        self.context.close()
        return self.problems

    def cookies(self) -> dict[str, Any]:
        return {cookie["name"]: cookie for cookie in self.context.cookies()}
