"""A date of birth in three boxes: what is meant, and what is said where nothing is."""

from datetime import date

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from intake.patients.birth_date import BirthDateProblem, TypedDate

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("month", "day", "year", "meant"),
    [
        ("4", "12", "1986", date(1986, 4, 12)),
        ("04", "12", "1986", date(1986, 4, 12)),
        (" 4 ", "12\n", "\t1986", date(1986, 4, 12)),
        ("2", "29", "2024", date(2024, 2, 29)),
        ("1", "1", "1900", date(1900, 1, 1)),
        ("11", "24", "2026", TODAY),
    ],
)
def test_a_date_is_read_in_the_order_of_the_country(month: str, day: str, year: str, meant: date):
    assert TypedDate(month, day, year).as_date(TODAY) == meant


@pytest.mark.parametrize(
    ("month", "day", "year", "words"),
    [
        ("", "", "", "Enter your date of birth."),
        (" ", "", " ", "Enter your date of birth."),
        ("4", "12", "", "Enter a real date, like 4 12 1986."),
        ("", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("13", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("4", "31", "1986", "Enter a real date, like 4 12 1986."),
        ("2", "29", "2023", "Enter a real date, like 4 12 1986."),
        ("0", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("4", "12", "0000", "Enter a real date, like 4 12 1986."),
        ("April", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("4.", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("\u00b2", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("00004", "12", "1986", "Enter a real date, like 4 12 1986."),
        ("4", "12", "86", "Enter all four numbers of the year, like 1986."),
        ("11", "25", "2026", "Enter a date of birth in the past."),
        ("1", "1", "2999", "Enter a date of birth in the past."),
        ("12", "31", "1899", "Enter a year after 1900."),
    ],
)
def test_what_is_no_date_of_birth_is_named(month: str, day: str, year: str, words: str):
    with pytest.raises(BirthDateProblem) as problem:
        TypedDate(month, day, year).as_date(TODAY)
    assert str(problem.value.message) == words


@given(st.dates(date(1900, 1, 1), TODAY))
def test_every_date_since_1900_comes_back(born: date):
    assert TypedDate(str(born.month), str(born.day), str(born.year)).as_date(TODAY) == born
    assert TypedDate(f"{born:%m}", f"{born:%d}", f"{born:%Y}").as_date(TODAY) == born


@given(st.text(), st.text(), st.text())
def test_whatever_is_typed_is_a_date_or_named(month: str, day: str, year: str):
    try:
        found = TypedDate(month, day, year).as_date(TODAY)
    except BirthDateProblem as problem:
        found = None
        event(str(problem.message))
    assert found is None or date(1900, 1, 1) <= found <= TODAY
