"""An intake that the patient changed: what is different, and what becomes of earlier decisions.

A decision is kept where the answers behind its finding are the same. Where they changed, the finding is
undecided again; the earlier decision stands beside it as history (ADR 0021).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import UUIDField

from intake.kept import Given, Kept
from intake.responses.models import QuestionnaireResponse, ResponseQuerySet
from intake.review.models import Verdict
from intake.screening.models import Finding, Rule


class Replaced(Exception):
    """The patient sent changed answers meanwhile; `current` is the intake that stands now."""

    def __init__(self, current: UUID, at: datetime) -> None:
        super().__init__("the intake was replaced")
        self.current = current
        self.at = at


def current_of(response: UUID) -> UUID:
    """The intake that stands for the evaluation of this one."""
    evaluation = QuestionnaireResponse.objects.filter(pk=response).values("evaluation")
    standing = QuestionnaireResponse.objects.standing().filter(evaluation__in=evaluation)
    return UUID(str(standing.values_list("pk", flat=True).get()))


_HELD: Final = Kept(
    lambda responses: (
        responses.filter(pk=Given("response", UUIDField()))
        .select_for_update()
        .order_by()
        .values_list("replaced_at", "status")
    )
)


def hold(response: UUID, visible: ResponseQuerySet | None = None) -> str:
    """Lock the intake, so that no change of it is sent until the end of the transaction; returns its status.

    Whatever staff write about an intake comes after this, or a decision could be written beside its copy.
    visible: those that whoever asks may see. Raises `Replaced` for one that does not stand any more,
    `QuestionnaireResponse.DoesNotExist` for one that is not there.
    """
    scope = QuestionnaireResponse.objects.all() if visible is None else visible
    held = _HELD.rows([scope], response=response)
    if not held:
        raise QuestionnaireResponse.DoesNotExist
    ((replaced_at, status),) = held
    if replaced_at is not None:
        raise Replaced(current_of(response), replaced_at)
    return str(status)


def same_finding(finding_key: int, current: UUID) -> int | None:
    """The key of what a finding of an earlier version is on the current one; None if it is raised no more.

    None too for a finding of another evaluation.
    """
    earlier = Finding.objects.filter(pk=finding_key, response__evaluation__responses=current)
    before = earlier.values_list("rule__rule_id", "side").first()
    if before is None:
        return None
    rule, side = before
    found: int | None = (
        Finding.objects.filter(response=current, rule__rule_id=rule, side=side)
        .values_list("pk", flat=True)
        .first()
    )
    return found


# ---- what becomes of decisions


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of one version of an intake, as much as is compared."""

    key: int
    rule: int
    side: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding of an earlier version with the last decision on it."""

    finding: Known
    verdict: Verdict


def carried(now: Sequence[Known], earlier: Sequence[Decided]) -> list[tuple[Known, Verdict]]:
    """Which decisions stay: those on the same finding with the same answers behind it. Pure.

    earlier: in the order of the versions, at most one for a finding and a version; the last one counts. A
    rule that was edited in between asks for a new decision.
    """
    last = {(one.finding.rule, one.finding.side): one for one in earlier}
    kept = []
    for finding in now:
        before = last.get((finding.rule, finding.side))
        if before is not None and before.finding.evidence == finding.evidence:
            kept.append((finding, before.verdict))
    return kept


def carry_verdicts(response: QuestionnaireResponse) -> None:
    """Keep the decisions on the intake's earlier versions that still hold.

    The caller has locked the earlier version and stored the findings of this one.
    """
    rows = (
        Finding.objects.filter(response__evaluation=response.evaluation_id, rule__kind=Rule.Kind.CHAIN)
        .order_by("pk")
        .values_list("pk", "rule", "side", "evidence", "response")
    )
    now: list[Known] = []
    before: dict[int, Known] = {}
    for key, rule, side, evidence, owner in rows:
        finding = Known(key, rule, side, evidence)
        if owner == response.pk:
            now.append(finding)
        else:
            before[key] = finding
    verdicts = {one.finding_id: one for one in Verdict.objects.filter(finding__in=before).order_by("pk")}
    earlier = [Decided(finding, verdicts[key]) for key, finding in before.items() if key in verdicts]
    kept = [(finding, one) for finding, one in carried(now, earlier) if one.decision != "unconfirmed"]
    Verdict.objects.bulk_create(
        Verdict(
            finding_id=finding.key,
            decision=one.decision,
            reason=one.reason,
            note=one.note,
            at=one.at,
            by_id=one.by_id,
            carried_from=one,
        )
        for finding, one in kept
    )
