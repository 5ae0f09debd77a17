"""The gates of `make bench-endurance`."""

import json
import os

import pytest

from tests.bench.endurance import Figures, Held, resident_mb

CALM = {"ours": [2.0, 9.0, 1.0], "floor": [1.0, 0.9, 1.1]}


def held(*mb: float) -> list[Held]:
    return [Held(1_000 * place, one) for place, one in enumerate(mb)]


def test_what_holds_says_nothing() -> None:
    figures = Figures(held(100.0, 102.9), CALM)
    assert figures.broken() == []
    assert "MB" in str(figures)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (Figures(held(115.0, 116.2, 115.0), CALM), "a worker holds 116.2 MB, at most 116"),
        (Figures(held(100.0, 103.2), CALM), "a worker grows by 3.2%, at most 3%"),
        (
            Figures(held(100.0, 100.0), {"ours": [2.6], "floor": [1.0]}),
            "a cold start costs 2.60 floors, at most 2.5",
        ),
    ],
)
def test_a_gate_that_does_not_hold_says_why(figures: Figures, words: str) -> None:
    assert figures.broken() == [words]
    assert json.loads(figures.as_json())["broken"] == [words]


def test_growth_is_from_the_warm_worker_to_the_end() -> None:
    assert Figures(held(100.0, 110.0, 102.0), CALM).growth == pytest.approx(0.02)


def test_what_a_process_holds_is_some_megabytes() -> None:
    assert 5 < resident_mb(os.getpid()) < 5_000
