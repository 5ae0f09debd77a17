"""What a browser would make of a rendered page: its controls, and what pressing the button would send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.template.loader import render_to_string

from intake.conditions import Answers
from intake.questionnaires.definition import Definition
from intake.questionnaires.pages import Page, pages
from intake.responses import skeleton
from intake.responses.forms import PageForm, page_form
from tests.unit.intake.shipped import definition

Attributes = dict[str, str | None]


@dataclass
class Control:
    """An input or a text area, with the words of the label around it."""

    attributes: Attributes
    label: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        return self.attributes.get("name") or ""

    @property
    def id(self) -> str:
        return self.attributes.get("id") or ""

    @property
    def value(self) -> str:
        return self.text or self.attributes.get("value") or ""

    @property
    def kind(self) -> str:
        return self.attributes.get("type") or "text"

    @property
    def sends(self) -> bool:
        return self.kind not in ("radio", "checkbox") or "checked" in self.attributes


@dataclass
class Read(HTMLParser):
    """The controls, the ids and what refers to them, and the texts of a page."""

    html: str
    controls: list[Control] = field(default_factory=list)
    elements: list[tuple[str, Attributes]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._label: list[str] | None = None
        self._inside: list[Control] = []
        self._area: Control | None = None
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "label":
            self._label, self._inside = [], []
        if tag in ("input", "textarea"):
            control = Control(attributes)
            self.controls.append(control)
            self._inside.append(control)
            self._area = control if tag == "textarea" else None

    def handle_endtag(self, tag: str) -> None:
        if tag == "label" and self._label is not None:
            for control in self._inside:
                control.label = " ".join(" ".join(self._label).split())
            self._label = None
        if tag == "textarea" and self._area is not None:
            # A browser drops the line break right after the opening tag.
            self._area.text = self._area.text.removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.text += data
            return
        if self._label is not None:
            self._label.append(data)
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def named(self, name: str) -> list[Control]:
        return [control for control in self.controls if control.name == name]

    def by_id(self, wanted: str) -> tuple[str, Attributes]:
        return next(element for element in self.elements if element[1].get("id") == wanted)

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if attributes.get("id")]

    def references(self) -> set[str]:
        """All ids that labels and descriptions point to."""
        found: set[str] = set()
        for _, attributes in self.elements:
            for name in ("for", "aria-describedby", "aria-labelledby"):
                found.update((attributes.get(name) or "").split())
        return found

    def sent(self) -> dict[str, list[str]]:
        data: dict[str, list[str]] = {}
        for control in self.controls:
            if control.sends and control.name:
                data.setdefault(control.name, []).append(control.value)
        return data


def page_named(slug: str, form: Definition | None = None) -> Page:
    return next(page for page in pages(form or definition()) if page.slug == slug)


def asked(slug: str, answers: Answers | None = None, **options: object) -> PageForm:
    """The form of a page of the shipped questionnaire."""
    return page_form(definition(), page_named(slug), answers or {}, **options)  # type: ignore[arg-type]


def rendered(form: PageForm) -> Read:
    """The page of questions as the patient gets it."""
    context = {
        "form": form,
        "questions": skeleton.draw(form),
        "title": form.page.title,
        "number": 1,
        "total": 10,
        "back_url": "/intake/",
    }
    return Read(render_to_string("components/answers_form.html", context))
