"""A second, slow evaluator, written from the ``semantics`` block of the rules and FHIR's enableWhen.

It works on the raw JSON and shares no code with the product, so that a mistake would have to be made twice.
"""

from __future__ import annotations

import json
from typing import Any

Outcome = dict[str, list[Any]]


def outcome(questionnaire: Any, rules: Any, answers: dict[str, Any]) -> Outcome:
    """What `screen_answers` must print for one entry."""
    kept = pruned(questionnaire, answers)
    return {
        "rules": found(rules["rules"], kept),
        "redFlags": found(rules["redFlags"], kept),
        "precautions": sorted({name for name, _ in found(rules["precautions"], kept)}),
    }


def pruned(questionnaire: Any, answers: dict[str, Any]) -> dict[str, list[Any]]:
    items: dict[str, Any] = {}
    parents: dict[str, str | None] = {}

    def collect(nodes: list[Any], parent: str | None) -> None:
        for node in nodes:
            items[node["linkId"]], parents[node["linkId"]] = node, parent
            collect(node.get("item", []), node["linkId"])

    collect(questionnaire["item"], None)
    given = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}

    def shown(link_id: str) -> bool:
        parent = parents[link_id]
        if parent is not None and not shown(parent):
            return False
        asked = items[link_id].get("enableWhen", [])
        if not asked:
            return True
        results = [met(entry) for entry in asked]
        return any(results) if items[link_id].get("enableBehavior") == "any" else all(results)

    def met(entry: Any) -> bool:
        question = entry["question"]
        values = given.get(question, []) if shown(question) else []
        (wanted,) = (value for key, value in entry.items() if key.startswith("answer"))
        wanted = wanted["code"] if isinstance(wanted, dict) else wanted
        return true(entry["operator"], values, [wanted])

    return {key: values for key, values in given.items() if values and shown(key)}


def true(operator: str, values: list[Any], wanted: list[Any]) -> bool:
    if operator == "exists":
        return bool(values) is wanted[0]
    if operator == "=":
        return any(json.dumps(value) == json.dumps(other) for value in values for other in wanted)
    if operator == "!=":
        return not true("=", values, wanted)
    compared = {
        "<": [value < wanted[0] for value in values],
        "<=": [value <= wanted[0] for value in values],
        ">": [value > wanted[0] for value in values],
        ">=": [value >= wanted[0] for value in values],
    }
    return True in compared[operator]


def found(rules: list[Any], answers: dict[str, list[Any]]) -> list[list[str | None]]:
    raised: list[list[str | None]] = []
    for rule in rules:
        if rule["scope"] == "person":
            raised += [[rule["id"], None]] if standing(rule, answers)[0] else []
        for side, other in [("left", "right"), ("right", "left")] if rule["scope"] == "side" else []:
            text = json.dumps(rule).replace("{side}", side).replace("{other}", other)
            raised += [[rule["id"], side]] if standing(json.loads(text), answers)[0] else []
    return sorted(raised, key=str)


def standing(rule: Any, answers: dict[str, list[Any]]) -> tuple[bool, int]:
    """(raised, score) of a rule whose side is filled in."""

    def good(group: Any) -> bool:
        results = []
        for condition in group["when"]:
            wanted = condition["answer"] if isinstance(condition["answer"], list) else [condition["answer"]]
            results.append(true(condition["operator"], answers.get(condition["question"], []), wanted))
        return any(results) if group.get("match") == "any" else all(results)

    score = sum(group["weight"] for group in rule["supports"] if good(group))
    score -= sum(group["weight"] for group in rule["against"] if good(group))
    return all(good(group) for group in rule["requires"]) and score >= rule["threshold"], score
