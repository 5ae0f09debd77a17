"""The whole-chain assess-list: eight places whatever was found, and what each finding adds where."""

from dataclasses import dataclass

import pytest

from education.catalog.load import FOLDER as LIBRARY
from intake.review import assess
from intake.review.assess import BASELINE, REGIONS, AssessList, assess_list
from intake.review.library import Check
from intake.review.places import End, Whereabouts
from tests.unit.intake.review.test_places import CHAIN


def check(slug: str) -> Check:
    return Check(slug.capitalize(), "Over 10 mm", slug)


QUOTED = {slug: check(slug) for slugs in BASELINE.values() for slug in slugs}


@dataclass(frozen=True)
class Verdict:
    decision: str


@dataclass(frozen=True)
class Found:
    key: int
    place: Whereabouts
    checks: tuple[Check, ...]
    verdict: Verdict | None = None
    title: str = "Foot and knee"
    anchor: str = "finding"


def found(
    *slugs: str, source: End | None = None, target: End | None = None, key: int = 1, decision: str = ""
) -> Found:
    place = Whereabouts("", "up", "", "", source, target)
    return Found(key, place, tuple(map(check, slugs)), Verdict(decision) if decision else None)


def slugs(listed: AssessList, name: str) -> list[str]:
    return [one.slug for place in listed.places if place.name == name for one in place.checks]


def test_nothing_found_lists_all_eight_with_the_baseline():
    listed = assess_list([], QUOTED)
    assert [place.name for place in listed.places] == [
        f"{side} {region}" for region in REGIONS for side in ("Left", "Right")
    ]
    assert all(place.checks and not place.flagged for place in listed.places)
    assert slugs(listed, "Left foot") == ["fpi6"]


def test_both_ends_are_flagged_and_stand_on_top():
    shift = found("palpate-heel", "quad-strength", source=End("knee", "right"), target=End("foot", "left"))
    listed = assess_list([shift], QUOTED)
    assert [place.name for place in listed.flagged] == ["Right knee", "Left foot"]
    assert listed.places[:2] == listed.flagged
    assert slugs(listed, "Left foot") == ["palpate-heel", "fpi6"]
    assert slugs(listed, "Right knee") == ["quad-strength", "knee-rom-effusion"]
    assert slugs(listed, "Right foot") == ["fpi6"]
    assert listed.flagged[0].findings == (1,)


def test_a_check_between_the_ends_is_done_where_the_trouble_is():
    listed = assess_list([found("lunge", source=End("knee", "right"), target=End("foot", "left"))], QUOTED)
    assert [place.name for place in listed.flagged] == ["Right knee", "Left ankle", "Left foot"]


@pytest.mark.parametrize(("decision", "flagged"), [("confirmed", 1), ("provisional", 1), ("refuted", 0)])
def test_only_a_dismissed_finding_counts_no_more(decision: str, flagged: int):
    one = found("navicular-drop", source=End("foot", "left"), target=End("foot", "left"), decision=decision)
    assert len(assess_list([one], QUOTED).flagged) == flagged


def test_what_has_no_side_is_done_on_both_and_what_has_no_part_with_both_legs():
    listed = assess_list([found("fpi6", "gait-watch", target=End("foot", None))], QUOTED)
    assert [place.name for place in listed.flagged] == ["Left foot", "Right foot"]
    assert [one.slug for one in listed.whole] == ["gait-watch"]


def test_a_test_that_editors_add_goes_where_its_finding_ends():
    listed = assess_list([found("new", source=End("foot", "left"), target=End("knee", "left"))], QUOTED)
    assert slugs(listed, "Left knee") == ["new", "knee-rom-effusion"]
    assert [one.slug for one in assess_list([found("new")], QUOTED).whole] == ["new"]


def test_each_check_stands_once_and_names_every_finding():
    ends = {"source": End("foot", "left"), "target": End("knee", "left")}
    listed = assess_list([found("fpi6", key=1, **ends), found("fpi6", key=2, **ends)], QUOTED)
    assert slugs(listed, "Left foot") == ["fpi6"]
    assert listed.flagged[0].findings == (1, 2)


def test_how_a_check_is_read_is_said_once_and_at_the_first_place():
    ends = {"source": End("foot", None), "target": End("knee", "left")}
    told = assess_list([found("fpi6", "noble", **ends)], QUOTED).told
    assert [(place.name, [(one.slug, one.threshold) for one in place.checks]) for place in told] == [
        ("Left knee", [("noble", "Over 10 mm"), ("knee-rom-effusion", "Over 10 mm")]),
        ("Left foot", [("fpi6", "Over 10 mm")]),
        ("Right foot", [("fpi6", "")]),
    ]


def test_every_shipped_test_has_its_part():
    assert LIBRARY.exists()
    assert {test["id"] for test in CHAIN["tests"]} == set(assess._REGION_OF_TEST)
