"""How often a rule was right: its tallies version by version, and how sure the share found is."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count

from intake.questionnaires.models import Status
from intake.review.models import Decision, FindingTally, Result
from intake.screening.models import Rule

# Below this a share says nothing.
ENOUGH: Final = 10
# 95 of 100 values of the normal distribution lie this many standard deviations around its mean.
Z: Final = 1.959963984540054


def wilson(found: int, tested: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score method, without continuity correction.

    E. B. Wilson, JASA 22 (1927) 209-212; method 3 in R. G. Newcombe, Statistics in Medicine 17 (1998)
    857-872, whose examples the tests hold it to. It is right near 0 and 1 too. Raises `ValueError` for counts
    that cannot be.
    """
    if not 0 <= found <= tested or tested == 0:
        raise ValueError("found has to be between 0 and tested, which is at least 1")
    share, square = found / tested, Z * Z
    middle = share + square / (2 * tested)
    reach = Z * sqrt(share * (1 - share) / tested + square / (4 * tested * tested))
    whole = 1 + square / tested
    # At 0 and 1 the ends meet the share itself, but for a hair of rounding.
    low = 0.0 if found == 0 else (middle - reach) / whole
    high = 1.0 if found == tested else (middle + reach) / whole
    return low, high


@dataclass(frozen=True, slots=True)
class HitRate:
    """What became of the findings of one rule version.

    raised: of intakes that stand. confirmed, refuted, provisional: by the verdict that stands, before the
    visit. found, not_found, not_tested: of closed evaluations.
    """

    version: int
    raised: int = 0
    confirmed: int = 0
    refuted: int = 0
    provisional: int = 0
    found: int = 0
    not_found: int = 0
    not_tested: int = 0

    @property
    def tested(self) -> int:
        return self.found + self.not_found

    @property
    def enough(self) -> bool:
        return self.tested >= ENOUGH

    @property
    def decided(self) -> int:
        """By any verdict that stands, as the review page counts them."""
        return self.confirmed + self.refuted + self.provisional

    @property
    def enough_decided(self) -> bool:
        return self.decided >= ENOUGH

    @property
    def of_hundred(self) -> tuple[int, int]:
        """Between which two of 100 cases it would be found, as whole numbers that hold the interval."""
        low, high = wilson(self.found, self.tested)
        return floor(low * 100), ceil(high * 100)


def hit_rates(user: AbstractBaseUser | AnonymousUser, rule_id: str) -> tuple[HitRate, ...]:
    """Every version of the rule that was in use, newest first, each with its own counts: two queries."""
    used = Rule.objects.filter(rule_id=rule_id).exclude(status=Status.DRAFT)
    versions = dict(used.order_by("-version").values_list("pk", "version"))
    rows = (
        FindingTally.objects.visible_to(user)
        .filter(rule__in=list(versions))
        .order_by()
        .values("rule", "decision", "result")
        # Not of the key: that is not in the index, which holds all that is asked for.
        .annotate(number=Count("*"))
    )
    return rates(versions, rows)


def rates(versions: dict[int, int], rows: Iterable[Any]) -> tuple[HitRate, ...]:
    """versions: key -> version. rows: rule, decision, result, and how many there are of them."""
    names = {
        Decision.CONFIRMED.value: "confirmed",
        Decision.REFUTED.value: "refuted",
        Decision.PROVISIONAL.value: "provisional",
        Result.FOUND.value: "found",
        Result.NOT_FOUND.value: "not_found",
        Result.NOT_TESTED.value: "not_tested",
    }
    counts: dict[int, dict[str, int]] = {key: {"raised": 0} for key in versions}
    for row in rows:
        one = counts[row["rule"]]
        one["raised"] += row["number"]
        for word in (row["decision"], row["result"]):
            if word:
                one[names[word]] = one.get(names[word], 0) + row["number"]
    return tuple(HitRate(version, **counts[key]) for key, version in versions.items())
