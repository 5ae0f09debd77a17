"""What the bench says of two refusals that should take the same time."""

import pytest

from tests.bench.refusals import NAMES, Refusals


@pytest.mark.parametrize(("first", "second"), [(10.0, 10.0), (8.0, 10.0), (12.5, 10.0)])
def test_two_that_take_about_the_same_hold(first: float, second: float) -> None:
    pair = Refusals(NAMES[0], first, second)
    assert pair.broken() == []
    assert "!" not in str(pair)


@pytest.mark.parametrize(("first", "second", "ratio"), [(7.9, 10.0, "0.79"), (12.6, 10.0, "1.26")])
def test_two_that_can_be_told_apart_are_named(first: float, second: float, ratio: str) -> None:
    pair = Refusals(NAMES[0], first, second)
    assert pair.broken() == [f"{NAMES[0]}: ratio {ratio}, 0.8 to 1.25"]
    assert "! " in str(pair)
    assert pair.entry()["ratio"] == float(ratio)
