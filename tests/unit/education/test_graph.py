"""The chain as a graph: what leads where, and the ways trouble travels."""

import json
from pathlib import Path

import pytest

from education.chain.graph import Chain, ChainError, Link

CATALOG = Path(__file__).resolve().parents[3] / "education" / "catalog"


def link(start: str, end: str, direction: str = "up", laterality: str = "same") -> Link:
    return Link(f"{start}--{end}", start, end, direction, laterality)


@pytest.fixture
def small() -> Chain:
    """Arch up to the knee, knee down to the other arch: a loop."""
    return Chain(
        [
            link("arch", "shin"),
            link("shin", "knee"),
            link("arch", "knee"),
            link("knee", "lean", "down", "opposite"),
            link("lean", "heel", "down", "opposite"),
            link("lean", "arch", "down", "opposite"),
            link("shoes", "heel", "modifier", "both"),
        ]
    )


@pytest.fixture(scope="module")
def shipped() -> Chain:
    data = json.loads((CATALOG / "chain.json").read_text(encoding="utf-8"))
    return Chain(
        Link(entry["id"], entry["from"], entry["to"], entry["direction"], entry["laterality"])
        for entry in data["links"]
    )


def test_each_part_knows_what_leads_in_and_out(small: Chain) -> None:
    assert [step.slug for step in small.out_of("arch")] == ["arch--shin", "arch--knee"]
    assert [step.slug for step in small.into("knee")] == ["shin--knee", "arch--knee"]
    assert small.neighbours("knee") == ("shin", "arch", "lean")
    assert small.out_of("elbow") == small.into("elbow") == ()
    assert small.neighbours("elbow") == ()


def test_every_part_is_listed_once(small: Chain) -> None:
    assert small.nodes == ("arch", "shin", "knee", "lean", "heel", "shoes")


def test_ways_up_go_as_far_as_they_can(small: Chain) -> None:
    assert [way.nodes for way in small.ways_up("arch")] == [("arch", "shin", "knee"), ("arch", "knee")]
    assert small.ways_up("knee") == ()


def test_ways_down_keep_to_their_direction(small: Chain) -> None:
    assert [way.nodes for way in small.ways_down("knee")] == [
        ("knee", "lean", "heel"),
        ("knee", "lean", "arch"),
    ]


def test_a_cascade_may_turn_round_but_never_comes_back_to_a_part(small: Chain) -> None:
    assert [way.nodes for way in small.cascades("knee")] == [
        ("knee", "lean", "heel"),
        ("knee", "lean", "arch", "shin"),
    ]


def test_a_cascade_stops_at_the_longest_way_asked_for(small: Chain) -> None:
    assert [way.nodes for way in small.cascades("arch", longest=2)] == [
        ("arch", "shin", "knee"),
        ("arch", "knee", "lean"),
    ]


def test_ways_between_two_parts_come_shortest_first(small: Chain) -> None:
    assert [way.nodes for way in small.ways("arch", "knee")] == [("arch", "knee"), ("arch", "shin", "knee")]
    assert small.ways("arch", "heel", ["up"]) == ()
    assert small.ways("heel", "arch") == ()


def test_an_endless_row_of_links_is_followed_only_so_far() -> None:
    row = Chain(link(f"part-{number}", f"part-{number + 1}") for number in range(20))
    assert len(row.cascades("part-0")[0].links) == 8
    assert row.ways("part-0", "part-19") == ()
    assert len(row.ways("part-0", "part-8")) == 1


def test_two_opposite_links_in_a_row_stay_on_the_other_leg(small: Chain) -> None:
    assert small.way(["knee--lean", "lean--heel"]).laterality == "opposite"
    assert small.way(["arch--shin", "shin--knee"]).laterality == "same"
    assert small.way(["shoes--heel"]).laterality == "both"


def test_a_way_says_which_directions_it_takes(small: Chain) -> None:
    assert small.way(["shin--knee", "knee--lean"]).directions == {"up", "down"}


@pytest.mark.parametrize(
    ("slugs", "message"),
    [
        ([], "at least one link"),
        (["arch--elbow"], "arch--elbow: no such link"),
        (["arch--shin", "knee--lean"], "knee--lean does not start where arch--shin ends"),
    ],
)
def test_a_way_with_a_gap_is_refused_by_name(small: Chain, slugs: list[str], message: str) -> None:
    with pytest.raises(ChainError, match=message):
        small.way(slugs)


def test_a_link_to_itself_is_refused() -> None:
    with pytest.raises(ChainError, match="arch--arch: a link cannot lead to where it starts"):
        Chain([link("arch", "arch")])


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ChainError, match="arch--shin: two links have this name"):
        Chain([link("arch", "shin"), link("arch", "shin")])


def test_the_shipped_chain_travels_both_ways(shipped: Chain) -> None:
    assert len(shipped.links) == 32
    assert ("arch-low", "overpronation", "shank-rotation", "thigh-rotation", "knee-front") in [
        way.nodes for way in shipped.ways_up("arch-low")
    ]
    down = {way.nodes: way.laterality for way in shipped.ways_down("knee")}
    assert down["knee", "foot-outer-edge", "plantar-fascia"] == "same"
    assert down["knee", "weight-shift", "plantar-fascia"] == "opposite"


def test_the_shipped_chain_closes_into_loops(shipped: Chain) -> None:
    """A sore knee can sink the other arch, and a sunk arch can load that leg's knee."""
    ways = shipped.ways("knee", "knee-front", ["up", "down"])
    assert any({"up", "down"} <= way.directions for way in ways)


def test_every_shipped_cascade_joins_and_keeps_its_side(shipped: Chain) -> None:
    data = json.loads((CATALOG / "chain.json").read_text(encoding="utf-8"))
    for cascade in data["paths"]:
        assert shipped.way(cascade["steps"]).laterality == cascade["laterality"], cascade["id"]
        steps = shipped.way(cascade["steps"])
        for slug in cascade["alsoShow"]:
            (side_step,) = shipped.way([slug]).links
            assert side_step.start in steps.nodes, slug
