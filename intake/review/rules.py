"""The rules behind findings, typed. A version in use never changes, so a process reads each of them once."""

from collections.abc import Iterable
from typing import Final

from intake.questionnaires.models import Status
from intake.screening.models import Rule
from intake.screening.screen import RuleDefinition, parse_rule

_known: Final[dict[int, RuleDefinition]] = {}


def definitions(keys: Iterable[int]) -> dict[int, RuleDefinition]:
    """By primary key; one query where some were not read yet, else none."""
    wanted = set(keys)
    unknown = wanted - _known.keys()
    if unknown:
        found = Rule.objects.filter(pk__in=unknown).exclude(status=Status.DRAFT)
        _known.update((pk, parse_rule(data)) for pk, data in found.values_list("pk", "definition"))
    return {key: _known[key] for key in wanted}


def definition(key: int) -> RuleDefinition:
    """One that `definitions` has brought before. Raises `KeyError`."""
    return _known[key]
