"""The 25 body regions a person can mark. They belong to the drawings, so they are data and not rows."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "catalog" / "body-regions.json"


@dataclass(frozen=True, slots=True)
class BodyRegion:
    """A marked place on one leg: `id` is the answer stored, `area` hip, thigh, knee, shin, ankle or foot."""

    id: str
    label: str
    area: str
    views: tuple[str, ...]


@cache
def body_regions() -> tuple[BodyRegion, ...]:
    """All regions from hip to foot, as `catalog/body-regions.json` lists them."""
    entries = json.loads(FILE.read_text(encoding="utf-8"))["regions"]
    return tuple(
        BodyRegion(id=entry["id"], label=entry["label"], area=entry["area"], views=tuple(entry["views"]))
        for entry in entries
    )
