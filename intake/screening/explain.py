"""Say why a rule was raised, in the words of the form, and what a rule looks for. Pure Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from intake.conditions import Condition, Group, Value
from intake.questionnaires.definition import Definition, Item
from intake.screening.screen import EvidenceGroup, Raised, RuleDefinition

_WORDS: Final = {"<": "under", ">": "over", "<=": "at most", ">=": "at least", "!=": "is not"}


def evidence_json(definition: Definition, raised: Raised) -> dict[str, Any]:
    """The snapshot that is stored with a finding, so that it can be read without the rule or the form.

    ``{"requires": [G], "supports": [G], "against": [G], "notAnswered": [{"linkId", "question", "side"}]}``
    with ``G = {"id", "label", "weight", "answers": [{"linkId", "question", "side", "answer"}]}``.
    ``answer`` is the text of the chosen options, joined by commas; empty where silence counts.
    """
    return {
        "requires": [_group(definition, group) for group in raised.required],
        "supports": [_group(definition, group) for group in raised.supports],
        "against": [_group(definition, group) for group in raised.against],
        "notAnswered": [_question(definition, link_id) for link_id in raised.not_answered],
    }


def question_text(definition: Definition, link_id: str) -> str:
    """What the patient was asked. A sided question is its group's text; a row is group and row."""
    item = definition.get(link_id)
    if item is None:
        return link_id
    parent = definition.parent(link_id)
    if parent is None or definition.parent(parent.link_id) is None or parent.type != "group":
        return item.text
    return parent.text if parent.sided else f"{parent.text} {item.text}".strip()


def answer_text(definition: Definition, link_id: str, values: Iterable[Value]) -> str:
    """Answers as the patient saw them: option labels, Yes or No, or the number."""
    item = definition.get(link_id)
    return ", ".join(_label(item, value) for value in values)


def rule_sentence(rule: RuleDefinition, definition: Definition | None = None) -> str:
    """What the rule looks for, in one paragraph for staff; in the form's words when it is given."""
    parts = []
    if rule.requires:
        needs = "; and ".join(_group_words(group, definition) for group in rule.requires)
        parts.append(f"Needs: {needs}.")
    for name, groups, sign in (("For", rule.supports, "+"), ("Against", rule.against, "-")):
        if groups:
            listed = "; ".join(
                f"{group.label or _group_words(group, definition)} {sign}{group.weight}" for group in groups
            )
            parts.append(f"{name}: {listed}.")
    if rule.supports:
        parts.append(f"Raised from a score of {rule.threshold}.")
    scope = "Tried for each side." if rule.scope == "side" else "Tried once for the person."
    return " ".join([*parts, scope])


def _group(definition: Definition, group: EvidenceGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "label": group.label,
        "weight": group.weight,
        "answers": [
            {**_question(definition, link_id), "answer": answer_text(definition, link_id, values)}
            for link_id, values in group.matched
        ],
    }


def _question(definition: Definition, link_id: str) -> dict[str, Any]:
    item = definition.get(link_id)
    return {
        "linkId": link_id,
        "question": question_text(definition, link_id),
        "side": item.side if item else None,
    }


def _label(item: Item | None, value: Value) -> str:
    option = item.option(value) if item else None
    if option is not None:
        return option.label
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)


def _group_words(group: Group, definition: Definition | None) -> str:
    joined = (" or " if group.match == "any" else " and ").join(
        _condition_words(condition, definition) for condition in group.conditions
    )
    return joined if len(group.conditions) == 1 else f"({joined})"


def _condition_words(condition: Condition, definition: Definition | None) -> str:
    side = next((s for s in ("{side}", "{other}") if condition.question.endswith("." + s)), None)
    example = condition.question.replace("{side}", "left").replace("{other}", "left")
    item = definition.get(example) if definition else None
    if item is None or definition is None:
        question = condition.question
    else:
        where = {"{side}": " (this side)", "{other}": " (other side)", None: ""}[side]
        if side is None and item.side is not None:
            where = f" ({item.side})"
        question = f"“{question_text(definition, example)}”{where}"
    if condition.operator == "exists":
        return f"{question} {'is' if condition.answer[0] else 'is not'} answered"
    return f"{question} {_WORDS.get(condition.operator, 'is')} {' or '.join(_labels(item, condition))}"


def _labels(item: Item | None, condition: Condition) -> Iterator[str]:
    for value in condition.answer:
        label = _label(item, value)
        yield f"“{label}”" if item is not None and item.option(value) else label
