"""The body map's names, shapes and still pictures."""

from __future__ import annotations

import json
import re

import pytest
from django.template import Context, Template

from education.chain.regions import body_regions
from intake.conditions import SIDES, Side
from intake.responses import body
from tests.conftest import ROOT
from tests.unit.intake.responses.browserless import Read, asked, rendered
from tests.unit.intake.shipped import definition


@pytest.mark.parametrize(
    ("side", "region", "name"),
    [
        ("left", "calf", "Left calf"),
        ("right", "hip-back", "Right buttock"),
        ("left", "knee-outer", "Left knee, outer side"),
        ("left", "thigh-outer", "Left thigh, outer side"),
        ("right", "ankle-inner", "Right ankle, inner side"),
        ("left", "hip-front", "Left hip, front or groin"),
        ("right", "achilles", "Right ankle, back, above the heel"),
        ("left", "sole-heel", "Left foot, under the heel"),
        ("right", "heel-back", "Right foot, back of heel"),
    ],
)
def test_a_region_is_called_by_side_then_joint_then_place(side: Side, region: str, name: str) -> None:
    assert {r.id: r.name for r in body.regions(side)}[region] == name


@pytest.mark.parametrize("side", SIDES)
def test_every_region_is_drawn_in_just_the_views_the_library_names(side: Side) -> None:
    drawn = {r.id: {shape.view.id for shape in r.shapes} for r in body.regions(side)}
    assert drawn == {r.id: set(r.views) for r in body_regions()}


@pytest.mark.parametrize("side", SIDES)
def test_every_region_of_the_drawing_is_an_answer_of_the_form(side: Side) -> None:
    item = definition().item(f"pain.regions.{side}")
    assert {r.id for r in body.regions(side)} == {
        str(option.value) for option in item.options if not option.exclusive
    }


def test_the_map_and_the_list_call_the_regions_alike() -> None:
    marked = {"pain.regions.left": ("knee-outer",), "pain.regions.right": ("cant-point",)}
    drawing = rendered(asked("where", marked))
    listed = rendered(asked("where", marked, as_list=True))
    for side in SIDES:
        name = f"pain.regions.{side}"
        assert {c.value: c.label for c in drawing.named(name)} == {
            c.value: c.label for c in listed.named(name)
        }
        assert [c.value for c in drawing.named(name) if c.sends] == list(marked[name])
        assert {c.id for c in drawing.named(name)} == {c.id for c in listed.named(name)}


def test_a_label_holds_a_drawing_for_each_view_of_its_region() -> None:
    page = rendered(asked("where"))
    labels = [
        a["class"] for tag, a in page.elements if tag == "label" and (a.get("class") or "").startswith("b-r")
    ]
    assert len(labels) == 50
    for region, css in zip((*body.regions("left"), *body.regions("right")), labels, strict=True):
        assert css == f"b-r {region.css}"
    areas = [a["href"].partition("#")[2] for tag, a in page.elements if tag == "use"]
    areas = [key for key in areas if not key.endswith("-rest")]
    assert areas == [shape.key for side in SIDES for r in body.regions(side) for shape in r.shapes]
    in_file = (ROOT / "static" / "svg" / "legs.svg").read_text(encoding="utf-8")
    assert all(f'id="{key}"' in in_file for key in areas)


def still(**marks: object) -> Read:
    template = Template("{% load bodymap %}{% body_still left=left right=right %}")
    return Read(template.render(Context(marks)))


def test_a_still_shows_the_views_that_are_needed_and_says_what_is_marked() -> None:
    picture = still(left=["knee-outer", "sole-arch"], right=["heel-back"])
    names = [a["aria-label"] for tag, a in picture.elements if tag == "svg"]
    assert names == [
        "Front: Left knee, outer side",
        "Back: Right foot, back of heel",
        "Soles: Left foot, under the arch",
    ]
    assert "Left knee, outer side; Left foot, under the arch; Right foot, back of heel" in picture.texts


@pytest.mark.parametrize("nothing", [["none"], ["cant-point"], [], None])
def test_a_still_without_marks_says_so(nothing: object) -> None:
    picture = still(left=nothing, right=nothing)
    assert [a["aria-label"] for tag, a in picture.elements if tag == "svg"] == ["Front: nothing marked"]
    assert "Nothing marked" in picture.texts


def test_the_file_with_the_views_is_the_drawing() -> None:
    """To write it anew: `manage.py shell -c "from intake.responses import body; print(body.sprite())"`."""
    assert (ROOT / "static" / "svg" / "legs.svg").read_text(encoding="utf-8").strip() == body.sprite()
    picture = still(left=["knee-outer"], right=[])
    used = [a["href"].rpartition("/")[2] for tag, a in picture.elements if tag == "use"]
    assert used[-1] == "legs.svg#front"


def test_a_path_in_steps_leads_through_the_same_points() -> None:
    assert body.by_steps("M10 20C12 5 30 40 -8 9L-8 19ZM1 2L3 4") == "M10 20c2-15 20 20-18-11l0 10zm-9-18l2 2"


def test_every_path_of_the_drawing_in_steps_is_the_same_path() -> None:
    """Followed step by step, with a reader of its own, to the points that the file names."""
    for drawn in json.loads(body.FILE.read_text())["shapes"].values():
        for sides in drawn.values():
            for side in sides.values():
                assert points_of(body.by_steps(side["d"])) == [
                    tuple(map(int, pair)) for pair in re.findall(r"(-?\d+) (-?\d+)", side["d"])
                ]


def points_of(steps: str) -> list[tuple[int, int]]:
    """The points that a path of steps goes through, controls of its curves included."""
    found: list[tuple[int, int]] = []
    here = start = (0, 0)
    for letter, words in re.findall(r"([Mmlcz])([^Mmlcz]*)", steps):
        if letter == "z":
            here = start
            continue
        numbers = [int(word) for word in re.findall(r"-?\d+", words)]
        group = [(here[0] + x, here[1] + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        found += group
        here = group[-1]
        start = here if letter in "Mm" else start
    return found
