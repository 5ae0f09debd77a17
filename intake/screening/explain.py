"""Say why a rule was raised, in the words of the form. Pure Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from intake.conditions import Value
from intake.questionnaires.definition import Definition, Item
from intake.screening.screen import EvidenceGroup, Raised


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
