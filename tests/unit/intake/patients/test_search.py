"""How a search is read: which beginnings of the family name and of the given name it asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.patients.search import ways


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", [("", "")]),
        (" , ", [("", "")]),
        ("lee", [("LEE", ""), ("", "LEE")]),
        ("Lee, Jo", [("JO", "LEE"), ("LEE", "JO")]),
        # Whoever's name begins with "Jordan" has one that begins with "Jo".
        ("jo jordan", [("JORDAN", ""), ("", "JORDAN")]),
        ("jo lee jordan", [("JORDAN", "LEE"), ("LEE", "JORDAN")]),
        ("jo lee kim", []),
    ],
)
def test_each_word_begins_one_of_the_two_names(search: str, found: list[tuple[str, str]]) -> None:
    assert ways(search) == found


NAME = st.text("AB", min_size=1, max_size=4)


@given(words=st.lists(st.text("AB", min_size=1, max_size=3), max_size=4), family=NAME, given_name=NAME)
def test_it_finds_whom_it_says(words: list[str], family: str, given_name: str) -> None:
    fits = all(family.startswith(word) or given_name.startswith(word) for word in words)
    found = any(
        family.startswith(one) and given_name.startswith(other) for one, other in ways(" ".join(words))
    )
    assert found == fits
