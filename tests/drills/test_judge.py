"""The judge of page saves sees what is wrong."""

import pytest

from tests.drills.judge import judge_saves

TOLD = [("page.about", "page.saved", 2, 1), ("page.life", "page.autosaved", 1, 0)]
ABOUT, LIFE, PAIN = TOLD[0][:2], TOLD[1][:2], ("page.pain", "page.saved")


@pytest.mark.parametrize(
    ("rows", "revision", "wrong"),
    [
        ({ABOUT: 2, LIFE: 1}, 3, []),
        # The one that was cut stands, too.
        ({ABOUT: 3, LIFE: 1}, 4, []),
        ({ABOUT: 1, LIFE: 1}, 2, ["save without its audit row"]),
        ({ABOUT: 2, LIFE: 2}, 4, ["save doubled"]),
        ({ABOUT: 2, LIFE: 1, PAIN: 1}, 4, ["save that nobody made"]),
        ({ABOUT: 2, LIFE: 1}, 4, ["saves and audit rows differ"]),
        ({ABOUT: 2, LIFE: 1}, 2, ["saves and audit rows differ"]),
    ],
)
def test_it_sees_what_is_wrong(rows, revision, wrong):
    assert list(judge_saves(TOLD, rows, revision)) == wrong
