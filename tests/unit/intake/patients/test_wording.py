"""Times in the product's words: one way to write them everywhere."""

import re
from datetime import UTC, datetime

import pytest

from intake.patients import wording
from tests.architecture.test_layers import ROOT

# Half past nine in the morning, and a quarter to one at night, in California.
MORNING, NIGHT = datetime(2026, 6, 3, 16, 30, 5, tzinfo=UTC), datetime(2026, 6, 3, 7, 45, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("say", "morning", "night"),
    [
        (wording.clock, "9:30 am", "12:45 am"),
        (wording.seconds, "9:30:05 am", "12:45:09 am"),
        (wording.moment, "Wed Jun 3, 9:30 am", "Wed Jun 3, 12:45 am"),
        (wording.dated, "Jun 3, 2026, 9:30 am", "Jun 3, 2026, 12:45 am"),
    ],
)
def test_a_time_has_no_full_stops(say, morning: str, night: str):
    assert (say(MORNING), say(NIGHT)) == (morning, night)


def test_no_page_writes_a_time_its_own_way():
    """Django's own "a" is "a.m.", which ends a sentence with two full stops."""
    own = re.compile(r"""["'][^"']*\b[gGhH]:i[^"']*["']""")
    found = {
        str(path.relative_to(ROOT))
        for place, ending in (
            ("templates", "*"),
            ("intake", "*.py"),
            ("clinic", "*.py"),
            ("education", "*.py"),
        )
        for path in (ROOT / place).rglob(ending)
        if path.is_file() and own.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"intake/patients/wording.py"}
