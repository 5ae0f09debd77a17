"""CPU clocks of processes, and the choice among measurements."""

import pytest

from tests.bench import clocks
from tests.bench.measure import BenchError, quiet
from tests.bench.report import Cost


@pytest.mark.parametrize("after", [{1: 2.5}, {1: 2.5, 3: 0.1}, {}])
def test_a_process_that_came_or_went_spoils_a_measurement(after: dict[int, float]) -> None:
    assert clocks.spent({1: 2.0, 2: 0.5}, after) is None


def test_what_all_processes_spent_adds_up() -> None:
    assert clocks.spent({1: 2.0, 2: 0.5}, {1: 2.25, 2: 0.75}) == pytest.approx(0.5)


def test_one_measurement_is_taken_as_it_was() -> None:
    costs = [Cost(app, 10 - app, 1.0) for app in (1.0, 2.0, 3.0)] + [Cost(app, 20.0, 1.0) for app in (4.0,)]
    assert quiet(costs, "lesson, ours") in costs
    assert quiet([Cost(1.0, number, 1.0) for number in (9.0, 3.0, 5.0, 7.0)], "") == Cost(1.0, 5.0, 1.0)


def test_no_measurement_is_an_error_that_names_it() -> None:
    with pytest.raises(BenchError, match="lesson, ours"):
        quiet([], "lesson, ours")
