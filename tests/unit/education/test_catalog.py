"""The shipped library holds together: nothing points nowhere, nothing stands alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from education.chain.regions import body_regions

CATALOG = Path(__file__).resolve().parents[3] / "education" / "catalog"


def read(name: str) -> Any:
    return json.loads((CATALOG / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lessons() -> dict[str, dict[str, Any]]:
    return {entry["slug"]: entry for entry in read("lessons.json")["lessons"]}


@pytest.fixture(scope="module")
def chain() -> dict[str, dict[str, dict[str, Any]]]:
    data = read("chain.json")
    return {
        name: {entry["id"]: entry for entry in data[name]} for name in ("nodes", "links", "tests", "sources")
    }


def test_the_reading_order_is_the_one_the_lessons_name(lessons: dict[str, dict[str, Any]]) -> None:
    in_order = sorted(lessons.values(), key=lambda entry: entry["order"])
    assert [entry["order"] for entry in in_order] == list(range(1, 19))
    slugs = [None, *(entry["slug"] for entry in in_order), None]
    for place, entry in enumerate(in_order, start=1):
        assert (entry["previous"], entry["next"]) == (slugs[place - 1], slugs[place + 1]), entry["slug"]


def test_parts_follow_each_other_in_the_reading_order(lessons: dict[str, dict[str, Any]]) -> None:
    parts = [entry["part"] for entry in sorted(lessons.values(), key=lambda entry: entry["order"])]
    assert list(dict.fromkeys(parts)) == ["start", "up", "down", "both", "help", "visit"]
    assert parts == sorted(parts, key=list(dict.fromkeys(parts)).index)


def test_every_lesson_is_reached_from_another(lessons: dict[str, dict[str, Any]]) -> None:
    reached = {slug for entry in lessons.values() for slug in entry["related"]}
    assert reached <= set(lessons)
    assert all(2 <= len(entry["related"]) <= 4 for entry in lessons.values())
    unreached = set(lessons) - reached
    assert not unreached, f"no lesson leads to {sorted(unreached)}"


def test_lessons_name_links_and_sources_that_exist(
    lessons: dict[str, dict[str, Any]], chain: dict[str, dict[str, dict[str, Any]]]
) -> None:
    for slug, entry in lessons.items():
        assert entry["links"], slug
        assert set(entry["links"]) <= set(chain["links"]), slug
        assert entry["sources"], slug
        assert set(entry["sources"]) <= set(chain["sources"]), slug
        assert any(chain["sources"][code]["url"] for code in entry["sources"]), f"{slug}: nothing to open"


def test_every_link_is_taught_by_the_lesson_it_names(
    lessons: dict[str, dict[str, Any]], chain: dict[str, dict[str, dict[str, Any]]]
) -> None:
    for slug, link in chain["links"].items():
        assert slug == f"{link['from']}--{link['to']}"
        assert {link["from"], link["to"]} <= set(chain["nodes"]), slug
        assert slug in lessons[link["lesson"]]["links"], slug
        assert link["sources"], slug
        assert set(link["sources"]) <= set(chain["sources"]), slug
        assert link["tests"], slug
        assert set(link["tests"]) <= set(chain["tests"]), slug


def test_tests_rest_on_sources(chain: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert len(chain["tests"]) == 30
    for slug, test in chain["tests"].items():
        assert test["sources"], slug
        assert set(test["sources"]) <= set(chain["sources"]), slug


def test_two_lessons_fit_everybody_and_the_rest_say_when(lessons: dict[str, dict[str, Any]]) -> None:
    defaults = [slug for slug, entry in lessons.items() if entry["default"]]
    assert defaults == ["one-connected-chain", "follow-the-chain"]
    for slug, entry in lessons.items():
        assert (entry["suggestWhen"] is None) is entry["default"], slug
        assert ("{side}" in entry["because"]) is (
            entry["suggestWhen"] is not None and entry["suggestWhen"]["scope"] == "side"
        ), slug
    priorities = [entry["priority"] for entry in lessons.values()]
    assert len(set(priorities)) == len(priorities)


def test_every_body_region_a_lesson_asks_for_exists() -> None:
    regions = {region.id for region in body_regions()}
    asked: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if str(value.get("question", "")).startswith("pain.regions."):
                answer = value["answer"]
                asked.update([answer] if isinstance(answer, str) else answer)
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    collect(read("lessons.json"))
    assert asked
    assert asked <= regions
