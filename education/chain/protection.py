"""What needs a lesson or a link of the chain to stay. Other parts of the product say so from outside."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# What of the caller's needs a row: one text each, for people. By name: the caller keeps its slug.
Uses = Callable[[Any], Iterable[str]]

_by_name: list[Uses] = []
_by_key: list[Uses] = []


class InUse(ValidationError):
    """The row is needed; the text lists by what."""


def register(uses: Uses, *, by_name: bool) -> None:
    """Ask `uses` before a row is unpublished or deleted, and, if `by_name`, before its slug changes."""
    registered = _by_name if by_name else _by_key
    if uses not in registered:
        registered.append(uses)


def uses_of(row: Any, *, only_by_name: bool = False) -> list[str]:
    """Everything that needs this row, as texts."""
    askers = _by_name if only_by_name else [*_by_name, *_by_key]
    return [text for uses in askers for text in uses(row)]


def refuse_if_used(row: Any, field: str = "", *, only_by_name: bool = False) -> None:
    """Raises `InUse` naming every use, beside the form's `field` if given."""
    found = uses_of(row, only_by_name=only_by_name)
    if found:
        words = _("This is in use, so it has to stay: %(uses)s.") % {"uses": "; ".join(found)}
        raise InUse({field: words} if field else words)
