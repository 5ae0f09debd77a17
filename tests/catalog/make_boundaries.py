"""Make the cases of `boundaries.json` for a rule: answers on which any change of the rule would show.

    python -m tests.catalog.make_boundaries RULE-ID ...

prints the entries of these rules, to be read and put into the file by a person. Every small change of the
rule (see :func:`changes`) is tried against random answers until one tells it from the rule as it stands; what
does not matter is then taken out of those answers. ``unseen`` are the changes that no answers could show.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from intake.conditions import Answers, Value, fill, group_holds, other_side
from intake.questionnaires.definition import Definition, Item
from intake.responses.answers import prune
from intake.screening.screen import RuleDefinition, SidedRule, parse_rule, score_of
from tests.unit.intake import shipped

Given = dict[str, list[Value]]


@dataclass(frozen=True)
class Change:
    """A rule with one thing changed, and an answer that is likely to show it."""

    name: str
    entry: dict[str, Any]
    question: str | None = None
    value: Value | None = None


def changes(entry: dict[str, Any]) -> Iterator[Change]:
    """The rule with another threshold, or one group, weight, answer, bound or side changed."""

    def changed(*path: Any, to: Any) -> dict[str, Any]:
        copied: Any = copy.deepcopy(entry)
        part = copied
        for key in path[:-1]:
            part = part[key]
        if to is None:
            del part[path[-1]]
        else:
            part[path[-1]] = to
        return dict(copied)

    yield Change("threshold + 1", changed("threshold", to=entry["threshold"] + 1))
    yield Change("threshold - 1", changed("threshold", to=entry["threshold"] - 1))
    for part in ("requires", "supports", "against"):
        for g, group in enumerate(entry[part]):
            name = f"{part} {group.get('id', g + 1)}"
            first = group["when"][0]
            hint = (
                first["question"],
                first["answer"][0] if isinstance(first["answer"], list) else first["answer"],
            )
            if part == "against" or len(entry["requires"]) + len(entry["supports"]) > 1:
                yield Change(f"{name}: dropped", changed(part, g, to=None), *hint)
            if part != "requires":
                for sign in (1, -1):
                    to = group["weight"] + sign
                    yield Change(f"{name}: weight {sign:+}", changed(part, g, "weight", to=to), *hint)
            if len(group["when"]) > 1:
                match = "any" if group.get("match", "all") == "all" else "all"
                yield Change(f"{name}: match {match}", changed(part, g, "match", to=match), *hint)
            for c, condition in enumerate(group["when"]):
                named = f"{name}, condition {c + 1}" if len(group["when"]) > 1 else name
                yield from _condition_changes(
                    named, condition, (part, g, "when", c), len(group["when"]), changed
                )


def _condition_changes(
    name: str, condition: dict[str, Any], path: tuple[Any, ...], siblings: int, changed: Any
) -> Iterator[Change]:
    question, answer = condition["question"], condition["answer"]
    if siblings > 1:
        yield Change(f"{name}: dropped", changed(*path, to=None), question)
    for here, there in (("{side}", "{other}"), ("{other}", "{side}")):
        if here in question:
            mirrored = question.replace(here, there)
            yield Change(f"{name}: on the other side", changed(*path, "question", to=mirrored), question)
    answers = answer if isinstance(answer, list) else [answer]
    if len(answers) > 1:
        for a, value in enumerate(answers):
            yield Change(f"{name}: {value} dropped", changed(*path, "answer", a, to=None), question, value)
    if isinstance(answer, int) and not isinstance(answer, bool):
        for sign in (1, -1):
            bound = answer + sign
            yield Change(f"{name}: bound {sign:+}", changed(*path, "answer", to=bound), question, bound)
    if path[0] == "requires":
        options = shipped.definition().item(fill(question, "left")).options
        other = next((option.value for option in options if option.value not in answers), None)
        if other is not None:
            more = [*answers, other]
            yield Change(f"{name}: {other} added", changed(*path, "answer", to=more), question, other)


def is_raised(sided: SidedRule, threshold: int, answers: Answers) -> bool:
    return all(group_holds(g, answers) for g in sided.requires) and score_of(sided, answers) >= threshold


def make_cases(entry: dict[str, Any], tries: int) -> tuple[list[dict[str, Any]], list[str]]:
    """(cases, names of changes that none of them shows)."""
    definition, random = shipped.definition(), Random(entry["id"])
    here = parse_rule(entry)
    alive = [(change, parse_rule(change.entry)) for change in changes(entry)]
    cases: list[dict[str, Any]] = []

    def shown_by(given: Given, other: RuleDefinition) -> bool:
        kept = prune(definition, given)
        expected = is_raised(here.sides[0], here.threshold, kept)
        return is_raised(other.sides[0], other.threshold, kept) != expected

    for _ in range(tries):
        if not alive:
            break
        change, other = random.choice(alive)
        near = random.choice(cases)["answers"] if cases and random.random() < 0.7 else None
        given = _sample(here.sides[0], definition, random, change, near)
        if not shown_by(given, other):
            continue
        given = _smallest(given, lambda fewer, other=other: shown_by(fewer, other))
        kept = prune(definition, given)
        raised = is_raised(here.sides[0], here.threshold, kept)
        cases.append({"raised": raised, "score": score_of(here.sides[0], kept), "answers": given})
        alive = [(change, other) for change, other in alive if not shown_by(given, other)]
    return cases, [change.name for change, _ in alive]


def _sample(
    sided: SidedRule, definition: Definition, random: Random, change: Change, near: Given | None
) -> Given:
    """Random answers to what the rule asks: near a known case, or such that needed groups hold."""
    given: Given = {question: list(values) for question, values in (near or {}).items()}

    def put(question: str, value: Value) -> None:
        item = definition.item(question)
        before = given.get(question, []) if item.repeats else []
        given[question] = before + ([] if value in before else [value])
        while True:
            if item.enable_when and not any(c.question in given for c in item.enable_when):
                condition = random.choice(item.enable_when)
                put(condition.question, random.choice(condition.answer))
            parent = definition.parent(item.link_id)
            if parent is None:
                return
            item = parent

    often = random.choice([0.1, 0.25, 0.5])
    for group in (*sided.requires, *sided.supports, *sided.against):
        needed = near is None and group in sided.requires
        if random.random() < (0.95 if needed else often if near is None else 0.1):
            for condition in group.conditions if group.match == "all" else [random.choice(group.conditions)]:
                if len(group.conditions) > 1 and random.random() < 0.15:
                    continue
                put(condition.question, _near(random.choice(condition.answer), random))
    for _ in range(random.choice([0, 0, 1, 2])):
        if given:
            del given[random.choice(sorted(given))]
    if change.question is not None:
        question = fill(change.question, sided.side)
        if random.random() < 0.5:
            given.pop(question, None)
        if change.value is not None:
            put(question, _near(change.value, random))
        if definition.item(question).side and sided.side and random.random() < 0.2:
            mirrored = fill(change.question, other_side(sided.side))
            put(mirrored, random.choice(given.get(question) or [_any(definition.item(question))]))
    return given


def _near(value: Value, random: Random) -> Value:
    """The value itself, or for a number one beside it, or now and then the other of yes and no."""
    if isinstance(value, bool):
        return random.random() < 0.9
    return max(0, value + random.choice([-1, 0, 1])) if isinstance(value, int) else value


def _any(item: Item) -> Value:
    return item.options[0].value if item.options else True if item.type == "boolean" else 5


def _smallest(given: Given, still: Any) -> Given:
    """Take answers out one by one for as long as what is left still shows the change."""
    shrunk = True
    while shrunk:
        shrunk = False
        for question in sorted(given):
            for value in list(given[question]):
                fewer = {q: [v for v in vs if (q, v) != (question, value)] for q, vs in given.items()}
                fewer = {q: vs for q, vs in fewer.items() if vs}
                if still(fewer):
                    given, shrunk = fewer, True
                    break
            if shrunk:
                break
    return given


def entries() -> list[dict[str, Any]]:
    data = shipped.rules_json()
    return [*data["rules"], *data["redFlags"], *data["precautions"]]


def main(names: list[str]) -> int:
    known = {entry["id"]: entry for entry in entries()}
    if not names or not set(names) <= set(known):
        sys.stderr.write(f"usage: name rules of {', '.join(known)}\n")
        return 2
    for name in names:
        cases, unseen = make_cases(known[name], tries=100_000)
        lines = ",\n   ".join(json.dumps(case) for case in cases)
        sys.stdout.write(
            f' "{name}": {{\n  "cases": [\n   {lines}\n  ],\n  "unseen": {json.dumps(unseen)}\n }},\n'
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
