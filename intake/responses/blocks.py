"""What a page of questions is laid out of: crispy layout objects, one for each way to ask.

A block knows one item (or pair of items) and its template under ``templates/clinic_forms/``; the form it
belongs to says what stands in the controls and what is amiss. Crispy asks of a layout object only that it
has ``render(form, context, template_pack)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from intake.conditions import SIDES, Value
from intake.questionnaires.definition import Item
from intake.responses import body, wording

if TYPE_CHECKING:
    from intake.responses.forms import AskedWhen, PageForm

LONG_LIST: Final = 6
"""More options than this stand as one joined list instead of separate cards."""

TEMPLATE_PACK: Final = "clinic_forms"

_INPUT_TYPES: Final = {"date": "date", "dateTime": "datetime-local", "time": "time"}
_INPUT_MODES: Final = {"integer": "numeric", "decimal": "decimal", "url": "url"}
_YES_NO: Final[tuple[tuple[Value, Promise], ...]] = ((True, _("Yes")), (False, _("No")))


def to_text(value: Value) -> str:
    """A value as it stands in a ``value`` attribute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def offered(item: Item) -> tuple[str, ...]:
    """The values that the controls of a question offer, as they stand there."""
    if item.type == "boolean":
        return tuple(to_text(value) for value, _label in _YES_NO)
    scale = wording.scale_of(item)
    return tuple(map(str, scale)) if scale else tuple(to_text(option.value) for option in item.options)


def marked(item: Item, texts: Sequence[str]) -> frozenset[str]:
    """Which of the offered values are marked where these texts were sent or stored."""
    return frozenset(text.strip() for text in texts) if wording.scale_of(item) else frozenset(texts)


def words(item: Item, texts: Sequence[str]) -> str:
    """What stands in the line of a question: all of it, or what was written instead of choosing."""
    if item.options:
        return next((text for text in texts if text not in offered(item)), "")
    return next((text for text in texts if text), "").replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio button or box of a question."""

    id: str
    value: str
    label: str | Promise
    checked: bool
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One region of the body map with its box."""

    region: body.Region
    choice: Choice


@dataclass(frozen=True, slots=True)
class Area:
    """The regions of one joint under its heading, in the list."""

    title: Promise
    marks: list[Mark]


class Block:
    """A layout object around one item."""

    template: ClassVar[str]

    def __init__(self, form: PageForm, item: Item) -> None:
        self.form = form
        self.item = item

    def render(
        self, form: PageForm, context: object, template_pack: str = TEMPLATE_PACK, **kwargs: object
    ) -> str:
        return render_to_string(f"{template_pack}/{self.template}.html", {"block": self})

    @property
    def id(self) -> str:
        return self.form.ids[self.item.link_id]

    @property
    def asked_when(self) -> AskedWhen | None:
        return self.form.asked.get(self.item.link_id)

    @cached_property
    def when_words(self) -> str:
        """The condition on this page in words; empty for an item that is always asked."""
        when = self.asked_when
        return wording.asked_when(self.form.definition, when.conditions, when.match) if when else ""

    @cached_property
    def when_data(self) -> str:
        """The same for the script: ``{"match": "all", "when": [[linkId, operator, [value, ...]], ...]}``."""
        when = self.asked_when
        if when is None:
            return ""
        conditions = [[c.question, c.operator, list(c.answer)] for c in when.conditions]
        return json.dumps({"match": when.match, "when": conditions}, default=str, separators=(",", ":"))

    @property
    def described_by(self) -> str:
        """The ids of hint, condition, count and message, for ``aria-describedby``."""
        return " ".join(f"{self.id}-{part}" for part in self._descriptions())

    def _descriptions(self) -> Iterator[str]:
        if self.item.help:
            yield "h"
        if self.when_words:
            yield "w"


class DisplayBlock(Block):
    """A text to read. The first one of a page leads it in; one with a condition is a notice."""

    template = "display"

    @property
    def leads_in(self) -> bool:
        return self.form.page.item.items[:1] == (self.item,)


class QuestionBlock(Block):
    """One question. ``template`` frames it, ``controls`` are drawn inside."""

    controls: ClassVar[str] = ""

    def __init__(self, form: PageForm, item: Item) -> None:
        super().__init__(form, item)
        self.nested = list(blocks_of(form, item))

    @property
    def name(self) -> str:
        return self.item.link_id

    @cached_property
    def error(self) -> str | None:
        return self.form.error(self.item.link_id)

    @property
    def controls_template(self) -> str:
        return f"{TEMPLATE_PACK}/controls/{self.controls}.html"

    @property
    def below(self) -> SafeString:
        """The questions that hang under this one."""
        return format_html_join("", "{}", ((block.render(self.form, None),) for block in self.nested))

    def _descriptions(self) -> Iterator[str]:
        yield from super()._descriptions()
        if self.error:
            yield "e"


class ChoiceBlock(QuestionBlock):
    """Radio cards, or boxes where several answers may be given."""

    template = "choices"
    controls = "cards"

    @property
    def control(self) -> str:
        return "checkbox" if self.item.repeats else "radio"

    @cached_property
    def choices(self) -> list[Choice]:
        """The offered answers, each with whether it is chosen."""
        given = marked(self.item, self.form.texts(self.name))
        if self.item.type == "boolean":
            return [self._choice(value, label, given) for value, label in _YES_NO]
        return [self._choice(o.value, o.label, given, o.exclusive) for o in self.item.options]

    def _choice(
        self, value: Value, label: str | Promise, given: frozenset[str], alone: bool = False
    ) -> Choice:
        text = to_text(value)
        return Choice(self.form.option_id(self.name, text), text, label, text in given, alone)

    @property
    def joined(self) -> bool:
        return len(self.choices) > LONG_LIST

    @property
    def paired(self) -> bool:
        """Yes and No stand beside each other."""
        return self.item.type == "boolean"

    @property
    def own_words(self) -> str | None:
        """What was written instead of choosing; None where only the options are offered."""
        return words(self.item, self.form.texts(self.name)) if self.item.type == "open-choice" else None


class ScaleBlock(QuestionBlock):
    """A row of numbers, none chosen to begin with."""

    template = "choices"
    controls = "scale"

    @cached_property
    def choices(self) -> list[Choice]:
        given = marked(self.item, self.form.texts(self.name))
        return [
            Choice(self.form.option_id(self.name, number), number, number, number in given)
            for number in offered(self.item)
        ]

    @property
    def ends(self) -> list[str]:
        """What the ends mean, where the questionnaire says it (FHIR display items lower and upper)."""
        return [
            child.text
            for end in ("lower", "upper")
            for child in self.item.items
            if child.type == "display" and child.control == end
        ]


class TickBlock(QuestionBlock):
    """One box with its sentence: a consent."""

    template = "tick"

    @property
    def checked(self) -> bool:
        return "true" in marked(self.item, self.form.texts(self.name))


class TypedBlock(QuestionBlock):
    """A line or an area to type in."""

    template = "typed"

    @property
    def text(self) -> str:
        return words(self.item, self.form.texts(self.name))

    @property
    def input_type(self) -> str:
        return _INPUT_TYPES.get(self.item.type, "text")

    @property
    def input_mode(self) -> str:
        return _INPUT_MODES.get(self.item.type, "")

    @property
    def short(self) -> bool:
        return self.item.type in ("integer", "decimal", "time")

    @property
    def controls_template(self) -> str:
        return f"{TEMPLATE_PACK}/controls/{'area' if self.item.type == 'text' else 'line'}.html"

    def _descriptions(self) -> Iterator[str]:
        yield from super()._descriptions()
        if self.item.max_length:
            yield "c"


class ReadOnlyBlock(QuestionBlock):
    """A question the clinic has answered: to read, not to change."""

    template = "readonly"

    @property
    def answers(self) -> list[str]:
        values = self.form.stored.get(self.item.link_id, ())
        found = [self.item.option(value) for value in values]
        yes_no = dict(_YES_NO)
        return [
            option.label if option else str(yes_no[value]) if isinstance(value, bool) else str(value)
            for option, value in zip(found, values, strict=True)
        ]


class GroupBlock(Block):
    """Several questions under one heading."""

    template = "group"

    def __init__(self, form: PageForm, item: Item, blocks: list[Block]) -> None:
        super().__init__(form, item)
        self.blocks = blocks

    @property
    def inside(self) -> SafeString:
        return format_html_join("", "{}", ((block.render(self.form, None),) for block in self.blocks))


class SidesBlock(Block):
    """A sided pair: one question with a column, or on a phone a card, for each side that is asked."""

    template = "sides"

    def __init__(self, form: PageForm, item: Item, sides: list[QuestionBlock]) -> None:
        super().__init__(form, item)
        self.sides = sides

    @property
    def shared_when(self) -> str:
        """The condition in words where it is the same for both sides."""
        words = {side.when_words for side in self.sides}
        return words.pop() if len(words) == 1 else ""

    @property
    def typed(self) -> bool:
        return all(isinstance(side, TypedBlock) for side in self.sides)

    def _descriptions(self) -> Iterator[str]:
        if self.item.help:
            yield "h"
        if self.shared_when or self.when_words:
            yield "w"


class BodySide(ChoiceBlock):
    """One leg of the body map: a box for each region drawn, and the answers that are not a region."""

    @cached_property
    def _by_value(self) -> dict[str, Choice]:
        return {choice.value: choice for choice in self.choices}

    @cached_property
    def marks(self) -> list[Mark]:
        """The offered answers that the drawing shows, hip to foot."""
        offered = self._by_value
        drawn = body.regions("right" if self.item.side == "right" else "left")
        return [Mark(region, offered[region.id]) for region in drawn if region.id in offered]

    @cached_property
    def others(self) -> list[Choice]:
        """The offered answers that no drawing can show: no pain here, I can't point to it."""
        drawn = {mark.region.id for mark in self.marks}
        return [choice for choice in self.choices if choice.value not in drawn]

    @property
    def areas(self) -> list[Area]:
        found: dict[str, list[Mark]] = {}
        for mark in self.marks:
            found.setdefault(mark.region.area, []).append(mark)
        return [Area(body.area_title(area), marks) for area, marks in found.items()]


class BodyMapBlock(Block):
    """Where it hurts: five drawings of both legs, or the same boxes as two lists."""

    def __init__(self, form: PageForm, item: Item, sides: list[BodySide]) -> None:
        super().__init__(form, item)
        self.sides = sides

    def render(
        self, form: PageForm, context: object, template_pack: str = TEMPLATE_PACK, **kwargs: object
    ) -> str:
        name = "bodylist" if self.form.as_list else "bodymap"
        return render_to_string(f"{template_pack}/{name}.html", {"block": self})

    @property
    def views(self) -> tuple[body.View, ...]:
        return body.views()

    @property
    def view_box(self) -> str:
        return body.VIEW_BOX

    @property
    def open_view(self) -> str:
        known = {view.id for view in body.views()}
        return self.form.shown_view if self.form.shown_view in known else "front"


def page_blocks(form: PageForm) -> list[Block]:
    """The blocks of a page, in document order."""
    return list(blocks_of(form, form.page.item))


def blocks_of(form: PageForm, parent: Item) -> Iterator[Block]:
    """The blocks of what hangs under an item, leaving out what is not asked."""
    for item in parent.items:
        if item.link_id not in form.asked:
            continue
        if item.type == "display":
            explains = item.control in ("help", "lower", "upper") and parent is not form.page.item
            if not explains:
                yield DisplayBlock(form, item)
        elif item.type == "group":
            yield from _group(form, item)
        else:
            yield _question(form, item)


def _group(form: PageForm, item: Item) -> Iterator[Block]:
    if not item.sided:
        blocks = list(blocks_of(form, item))
        if blocks:
            yield GroupBlock(form, item, blocks)
        return
    sides = [child for side in SIDES for child in item.items if child.is_question and child.side == side]
    asked = [child for child in sides if child.link_id in form.asked]
    if asked and all(child.body_map and child.repeats and not child.read_only for child in asked):
        yield BodyMapBlock(form, item, [BodySide(form, child) for child in asked])
    elif asked:
        yield SidesBlock(form, item, [_question(form, child) for child in asked])


def _question(form: PageForm, item: Item) -> QuestionBlock:
    kind: type[QuestionBlock] = TypedBlock
    if item.read_only:
        kind = ReadOnlyBlock
    elif wording.is_tick(item):
        kind = TickBlock
    elif wording.scale_of(item):
        kind = ScaleBlock
    elif item.options or item.type == "boolean":
        kind = ChoiceBlock
    return kind(form, item)
