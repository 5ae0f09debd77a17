"""Screen what was sent once more, with the versions of its time: the result has to be the one stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch

from intake.responses.answers import read_answers
from intake.screening.explain import evidence_json
from intake.screening.models import Finding, Rule, ScreeningRun, parsed_rule
from intake.screening.screen import screen

BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A run whose result is another now. what: in which rule, or which version is gone; never an answer."""

    run: int
    response: UUID
    what: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was compared, and what differs."""

    runs: int
    findings: int
    differs: tuple[Difference, ...]


def replay(told: Callable[[int, int], None]) -> Replayed:
    """Compare every run. told: called with how many are done, and of how many. Reads in batches."""
    keys = {(rule, version): pk for pk, rule, version in Rule.objects.values_list("pk", "rule_id", "version")}
    total = ScreeningRun.objects.count()
    differs: list[Difference] = []
    findings = 0
    for done, run in enumerate(_runs(), start=1):
        stored = list(run.findings.all())
        findings += len(stored)
        differs += [Difference(run.pk, run.response_id, what) for what in compare(run, stored, keys)]
        told(done, total)
    return Replayed(total, findings, tuple(differs))


def _runs() -> Iterator[Any]:
    last = 0
    while True:
        found = list(
            ScreeningRun.objects.filter(pk__gt=last)
            .select_related("response__questionnaire")
            .defer("response__document", "response__questionnaire__definition")
            .prefetch_related(Prefetch("findings", Finding.objects.order_by("pk")))
            .order_by("pk")[:BATCH]
        )
        yield from found
        if len(found) < BATCH:
            return
        last = found[-1].pk


def compare(run: ScreeningRun, stored: list[Finding], keys: dict[tuple[str, int], int]) -> Iterator[str]:
    """What differs between the findings of a run and the same work done now."""
    ran = {(name, version): keys.get((name, version)) for name, version in run.rule_versions.items()}
    gone = [f"rule {name} v{version} is gone" for (name, version), pk in ran.items() if pk is None]
    if gone:
        yield from gone
        return
    # In the order in which they ran, which JSON does not keep.
    rules = [parsed_rule(pk) for pk in sorted(pk for pk in ran.values() if pk is not None)]
    screening = screen(tuple(rules), read_answers(run.response.answers))
    definition = run.response.questionnaire.tree()
    now: dict[tuple[int, str | None], tuple[Any, ...]] = {
        (keys[raised.rule.id, raised.rule.version], raised.side): (
            raised.source_side,
            raised.target_side,
            raised.rule.direction,
            raised.score,
            evidence_json(definition, raised),
        )
        for raised in screening.rules
    }
    before = {
        (one.rule_id, one.side): (
            one.source_side,
            one.target_side,
            one.direction,
            one.score,
            one.evidence,
        )
        for one in stored
    }
    names = {pk: name for name, pk in keys.items()}
    for key in sorted(now.keys() | before.keys(), key=str):
        if now.get(key) != before.get(key):
            rule, version = names[key[0]]
            state = "not raised now" if key not in now else "not stored" if key not in before else "another"
            yield f"rule {rule} v{version} {key[1] or 'no side'}: {state}"
    if [raised.rule.id for raised in screening.precautions] != run.precautions:
        yield "precautions"
