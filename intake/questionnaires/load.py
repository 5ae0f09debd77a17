"""Bring the shipped questionnaires into the database. They come active and unapproved (ADR 0005)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from intake import audit
from intake.questionnaires.definition import read_definition
from intake.questionnaires.models import Questionnaire, Status

BY: Final = audit.system("load_catalog")


class LoadRefused(ValueError):
    """A catalog entry that may not be loaded; the message names it and says what to do."""


def load_questionnaires(resources: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each FHIR Questionnaire: `(name and version, "created" | "unchanged")`.

    A version that is in use never changes: the same version with other content raises `LoadRefused`.
    The version that was active before retires. Raises `DefinitionError` for one that cannot be read.
    """
    done: list[tuple[str, str]] = []
    for resource in resources:
        definition = read_definition(resource)
        name = f"questionnaire {definition.url.rsplit('/', 1)[-1]} {definition.version}"
        standing = Questionnaire.objects.filter(url=definition.url, version=definition.version).first()
        if standing is not None:
            if standing.definition != resource:
                raise LoadRefused(f"{name}: this version is in use and differs; give the new one a version")
            done.append((name, "unchanged"))
            continue
        active = Questionnaire.objects.filter(url=definition.url, status=Status.ACTIVE)
        old = active.values_list("version", flat=True).first()
        with audit.audited("questionnaire.published", by=BY, url=definition.url, old=old) as access:
            active.update(status=Status.RETIRED)
            made = Questionnaire.objects.create(
                url=definition.url,
                version=definition.version,
                title=definition.title,
                status=Status.ACTIVE,
                definition=resource,
            )
            access.saw("questionnaire", [made.pk])
            access.note(new=made.version)
        done.append((name, "created"))
    return done


def active_questionnaire() -> Questionnaire:
    """The one new patients get: the newest active version. Raises `Questionnaire.DoesNotExist`."""
    return Questionnaire.objects.filter(status=Status.ACTIVE).latest("created_at")
