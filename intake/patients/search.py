"""Find people by how their names begin, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate, Upper

from intake.patients.models import Patient

PAGE_SIZE: Final = 50
SEARCH_LENGTH: Final = 80
_KEYS: Final[Mapping[str, Collate]] = {
    "family_key": Collate(Upper("family_name"), "C"),
    "given_key": Collate(Upper("given_name"), "C"),
}


def search_words(text: str) -> str:
    """What was typed, fit to search with: no NUL, single spaces, of bounded length."""
    return " ".join(text.replace("\x00", "")[:SEARCH_LENGTH].split())


def ways(search: str) -> list[tuple[str, str]]:
    """How the family name and the given name may begin, in capitals, so that each word begins one of them.

    Two ways at most, one for a search without a word, none for words that no two names can begin with.
    """
    words = sorted(set(search.upper().replace(",", " ").split()))
    # A word that another begins with asks for nothing more.
    asked = [word for word in words if not any(other != word and other.startswith(word) for other in words)]
    match asked:
        case []:
            return [("", "")]
        case [word]:
            return [(word, ""), ("", word)]
        case [one, other]:
            return [(one, other), (other, one)]
        case _:
            return []


def named(patients: QuerySet[Any], search: str) -> QuerySet[Any]:
    """Patients of whom every word of the search begins the given or the family name."""
    asked = [Q(family_key__startswith=family, given_key__startswith=given) for family, given in ways(search)]
    return patients.alias(**_KEYS).filter(reduce(or_, asked)) if asked else patients.none()


@dataclass(frozen=True, slots=True)
class People:
    """A page of patients by family name; after: the key of the last one when there are more."""

    patients: tuple[Patient, ...]
    after: UUID | None


def people(user: AbstractBaseUser, *, search: str = "", after: UUID | None = None) -> People:
    """The patients this user may see. An unknown `after` is the first page. Two queries at most."""
    patients = named(Patient.objects.visible_to(user).with_standing(), search)
    last = Patient.objects.visible_to(user).filter(pk=after).first() if after else None
    if last is not None:
        patients = patients.filter(
            Q(family_name__gt=last.family_name)
            | Q(family_name=last.family_name, given_name__gt=last.given_name)
            | Q(family_name=last.family_name, given_name=last.given_name, pk__gt=last.pk),
            family_name__gte=last.family_name,
        )
    found = list(patients.order_by("family_name", "given_name", "pk")[: PAGE_SIZE + 1])
    shown = tuple(found[:PAGE_SIZE])
    return People(shown, shown[-1].pk if len(found) > PAGE_SIZE else None)
