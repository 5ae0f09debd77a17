"""A FHIR R4 Questionnaire as a typed, read-only tree of items. Pure Python, no Django.

Only forms that can be shown and evaluated faithfully become a :class:`Definition`; everything else
raises :class:`DefinitionError` with the linkId. The longer report about any R4 file is in
:mod:`intake.questionnaires.fhir`.

Three extensions are our own: ``sided-pair`` on a group (its children end in ``.left`` and ``.right`` and
are one question to the patient), ``body-map`` on a choice (draw the body) and ``must-be-true`` on a
boolean (a consent that must be given).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from intake.conditions import (
    ORDERING,
    Condition,
    ConditionError,
    Match,
    Side,
    Value,
    is_value,
    parse_enable_when,
)

HL7: Final = "http://hl7.org/fhir/StructureDefinition/"
OURS: Final = "https://clinic.example/fhir/StructureDefinition/"

QUESTION_TYPES: Final = (
    "boolean",
    "integer",
    "decimal",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
)
TYPED_WORDS: Final = ("string", "text", "url", "open-choice")
"""Types whose answers are, or may be, the patient's own words."""

_ORDERED_TYPES: Final = ("integer", "decimal", "date", "dateTime", "time")
_OPTION_TYPES: Final = ("valueCoding", "valueString", "valueInteger", "valueDate", "valueTime")
_ANSWER_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "boolean": (bool,),
    "integer": (int, Decimal),
    "decimal": (int, Decimal),
}
_STOPS: Final = {
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerExpression",
}
"""Extensions that decide what is asked or answered: ignoring one would change the form's meaning."""


class DefinitionError(ValueError):
    """A Questionnaire that cannot be used; the message begins with the linkId where there is one."""


@dataclass(frozen=True, slots=True)
class Option:
    """One offered answer: what is stored, what is read, and whether it stands alone."""

    value: Value
    label: str
    exclusive: bool = False
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A group, a question or a display text, with its children."""

    link_id: str
    type: str
    text: str
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    hidden: bool = False
    max_length: int | None = None
    min_value: Value | None = None
    max_value: Value | None = None
    options: tuple[Option, ...] = ()
    enable_when: tuple[Condition, ...] = ()
    enable_behavior: Match = "all"
    control: str | None = None
    sided: bool = False
    body_map: bool = False
    must_be_true: bool = False
    prefix: str = ""
    items: tuple[Item, ...] = ()

    @property
    def is_question(self) -> bool:
        return self.type not in ("group", "display")

    @property
    def is_coded(self) -> bool:
        """Are the offered answers codings (and not plain text or numbers)?"""
        return any(option.system is not None for option in self.options)

    @property
    def help(self) -> tuple[str, ...]:
        """Texts of the display children that explain this item (``itemControl`` help)."""
        return tuple(c.text for c in self.items if c.type == "display" and c.control == "help")

    @property
    def side(self) -> Side | None:
        if self.link_id.endswith(".left"):
            return "left"
        return "right" if self.link_id.endswith(".right") else None

    @property
    def left(self) -> Item | None:
        """The left question of a sided group."""
        return next((child for child in self.items if self.sided and child.side == "left"), None)

    @property
    def right(self) -> Item | None:
        """The right question of a sided group."""
        return next((child for child in self.items if self.sided and child.side == "right"), None)

    def option(self, value: Value) -> Option | None:
        """The offered option with this value, if there is one."""
        for option in self.options:
            if type(option.value) is type(value) and option.value == value:
                return option
        return None

    def walk(self) -> Iterator[Item]:
        """This item and all its descendants, in document order."""
        yield self
        for child in self.items:
            yield from child.walk()


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One version of a questionnaire. Made by :func:`read_definition`."""

    url: str
    version: str
    title: str
    items: tuple[Item, ...]
    dependency_order: tuple[tuple[Item, str | None], ...] = field(repr=False)
    """Every item with its parent's linkId, parents and asked-about questions first."""
    _by_id: Mapping[str, Item] = field(repr=False)
    _parents: Mapping[str, str | None] = field(repr=False)

    def item(self, link_id: str) -> Item:
        """The item with this linkId; KeyError when there is none."""
        return self._by_id[link_id]

    def get(self, link_id: str) -> Item | None:
        return self._by_id.get(link_id)

    def walk(self) -> Iterator[Item]:
        """All items in document order."""
        return iter(self._by_id.values())

    def questions(self) -> Iterator[Item]:
        """All answerable items in document order."""
        return (item for item in self._by_id.values() if item.is_question)

    def parent(self, link_id: str) -> Item | None:
        """The item that holds this one, None for a top-level item; KeyError for an unknown linkId."""
        parent = self._parents[link_id]
        return None if parent is None else self._by_id[parent]

    def page_of(self, link_id: str) -> Item:
        """The top-level item that this one is on; KeyError for an unknown linkId."""
        item = self._by_id[link_id]
        while (parent := self.parent(item.link_id)) is not None:
            item = parent
        return item


def read_definition(data: Mapping[str, object]) -> Definition:
    """Read a FHIR R4 Questionnaire resource (parsed JSON) into a Definition.

    Raises DefinitionError naming the linkId for anything that could not be shown or evaluated as its
    author meant it: a missing or doubled linkId, an unsupported type, a repeating group, options of the
    wrong kind or doubled, an enableWhen that points nowhere, to a child, in a circle, or at an answer
    of another type, and several enableWhen without enableBehavior.
    """
    if not isinstance(data, Mapping) or data.get("resourceType") != "Questionnaire":
        raise DefinitionError("this is not a FHIR Questionnaire")
    url = data.get("url")
    if not isinstance(url, str) or not url:
        raise DefinitionError("a Questionnaire needs a url")
    contained = {
        f"#{entry['id']}": entry
        for entry in _objects(data, "contained", "the questionnaire")
        if isinstance(entry.get("id"), str)
    }
    try:
        items = tuple(
            _read_item(entry, contained, hidden=False, read_only=False)
            for entry in _objects(data, "item", "the questionnaire")
        )
    except RecursionError:
        raise DefinitionError("the items are nested too deeply") from None
    by_id: dict[str, Item] = {}
    parents: dict[str, str | None] = {}
    for item in items:
        _index(item, None, by_id, parents)
    if not by_id:
        raise DefinitionError("a Questionnaire needs at least one item")
    for item in by_id.values():
        _check_conditions(item, by_id)
    title = next((data[key] for key in ("title", "name") if isinstance(data.get(key), str)), url)
    version = data.get("version")
    return Definition(
        url=url,
        version=version if isinstance(version, str) else "",
        title=str(title),
        items=items,
        dependency_order=_dependency_order(by_id, parents),
        _by_id=by_id,
        _parents=parents,
    )


def _read_item(
    data: Mapping[str, object],
    contained: Mapping[str, Mapping[str, object]],
    *,
    hidden: bool,
    read_only: bool,
) -> Item:
    link_id = data.get("linkId")
    if not isinstance(link_id, str) or not link_id.strip():
        raise DefinitionError(f"an item has no linkId (its text is {str(data.get('text', ''))[:60]!r})")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in ("group", "display", *QUESTION_TYPES):
        raise DefinitionError(f"{link_id}: items of type {kind!r} are not supported")
    if data.get("modifierExtension"):
        raise DefinitionError(f"{link_id}: it has a modifierExtension, which would change its meaning")
    extensions = _extensions(data, link_id)
    stop = next((url for url in extensions if url in _STOPS), None)
    if stop:
        raise DefinitionError(f"{link_id}: the extension {stop.rsplit('-', 1)[-1]} is not supported")
    repeats = _flag(data, "repeats", link_id)
    if kind == "group" and repeats:
        raise DefinitionError(f"{link_id}: a group that repeats is not supported")
    hidden = hidden or extensions.get(HL7 + "questionnaire-hidden") is True
    own_read_only = read_only or _flag(data, "readOnly", link_id)
    children = tuple(
        # FHIR: hiding passes to all descendants, being read-only passes only through groups.
        _read_item(entry, contained, hidden=hidden, read_only=own_read_only if kind == "group" else read_only)
        for entry in _objects(data, "item", link_id)
    )
    if kind == "display" and children:
        raise DefinitionError(f"{link_id}: a display text has no items of its own")
    sided = extensions.get(OURS + "sided-pair") is True
    if sided and [c.side for c in children if c.is_question] != ["left", "right"]:
        raise DefinitionError(f"{link_id}: a sided pair needs two questions, ending in .left and .right")
    must_be_true = extensions.get(OURS + "must-be-true") is True
    if must_be_true and kind != "boolean":
        raise DefinitionError(f"{link_id}: only a boolean can be must-be-true")
    max_length = data.get("maxLength")
    if max_length is not None and (isinstance(max_length, bool) or not isinstance(max_length, int)):
        raise DefinitionError(f"{link_id}: maxLength must be a whole number")
    conditions = _enable_when(data, link_id)
    behavior = data.get("enableBehavior")
    if behavior not in (None, "all", "any"):
        raise DefinitionError(f"{link_id}: enableBehavior must be 'all' or 'any'")
    if behavior is None and len(conditions) > 1:
        raise DefinitionError(f"{link_id}: several enableWhen need enableBehavior 'all' or 'any' (que-12)")
    return Item(
        link_id=link_id,
        type=kind,
        text=_text(data, "text", link_id),
        required=_flag(data, "required", link_id),
        repeats=repeats,
        read_only=own_read_only,
        hidden=hidden,
        max_length=max_length,
        min_value=_bound(extensions.get(HL7 + "minValue"), kind, link_id),
        max_value=_bound(extensions.get(HL7 + "maxValue"), kind, link_id),
        options=_options(data, kind, contained, link_id),
        enable_when=conditions,
        enable_behavior="any" if behavior == "any" else "all",
        control=_control(extensions.get(HL7 + "questionnaire-itemControl")),
        sided=sided,
        body_map=extensions.get(OURS + "body-map") is True,
        must_be_true=must_be_true,
        prefix=_text(data, "prefix", link_id),
        items=children,
    )


def _objects(data: Mapping[str, object], name: str, where: str) -> Sequence[Mapping[str, object]]:
    entries = data.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise DefinitionError(f"{where}: {name} must be a list of objects")
    return entries


def _extensions(data: Mapping[str, object], where: str) -> dict[str, object]:
    """``{url: value}`` of the simple extensions of an element."""
    found: dict[str, object] = {}
    for entry in _objects(data, "extension", where):
        url = entry.get("url")
        if isinstance(url, str):
            found[url] = next((value for key, value in entry.items() if key.startswith("value")), None)
    return found


def _flag(data: Mapping[str, object], name: str, link_id: str) -> bool:
    value = data.get(name, False)
    if not isinstance(value, bool):
        raise DefinitionError(f"{link_id}: {name} must be true or false")
    return value


def _text(data: Mapping[str, object], name: str, link_id: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise DefinitionError(f"{link_id}: {name} must be text")
    return value


def _control(value: object) -> str | None:
    codings = value.get("coding") if isinstance(value, Mapping) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
            return str(coding["code"])
    return None


def _bound(value: object, kind: str, link_id: str) -> Value | None:
    if value is None:
        return None
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    wanted: tuple[type, ...] = _ANSWER_KINDS.get(kind, (str,)) if kind in _ORDERED_TYPES else ()
    if not is_value(exact) or isinstance(exact, bool) or not isinstance(exact, wanted):
        raise DefinitionError(f"{link_id}: minValue or maxValue does not fit the type {kind}")
    return exact


def _enable_when(data: Mapping[str, object], link_id: str) -> tuple[Condition, ...]:
    conditions = []
    for entry in _objects(data, "enableWhen", link_id):
        try:
            conditions.append(parse_enable_when(entry))
        except ConditionError as error:
            raise DefinitionError(f"{link_id}: {error}") from None
    return tuple(conditions)


def _options(
    data: Mapping[str, object], kind: str, contained: Mapping[str, Mapping[str, object]], link_id: str
) -> tuple[Option, ...]:
    entries = _objects(data, "answerOption", link_id)
    value_set = data.get("answerValueSet")
    if entries and value_set is not None:
        raise DefinitionError(f"{link_id}: answerOption and answerValueSet cannot stand together (que-4)")
    if (entries or value_set is not None) and kind in ("group", "display", "boolean", "text", "url"):
        raise DefinitionError(f"{link_id}: a {kind} has no options (que-5)")
    if value_set is not None:
        if not isinstance(value_set, str) or value_set not in contained:
            raise DefinitionError(f"{link_id}: the value set {value_set!r} is not in the file")
        options = tuple(_codings(contained[value_set], link_id))
    else:
        options = tuple(_option(entry, link_id) for entry in entries)
    if kind == "choice" and not options:
        raise DefinitionError(f"{link_id}: a choice needs options")
    seen: set[tuple[type, Value]] = set()
    for option in options:
        key = (type(option.value), option.value)
        if key in seen:
            raise DefinitionError(f"{link_id}: the option {option.value!r} is offered twice")
        seen.add(key)
    return options


def _option(entry: Mapping[str, object], link_id: str) -> Option:
    kinds = [key for key in entry if key.startswith("value")]
    if len(kinds) != 1 or kinds[0] not in _OPTION_TYPES:
        raise DefinitionError(f"{link_id}: an option needs one value: {', '.join(_OPTION_TYPES)}")
    value = entry[kinds[0]]
    exclusive = _extensions(entry, link_id).get(HL7 + "questionnaire-optionExclusive") is True
    if kinds[0] == "valueCoding":
        coding = value if isinstance(value, Mapping) else {}
        return _coding(coding, link_id, exclusive=exclusive)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_value(value) or (kinds[0] == "valueInteger") != whole or not (whole or isinstance(value, str)):
        raise DefinitionError(f"{link_id}: the option {value!r} does not fit {kinds[0]}")
    return Option(value, str(value), exclusive)


def _coding(coding: Mapping[str, object], link_id: str, *, exclusive: bool = False) -> Option:
    code, system, display = coding.get("code"), coding.get("system"), coding.get("display")
    if not isinstance(code, str) or not code:
        raise DefinitionError(f"{link_id}: an option needs a code")
    return Option(
        value=code,
        label=display if isinstance(display, str) and display else code,
        exclusive=exclusive,
        system=system if isinstance(system, str) else "",
    )


def _codings(value_set: Mapping[str, object], link_id: str) -> Iterator[Option]:
    expansion = value_set.get("expansion")
    if isinstance(expansion, Mapping) and expansion.get("contains"):
        for entry in _objects(expansion, "contains", link_id):
            yield _coding(entry, link_id)
        return
    compose = value_set.get("compose")
    for include in _objects(compose, "include", link_id) if isinstance(compose, Mapping) else ():
        concepts = _objects(include, "concept", link_id)
        if not concepts or include.get("valueSet") or include.get("filter"):
            raise DefinitionError(f"{link_id}: its value set does not list its codes")
        for concept in concepts:
            yield _coding({**concept, "system": include.get("system")}, link_id)


def _index(item: Item, parent: str | None, by_id: dict[str, Item], parents: dict[str, str | None]) -> None:
    if item.link_id in by_id:
        raise DefinitionError(f"{item.link_id}: this linkId is used twice (que-2)")
    by_id[item.link_id] = item
    parents[item.link_id] = parent
    for child in item.items:
        _index(child, item.link_id, by_id, parents)


def _check_conditions(item: Item, by_id: Mapping[str, Item]) -> None:
    below = {child.link_id for child in item.walk()}
    for condition in item.enable_when:
        asked = by_id.get(condition.question)
        if asked is None:
            raise DefinitionError(
                f"{item.link_id}: enableWhen asks {condition.question!r}, which does not exist"
            )
        if condition.question in below:
            raise DefinitionError(f"{item.link_id}: enableWhen asks the item itself or its own child")
        problem = misfit(condition, asked)
        if problem:
            raise DefinitionError(f"{item.link_id}: enableWhen asks {asked.link_id}: {problem}")


def misfit(condition: Condition, asked: Item) -> str | None:
    """Why this condition can never be meant for that item: wrong kind of answer or operator, or None.

    An option that is not offered is not judged here: :mod:`intake.screening.lint` does.
    """
    if not asked.is_question:
        return f"a {asked.type} has no answer"
    if condition.operator == "exists":
        return None
    if condition.operator in ORDERING and asked.type not in _ORDERED_TYPES:
        return f"operator {condition.operator!r} cannot compare answers of type {asked.type}"
    kinds: tuple[type, ...] = _ANSWER_KINDS.get(asked.type, (str,))
    if asked.options:
        kinds = tuple({type(option.value) for option in asked.options})
        if asked.type == "open-choice":
            kinds = (*kinds, str)
    for answer in condition.answer:
        if not isinstance(answer, kinds) or (isinstance(answer, bool) and bool not in kinds):
            return f"{answer!r} is not an answer of type {asked.type}"
    return None


def _dependency_order(
    by_id: Mapping[str, Item], parents: Mapping[str, str | None]
) -> tuple[tuple[Item, str | None], ...]:
    needs: dict[str, list[str]] = {}
    for link_id, item in by_id.items():
        parent = parents[link_id]
        needs[link_id] = [c.question for c in item.enable_when] + ([parent] if parent else [])
    order: dict[str, None] = {}
    for start in by_id:
        path: dict[str, Iterator[str]] = {}
        stack = [start]
        while stack:
            current = stack[-1]
            if current in order:
                stack.pop()
                continue
            waiting = path.setdefault(current, iter(needs[current]))
            following = next((need for need in waiting if need not in order), None)
            if following is None:
                order[current] = None
                path.pop(current)
                stack.pop()
            elif following in path:
                names = list(path)
                circle = [*names[names.index(following) :], following]
                raise DefinitionError(f"{following}: enableWhen goes in a circle: {' -> '.join(circle)}")
            else:
                stack.append(following)
    return tuple((by_id[link_id], parents[link_id]) for link_id in order)
