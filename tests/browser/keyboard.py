"""People who use a keyboard alone. Whatever they do, they get there by Tab and arrow keys."""

from typing import Final

from playwright.sync_api import Locator

from tests.browser.desk import FrontDesk, Physio
from tests.browser.patient import Patient
from tests.browser.visitor import Visitor

FAR: Final = 400

# 2: the focus is there. 1: it is on another button of the same radio group, where arrows lead on.
WHERE: Final = """(control) => {
  const now = document.activeElement;
  if (now === control) return 2;
  const group = control.type === "radio" && now.type === "radio" && now.name === control.name;
  return group && now.form === control.form ? 1 : 0;
}"""

# The ring may be drawn on what lies beside or around the control that holds the focus.
RING: Final = """(control) => {
  const label = control.closest("label");
  const around = [control, control.nextElementSibling, label, ...(label ? label.querySelectorAll("*") : [])];
  if (control.id) around.push(document.querySelector(`label[for="${CSS.escape(control.id)}"]`));
  return around.filter(Boolean).some((one) => {
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || style.boxShadow !== "none" || (one.matches(".b-r use") && style.strokeWidth !== "0px");
  });
}"""


class ByKeyboard(Visitor):
    touch = False

    def reaches(self, control: Locator) -> None:
        """Tab until the focus is there; it can be seen when it is."""
        here = control.element_handle()
        for _ in range(FAR):
            where = here.evaluate(WHERE)
            if where == 2:
                break
            self.page.keyboard.press("ArrowDown" if where else "Tab")
        else:
            raise AssertionError(f"{control} is not to be reached by Tab at {self.page.url}")
        if not here.evaluate(RING):
            self.problems.append(f"{self.page.url}: nothing shows that {control} has the focus")

    def touches(self, control: Locator) -> None:
        if control.evaluate("(one) => one.matches('label')"):
            control = control.locator("input").first
        self.reaches(control)
        kind = control.evaluate("(one) => one.type || one.localName")
        if kind != "radio" or not control.is_checked():
            self.page.keyboard.press("Space" if kind in ("checkbox", "radio") else "Enter")

    def types(self, control: Locator, text: str) -> None:
        self.reaches(control)
        if control.get_attribute("type") == "datetime-local":
            # The browser's picker has a box for each part.
            day, _, clock = text.partition("T")
            year, month, date = day.split("-")
            hour, minute = clock.split(":")
            half = "PM" if int(hour) >= 12 else "AM"
            text = f"{month}{date}{year}\t{(int(hour) % 12 or 12):02d}{minute}{half}"
            for part in text.split("\t"):
                self.page.keyboard.type(part)
                self.page.keyboard.press("Tab")
            return
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def picks(self, control: Locator, label: str) -> None:
        self.reaches(control)
        self.page.keyboard.type(label)


class KeyboardPatient(ByKeyboard, Patient):
    def marks(self, *names: str) -> "KeyboardPatient":
        for name in names:
            self.touches(self.mark(name))
        return self


class KeyboardFrontDesk(ByKeyboard, FrontDesk):
    pass


class KeyboardPhysio(ByKeyboard, Physio):
    struck = 0

    def strikes(self, *keys: str) -> "KeyboardPhysio":
        """Keys or chords, each of them once, wherever the focus is, when the page listens to them."""
        self.page.wait_for_load_state("load")
        for key in keys:
            self.page.keyboard.press(key)
            self.struck += 1
        return self
