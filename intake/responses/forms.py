"""One page of a questionnaire as a Django form, rendered by crispy-forms through our template pack.

``page_form(definition, page, answers)`` shows what is stored; with ``data`` it judges what was sent. Field
names are linkIds. Nothing sent is lost: a bound form shows every value again as typed, and every problem
stands beside its question in patient words. What is asked, and whether it is needed, is decided here and
never by a script: an item whose condition asks about the same page is always in the page, with the
condition in words and as data for ``form.js``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from intake.conditions import Answers, Condition, Match, Value, holds, is_value
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.pages import Page, enabled
from intake.responses import wording
from intake.responses.answers import check, missing
from intake.responses.blocks import page_blocks, to_text

NOT_MISSING: Final = "needed"
"""The error code of a required question without an answer; all others are codes of ``answers.CODES``."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,10}\Z")
# As many digits as a JSON number keeps exactly.
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}([.,][0-9]{1,6})?\Z")
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}\Z")
_LOCAL_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?\Z")
_YES_NO: Final[Mapping[str, bool]] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class AskedWhen:
    """Conditions about answers of the same page that decide whether an item is asked."""

    conditions: tuple[Condition, ...]
    match: Match


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the error summary: the id of the first control, what to do, and at which question.

    ``question`` is empty where the message names the place itself.
    """

    target: str
    message: str
    question: str


def to_value(item: Item, text: str) -> Value:
    """The value that a sent text means; the text itself when it means none, for ``check`` to refuse."""
    for option in item.options:
        if to_text(option.value) == text:
            return option.value
    if item.type == "boolean":
        return _YES_NO.get(text, text)
    plain = text.strip()
    if item.type == "integer" and _WHOLE.match(plain):
        return int(plain)
    if item.type == "decimal" and _NUMBER.match(plain):
        return Decimal(plain.replace(",", "."))
    if item.type == "time" and _CLOCK.match(plain):
        return f"{plain}:00"
    if item.type == "dateTime" and _LOCAL_MOMENT.match(plain):
        return _moment(plain)
    return plain


def _moment(text: str) -> str:
    """FHIR wants a zone with every time; the browser's box gives the clinic's clock."""
    try:
        return timezone.make_aware(datetime.fromisoformat(text)).isoformat()
    except ValueError:
        return text


class SentTexts(forms.Widget):
    """All values sent under one name, as a list; our blocks draw them, not this widget."""

    def value_from_datadict(self, data: Mapping[str, Any], files: object, name: str) -> list[str]:
        """``data`` is a QueryDict, or a plain dict of texts and lists of texts."""
        found = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [str(text) for text in (found if isinstance(found, (list, tuple)) else [found])]


class AnswerField(forms.Field):
    """The answers to one question. Cleaning reads the texts; :class:`PageForm` judges them together."""

    widget = SentTexts

    def __init__(self, item: Item) -> None:
        super().__init__(required=False, label=item.text)
        self.item = item

    def clean(self, value: Sequence[str]) -> tuple[Value, ...]:
        """The values meant by the sent texts; blank ones are no answer, a box ticked twice is one."""
        texts = [text.replace("\r\n", "\n") for text in value if text.strip()]
        values = tuple(dict.fromkeys(to_value(self.item, text) for text in texts))
        if not values and wording.is_tick(self.item) and not self.item.must_be_true:
            return (False,)
        return values


class PageForm(forms.Form):
    """One page. Made by :func:`page_form`.

    ``link_ids``       what the form asks: the linkIds whose stored answers it replaces
    ``cleaned_answers``  compact answers of a valid form, this page's linkIds only
    ``valid_answers``    the same of any bound form, without the questions that have a problem
    ``merged(answers)``  all answers of the draft with those of this form in their place
    ``problems``         ``{linkId: message}`` of what was sent and cannot be kept
    ``unanswered``       ``{linkId: message}`` of what is required and has no answer
    ``error_entries``    the lines of the error summary
    """

    def __init__(
        self,
        definition: Definition,
        page: Page,
        answers: Answers,
        *,
        data: Mapping[str, Any] | None = None,
        enabled_ids: Collection[str] | None = None,
        hide: Collection[str] = frozenset(),
        as_list: bool = False,
        asked: Mapping[str, AskedWhen | None] | None = None,
        limits: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        super().__init__(data=data)
        self.limits = limits or {}
        self.definition = definition
        self.page = page
        self.as_list = as_list
        self.stored = answers
        if asked is None:
            on = enabled(definition, answers) if enabled_ids is None else enabled_ids
            asked = _asked(definition, page, answers, on, hide)
        self.asked = asked
        self.fields = {
            item.link_id: AnswerField(item)
            for item in page.item.walk()
            if item.is_question and not item.read_only and item.link_id in self.asked
        }
        self.initial = {
            link_id: [to_text(value) for value in answers.get(link_id, ())] for link_id in self.fields
        }
        self.ids = _html_ids(page)
        """``{linkId: HTML id}``: the linkId with dashes."""
        self._problems: dict[str, str] = {}
        self._unanswered: dict[str, str] = {}
        self._good: dict[str, tuple[Value, ...]] = {}

    @cached_property
    def helper(self) -> FormHelper:
        """What crispy draws the page by."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.layout = Layout(*page_blocks(self))
        return helper

    # What was answered

    @property
    def link_ids(self) -> frozenset[str]:
        return frozenset(self.fields)

    @property
    def problems(self) -> dict[str, str]:
        """What was sent, is asked, and cannot be kept: ``{linkId: message}``."""
        self._judge()
        return dict(self._problems)

    @property
    def unanswered(self) -> dict[str, str]:
        """What is required, is asked, and has no answer: ``{linkId: message}``."""
        self._judge()
        return dict(self._unanswered)

    @property
    def valid_answers(self) -> dict[str, tuple[Value, ...]]:
        """The answers that can be kept; unanswered questions and those with a problem are absent."""
        self._judge()
        return dict(self._good)

    @property
    def cleaned_answers(self) -> dict[str, tuple[Value, ...]]:
        """The answers of a valid form. ValueError while the form is not valid."""
        if not self.is_valid():
            raise ValueError("this page has problems; use valid_answers")
        return dict(self._good)

    def merged(self, answers: Answers | None = None) -> dict[str, tuple[Value, ...]]:
        """``answers`` (those the form was made with, if none are given) with this page's in their place.

        A question with a problem keeps its stored answer, so saving a half-typed page takes nothing
        away; a question that was cleared loses it. Answers the form does not ask for stay.
        """
        before = self.stored if answers is None else answers
        if not self.is_bound:
            return {link_id: tuple(values) for link_id, values in before.items()}
        replaced = self.link_ids - self.problems.keys()
        kept = {link_id: tuple(values) for link_id, values in before.items() if link_id not in replaced}
        return {**kept, **self._good}

    def _judge(self) -> None:
        """Judge what was sent, if that has not happened yet: Django does it at the first look at errors."""
        self.is_valid()

    def clean(self) -> dict[str, Any]:
        sent = {link_id: values for link_id, values in self.cleaned_data.items() if values}
        self._problems, self._unanswered = {}, {}
        codes: dict[str, str] = {}
        for problem in check(self.definition, sent, consents=False):
            codes.setdefault(problem.link_id, problem.code)
        self._good = {
            link_id: cast("tuple[Value, ...]", values)
            for link_id, values in sent.items()
            if link_id not in codes and self._counts(link_id, values)
        }
        for link_id, (most, words) in self.limits.items():
            if any(isinstance(value, int) and value > most for value in self._good.get(link_id, ())):
                del self._good[link_id]
                self._problems[link_id] = words
                self.add_error(link_id, ValidationError(words, code="over-known"))
        others = {k: tuple(v) for k, v in self.stored.items() if k not in self.fields}
        together = {**others, **self._good}
        on = enabled(self.definition, together)
        # What is not asked cannot be amiss: the patient may not even see it.
        for link_id, code in codes.items():
            if link_id in on:
                item = self.definition.item(link_id)
                self._problems[link_id] = wording.amiss(item, code, sent[link_id])
                self.add_error(link_id, ValidationError(self._problems[link_id], code=code))
        for link_id in missing(self.definition, together, self.page, on):
            if link_id in self.fields and link_id not in self._problems:
                self._unanswered[link_id] = wording.needed(self.definition.item(link_id))
                self.add_error(link_id, ValidationError(self._unanswered[link_id], code=NOT_MISSING))
        return self.cleaned_data

    def _counts(self, link_id: str, values: Sequence[object]) -> bool:
        """An unticked consent is no answer at all."""
        item = self.definition.item(link_id)
        return all(is_value(value) for value in values) and not (item.must_be_true and True not in values)

    # What the blocks draw

    def texts(self, link_id: str) -> list[str]:
        """What stands in the controls of a question: as sent, else as stored."""
        if self.is_bound:
            return SentTexts().value_from_datadict(self.data, None, link_id)
        return list(cast("list[str]", self.initial[link_id]))

    def error(self, link_id: str) -> str | None:
        """The message beside a question, if it has a problem."""
        if not self.is_bound:
            return None
        self._judge()
        return self._problems.get(link_id) or self._unanswered.get(link_id)

    def option_id(self, link_id: str, text: str) -> str:
        """The HTML id of one control of a question."""
        return f"{self.ids[link_id]}_{re.sub('[^A-Za-z0-9_-]', '-', text)}"

    def first_control(self, link_id: str) -> str:
        """The id that a line of the error summary leads to."""
        item = self.definition.item(link_id)
        if wording.is_tick(item):
            return self.ids[link_id]
        if item.type == "boolean":
            return self.option_id(link_id, "true")
        if wording.scale_of(item):
            return self.option_id(link_id, str(item.min_value))
        if not item.options:
            return self.ids[link_id]
        first = item.options[0]
        if item.body_map:
            first = next((option for option in item.options if option.exclusive), first)
        return self.option_id(link_id, to_text(first.value))

    @property
    def error_entries(self) -> tuple[Entry, ...]:
        """The error summary in page order; empty for a form that has no errors or was not sent."""
        if not self.is_bound:
            return ()
        entries = []
        for link_id in self.fields:
            message = self.error(link_id)
            if message is not None:
                item = self.definition.item(link_id)
                says_where = item.body_map and link_id in self.unanswered
                question = "" if says_where else wording.question_label(self.definition, item)
                entries.append(Entry(self.first_control(link_id), message, question))
        return tuple(entries)

    @property
    def has_body_map(self) -> bool:
        """Does this page offer the drawing and its list?"""
        return any(self.definition.item(link_id).body_map for link_id in self.fields)

    @property
    def shown_view(self) -> str:
        """The view of the body map that was open when the page was sent; the front to begin with."""
        return str(self.data.get("view", "front")) if self.is_bound else "front"


def page_form(
    definition: Definition,
    page: Page,
    answers: Answers,
    *,
    data: Mapping[str, Any] | None = None,
    enabled: Collection[str] | None = None,
    hide: Collection[str] = frozenset(),
    as_list: bool = False,
    limits: Mapping[str, tuple[int, str]] | None = None,
) -> PageForm:
    """The form of one page.

    ``answers``: all answers stored so far, of every page, ``{linkId: [value, ...]}``.
    ``data``: what was sent (``request.POST``); None shows the stored answers.
    ``enabled``: linkIds enabled by ``answers``, where the caller has them already.
    ``hide``: linkIds left out for comfort (``hides`` of a precaution); their answers are not touched.
    ``as_list``: the body map as two lists of boxes instead of the drawing.
    ``limits``: ``{linkId: (most, message)}``, what the clinic knows better.
    """
    return PageForm(
        definition,
        page,
        answers,
        data=data,
        enabled_ids=enabled,
        hide=hide,
        as_list=as_list,
        limits=limits,
    )


def _asked(
    definition: Definition, page: Page, answers: Answers, on: Collection[str], hide: Collection[str]
) -> dict[str, AskedWhen | None]:
    """The items that stand in the page, and for those that depend on this very page, on what.

    Conditions about other pages are settled now, on the enabled answers; only conditions about
    questions that the patient can change in this page stay open.
    """
    counted = {link_id: tuple(values) for link_id, values in answers.items() if link_id in on}
    here = {item.link_id for item in page.item.walk()}
    asked: dict[str, AskedWhen | None] = {page.link_id: None}
    for item, parent in definition.dependency_order:
        if item.link_id not in here or item.link_id == page.link_id or parent not in asked:
            continue
        if item.hidden or item.link_id in hide:
            continue
        changeable = [c for c in item.enable_when if _can_change(definition, c.question, asked)]
        settled = [holds(c, counted) for c in item.enable_when if c not in changeable]
        if item.enable_behavior == "all" and not all(settled):
            continue
        if item.enable_behavior == "any" and any(settled):
            changeable = []
        elif item.enable_when and not changeable and not (settled and all(settled)):
            continue
        asked[item.link_id] = AskedWhen(tuple(changeable), item.enable_behavior) if changeable else None
    return asked


def _can_change(definition: Definition, link_id: str, asked: Mapping[str, object]) -> bool:
    return link_id in asked and not definition.item(link_id).read_only


def _html_ids(page: Page) -> dict[str, str]:
    """One HTML id for each item of the page; linkIds may hold characters that ids may not."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for item in page.item.walk():
        plain = re.sub("[^A-Za-z0-9-]", "-", item.link_id)
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name)
        ids[item.link_id] = name
    return ids
