"""What the review page says of an intake that the patient changed: the differences, and what is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import JSONObject

from intake.conditions import Answers
from intake.questionnaires.definition import Definition
from intake.responses.answers import prune, read_answers
from intake.responses.compare import Difference, compare
from intake.responses.models import QuestionnaireResponse
from intake.review.decide import full_name


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier version of the intake. finished_by, finished_at: of its review, where it was finished."""

    key: UUID
    sent_at: datetime
    answers: Answers
    finished_by: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """What one version answers differently from the one before."""

    at: datetime
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding that the changed answers do not raise any more, with the decision on it, if any."""

    name: str
    decision: str


@dataclass(frozen=True, slots=True)
class History:
    """changes: newest first. versions: the earlier ones, oldest first.

    current: the intake that stands now, where this one does not. began_at: of a change that is not sent yet.
    """

    versions: tuple[Version, ...] = ()
    changes: tuple[Change, ...] = ()
    gone: tuple[Gone, ...] = ()
    current: UUID | None = None
    replaced_at: datetime | None = None
    began_at: datetime | None = None
    # By version: what is answered differently now.
    since: Mapping[UUID, tuple[Difference, ...]] = field(default_factory=dict)

    @property
    def read(self) -> Version | None:
        """The newest earlier version whose review was finished."""
        return next((one for one in reversed(self.versions) if one.finished_at), None)


def annotations() -> dict[str, Combinable]:
    """What `history_of` reads from an intake's row, so that it needs no query of its own."""
    of_visit = QuestionnaireResponse.objects.filter(evaluation=OuterRef("evaluation"))
    earlier = of_visit.filter(replaced_at__isnull=False, authored__lt=OuterRef("authored"))
    return {
        "earlier": ArraySubquery(
            earlier.order_by("authored").values(
                json=JSONObject(
                    key="pk",
                    sent_at="authored",
                    answers="answers",
                    finished_at="reviews__finished_at",
                    first="reviews__finished_by__first_name",
                    last="reviews__finished_by__last_name",
                )
            )
        ),
        "current": Subquery(of_visit.standing().values("pk")[:1]),
        "change_began_at": Subquery(
            QuestionnaireResponse.objects.filter(
                replaces=OuterRef("pk"), status=QuestionnaireResponse.Status.IN_PROGRESS
            ).values("started_at")[:1]
        ),
    }


def history_of(response: Any, definition: Definition, answers: Answers) -> History:
    """response: with `annotations`. answers: its own, pruned."""
    versions = tuple(_version(one, definition) for one in response.earlier)
    replaced = response.replaced_at is not None
    ends = [*versions, None][1:]
    changes = [
        Change(
            later.sent_at if later else response.authored,
            compare(definition, version.answers, later.answers if later else answers),
        )
        for version, later in zip(versions, ends, strict=True)
    ]
    return History(
        versions=versions,
        changes=tuple(reversed(changes)),
        current=response.current if replaced else None,
        replaced_at=response.replaced_at,
        began_at=response.change_began_at,
        since={version.key: compare(definition, version.answers, answers) for version in versions},
    )


def _version(row: Mapping[str, Any], definition: Definition) -> Version:
    finished_at = row["finished_at"]
    return Version(
        key=UUID(row["key"]),
        sent_at=datetime.fromisoformat(row["sent_at"]),
        answers=prune(definition, read_answers(row["answers"])),
        finished_by=full_name(row["first"], row["last"]),
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
    )


def behind(differences: Sequence[Difference], *evidence: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Those of the differences that a finding's evidence, before or now, rests on."""
    asked = {
        line["linkId"]
        for one in evidence
        for group in (*one["requires"], *one["supports"], *one["against"])
        for line in group["answers"]
    } | {line["linkId"] for one in evidence for line in one["notAnswered"]}
    return tuple(one for one in differences if one.link_id in asked)
