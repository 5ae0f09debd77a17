"""A patient with the link from the e-mail. Methods say what she does and sees, in the words of the form."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Self
from urllib.parse import urlencode

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor
from tests.conftest import ROOT

# What somebody with nothing to report sends, page by page; stories that are about a later page begin there.
NOTHING_TO_REPORT: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "about": {
        "consent.understand": ["true"],
        "consent.privacy": ["true"],
        "about.age": ["40"],
        "why.main-problem": ["knee"],
    },
    "safety": {
        "safety.leg-signs.left": ["none"],
        "safety.leg-signs.right": ["none"],
        "safety.body-signs": ["none"],
        "safety.injury.left": ["false"],
        "safety.injury.right": ["false"],
    },
    "health": {"health.conditions": ["none"]},
    "where": {"pain.regions.left": ["none"], "pain.regions.right": ["knee-front", "sole-arch"]},
    "pain": {"pain.now": ["3"], "pain.worst": ["6"], "pain.average": ["4"]},
    "knee": {"knee.aggravators.right": ["stairs-down", "running"]},
    "foot": {"foot.arch.right": ["drops"], "foot.ankle-lean.right": ["in"]},
    "walk": {"gait.foot-roll.right": ["inward"]},
    "try": {},
    "life": {},
}

SEND: Final = re.compile("^Send to (my physio|the clinic)$")

DRAWING: Final = json.loads((ROOT / "intake" / "catalog" / "bodymap.json").read_text())
# Where each region's tick stands, by what the region is called in the file of drawings.
TICKS: Final = {
    f"{region}-v{number}-{side}": drawn[view["id"]][side]["tick"]
    for number, view in enumerate(DRAWING["views"], start=1)
    for region, drawn in DRAWING["shapes"].items()
    if view["id"] in drawn
    for side in ("left", "right")
}
TICK_POINT: Final = """(label, ticks) => {
  const drawing = [...label.querySelectorAll("svg")].find((svg) => getComputedStyle(svg).display !== "none");
  if (!drawing) return null;
  const area = drawing.querySelector("use");
  const [x, y] = ticks[area.getAttribute("href").split("#")[1]];
  area.scrollIntoView({ block: "center" });
  const point = new DOMPoint(x, y).matrixTransform(drawing.getScreenCTM());
  return [point.x, point.y];
}"""


class Patient(Visitor):
    """On a phone of 390 x 844, with a finger."""

    reads_large = True

    # ------------------------------------------------------------------------------------------- the link
    def opens(self, link: str) -> Self:
        return self.goes_to(link)

    def gives_birth_date(self, month: str, day: str, year: str, *, button: str = "Open my form") -> Self:
        for label, text in (("Month", month), ("Day", day), ("Year", year)):
            self.types(self.page.get_by_label(label, exact=True), text)
        return self.presses(button)

    def opens_with_birth_date(self, link: str, born: str = "1986-04-12") -> Self:
        year, month, day = (part.lstrip("0") for part in born.split("-"))
        return self.opens(link).gives_birth_date(month, day, year)

    def gives_code(self, code: str) -> Self:
        self.types(self.page.get_by_label("6-digit code"), code)
        return self.presses("Open my form")

    def starts(self) -> Self:
        return self.follows("Start")

    # -------------------------------------------------------------------------------------- the questions
    def question(self, text: str, side: str = "") -> Locator:
        """The controls that belong to a question; side as the form says it, such as "Right foot"."""
        whole = self.page.get_by_role("group", name=text, exact=True)
        if not side:
            return whole
        return whole.get_by_role("group", name=f"{side} {text}", exact=True)

    def choice(self, question: str, answer: str, side: str = "") -> Locator:
        """One answer's radio button or box."""
        group = self.question(question, side)
        return group.get_by_role("radio", name=answer, exact=True).or_(
            group.get_by_role("checkbox", name=answer, exact=True)
        )

    def chooses(self, question: str, *answers: str, side: str = "") -> Self:
        """Tap the card of each answer: a radio button, or a box that is not ticked yet."""
        for answer in answers:
            box = self.choice(question, answer, side)
            if not box.is_checked():
                self._taps_card(box)
            expect(box).to_be_checked()
        return self

    def unticks(self, question: str, *answers: str, side: str = "") -> Self:
        for answer in answers:
            box = self.choice(question, answer, side)
            expect(box).to_be_checked()
            self._taps_card(box)
            expect(box).not_to_be_checked()
        return self

    def ticks(self, *sentences: str) -> Self:
        """Consents and the like: one box with its sentence."""
        for sentence in sentences:
            box = self.page.get_by_role("checkbox", name=sentence)
            if not box.is_checked():
                self._taps_card(box)
            expect(box).to_be_checked()
        return self

    def _taps_card(self, box: Locator) -> None:
        """The whole card is the target, as a finger has it; by keyboard it is the box in it."""
        self.touches(box.locator("xpath=ancestor::label[1]") if self.touch else box)

    def writes(self, question: str, text: str, *, within: str = "") -> Self:
        place = self.page.get_by_role("group", name=within, exact=True) if within else self.page
        self.types(place.get_by_role("textbox", name=question, exact=True), text)
        return self

    def has_chosen(self, question: str, *answers: str, side: str = "") -> Self:
        for answer in answers:
            expect(self.choice(question, answer, side)).to_be_checked()
        return self

    def has_written(self, question: str, text: str) -> Self:
        expect(self.page.get_by_role("textbox", name=question, exact=True)).to_have_value(text)
        return self

    def is_asked(self, question: str, side: str = "") -> Self:
        expect(self.question(question, side)).to_be_visible()
        return self

    def is_not_asked(self, question: str, side: str = "") -> Self:
        expect(self.question(question, side).locator("visible=true")).to_have_count(0)
        return self

    # --------------------------------------------------------------------------------------- the body map
    def mark(self, name: str) -> Locator:
        return self.page.get_by_role("checkbox", name=name, exact=True)

    def turns_map_to(self, view: str) -> Self:
        """front, back, inner sides, outer sides or soles."""
        self.touches(self.page.get_by_role("radio", name=f"Show {view}"))
        return self

    def marks(self, *names: str) -> Self:
        """Put a finger on the drawing, at the very place where the tick will stand."""
        for name in names:
            label = self.page.locator("label.b-r", has=self.page.locator(".name", has_text=name))
            at = label.evaluate(TICK_POINT, TICKS)
            assert at, f"{name} is not drawn in this view"
            self.page.touchscreen.tap(*at)
        return self

    def sees_marked(self, *names: str) -> Self:
        """Exactly these places are named below the drawing, each as a chip that can be seen."""
        chips = self.page.locator("label.b-r:has(:checked) .name")
        expect(chips).to_have_text(list(names))
        assert chips.evaluate_all("(chips) => chips.every((chip) => chip.offsetHeight > 20)")
        return self

    # ------------------------------------------------------------------------------------------ moving on
    def has_filled(self, *slugs: str, **more: Mapping[str, Sequence[str]]) -> Self:
        """Send whole pages as her browser would, without showing them: what earlier stories went through.

        more: answers by page that stand in for those of `NOTHING_TO_REPORT`.
        """
        token = self.cookies()["csrf"]["value"]
        for slug in slugs:
            answers = {**NOTHING_TO_REPORT[slug], **more.get(slug, {})}
            fields = [("csrfmiddlewaretoken", token)]
            fields += [(name, text) for name, texts in answers.items() for text in texts]
            answer = self.context.request.post(
                f"/intake/{slug}/",
                data=urlencode(fields),
                headers={"content-type": "application/x-www-form-urlencoded"},
                max_redirects=0,
            )
            assert answer.status == 303, f"{slug}: {answer.status}"
        return self

    def has_filled_up_to(self, slug: str, **more: Mapping[str, Sequence[str]]) -> Self:
        """Everything before this page, then look at it."""
        slugs = list(NOTHING_TO_REPORT)
        return self.has_filled(*slugs[: slugs.index(slug)], **more).goes_to(f"/intake/{slug}/")

    def has_filled_everything(self, **more: Mapping[str, Sequence[str]]) -> Self:
        return self.has_filled(*NOTHING_TO_REPORT, **more).goes_to("/intake/check/")

    def tampers(self, name: str, value: str) -> Self:
        """Tick a control after giving it a value that the form does not offer."""
        self.page.locator(f"[name='{name}']").first.evaluate(
            "(control, value) => { control.value = value; control.checked = true; }", value
        )
        return self

    def continues(self) -> Self:
        return self.presses("Save and continue", within=self.main)

    def continues_to(self, heading: str) -> Self:
        return self.continues().reads_heading(heading)

    def goes_back(self) -> Self:
        return self.follows("Back")

    def opens_part(self, title: str) -> Self:
        return self.follows(title, within=self.main.get_by_role("list"))

    def sees_saved(self) -> Self:
        """The line that the script keeps: "Saved at 9:41 am"."""
        expect(self.page.get_by_role("status").filter(has_text="Saved at")).to_be_visible()
        return self

    def changes(self, question: str, side: str = "") -> Self:
        """From "Check your answers"."""
        what = f"{question} ({side})" if side else question
        return self.uses(self.main.get_by_role("link", name=f": {what}"))

    def confirms(self) -> Self:
        return self.ticks("My answers are right as far as I know")

    def sends(self) -> Self:
        """To her physio, or to the clinic while there is no appointment."""
        return self.uses(self.main.get_by_role("button", name=SEND))
