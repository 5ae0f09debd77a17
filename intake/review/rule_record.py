"""A version of a rule as staff weigh it: who stands behind it, since when, and how its findings did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, QuerySet

from intake.questionnaires.models import Status
from intake.review.decide import full_name
from intake.review.hit_rate import HitRate, rates
from intake.review.models import FindingTally
from intake.screening.models import Rule


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version. changed_at: when it came here, for it never changes after that. approved_by: or empty."""

    key: int
    version: int
    status_label: str
    changed_at: datetime
    approved_by: str
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """rate: of its findings; None for a rule nobody decides on, such as a note."""

    line: VersionLine
    rate: HitRate | None


def version_lines(rule_id: str) -> tuple[VersionLine, ...]:
    """All versions of a rule, newest first: one query."""
    return tuple(map(_line, _versions(Rule.objects.filter(rule_id=rule_id).order_by("-version"))))


def rule_record(user: AbstractBaseUser | AnonymousUser, key: int) -> RuleRecord:
    """One version with its own counts: two queries. Raises `Rule.DoesNotExist`."""
    row = _versions(Rule.objects.filter(pk=key)).get()
    rate = None
    if row["kind"] == Rule.Kind.CHAIN:
        tallies = FindingTally.objects.visible_to(user).filter(rule=key).order_by()
        counted: Iterable[Any] = tallies.values("rule", "decision", "result").annotate(number=Count("*"))
        (rate,) = rates({key: row["version"]}, counted)
    return RuleRecord(_line(row), rate)


def _versions(rules: QuerySet[Rule]) -> QuerySet[Rule, Any]:
    return rules.values(
        "pk",
        "kind",
        "version",
        "status",
        "created_at",
        "approved_at",
        "approved_by__first_name",
        "approved_by__last_name",
        "approved_by__username",
    )


def _line(row: Mapping[str, Any]) -> VersionLine:
    name = full_name(row["approved_by__first_name"], row["approved_by__last_name"])
    return VersionLine(
        key=row["pk"],
        version=row["version"],
        status_label=str(Status(row["status"]).label),
        changed_at=row["created_at"],
        approved_by=name or row["approved_by__username"] or "",
        approved_at=row["approved_at"],
    )
