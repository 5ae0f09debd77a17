"""The staff behind lines of the trail: their names, and the role each of them had then.

A line keeps no role. What the role was follows from the lines about changed roles: until such a line it was
the one that this line took away, and after the last one it is today's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from intake.audit import AuditEvent
from intake.review.keys import number_or_none
from intake.review.trail_words import ROLES

ROLE_CHANGED: Final = "staff.role-changed"


@dataclass(frozen=True, slots=True)
class Staff:
    """Members of staff by the id that lines have. given_up: when each lost which role, first one first."""

    people: Mapping[str, Any]
    given_up: Mapping[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def name(self, key: str) -> str:
        """As staff know them; what stands for it where the account is gone."""
        person = self.people.get(key)
        return str(person) if person is not None else _("An account that is gone")

    def role(self, key: str, at: datetime) -> str:
        """What somebody was at that time, in words; empty for nobody and for who had no role."""
        for when, role in self.given_up.get(key, ()):
            if when > at:
                return role_words([role])
        person = self.people.get(key)
        return role_words(group.name for group in person.groups.all()) if person is not None else ""

    def roles(self, key: str, begins: datetime, ends: datetime) -> str:
        """What somebody was from one time to another; `physio, then owner` where it changed between."""
        moments = [begins, *(when for when, _role in self.given_up.get(key, ()) if begins <= when < ends)]
        found = [self.role(key, moment) for moment in moments]
        words = found[0]
        for before, after in pairwise(found):
            if after != before:
                words = _("%(before)s, then %(after)s") % {"before": words or _("no role"), "after": after}
        return words


def role_words(names: Iterable[str]) -> str:
    """Roles as people call them."""
    return ", ".join(str(ROLES.get(name, name)) for name in names if name)


def find(keys: Iterable[str], *, since: datetime | None) -> Staff:
    """Three statements, however many they are. since: the earliest line about which somebody will ask."""
    numbers = {number for number in map(number_or_none, keys) if number is not None}
    if not numbers or since is None:
        return Staff({})
    people = get_user_model()._default_manager.filter(pk__in=numbers).prefetch_related("groups")
    found = {str(person.pk): person for person in people}
    given_up: dict[str, list[tuple[datetime, str]]] = {}
    changes = AuditEvent.objects.filter(action=ROLE_CHANGED, at__gte=since).order_by("at", "pk")
    for at, objects, detail in changes.values_list("at", "objects_seen", "detail"):
        # One that was refused names no role.
        if "old" in detail:
            for key in map(str, objects.get("staff", ())):
                given_up.setdefault(key, []).append((at, str(detail["old"])))
    return Staff(found, given_up)
