"""The shipped questionnaire, rules and cases, read once for the tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from intake.questionnaires.definition import Definition, read_definition
from intake.screening.screen import RuleDefinition, parse_rules

REPOSITORY = Path(__file__).resolve().parents[3]
CATALOG = REPOSITORY / "intake" / "catalog"


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def questionnaire_json() -> Any:
    return load(CATALOG / "questionnaires" / "pre-visit-foot-knee.json")


@cache
def rules_json() -> Any:
    return load(CATALOG / "rules" / "foot-knee.json")


@cache
def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(REPOSITORY / "tests" / "catalog" / "cases.json")["cases"]
    return found


@cache
def definition() -> Definition:
    return read_definition(questionnaire_json())


@cache
def rules() -> tuple[RuleDefinition, ...]:
    return parse_rules(rules_json())
