"""The questions of a page as HTML: drawn once by crispy, then filled with what each patient answered.

Drawing a page costs milliseconds, and all that differs between two patients who are asked the same is which
boxes are marked and what stands in the lines. So the first one's page is drawn with every box marked and a
sign in every line, and cut there; all that follow are joined from the pieces. What crispy draws stays the
reference: it draws every page with an error, and every page that shows an answer not to be changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Final

from crispy_forms.utils import render_crispy_form
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from intake.questionnaires.definition import Definition
from intake.questionnaires.pages import Page, pages
from intake.responses.blocks import marked, offered, words
from intake.responses.forms import AskedWhen, PageForm

KEPT: Final = 256
"""Pages as they were asked that a process remembers: about a megabyte for each version in use."""

# Characters that no text of ours holds, around the place of a question among those of its page.
_SIGN: Final = "\ue000{}\ue001"
_PLACE: Final = re.compile(
    r' name="(?P<name>[^"]*)" id="[^"]*" value="(?P<value>[^"]*)"(?P<mark> checked)'
    "|(?P<line>\ue000(?P<sign>[0-9]+)\ue001)"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where ` checked` stands if this answer is given."""

    link_id: str
    value: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that the pieces of a page depend on."""

    definition: Definition
    page: str
    items: tuple[tuple[str, AskedWhen | None], ...]
    as_list: bool
    view: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A page in pieces. Between two `texts` stands one of `slots`: a mark, or the linkId of a line."""

    texts: tuple[str, ...]
    slots: tuple[Mark | str, ...]

    def fill(self, form: PageForm) -> SafeString:
        """The page with the answers of this form."""
        given = {link_id: form.texts(link_id) for link_id in form.fields}
        marks = {link_id: marked(form.definition.item(link_id), texts) for link_id, texts in given.items()}
        pieces = [self.texts[0]]
        for slot, text in zip(self.slots, self.texts[1:], strict=True):
            if isinstance(slot, str):
                pieces.append(escape(words(form.definition.item(slot), given[slot])))
            elif slot.value in marks[slot.link_id]:
                pieces.append(" checked")
            pieces.append(text)
        # Pieces of our own templates, and words escaped above.
        return SafeString("".join(pieces))


class _Probe(PageForm):
    """The same page with every box marked and a sign in every line."""

    def __init__(self, asked: _Asked, page: Page) -> None:
        super().__init__(asked.definition, page, {}, asked=dict(asked.items), as_list=asked.as_list)
        self.signs = {link_id: _SIGN.format(place) for place, link_id in enumerate(self.fields)}
        self.view = asked.view

    def texts(self, link_id: str) -> list[str]:
        return [*offered(self.definition.item(link_id)), self.signs[link_id]]

    @property
    def shown_view(self) -> str:
        return self.view


def draw(form: PageForm) -> SafeString:
    """The HTML of the questions of a page, controls and messages, without the form element around them."""
    if form.errors or any(form.definition.item(link_id).read_only for link_id in form.asked):
        return draw_anew(form)
    asked = _Asked(
        form.definition,
        form.page.link_id,
        tuple(form.asked.items()),
        form.as_list,
        form.shown_view if form.has_body_map else "",
        get_language(),
    )
    return _skeleton(asked).fill(form)


def draw_anew(form: PageForm) -> SafeString:
    """The same by crispy alone."""
    drawn: SafeString = render_crispy_form(form)
    return drawn


@lru_cache(maxsize=KEPT)
def _skeleton(asked: _Asked) -> Skeleton:
    page = next(one for one in pages(asked.definition) if one.link_id == asked.page)
    probe = _Probe(asked, page)
    link_ids = list(probe.fields)
    texts, slots, end = [], [], 0
    html = draw_anew(probe)
    for found in _PLACE.finditer(html):
        name, value, sign = unescape(found["name"] or ""), unescape(found["value"] or ""), found["sign"]
        if sign is None and name not in probe.fields:
            continue
        begin, after = found.span("mark" if sign is None else "line")
        texts.append(html[end:begin])
        slots.append(Mark(name, value) if sign is None else link_ids[int(sign)])
        end = after
    return Skeleton((*texts, html[end:]), tuple(slots))
