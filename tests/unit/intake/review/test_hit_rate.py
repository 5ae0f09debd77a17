"""The interval of a share, against published values; and what a rule's counts add up to."""

import pytest

from intake.review.hit_rate import HitRate, rates, wilson


@pytest.mark.parametrize(
    ("found", "tested", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(found, tested, low, high):
    assert wilson(found, tested) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_the_same_seen_from_the_other_side_and_stays_a_share():
    for tested in range(1, 40):
        for found in range(tested + 1):
            low, high = wilson(found, tested)
            assert 0 <= low <= found / tested <= high <= 1
            assert wilson(tested - found, tested) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("found", "tested"), [(0, 0), (-1, 3), (4, 3)])
def test_wilson_refuses_counts_that_cannot_be(found, tested):
    with pytest.raises(ValueError, match="found has to be"):
        wilson(found, tested)


def test_seven_of_ten_is_said_in_words_of_a_hundred_and_nine_is_too_few():
    assert HitRate(1, found=7, not_found=3).of_hundred == (39, 90)
    assert HitRate(1, found=7, not_found=3).enough
    assert not HitRate(1, found=6, not_found=3, not_tested=20).enough


def test_each_version_has_its_own_counts():
    rows = [
        {"rule": 1, "decision": "confirmed", "result": "found", "number": 4},
        {"rule": 1, "decision": "confirmed", "result": "not-tested", "number": 2},
        {"rule": 1, "decision": "", "result": "", "number": 3},
        {"rule": 2, "decision": "refuted", "result": "not-found", "number": 1},
        {"rule": 2, "decision": "provisional", "result": "", "number": 5},
    ]
    assert rates({2: 7, 1: 6, 3: 5}, rows) == (
        HitRate(7, raised=6, refuted=1, provisional=5, not_found=1),
        HitRate(6, raised=9, confirmed=6, found=4, not_tested=2),
        HitRate(5),
    )
