"""Lines of CSV files, for spreadsheets that must not take a text for a formula."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Final

# The wide forms begin a formula in some languages of a spreadsheet.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutralise(text: str) -> str:
    """A text that every spreadsheet shows as text: one that looks like a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_line(cells: Iterable[object]) -> str:
    """One line with its end. All cells are quoted: a spreadsheet that splits at semicolons splits none."""
    out = StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([neutralise(str(cell)) for cell in cells])
    return out.getvalue()
