"""Check a FHIR R4 QuestionnaireResponse against its Questionnaire, on the tree, with a named report.

For responses that come from elsewhere. Our own answers are checked in compact form by
:mod:`intake.responses.answers`.

enableWhen is evaluated on the response tree: the answers of the *nearest* occurrence of the question
(first within the same repetition of a group, then before it, then after it), and never the answers of an item
that is itself disabled. Rules about what must be there bind only once a response is completed or amended;
in a draft they are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from intake.conditions import compare
from intake.questionnaires.definition import HL7
from intake.questionnaires.fhir import ANSWER_KINDS, SDC, Json, Level, Problem, fits_type, inspect, value_of

_FINAL: Final = ("completed", "amended")
_STATUSES: Final = ("in-progress", "completed", "amended", "entered-in-error", "stopped")
_UCUM: Final = "http://unitsofmeasure.org"
_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {
    **{
        code: ("m", Decimal(size))
        for code, size in (("km", "1000"), ("m", "1"), ("cm", ".01"), ("mm", ".001"))
    },
    **{code: ("g", Decimal(size)) for code, size in (("kg", "1000"), ("g", "1"), ("mg", ".001"))},
    **{
        code: ("s", Decimal(size))
        for code, size in (("h", "3600"), ("min", "60"), ("s", "1"), ("d", "86400"))
    },
    **{code: ("L", Decimal(size)) for code, size in (("L", "1"), ("l", "1"), ("mL", ".001"), ("ml", ".001"))},
}
"""Units that can be compared with each other: (base, size in it). Source: UCUM, metric prefixes and time."""


@dataclass(slots=True)
class _Ask:
    """One item of the Questionnaire."""

    data: Mapping[str, Json]
    link_id: str
    type: str
    children: list[_Ask] = field(default_factory=list)

    def extension(self, url: str) -> Json:
        entries = self.data.get("extension")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping) and entry.get("url") == url:
                found = value_of(entry, "value")
                return found[1] if found else None
        return None


@dataclass(slots=True, eq=False)
class _Given:
    """One item of the response, in its place; the root has no linkId."""

    data: Mapping[str, Json]
    link_id: str
    path: str
    parent: _Given | None
    number: int = 0
    children: list[_Given] = field(default_factory=list)

    @property
    def answers(self) -> list[tuple[str, Json]]:
        entries = self.data.get("answer")
        found = [
            value_of(entry, "value")
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, Mapping)
        ]
        return [answer for answer in found if answer is not None]

    def walk(self) -> Iterator[_Given]:
        yield self
        for child in self.children:
            yield from child.walk()


def check_response(questionnaire: Json, response: Json) -> list[Problem]:
    """Everything that is wrong with a response; ``where`` is the FHIRPath of the place. Raises nothing.

    ``questionnaire`` None means that the one it names is not known.
    """
    if not isinstance(response, Mapping) or response.get("resourceType") != "QuestionnaireResponse":
        return [Problem("not-a-response", "$", "resourceType is not QuestionnaireResponse")]
    if questionnaire is None:
        where = "QuestionnaireResponse.questionnaire"
        return [Problem("questionnaireNotFound", where, "its questionnaire is not known")]
    try:
        return _check_response(questionnaire, response)
    except RecursionError:
        return [Problem("structure", "QuestionnaireResponse", "the items are nested too deeply")]


def _check_response(questionnaire: Json, response: Mapping[str, Json]) -> list[Problem]:
    broken = [problem for problem in inspect(questionnaire).problems if problem.level == "error"]
    if broken:
        places = dict(_places(response, "QuestionnaireResponse"))
        return [
            Problem(_QUESTIONNAIRE_CODES.get(p.code, p.code), places.get(p.where, p.where), p.message)
            for p in broken
        ]
    check = _Check(final=response.get("status") in _FINAL, contained=_contained(questionnaire))
    check.run(questionnaire, response)
    return check.problems


_QUESTIONNAIRE_CODES: Final = {"unsupported-type": "invalidType", "unknown-type": "invalidType"}


@dataclass(slots=True)
class _Check:
    final: bool
    contained: Mapping[str, Mapping[str, Json]]
    problems: list[Problem] = field(default_factory=list)
    asks: dict[str, _Ask] = field(default_factory=dict)
    parents: dict[str, str | None] = field(default_factory=dict)
    given: list[_Given] = field(default_factory=list)
    decided: dict[tuple[str, int], bool] = field(default_factory=dict)

    def report(self, code: str, where: str, message: str, level: Level = "error") -> None:
        self.problems.append(Problem(code, where, message, level))

    def run(self, questionnaire: Mapping[str, Json], response: Mapping[str, Json]) -> None:
        if response.get("status") not in _STATUSES:
            self.report("structure", "QuestionnaireResponse.status", "there is no such status")
        asked = [self.ask(entry, None) for entry in _objects(questionnaire, "item")]
        root = _Given(response, "", "QuestionnaireResponse", None)
        self.place(root, response, "QuestionnaireResponse")
        self.compare(asked, root, root)

    # The two trees

    def ask(self, data: Mapping[str, Json], parent: str | None) -> _Ask:
        item = _Ask(data, str(data.get("linkId")), str(data.get("type")))
        self.asks[item.link_id], self.parents[item.link_id] = item, parent
        item.children = [self.ask(child, item.link_id) for child in _objects(data, "item")]
        return item

    def place(self, parent: _Given, data: Mapping[str, Json], path: str) -> None:
        """Add the items of an element, and those under their answers, below ``parent``."""
        entries = data.get("item", [])
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            self.report("structure", f"{path}.item", "item must be a list of objects")
        for number, entry in enumerate(_objects(data, "item")):
            where = f"{path}.item[{number}]"
            link_id = entry.get("linkId")
            if not isinstance(link_id, str) or not link_id:
                self.report("structure", where, "an item has no linkId")
                continue
            item = _Given(entry, link_id, where, parent, len(self.given))
            self.given.append(item)
            parent.children.append(item)
            self.place(item, entry, where)
            answers = entry.get("answer", [])
            if not isinstance(answers, list) or not all(isinstance(a, Mapping) for a in answers):
                self.report("structure", f"{where}.answer", "answer must be a list of objects")
            if answers and entry.get("item"):
                self.report("qrs-1", where, "an item cannot have both answer and item")
            ask = self.asks.get(link_id)
            if ask is None or ask.type != "group":
                for index, answer in enumerate(_objects(entry, "answer")):
                    self.place(item, answer, f"{where}.answer[{index}]")

    # Enabled or not

    def enabled(self, ask: _Ask, context: _Given) -> bool:
        """Is the item enabled, seen from the place in the response where its parent stands?"""
        conditions = _objects(ask.data, "enableWhen")
        if not conditions:
            return True
        key = (ask.link_id, context.number if context.parent else -1)
        if key not in self.decided:
            results = (self.met(entry, context) for entry in conditions)
            both = ask.data.get("enableBehavior") != "any"
            self.decided[key] = all(results) if both else any(results)
        return self.decided[key]

    def met(self, entry: Mapping[str, Json], context: _Given) -> bool:
        source = self.nearest(str(entry.get("question")), context)
        answers = source.answers if source is not None and self.reachable(source) else []
        wanted = value_of(entry, "answer")
        operator = entry.get("operator")
        if wanted is None:
            return False
        if operator == "exists":
            return bool(answers) is wanted[1]
        if operator in ("=", "!="):
            return any(_equal(answer, wanted) for answer in answers) is (operator == "=")
        orders = [_order(answer, wanted) for answer in answers]
        test = {
            ">": [order for order in orders if order is not None and order > 0],
            "<": [order for order in orders if order is not None and order < 0],
            ">=": [order for order in orders if order is not None and order >= 0],
            "<=": [order for order in orders if order is not None and order <= 0],
        }
        return bool(test.get(str(operator)))

    def reachable(self, item: _Given) -> bool:
        """Is this item of the response enabled, with all above it?"""
        place: _Given | None = item
        while place is not None and place.parent is not None:
            ask = self.asks.get(place.link_id)
            if ask is None or not self.enabled(ask, place.parent):
                return False
            place = place.parent
        return True

    def nearest(self, link_id: str, context: _Given) -> _Given | None:
        """The occurrence of a question that is meant at a place: innermost repetition first."""
        place: _Given | None = context
        while place is not None:
            found = [item for item in place.walk() if item.link_id == link_id]
            if found:
                before = [item for item in found if item.number <= context.number]
                return before[-1] if before else found[0]
            place = place.parent
        return None

    # Comparing

    def compare(self, asked: Sequence[_Ask], parent: _Given, context: _Given) -> None:
        known = {ask.link_id for ask in asked}
        for item in parent.children:
            if item.link_id not in known:
                self.report("invalidLinkId", item.path, f"{item.link_id[:80]} does not belong here")
        for ask in asked:
            items = [item for item in parent.children if item.link_id == ask.link_id]
            if not self.enabled(ask, context):
                for item in items:
                    if any(inner.answers for inner in item.walk()):
                        message = f"{ask.link_id} has an answer, even though it is not enabled"
                        self.report("notEnabled", item.path, message)
                continue
            if len(items) > 1 and not (ask.type == "group" and ask.data.get("repeats") is True):
                self.must("repeats", items[1].path, f"{ask.link_id} stands here more than once")
            for item in items:
                self.item(ask, item)
            if not items:
                self.absent(ask, parent)

    def absent(self, ask: _Ask, parent: _Given) -> None:
        if ask.type == "display":
            return
        if ask.data.get("required") is True:
            self.must("required", parent.path, f"{ask.link_id} must be answered")
        elif _least(ask):
            self.must("minCount", parent.path, f"{ask.link_id} needs {_least(ask)} answers")

    def must(self, code: str, where: str, message: str) -> None:
        self.report(code, where, message, "error" if self.final else "warning")

    def item(self, ask: _Ask, item: _Given) -> None:
        count = len(_objects(item.data, "answer"))
        if ask.type in ("group", "display"):
            if count:
                name = ask.type.capitalize()
                self.report(f"{ask.type}ShouldNotHaveAnswers", f"{item.path}.answer", f"{name} has answers")
            elif ask.type == "group" and ask.data.get("required") is True and not item.children:
                self.must("required", item.path, f"{ask.link_id} must be answered")
        else:
            self.count(ask, item, count)
            for number, entry in enumerate(_objects(item.data, "answer")):
                self.answer(ask, entry, f"{item.path}.answer[{number}]")
            self.exclusive(ask, item)
        self.compare(ask.children, item, item)

    def count(self, ask: _Ask, item: _Given, count: int) -> None:
        most = ask.extension(HL7 + "questionnaire-maxOccurs")
        if count > 1 and ask.data.get("repeats") is not True:
            self.must("repeats", item.path, f"{ask.link_id} takes one answer, {count} were given")
        elif isinstance(most, int) and count > most:
            self.must("maxCount", item.path, f"{ask.link_id} takes {most} answers, {count} were given")
        if count < _least(ask):
            self.must("minCount", item.path, f"{ask.link_id} needs {_least(ask)} answers, {count} were given")
        elif not count and ask.data.get("required") is True:
            self.must("required", item.path, f"{ask.link_id} must be answered")

    def exclusive(self, ask: _Ask, item: _Given) -> None:
        alone = [
            value_of(option, "value")
            for option in _objects(ask.data, "answerOption")
            if any(
                entry.get("url") == HL7 + "questionnaire-optionExclusive"
                and entry.get("valueBoolean") is True
                for entry in _objects(option, "extension")
            )
        ]
        given = item.answers
        if len(given) > 1 and any(_equal(answer, one) for answer in given for one in alone if one):
            self.report(
                "exclusive", item.path, f"{ask.link_id}: an answer that stands alone has others beside it"
            )

    def answer(self, ask: _Ask, entry: Mapping[str, Json], where: str) -> None:
        found = value_of(entry, "value")
        if found is None:
            if not entry.get("item"):
                self.report("structure", where, "an answer needs exactly one value[x]")
            return
        kind, value = found
        options = self.options(ask)
        fitting = {*ANSWER_KINDS.get(ask.type, ()), *(option[0] for option in options or ())}
        if kind not in fitting:
            self.report("invalidAnswerType", where, f"{ask.link_id}: a {kind} does not answer {ask.type}")
            return
        if not fits_type(kind, value):
            self.report("structure", where, f"value{kind} has a value of the wrong type")
            return
        free = ask.type == "open-choice" and kind == "String"
        if options is not None and not free and not any(_equal(found, option) for option in options):
            self.report("invalidAnswerOption", where, f"{ask.link_id}: not one of the options")
        elif options is None and kind == "Coding" and "answerValueSet" in ask.data:
            message = f"{ask.link_id}: only a terminology server could tell whether this is an option"
            self.report("needsTerminology", where, message, "warning")
        self.range(ask, found, where)
        if isinstance(value, str):
            self.text(ask, value, where)
        if kind == "Decimal":
            most = ask.extension(HL7 + "maxDecimalPlaces")
            places = -int(Decimal(str(value)).as_tuple().exponent)
            if isinstance(most, int) and places > most:
                # The reference validator lets it pass.
                message = f"{ask.link_id}: more than {most} decimal places"
                self.report("maxDecimalPlaces", where, message, "warning")
        if kind == "Attachment":
            self.attachment(ask, value, where)

    def options(self, ask: _Ask) -> list[tuple[str, Json]] | None:
        """The offered values; None when anything goes or only a terminology server could tell."""
        entries = _objects(ask.data, "answerOption")
        if entries:
            return [found for entry in entries if (found := value_of(entry, "value")) is not None]
        value_set = ask.data.get("answerValueSet")
        listed = self.contained.get(value_set) if isinstance(value_set, str) else None
        codes = _codes(listed) if listed is not None else None
        return [("Coding", code) for code in codes] if codes else None

    def range(self, ask: _Ask, found: tuple[str, Json], where: str) -> None:
        for name, code, wrong in (("min", "minValue", -1), ("max", "maxValue", 1)):
            for url, kind in ((HL7 + f"{name}Value", found[0]), (SDC + f"{name}Quantity", "Quantity")):
                bound = ask.extension(url)
                order = _order(found, (kind, bound)) if bound is not None else None
                if order is not None and order * wrong > 0:
                    side = "under the minimum" if wrong < 0 else "over the maximum"
                    self.report(code, where, f"{ask.link_id}: {side}")

    def text(self, ask: _Ask, value: str, where: str) -> None:
        least, most = ask.extension(HL7 + "minLength"), ask.data.get("maxLength")
        if isinstance(least, int) and len(value) < least:
            self.report("minLength", where, f"{ask.link_id}: shorter than {least} characters")
        if isinstance(most, int) and len(value) > most:
            self.report("maxLength", where, f"{ask.link_id}: longer than {most} characters")
        if ask.type == "string" and ("\n" in value or "\r" in value):
            self.report("newline", where, f"{ask.link_id}: a string has one line", "warning")

    def attachment(self, ask: _Ask, value: Mapping[str, Json], where: str) -> None:
        size, data = value.get("size"), value.get("data")
        actual = None
        if isinstance(data, str):
            plain = re.sub(r"\s", "", data)
            actual = len(plain) * 3 // 4 - plain[-2:].count("=")
            if size is not None and size != actual:
                self.report(
                    "attachmentSizeInconsistent", where, f"{ask.link_id}: size is not that of the data"
                )
        most = ask.extension(HL7 + "maxSize")
        real = actual if actual is not None else size
        if isinstance(real, int) and isinstance(most, (int, float, Decimal)) and real > most:
            self.report("maxSize", where, f"{ask.link_id}: larger than {most} bytes")


def _objects(data: Mapping[str, Json], name: str) -> list[Mapping[str, Json]]:
    entries = data.get(name)
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []


def _places(data: Mapping[str, Json], path: str) -> Iterator[tuple[str, str]]:
    """``(linkId, path)`` of the items that stand directly in groups."""
    for number, entry in enumerate(_objects(data, "item")):
        where = f"{path}.item[{number}]"
        yield str(entry.get("linkId")), where
        yield from _places(entry, where)


def _contained(questionnaire: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    return {f"#{entry.get('id')}": entry for entry in _objects(questionnaire, "contained")}


def _codes(value_set: Mapping[str, Json]) -> list[Mapping[str, Json]] | None:
    """The codings of a value set that lists them; None when it does not."""
    expansion, compose = value_set.get("expansion"), value_set.get("compose")
    if isinstance(expansion, Mapping) and expansion.get("contains"):
        return _objects(expansion, "contains")
    codes: list[Mapping[str, Json]] = []
    for include in _objects(compose, "include") if isinstance(compose, Mapping) else ():
        concepts = _objects(include, "concept")
        if not concepts or include.get("filter") or include.get("valueSet"):
            return None
        codes += [{"system": include.get("system"), "code": concept.get("code")} for concept in concepts]
    return codes


def _least(ask: _Ask) -> int:
    least = ask.extension(HL7 + "questionnaire-minOccurs")
    return least if isinstance(least, int) and not isinstance(least, bool) and least > 1 else 0


def _equal(answer: tuple[str, Json], wanted: tuple[str, Json]) -> bool:
    """Equality of two typed values; a coding by code, and by system when one is wanted."""
    kind, value = answer
    other, expected = wanted
    if kind == other == "Coding":
        if not (isinstance(value, Mapping) and isinstance(expected, Mapping)):
            return False
        system = expected.get("system")
        named = "code" if expected.get("code") is not None else "display"
        return value.get(named) == expected.get(named) and system in (None, value.get("system"))
    if kind == "Coding" or other == "Coding":
        return False
    if {kind, other} <= {"Integer", "Decimal", "Quantity", "Date", "DateTime", "Time"}:
        order = _order(answer, wanted)
        return order == 0
    return type(value) is type(expected) and bool(value == expected)


def _order(answer: tuple[str, Json], wanted: tuple[str, Json]) -> int | None:
    """How two typed values compare; None when they do not."""
    (kind, value), (other, expected) = answer, wanted
    if kind == "Quantity" or other == "Quantity":
        return _order_quantity(value, expected) if kind == other else None
    if kind in ("Boolean", "Coding") or other in ("Boolean", "Coding"):
        return None
    one, two = _exact(value), _exact(expected)
    return None if one is None or two is None else compare(one, two)


def _order_quantity(value: Json, expected: Json) -> int | None:
    if not (isinstance(value, Mapping) and isinstance(expected, Mapping)):
        return None
    one, two = _exact(value.get("value")), _exact(expected.get("value"))
    if one is None or two is None or isinstance(one, str) or isinstance(two, str):
        return None
    if (value.get("system"), value.get("code")) == (expected.get("system"), expected.get("code")):
        if value.get("code") is None and value.get("unit") != expected.get("unit"):
            return None
        return compare(one, two)
    units = _UNITS.get(str(value.get("code"))), _UNITS.get(str(expected.get("code")))
    if {value.get("system"), expected.get("system")} != {_UCUM} or units[0] is None or units[1] is None:
        return None
    return compare(one * units[0][1], two * units[1][1]) if units[0][0] == units[1][0] else None


def _exact(value: Json) -> str | int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, (str, int, Decimal)) else None
