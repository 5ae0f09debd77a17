"""Both ends of every shipped rule, on both sides, as a physio reads them."""

import json

import pytest

from education.catalog.load import FOLDER as LIBRARY
from intake.management.commands.load_catalog import CATALOG
from intake.review.places import Step, whereabouts
from intake.screening.screen import parse_rules

RULES = {
    rule.id: rule
    for path in sorted(CATALOG.glob("rules/*.json"))
    for rule in parse_rules(json.loads(path.read_text()))
    if rule.kind in ("chain", "note")
}
CHAIN = json.loads((LIBRARY / "chain.json").read_text())
NAMES = {node["id"]: node["name"] for node in CHAIN["nodes"]}
LINKS = {
    link["id"]: Step(link["from"], link["to"], link["direction"], NAMES[link["from"]], NAMES[link["to"]])
    for link in CHAIN["links"]
}

# rule: (both ends when it starts on the right, the way, the course on the right)
EXPECTED = {
    "overpronation-kneecap": ("right kneecap, from right foot", "up", "Right foot to knee"),
    "overpronation-outer-knee": ("right outer knee, from right foot", "up", "Right foot to knee"),
    "supination-outer-knee": ("right outer knee, from right foot", "up", "Right foot to knee"),
    "flat-arch-knee-load": ("right inner knee, from right arch", "up", "Right foot to knee"),
    "high-arch-knee": ("right knee, from right arch", "up", "Right foot to knee"),
    "flat-foot-cascade": ("right kneecap, from right arch", "up", "Right foot to knee"),
    "weight-shift-heel": ("left heel, from right knee", "down", "Right knee to left foot"),
    "weight-shift-arch": ("left arch, from right knee", "down", "Right knee to left foot"),
    "weight-shift-fatigue": ("left leg, from right knee", "down", "Right knee to left leg"),
    "knee-guard-outer-foot": ("right heel and ankle, from right knee", "down", "Right knee to foot"),
    "stiff-knee-gait": ("right foot and ankle, from right knee", "down", "Right knee to foot"),
    "thigh-weak-overuse": ("right foot and ankle, from right knee", "down", "Right knee to foot"),
    "hip-control-knee": ("right kneecap, from right hip", "down", "Right hip to knee"),
    "stiff-ankle-knee": ("right kneecap, from right ankle", "up", "Right ankle to knee"),
    "stiff-ankle-heel": ("right heel, from right ankle", "local", "Right foot"),
    "low-arch-heel": ("right heel, from right arch", "local", "Right foot"),
    "arch-collapse-check": ("right arch, from right inner ankle tendon", "local", "Right foot"),
    "foot-ankle-weak-knee": ("right knee, from right foot and ankle", "up", "Right foot to knee"),
    "overpronation-inner-shin": ("right shin, from right foot", "up", "Right foot to shin"),
    "load-jump": ("right leg, from a jump in activity", "modifier", "Right leg"),
    "footwear-part": ("right leg, from shoes", "modifier", "Right leg"),
    "note-self-checks-disagree": ("right leg", "note", "Right leg"),
    "note-leg-use-disagrees": ("whole person", "note", "Whole person"),
}


def of(rule_id: str, side: str):
    rule = RULES[rule_id]
    sided = next(one for one in rule.sides if one.side in (side, None))
    return whereabouts(
        direction=rule.direction,
        steps=[LINKS[slug] for slug in rule.links],
        source_side=sided.source_side,
        target_side=sided.target_side,
    )


def mirrored(text: str) -> str:
    """The same words for the other side."""
    swap = {"right": "left", "left": "right", "Right": "Left", "Left": "Right"}
    return " ".join(swap.get(word, word) for word in text.split(" "))


def test_every_shipped_rule_is_named_here():
    assert set(EXPECTED) == set(RULES)


@pytest.mark.parametrize("rule_id", EXPECTED)
def test_both_ends_from_the_right(rule_id: str):
    found = of(rule_id, "right")
    assert (found.where, found.way, found.course) == EXPECTED[rule_id]


@pytest.mark.parametrize("rule_id", EXPECTED)
def test_both_ends_from_the_left(rule_id: str):
    where, way, course = EXPECTED[rule_id]
    found = of(rule_id, "left")
    assert (found.where, found.way, found.course) == (mirrored(where), way, mirrored(course))


def test_every_part_of_the_shipped_chain_has_its_short_name():
    """ "left front of knee, kneecap joint" would not do."""
    for slug, name in NAMES.items():
        step = Step(slug, "knee", "up", name, "Knee")
        found = whereabouts(direction="up", steps=[step], source_side="left", target_side="left")
        source = found.where.split(", from ", 1)[1]
        assert "," not in source, slug
        assert len(source.split()) <= 6, slug


def test_a_part_that_editors_add_is_called_by_its_own_name():
    step = Step("big-toe", "knee", "up", "Big toe joint", "Knee")
    found = whereabouts(direction="up", steps=[step], source_side="left", target_side="left")
    assert found.where == "left knee, from left big toe joint"
    assert found.course == "Left foot to knee"
