"""Read any FHIR R4 Questionnaire with a named report: never a crash, never silent acceptance.

Checks what the R4 4.0.1 definition says of its elements, its invariants que-0 to que-13 (que-12 for exactly
two conditions too, as its text says), and what validators know besides: conditions that point nowhere, at the
item itself or in a circle, and answers that cannot fit the question. What is sound FHIR but not
understood here is listed as *unsupported*, because leaving it out could change what the form means.

A form that is accepted can be kept. Whether it can also be shown to patients is decided, more strictly, by
:func:`intake.questionnaires.definition.read_definition`; its reason is ``Report.not_shown``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from intake.questionnaires.definition import HL7, OURS, DefinitionError, read_definition

Json: TypeAlias = Any
Level: TypeAlias = Literal["error", "warning"]

ITEM_TYPES: Final = (
    "group",
    "display",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "attachment",
    "quantity",
)
REFUSED_TYPES: Final = {
    "reference": "a question for a reference to another record",
    "question": "the abstract type question",
}
SDC: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

SUPPORTED_EXTENSIONS: Final = frozenset(
    {
        *(
            HL7 + name
            for name in (
                "minValue",
                "maxValue",
                "questionnaire-itemControl",
                "questionnaire-hidden",
                "questionnaire-optionExclusive",
            )
        ),
        *(OURS + name for name in ("sided-pair", "must-be-true", "body-map")),
    }
)
KEPT_EXTENSIONS: Final = frozenset(
    {
        *(
            HL7 + name
            for name in (
                "ordinalValue",
                "questionnaire-optionPrefix",
                "questionnaire-displayCategory",
                "questionnaire-choiceOrientation",
                "questionnaire-supportLink",
                "rendering-style",
                "rendering-xhtml",
                "rendering-markdown",
                "designNote",
                "translation",
            )
        ),
    }
)
"""Kept on a round trip; leaving them out of the page changes its look, not its meaning."""

_OPERATORS: Final = ("exists", "=", "!=", ">", "<", ">=", "<=")
_ORDERING: Final = (">", "<", ">=", "<=")
_STATUSES: Final = ("draft", "active", "retired", "unknown")
_OPTION_TYPES: Final = (
    "choice",
    "open-choice",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "quantity",
)
"""que-5, by its expression (its text names only choice and open-choice)."""
_LENGTH_TYPES: Final = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")
_OPTION_VALUES: Final = (
    "valueInteger",
    "valueDate",
    "valueTime",
    "valueString",
    "valueCoding",
    "valueReference",
)
_CONDITION_ANSWERS: Final = (
    "answerBoolean",
    "answerDecimal",
    "answerInteger",
    "answerDate",
    "answerDateTime",
    "answerTime",
    "answerString",
    "answerCoding",
    "answerQuantity",
    "answerReference",
)
_INITIAL_VALUES: Final = (
    "valueBoolean",
    "valueDecimal",
    "valueInteger",
    "valueDate",
    "valueDateTime",
    "valueTime",
    "valueString",
    "valueUri",
    "valueAttachment",
    "valueCoding",
    "valueQuantity",
    "valueReference",
)
ANSWER_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "boolean": ("Boolean",),
    "decimal": ("Decimal", "Integer"),
    "integer": ("Integer",),
    "date": ("Date",),
    "dateTime": ("DateTime", "Date"),
    "time": ("Time",),
    "string": ("String",),
    "text": ("String",),
    "url": ("Uri", "String"),
    "choice": ("Coding",),
    "open-choice": ("Coding", "String"),
    "quantity": ("Quantity",),
    "attachment": ("Attachment",),
}
"""Which value[x] or answer[x] fits a question of a type; options may add their own."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What breaks which rule where. ``where`` is a linkId, or a path when there is none."""

    code: str
    where: str
    message: str
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Sound FHIR that is kept but not understood here: an extension, a type, an external value set."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """The result of :func:`inspect`. ``accepted`` means no problem above a warning."""

    problems: tuple[Problem, ...]
    unsupported: tuple[Unsupported, ...]
    not_shown: str | None
    """Why the form cannot be shown to patients as it is; None when it can."""

    @property
    def accepted(self) -> bool:
        return not any(problem.level == "error" for problem in self.problems)


def inspect(data: Json) -> Report:
    """Everything that is wrong with, or not understood of, a parsed JSON file. Raises nothing."""
    if not isinstance(data, Mapping) or data.get("resourceType") != "Questionnaire":
        problem = Problem("not-a-questionnaire", "$", "resourceType is not Questionnaire")
        return Report((problem,), (), problem.message)
    look = _Look()
    try:
        look.questionnaire(data)
    except RecursionError:
        look.report("structure", "$", "the items are nested too deeply")
    not_shown: str | None = None
    try:
        read_definition(data)
    except DefinitionError as error:
        not_shown = str(error)
    return Report(tuple(dict.fromkeys(look.problems)), tuple(dict.fromkeys(look.unsupported)), not_shown)


# Data types


def _text(value: Json) -> bool:
    return isinstance(value, str) and value != ""


def _flag(value: Json) -> bool:
    return isinstance(value, bool)


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _number(value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return isinstance(value, int) or Decimal(value).is_finite()


def _object(value: Json) -> bool:
    return isinstance(value, Mapping)


def _list(value: Json) -> bool:
    return isinstance(value, list)


def _matching(pattern: str) -> Callable[[Json], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_date = _matching(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_clock = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_moment = _matching(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T" + _clock + r"(Z|[+-]\d\d:\d\d))?)?)?")
_time = _matching(_clock)


def _fields(**checks: Callable[[Json], bool]) -> Callable[[Json], bool]:
    def fits(value: Json) -> bool:
        return isinstance(value, Mapping) and all(
            check(value[name]) for name, check in checks.items() if name in value
        )

    return fits


_coding = _fields(system=_text, version=_text, code=_text, display=_text, userSelected=_flag)
_quantity = _fields(value=_number, comparator=_text, unit=_text, system=_text, code=_text)
_concept = _fields(coding=lambda value: _list(value) and all(map(_coding, value)), text=_text)
_reference = _fields(reference=_text, type=_text, identifier=_object, display=_text)
_attachment = _fields(contentType=_text, data=_text, url=_text, title=_text, size=_whole, hash=_text)

VALUE_CHECKS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "Boolean": _flag,
    "Integer": _whole,
    "PositiveInt": _whole,
    "UnsignedInt": _whole,
    "Decimal": _number,
    "Date": _date,
    "DateTime": _moment,
    "Instant": _moment,
    "Time": _time,
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Quantity": _quantity,
    "Reference": _reference,
    "Attachment": _attachment,
    **dict.fromkeys(
        ("String", "Code", "Id", "Markdown", "Uri", "Url", "Canonical", "Oid", "Uuid", "Base64Binary"), _text
    ),
}
"""Does a JSON value have the shape of this FHIR type? Other types must be objects."""


def value_of(element: Mapping[str, Json], prefix: str) -> tuple[str, Json] | None:
    """``(type, value)`` of the only ``prefix[x]`` of an element; None when there is none or several."""
    names = [name for name in element if name.startswith(prefix) and name[len(prefix) :][:1].isupper()]
    return (names[0].removeprefix(prefix), element[names[0]]) if len(names) == 1 else None


def fits_type(kind: str, value: Json) -> bool:
    return VALUE_CHECKS.get(kind, _object)(value)


_TOP: Final[Mapping[str, Callable[[Json], bool]]] = {
    **dict.fromkeys(("resourceType", "implicitRules", "language", "url", "version", "name", "title"), _text),
    **dict.fromkeys(("publisher", "description", "purpose", "copyright", "id"), _text),
    **dict.fromkeys(("approvalDate", "lastReviewDate"), _date),
    **dict.fromkeys(("meta", "text", "effectivePeriod"), _object),
    **dict.fromkeys(("contained", "extension", "modifierExtension", "identifier", "derivedFrom"), _list),
    **dict.fromkeys(("subjectType", "contact", "useContext", "jurisdiction", "code", "item"), _list),
    "status": lambda value: value in _STATUSES,
    "experimental": _flag,
    "date": _moment,
}
_ITEM: Final[Mapping[str, Callable[[Json], bool]]] = {
    **dict.fromkeys(("id", "definition", "prefix", "text", "answerValueSet"), _text),
    **dict.fromkeys(("extension", "modifierExtension", "code", "enableWhen", "answerOption"), _list),
    **dict.fromkeys(("initial", "item"), _list),
    **dict.fromkeys(("required", "repeats", "readOnly"), _flag),
    "linkId": lambda value: isinstance(value, str),
    "type": lambda value: isinstance(value, str),
    "enableBehavior": lambda value: value in ("all", "any"),
    "maxLength": _whole,
}
_PART: Final[Mapping[str, Callable[[Json], bool]]] = {
    "id": _text,
    "extension": _list,
    "modifierExtension": _list,
}


@dataclass(slots=True)
class _Item:
    """One item as found, with the linkId by which it is reported."""

    data: Mapping[str, Json]
    where: str
    type: str
    parent: _Item | None
    number: int


@dataclass(slots=True)
class _Look:
    """Collects what one file breaks and what of it is not understood."""

    problems: list[Problem] = field(default_factory=list)
    unsupported: list[Unsupported] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)

    def report(self, code: str, where: str, message: str, level: Level = "error") -> None:
        self.problems.append(Problem(code, where, message, level))

    def questionnaire(self, data: Mapping[str, Json]) -> None:
        self.elements(data, _TOP, "$")
        self.extensions(data, "$")
        name = data.get("name")
        if isinstance(name, str) and not re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", name):
            self.report("que-0", "$", f"name {name[:60]!r} is not usable as an identifier", "warning")
        if "status" not in data:
            self.report("status-missing", "$", "status is missing", "warning")
        for number, entry in enumerate(self.objects(data, "item", "$")):
            self.item(entry, None, f"$.item[{number}]")
        self.unique()
        contained = self.objects(data, "contained", "$")
        known = {f"#{entry['id']}" for entry in contained if isinstance(entry.get("id"), str)}
        for item in self.items:
            self.options(item, known)
            self.initial(item)
        self.conditions()

    def item(self, data: Mapping[str, Json], parent: _Item | None, path: str) -> None:
        link_id, kind = data.get("linkId"), data.get("type")
        named = isinstance(link_id, str) and link_id != ""
        where = str(link_id) if named else path
        if not named:
            self.report("linkId-missing", path, "an item has no linkId")
        found = _Item(data, where, kind if isinstance(kind, str) else "", parent, len(self.items))
        self.items.append(found)
        self.elements(data, _ITEM, where)
        self.extensions(data, where)
        for code in self.objects(data, "code", where):
            if not _coding(code):
                self.report("structure", where, "code is not a Coding")
        self.type(found)
        self.shape(found)
        for number, child in enumerate(self.objects(data, "item", where)):
            self.item(child, found, f"{path}.item[{number}]")

    def type(self, item: _Item) -> None:
        if item.type in REFUSED_TYPES:
            self.report("unsupported-type", item.where, f"{REFUSED_TYPES[item.type]} is not supported")
        elif "type" not in item.data:
            self.report("type-missing", item.where, "an item has no type")
        elif item.type not in ITEM_TYPES:
            self.report("unknown-type", item.where, f"there is no item type {item.type[:40]!r}")
        elif item.type in ("quantity", "attachment"):
            self.unsupported.append(Unsupported(f"type {item.type}", item.where))
        elif item.type == "group" and item.data.get("repeats") is True:
            self.unsupported.append(Unsupported("a group that repeats", item.where))

    def shape(self, item: _Item) -> None:
        """The invariants that look at one item by itself."""
        data, kind, where = item.data, item.type, item.where
        if kind == "group" and not data.get("item"):
            self.report("que-1", where, "a group must have items")
        if kind == "display":
            if data.get("item"):
                self.report("que-1", where, "a display text cannot have items")
            if data.get("code"):
                self.report("que-3", where, "a display text cannot have a code")
            if "required" in data or "repeats" in data:
                self.report("que-6", where, "a display text can be neither required nor repeat")
            if "readOnly" in data:
                self.report("que-9", where, "a display text cannot be read-only")
        if data.get("answerOption") and "answerValueSet" in data:
            self.report("que-4", where, "answerOption and answerValueSet cannot stand together")
        if (data.get("answerOption") or "answerValueSet" in data) and kind not in _OPTION_TYPES:
            self.report("que-5", where, f"an item of type {kind} cannot have options")
        if data.get("initial") and kind in ("group", "display"):
            self.report("que-8", where, f"a {kind} cannot have an initial value")
        if "maxLength" in data and kind not in _LENGTH_TYPES:
            self.report("que-10", where, f"an item of type {kind} cannot have a maxLength")
        if data.get("answerOption") and data.get("initial"):
            self.report("que-11", where, "an item with answerOption cannot have an initial value")
        conditions = data.get("enableWhen")
        if isinstance(conditions, list) and len(conditions) > 1 and "enableBehavior" not in data:
            message = "several enableWhen need an enableBehavior; add 'all' or 'any'"
            self.report("que-12", where, message)
        initial = data.get("initial")
        if isinstance(initial, list) and len(initial) > 1 and data.get("repeats") is not True:
            self.report("que-13", where, "only a question that repeats can have several initial values")

    def unique(self) -> None:
        seen: set[str] = set()
        for item in self.items:
            if item.where in seen and isinstance(item.data.get("linkId"), str):
                self.report("que-2", item.where, "this linkId is used more than once")
            seen.add(item.where)

    def options(self, item: _Item, contained: set[str]) -> None:
        kinds: set[str] = set()
        seen: set[object] = set()
        for entry in self.objects(item.data, "answerOption", item.where):
            kind = self.value(entry, "value", _OPTION_VALUES, item.where, "answerOption")
            self.elements(entry, {**_PART, "initialSelected": _flag}, item.where, value="value")
            self.extensions(entry, item.where)
            if entry.get("initialSelected") is True:
                self.unsupported.append(Unsupported("answerOption.initialSelected", item.where))
            if kind is not None:
                kinds.add(kind)
                found = value_of(entry, "value")
                key = _key(found[1]) if found else None
                if key in seen:
                    self.report("option-twice", item.where, "an option is offered twice", "warning")
                seen.add(key)
        allowed = ANSWER_KINDS.get(item.type, ())
        if item.type in _OPTION_TYPES and item.type not in ("choice", "open-choice"):
            for kind in sorted(kinds - set(allowed)):
                self.report("option-type", item.where, f"an option of type {kind} does not fit {item.type}")
        if "Reference" in kinds:
            self.unsupported.append(Unsupported("answerOption.valueReference", item.where))
        value_set = item.data.get("answerValueSet")
        if isinstance(value_set, str):
            if value_set.startswith("#") and value_set not in contained:
                self.report("value-set-unknown", item.where, f"{value_set} is not contained in the file")
            elif not value_set.startswith("#"):
                what = f"answerValueSet {value_set} (needs terminology)"
                self.unsupported.append(Unsupported(what, item.where))

    def initial(self, item: _Item) -> None:
        for entry in self.objects(item.data, "initial", item.where):
            kind = self.value(entry, "value", _INITIAL_VALUES, item.where, "initial")
            self.elements(entry, _PART, item.where, value="value")
            allowed = ANSWER_KINDS.get(item.type)
            if kind is not None and allowed is not None and kind not in allowed:
                message = f"an initial value of type {kind} does not fit {item.type}"
                self.report("initial-type", item.where, message, "warning")
            self.unsupported.append(Unsupported("initial", item.where))

    def conditions(self) -> None:
        by_id: dict[str, _Item] = {}
        for item in self.items:
            by_id.setdefault(item.where, item)
        needs: dict[str, list[str]] = {}
        for item in self.items:
            needs.setdefault(item.where, []).extend([item.parent.where] if item.parent else [])
            for entry in self.objects(item.data, "enableWhen", item.where):
                asked = self.condition(item, entry, by_id)
                if asked is not None:
                    needs[item.where].append(asked.where)
        for circle in _circles(needs):
            self.report("ew-cycle", circle[0], f"enableWhen goes in a circle: {' -> '.join(circle)}")

    def condition(self, item: _Item, entry: Mapping[str, Json], by_id: Mapping[str, _Item]) -> _Item | None:
        """Check one enableWhen; the item it asks about when that is another one outside of it."""
        where, question, operator = item.where, entry.get("question"), entry.get("operator")
        self.elements(entry, {**_PART, "question": _text, "operator": _text}, where, value="answer")
        self.extensions(entry, where)
        kind = self.value(entry, "answer", _CONDITION_ANSWERS, where, "enableWhen")
        if operator not in _OPERATORS:
            self.report("ew-operator", where, f"enableWhen has no usable operator: {operator!r}"[:120])
        elif operator == "exists" and kind not in ("Boolean", None):
            self.report("que-7", where, "operator exists needs an answerBoolean")
        elif operator in _ORDERING and kind in ("Boolean", "Coding", "Reference"):
            self.report("ew-operator", where, f"operator {operator} cannot compare a {kind}")
        asked = by_id.get(question) if isinstance(question, str) else None
        if asked is None:
            self.report("ew-dangling", where, f"enableWhen asks {question!r}, which does not exist"[:200])
            return None
        above: _Item | None = asked
        while above is not None:
            if above is item:
                self.report("ew-self", where, f"enableWhen asks {question}: the item itself or one in it")
                return None
            above = above.parent
        if asked.type in ("group", "display"):
            self.report("ew-type", where, f"enableWhen asks {question}: a {asked.type} has no answer")
        elif operator != "exists" and kind is not None and not _can_answer(asked, kind):
            self.report("ew-type", where, f"enableWhen asks {question}: a {kind} never answers {asked.type}")
        if asked.number > item.number:
            message = f"enableWhen asks {question}, which comes later"
            self.report("ew-later", where, message, "warning")
        return asked

    # Structure

    def objects(self, data: Mapping[str, Json], name: str, where: str) -> list[Mapping[str, Json]]:
        """The entries of a list of objects; entries of another shape are reported and left out."""
        entries = data.get(name, [])
        if not isinstance(entries, list):
            return []
        if not all(isinstance(entry, Mapping) for entry in entries):
            self.report("structure", where, f"{name} must hold objects")
        return [entry for entry in entries if isinstance(entry, Mapping)]

    def elements(
        self,
        data: Mapping[str, Json],
        known: Mapping[str, Callable[[Json], bool]],
        where: str,
        value: str | None = None,
    ) -> None:
        """Each element must be known and have its type. ``value`` is the prefix of a value[x]."""
        for name, content in data.items():
            plain = name.removeprefix("_")
            if plain not in known and not (value and plain.startswith(value)):
                self.report("unknown-element", where, f"R4 has no element {name[:60]!r} here")
            elif name.startswith("_"):
                if not isinstance(content, (Mapping, list)):
                    self.report("structure", where, f"{name} must be an object")
            elif plain in known and not known[plain](content):
                self.report("structure", where, f"{name} has a value of the wrong type")
            elif isinstance(content, list) and not content:
                # Invalid in FHIR, but common and without any doubt about what is meant.
                self.report("structure", where, f"{name} is an empty list", "warning")

    def value(
        self, entry: Mapping[str, Json], prefix: str, allowed: tuple[str, ...], where: str, owner: str
    ) -> str | None:
        """The type of the only value[x] of an entry, reported when it is missing, unknown or misshapen."""
        found = value_of(entry, prefix)
        if found is None:
            self.report("structure", where, f"{owner} needs exactly one {prefix}[x]")
            return None
        kind, content = found
        if prefix + kind not in allowed:
            self.report("structure", where, f"{owner} cannot have {prefix}{kind}"[:120])
            return None
        if not fits_type(kind, content):
            self.report("structure", where, f"{prefix}{kind} has a value of the wrong type")
        return kind

    def extensions(self, data: Mapping[str, Json], where: str) -> None:
        for entry in self.objects(data, "extension", where):
            url = entry.get("url")
            if not isinstance(url, str) or not url:
                self.report("structure", where, "an extension has no url")
                continue
            found = value_of(entry, "value")
            if found is not None and not fits_type(*found):
                self.report("structure", where, f"extension {url[:120]}: wrong type of value{found[0]}")
            elif found is not None and "extension" in entry:
                self.report("structure", where, f"extension {url[:120]}: both a value and extensions")
            if url not in SUPPORTED_EXTENSIONS and url not in KEPT_EXTENSIONS:
                self.unsupported.append(Unsupported(f"extension {url[:200]}", where))
        for entry in self.objects(data, "modifierExtension", where):
            what = f"modifierExtension {str(entry.get('url'))[:200]}"
            self.unsupported.append(Unsupported(what, where))


def _can_answer(asked: _Item, kind: str) -> bool:
    allowed = set(ANSWER_KINDS.get(asked.type, (kind,)))
    options = asked.data.get("answerOption")
    for option in options if isinstance(options, list) else ():
        found = value_of(option, "value") if isinstance(option, Mapping) else None
        if found is not None:
            allowed.add(found[0])
    return kind in allowed


def _key(value: Json) -> object:
    if isinstance(value, Mapping):
        return (str(value.get("system")), str(value.get("code")), str(value.get("display")))
    return (type(value), str(value))


def _circles(needs: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Each circle of needs once, as ``[a, b, a]``."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        waiting: list[Iterator[str]] = []
        if start not in done:
            path, waiting = [start], [iter(needs[start])]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                done.add(path.pop())
            elif following in path:
                yield [*path[path.index(following) :], following]
            elif following in needs and following not in done:
                path.append(following)
                waiting.append(iter(needs[following]))
