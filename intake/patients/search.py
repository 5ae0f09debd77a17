"""Find people by how their names begin, a page at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate, Upper

from intake.patients.models import Patient

PAGE_SIZE: Final = 50
SEARCH_LENGTH: Final = 80


def search_words(text: str) -> str:
    """What was typed, fit to search with: no NUL, single spaces, of bounded length."""
    return " ".join(text.replace("\x00", "")[:SEARCH_LENGTH].split())


def named(patients: QuerySet[Any], search: str) -> QuerySet[Any]:
    """Patients of whom every word of the search begins the given or the family name."""
    return _named(_keyed(patients), _words(search))


def named_by_either(patients: QuerySet[Any], search: str) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """The same, by family name and by given name: each is read along one index and can stop at a limit.

    Asked for either at once, Postgres reads all that fit of both before the first is there.
    """
    word, *others = _words(search) or [""]
    patients = _named(_keyed(patients), others)
    return patients.filter(family_key__startswith=word), patients.filter(given_key__startswith=word)


def _keyed(patients: QuerySet[Any]) -> Any:
    return patients.alias(
        family_key=Collate(Upper("family_name"), "C"), given_key=Collate(Upper("given_name"), "C")
    )


def _words(search: str) -> list[str]:
    return search.upper().replace(",", " ").split()


def _named(patients: QuerySet[Any], words: Iterable[str]) -> QuerySet[Any]:
    for word in words:
        patients = patients.filter(Q(family_key__startswith=word) | Q(given_key__startswith=word))
    return patients


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
