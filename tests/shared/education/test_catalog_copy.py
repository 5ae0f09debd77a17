"""Our catalog says what the clinical plan says; what we added stands beside it."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
OURS = ROOT / "education" / "catalog"
PLAN = ROOT.parent / "shared" / "clinical"


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_chain_and_body_regions_are_the_plan() -> None:
    for name in ("chain.json", "body-regions.json"):
        assert read(OURS, name) == read(PLAN, name)


def test_lessons_keep_everything_the_plan_says() -> None:
    ours, plan = read(OURS, "lessons.json"), read(PLAN, "lessons.json")
    assert ours["suggestion"] == plan["suggestion"]
    assert len(ours["lessons"]) == len(plan["lessons"])
    for entry, planned in zip(ours["lessons"], plan["lessons"], strict=True):
        # A body may rest on more sources than the plan named, and lead on to more lessons.
        longer = {name: entry[name] for name in ("sources", "related")}
        for name, values in longer.items():
            assert values[: len(planned[name])] == planned[name]
        assert {name: entry[name] for name in planned} == {**planned, **longer}
        assert set(entry) - set(planned) <= {"part", "lead", "body", "icon", "path", "category", "published"}
