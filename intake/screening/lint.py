"""Find mistakes in rules before they run: against the questionnaire they ask about. Pure Python.

An *error* is a rule that cannot be read or cannot do what it says; such a rule must not become active. A
*warning* is something a physio should look at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from intake.conditions import (
    ORDERING,
    Condition,
    Group,
    Value,
    compare,
    fill,
    group_holds,
    holds_on_silence,
    is_one_of,
)
from intake.questionnaires.definition import TYPED_WORDS, Definition, Item, misfit
from intake.screening.screen import RuleDefinition, RuleError, SidedRule, entries_of, parse_rule, screen
from intake.screening.suggest import Suggestable

SELF_TESTS: Final = "try."
"""linkIds of self-tests begin so; they may be hidden, so nothing urgent may rest on them."""


@dataclass(frozen=True, slots=True)
class LintProblem:
    """One mistake: the rule's id, where in it (``supports 2, condition 1``), and what is wrong."""

    rule: str
    place: str
    message: str
    level: Literal["error", "warning"] = "error"


def lint(
    entries: Iterable[object],
    definition: Definition,
    *,
    lessons: Collection[str] | None = None,
    links: Collection[str] | None = None,
    checks: Collection[str] | None = None,
) -> list[LintProblem]:
    """Every problem of these catalog entries, in their order; an empty list for sound rules.

    ``lessons``, ``links`` and ``checks`` are the known lesson slugs, chain links and physio tests; what is
    not given is not looked at. Nothing raises, whatever the entries are.
    """
    problems: list[LintProblem] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        try:
            rule = parse_rule(entry)
        except RuleError as error:
            given = entry.get("id") if isinstance(entry, Mapping) else None
            name = given if isinstance(given, str) and given else f"entry {number}"
            problems.append(LintProblem(name, "", str(error).removeprefix(f"{name}: ")))
            continue
        if rule.id in seen:
            problems.append(LintProblem(rule.id, "id", "another rule has the same id"))
        seen.add(rule.id)
        problems.extend(lint_rule(rule, definition))
        problems.extend(_unknown_names(rule, "lesson", (rule.lesson,) if rule.lesson else (), lessons))
        problems.extend(_unknown_names(rule, "links", rule.links, links))
        problems.extend(_unknown_names(rule, "suggestedChecks", rule.suggested_checks, checks))
    return problems


def lint_file(data: object, definition: Definition) -> list[LintProblem]:
    """The same for a whole rule file, ``{"rules": [...], "redFlags": [...], "precautions": [...]}``."""
    try:
        entries = entries_of(data)
    except RuleError as error:
        return [LintProblem("", "", str(error))]
    return lint(entries, definition)


def lint_rule(rule: RuleDefinition, definition: Definition) -> list[LintProblem]:
    """Every problem of one rule that could be read."""
    found = [
        *_places(rule),
        *(problem for group in _groups(rule) for problem in _group(rule, definition, *group)),
        *_silence(rule),
        *_threshold(rule, definition),
        *_texts(rule),
    ]
    found.extend(
        LintProblem(rule.id, "hides", f"there is no item {link_id!r} to hide")
        for link_id in rule.hides
        if definition.get(link_id) is None
    )
    return list(dict.fromkeys(found))


def lint_suggestion(lesson: Suggestable, definition: Definition) -> list[LintProblem]:
    """Every problem of when a lesson is suggested; ``rule`` of a problem is the lesson's slug."""
    if lesson.when is None:
        return []
    found = []
    for _, groups in lesson.when.by_side:
        for number, group in enumerate(groups, start=1):
            for condition in group.conditions:
                item = definition.get(condition.question)
                if item is None:
                    messages = [f"there is no question {condition.question!r}"]
                else:
                    messages = list(_condition(condition, item))
                found += [LintProblem(lesson.slug, f"requires {number}", message) for message in messages]
    if lesson.when.sides({}):
        message = "a form with no answers would suggest it: make it a default"
        found.append(LintProblem(lesson.slug, "requires", message))
    return found


def _groups(rule: RuleDefinition) -> Iterator[tuple[str, Group]]:
    parts = (("requires", rule.requires), ("supports", rule.supports), ("against", rule.against))
    for name, groups in parts:
        for number, group in enumerate(groups, start=1):
            yield f"{name} {group.id or number}", group


def _places(rule: RuleDefinition) -> Iterator[LintProblem]:
    """{side} and {other}: used where they have no meaning, or not used where they must be."""
    questions = [c.question for _, group in _groups(rule) for c in group.conditions]
    sided = [q for q in questions if "{side}" in q or "{other}" in q]
    if rule.scope == "person":
        for question in dict.fromkeys(sided):
            yield LintProblem(rule.id, question, "a rule about the person has no {side} or {other}")
        return
    if not sided:
        yield LintProblem(rule.id, "scope", "no question depends on the side: it is raised on both or none")
    if rule.source is not None and rule.source == rule.target:
        for place, group in _groups(rule):
            if any("{other}" in c.question for c in group.conditions):
                message = "it asks about {other}, though source and target are the same side"
                yield LintProblem(rule.id, place, message, "warning")
    for question in dict.fromkeys(questions):
        if question.endswith((".left", ".right")):
            message = "it names a side; {side} or {other} is meant in a rule tried for each side"
            yield LintProblem(rule.id, question, message, "warning")


def _group(rule: RuleDefinition, definition: Definition, place: str, group: Group) -> Iterator[LintProblem]:
    for number, condition in enumerate(group.conditions, start=1):
        where = place if len(group.conditions) == 1 else f"{place}, condition {number}"
        for link_id in dict.fromkeys(fill(condition.question, sided.side) for sided in rule.sides):
            item = definition.get(link_id)
            if item is None:
                yield LintProblem(rule.id, where, f"there is no question {link_id!r}")
                continue
            for message in _condition(condition, item):
                yield LintProblem(rule.id, where, message)
            if item.type in TYPED_WORDS:
                message = f"{link_id} holds typed words: no rule should depend on them"
                yield LintProblem(rule.id, where, message, "warning")
            if rule.is_urgent and _rests_on_self_test(link_id, definition):
                message = f"an emergency or same-day flag must not depend on a self-test, as {link_id} does"
                yield LintProblem(rule.id, where, message)
    if place.startswith(("supports", "against")) and group.weight <= 0:
        yield LintProblem(rule.id, place, f"the weight {group.weight} is not above zero")
    if _contradicts(group, definition):
        yield LintProblem(rule.id, place, "its conditions exclude each other, so it never holds")


def _condition(condition: Condition, item: Item) -> Iterator[str]:
    problem = misfit(condition, item)
    if problem is not None:
        yield f"{item.link_id}: {problem}"
        return
    if condition.operator == "exists":
        return
    if condition.operator in ORDERING:
        if item.type == "dateTime":
            yield f"{item.link_id}: a dateTime cannot be compared by a rule, only a date can"
        elif not _can_be_ordered(condition, item):
            yield f"{item.link_id}: no allowed answer is {condition.operator} {condition.answer[0]}"
        return
    for answer in condition.answer:
        if item.options and item.type != "open-choice" and item.option(answer) is None:
            yield f"{item.link_id}: {answer!r} is not one of its options"
        elif not item.options and not _in_range(answer, item):
            yield f"{item.link_id}: {answer} is outside what may be answered"
    if len(set(condition.answer)) < len(condition.answer):
        yield f"{item.link_id}: an answer is listed twice"


def _rests_on_self_test(link_id: str, definition: Definition) -> bool:
    """Is it a self-test, or only asked because of one?"""
    if link_id.startswith(SELF_TESTS):
        return True
    item, parent = definition.item(link_id), definition.parent(link_id)
    needs = [condition.question for condition in item.enable_when] + ([parent.link_id] if parent else [])
    return any(_rests_on_self_test(need, definition) for need in needs)


def _in_range(answer: Value, item: Item) -> bool:
    low = compare(answer, item.min_value) if item.min_value is not None else None
    high = compare(answer, item.max_value) if item.max_value is not None else None
    return not ((low is not None and low < 0) or (high is not None and high > 0))


def _can_be_ordered(condition: Condition, item: Item) -> bool:
    """Can any answer within the item's range satisfy the comparison?"""
    bound = item.min_value if condition.operator in ("<", "<=") else item.max_value
    order = compare(bound, condition.answer[0]) if bound is not None else None
    if order is None:
        return True
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[condition.operator]


def _contradicts(group: Group, definition: Definition) -> bool:
    """Does an 'all' group want two different answers of a question that takes one?"""
    if group.match != "all":
        return False
    wanted: dict[str, tuple[Value, ...]] = {}
    for condition in group.conditions:
        item = _sample(condition, definition)
        if item is None or item.repeats or condition.operator != "=":
            continue
        left = wanted.get(condition.question, condition.answer)
        wanted[condition.question] = tuple(v for v in left if is_one_of(v, condition.answer))
    return any(not answers for answers in wanted.values())


def _sample(condition: Condition, definition: Definition) -> Item | None:
    return definition.get(fill(condition.question, "left"))


def _silence(rule: RuleDefinition) -> Iterator[LintProblem]:
    """Conditions that hold on a blank form."""
    found = screen((rule,), {})
    if found.rules or found.red_flags or found.precautions:
        yield LintProblem(rule.id, "requires", "a form with no answers would raise it: add a guard")
        return
    for place, group in _groups(rule):
        if group_holds(group, {}):
            message = "it holds when nothing was answered"
            yield LintProblem(rule.id, place, message, "warning")
        elif any(holds_on_silence(condition) for condition in group.conditions) and group.match == "all":
            message = "a condition in it holds when its question was not answered"
            yield LintProblem(rule.id, place, message, "warning")


def _threshold(rule: RuleDefinition, definition: Definition) -> Iterator[LintProblem]:
    best = max(_best_score(sided, definition) for sided in rule.sides)
    if best < rule.threshold:
        message = f"the best possible score is {best}, so {rule.threshold} is never reached"
        yield LintProblem(rule.id, "threshold", message)
    if rule.supports and rule.requires and rule.threshold <= 0:
        message = "the supporting answers cannot make a difference at a threshold of 0 or less"
        yield LintProblem(rule.id, "threshold", message, "warning")


def _best_score(rule: SidedRule, definition: Definition) -> int:
    """An upper bound of the score: of groups that want different single answers only the best counts."""
    total = 0
    single: dict[str, list[tuple[tuple[Value, ...], int]]] = {}
    for group in rule.supports:
        condition = group.conditions[0]
        item = definition.get(condition.question)
        alone = len(group.conditions) == 1 and condition.operator == "=" and item and not item.repeats
        if alone:
            single.setdefault(condition.question, []).append((condition.answer, group.weight))
        else:
            total += max(group.weight, 0)
    for groups in single.values():
        answers = {value for wanted, _ in groups for value in wanted}
        total += max(
            sum(max(weight, 0) for wanted, weight in groups if is_one_of(answer, wanted))
            for answer in answers
        )
    return total


def _texts(rule: RuleDefinition) -> Iterator[LintProblem]:
    groups: Sequence[tuple[str, Group]] = list(_groups(rule))
    for place, group in groups:
        if not place.startswith("requires") and (group.id is None or not group.label):
            yield LintProblem(rule.id, place, "a weighted group needs an id and a label for staff")
        elif place.startswith("requires") and rule.kind == "chain" and group.id is None:
            yield LintProblem(rule.id, place, "a group of requires in a chain rule needs an id")
    if rule.kind != "chain":
        return
    told = {group.id for place, group in groups if not place.startswith("against") and group.id}
    for name in rule.patient_because:
        if name not in told:
            yield LintProblem(rule.id, "patientBecause", f"there is no such group: {name!r}")
    for name in sorted(told - set(rule.patient_because)):
        message = f"no sentence for the patient about {name!r}"
        yield LintProblem(rule.id, "patientBecause", message, "warning")


def _unknown_names(
    rule: RuleDefinition, place: str, names: Iterable[str], known: Collection[str] | None
) -> Iterator[LintProblem]:
    if known is not None:
        for name in names:
            if name not in known:
                yield LintProblem(rule.id, place, f"{name!r} is not known")
