"""A date of birth typed into three boxes."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EARLIEST_YEAR: Final = 1900


class BirthDateProblem(ValueError):
    """What was typed is no date of birth; `message` says what to do."""

    def __init__(self, message: Promise) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class TypedDate:
    """The three boxes as typed, so that they can be shown again."""

    month: str = ""
    day: str = ""
    year: str = ""

    def as_date(self, today: date) -> date:
        """The date that is meant, in US order. Raises `BirthDateProblem`."""
        texts = [text.strip() for text in (self.month, self.day, self.year)]
        if not any(texts):
            raise BirthDateProblem(_("Enter your date of birth."))
        if not all(text.isascii() and text.isdigit() and len(text) <= 4 for text in texts):
            raise BirthDateProblem(_("Enter a real date, like 4 12 1986."))
        month, day, year = map(int, texts)
        if len(texts[2]) != 4:
            raise BirthDateProblem(_("Enter all four numbers of the year, like 1986."))
        try:
            typed = date(year, month, day)
        except ValueError:
            raise BirthDateProblem(_("Enter a real date, like 4 12 1986.")) from None
        if typed > today:
            raise BirthDateProblem(_("Enter a date of birth in the past."))
        if year < EARLIEST_YEAR:
            raise BirthDateProblem(_("Enter a year after 1900."))
        return typed
