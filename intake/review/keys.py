"""Keys as addresses, forms and lines of the trail give them: read, or None for what cannot be one."""

from typing import Final
from uuid import UUID

# As many digits as a column of keys can surely hold.
MOST_DIGITS: Final = 18


def key_or_none(text: str) -> UUID | None:
    """A key of a table whose keys are UUIDs."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def number_or_none(text: str) -> int | None:
    """A key of a table whose keys are numbers."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
