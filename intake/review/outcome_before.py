"""What the evaluation of the visit before showed, to be read beside the one of today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from intake.patients.models import Evaluation
from intake.responses.models import QuestionnaireResponse
from intake.review.decide import titled_finding
from intake.review.measures import MEASURES, SIDES, written
from intake.review.models import Closing, Measurement, Outcome, Result
from intake.review.outcomes import last_values
from intake.review.places import SIDES as SIDE_WORDS
from intake.screening.models import Finding, Rule


@dataclass(frozen=True, slots=True)
class VisitBefore:
    """The last closed evaluation of the same patient. found, not_found: findings by name, of these `keys`.

    measured: a test each, "Navicular drop 11 mm left, 6.5 mm right".
    """

    response: UUID
    at: datetime
    found: tuple[str, ...]
    not_found: tuple[str, ...]
    measured: tuple[str, ...]
    keys: tuple[int, ...]


def closed_before(user: AbstractBaseUser) -> Any:
    """For a query of intakes: key and time of the last closed evaluation before, as this user may see it."""
    acts = (
        Closing.objects.visible_to(user).filter(response=OuterRef("pk")).order_by("-number").values("act")[:1]
    )
    return (
        QuestionnaireResponse.objects.visible_to(user)
        .filter(
            evaluation__patient=OuterRef("evaluation__patient"),
            evaluation__starts_at__lt=OuterRef("evaluation__starts_at"),
            replaced_at=None,
        )
        .exclude(evaluation__status=Evaluation.Status.CANCELLED)
        .annotate(act=Subquery(acts))
        .filter(act=Closing.Act.CLOSED)
        .order_by("-evaluation__starts_at", "pk")
        .values(json=JSONObject(key="pk", at="evaluation__starts_at"))[:1]
    )


def visit_before(user: AbstractBaseUser, closed: Mapping[str, str] | None) -> VisitBefore | None:
    """In two queries. closed: of `closed_before`."""
    if closed is None:
        return None
    response = UUID(closed["key"])
    outcomes = Outcome.objects.visible_to(user).filter(finding=OuterRef("pk")).order_by("-pk")
    rows = list(
        Finding.objects.visible_to(user)
        .filter(response=response, rule__kind=Rule.Kind.CHAIN)
        .annotate(title=F("rule__title"), result=Subquery(outcomes.values("result")[:1]))
        .filter(result__in=(Result.FOUND, Result.NOT_FOUND))
        .order_by("-score", "pk")
        .values_list("pk", "result", "title", "source_side", "target_side")
    )

    def named(result: str) -> tuple[str, ...]:
        return tuple(titled_finding(*words) for _key, said, *words in rows if said == result)

    return VisitBefore(
        response=response,
        at=datetime.fromisoformat(closed["at"]),
        found=named(Result.FOUND),
        not_found=named(Result.NOT_FOUND),
        measured=_measured(Measurement.objects.visible_to(user).filter(response=response)),
        keys=tuple(row[0] for row in rows),
    )


def _measured(rows: QuerySet[Measurement]) -> tuple[str, ...]:
    values = last_values(rows.order_by("pk"))
    found = []
    for kind, measure in MEASURES.items():
        sides = [
            _("%(value)s %(side)s")
            % {"value": f"{written(measure, value)}\xa0{measure.unit}", "side": SIDE_WORDS[side]}
            for side in SIDES
            if (value := values.get((kind, side))) is not None
        ]
        if sides:
            found.append(f"{measure.label} {', '.join(sides)}")
    return tuple(found)
