"""The body regions that people can mark."""

from education.chain.regions import body_regions


def test_there_are_25_regions_each_with_a_place_on_a_drawing() -> None:
    regions = body_regions()
    assert len({region.id for region in regions}) == len(regions) == 25
    assert {region.area for region in regions} == {"hip", "thigh", "knee", "shin", "ankle", "foot"}
    assert all(region.label and region.views for region in regions)
    assert {view for region in regions for view in region.views} == {
        "front",
        "back",
        "inner",
        "outer",
        "sole",
    }
