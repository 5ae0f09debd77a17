"""The shipped catalogs, validated as Django system checks: a mistake names its place."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning

from education.chain.regions import body_regions
from intake.conditions import ConditionError
from intake.questionnaires.definition import Definition, DefinitionError, read_definition
from intake.questionnaires.pages import RESERVED, pages
from intake.responses.body import regions
from intake.screening.lint import lint
from intake.screening.screen import RuleError, entries_of
from intake.screening.suggest import SuggestError, parse_suggestable

CATALOG: Final = Path(__file__).resolve().parent / "catalog"
LIBRARY: Final = Path(__file__).resolve().parent.parent / "education" / "catalog"


@register("catalog")
def catalogs(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Questionnaires read, rules lint against them, every link, test, lesson and region they name exists."""
    try:
        lessons = json.loads((LIBRARY / "lessons.json").read_text())["lessons"]
        chain = json.loads((LIBRARY / "chain.json").read_text())
        definitions = [
            read_definition(json.loads(path.read_text()))
            for path in sorted(CATALOG.glob("questionnaires/*.json"))
        ]
        entries = [
            entry
            for path in sorted(CATALOG.glob("rules/*.json"))
            for entry in entries_of(json.loads(path.read_text()))
        ]
    except (OSError, ValueError, KeyError, DefinitionError, RuleError) as broken:
        return [Error(f"a catalog cannot be read: {broken}", id="catalog.E001")]
    messages: list[CheckMessage] = []
    for definition in definitions:
        messages += _about_pages(definition)
        for problem in lint(
            entries,
            definition,
            lessons={lesson["slug"] for lesson in lessons},
            links={link["id"] for link in chain["links"]},
            checks={test["id"] for test in chain["tests"]},
        ):
            kind = Error if problem.level == "error" else CheckWarning
            messages.append(
                kind(f"rule {problem.rule}: {problem.place}: {problem.message}", id="catalog.E002")
            )
    messages += _about_lessons(lessons)
    return messages


def _about_pages(definition: Definition) -> Iterator[CheckMessage]:
    for page in pages(definition):
        if page.slug in RESERVED:
            yield Error(f"{page.link_id}: /intake/{page.slug}/ is another page", id="catalog.E003")
    drawn = {region.id for region in regions("left")} & {region.id for region in regions("right")}
    known = drawn & {region.id for region in body_regions()}
    for item in definition.questions():
        if item.body_map:
            asked = {str(option.value) for option in item.options if not option.exclusive}
            for region in sorted(asked ^ known):
                yield Error(f"{item.link_id}: region {region} is not both asked and drawn", id="catalog.E004")


def _about_lessons(lessons: Sequence[dict[str, Any]]) -> Iterator[CheckMessage]:
    for lesson in lessons:
        try:
            parse_suggestable(lesson)
        except (SuggestError, ConditionError) as problem:
            yield Error(f"lesson {problem}", id="catalog.E005")
