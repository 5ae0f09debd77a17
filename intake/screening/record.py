"""Keep what a screening raised: findings at submit, red flags at every page save."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import OuterRef, Subquery, UUIDField
from django.utils import timezone

from intake.audit import prepared
from intake.conditions import Answers
from intake.kept import Given, Kept
from intake.questionnaires.definition import Definition
from intake.questionnaires.models import Status
from intake.responses.answers import prune
from intake.responses.models import QuestionnaireResponse
from intake.screening.explain import evidence_json
from intake.screening.models import RedFlag, RedFlagEvent, Rule, Tier, parsed_rule
from intake.screening.screen import TIERS, URGENT, Raised, RuleDefinition, Screening, screen

# The kind of the last thing that happened to a flag.
_LAST: Final = Subquery(RedFlagEvent.objects.filter(flag=OuterRef("pk")).order_by("-pk").values("kind")[:1])


WHILE_FILLING: Final = frozenset({"red-flag", "precaution"})


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The rules that run now, with the key of each version."""

    rules: tuple[RuleDefinition, ...]
    keys: dict[str, int]

    @property
    def while_filling(self) -> tuple[RuleDefinition, ...]:
        """Those that matter before the form is sent: red flags, and what hides pages for comfort."""
        return tuple(rule for rule in self.rules if rule.kind in WHILE_FILLING)


# In the order in which they are told.
ACTIVE: Final = Rule.objects.filter(status=Status.ACTIVE).order_by("pk").values_list("pk", flat=True)


def active_rules(keys: Iterable[int] | None = None) -> ActiveRules:
    """The active version of every rule: one query for the keys, the rest is remembered.

    keys: those of `ACTIVE`, where they were read with something else.
    """
    rules: list[RuleDefinition] = []
    numbers: dict[str, int] = {}
    for pk in ACTIVE.all() if keys is None else keys:
        rule = parsed_rule(pk)
        rules.append(rule)
        numbers[rule.id] = pk
    return ActiveRules(tuple(rules), numbers)


def screen_draft(
    definition: Definition, answers: Answers, active: ActiveRules, on: Collection[str] | None = None
) -> Screening:
    """The red flags and precautions that the answers so far raise, pruned by enableWhen. on: as in `prune`.

    No chain rule is looked at: nobody sees one before the form is sent.
    """
    return screen(active.while_filling, prune(definition, answers, on))


# By hand: it is in the way of everybody who sends a form.
_FOUND: Final = """
WITH run AS (
  INSERT INTO intake_screeningrun (response_id, at, rule_versions, precautions)
  VALUES (%s, %s, %s::jsonb, %s::jsonb) RETURNING id, response_id
)
INSERT INTO intake_finding
  (response_id, run_id, rule_id, side, source_side, target_side, direction, score, evidence)
SELECT
  run.response_id, run.id, one.rule, one.side, one.source, one.target, one.direction, one.score, one.evidence
FROM run, jsonb_to_recordset(%s::jsonb) AS one
  (rule bigint, side text, source text, target text, direction text, score integer, evidence jsonb)
"""


def store_findings(
    response: QuestionnaireResponse,
    definition: Definition,
    screening: Screening,
    active: ActiveRules,
    *,
    at: datetime | None = None,
) -> None:
    """One run with its findings (chain rules and notes), in one statement. Once per response.

    at: of a run that is told to be an earlier one.
    """
    found = [
        {
            "rule": active.keys[raised.rule.id],
            "side": raised.side,
            "source": raised.source_side,
            "target": raised.target_side,
            "direction": raised.rule.direction,
            "score": raised.score,
            "evidence": evidence_json(definition, raised),
        }
        for raised in screening.rules
    ]
    versions = {rule.id: rule.version for rule in active.rules}
    precautions = [raised.rule.id for raised in screening.precautions]
    said = [json.dumps(one) for one in (versions, precautions, found)]
    with prepared() as cursor:
        cursor.execute(_FOUND, [response.pk, at or timezone.now(), *said])


_FLAGS: Final = Kept(lambda: RedFlag.objects.filter(response=Given("response", UUIDField())))


def sync_red_flags(
    response: QuestionnaireResponse,
    definition: Definition,
    raised: Iterable[Raised],
    active: ActiveRules,
    *,
    keep_before: datetime | None = None,
) -> list[RedFlag]:
    """Make the stored red flags say what the answers raise now. Returns those that stand open anew.

    A flag that is not raised any more is withdrawn by the patient and stays for staff to acknowledge; raised
    again it opens again and the patient sees the advice again. The caller holds the response's lock.
    keep_before: flags raised earlier are not withdrawn, as while a change is typed: what was sent stands.
    """
    now = timezone.now()
    standing = {(flag.rule_id, flag.side): flag for flag in _FLAGS.rows([], response=response.pk)}
    wanted = {(active.keys[one.rule.id], one.side): one for one in raised}
    opened: list[RedFlag] = []
    events: list[RedFlagEvent] = []
    for key, one in wanted.items():
        evidence = evidence_json(definition, one)
        known = standing.get(key)
        if known is None:
            flag = RedFlag.objects.create(
                response=response,
                rule_id=key[0],
                side=one.side,
                tier=one.rule.tier or Tier.TELL_PHYSIO,
                evidence=evidence,
                raised_at=now,
            )
            opened.append(flag)
            events.append(RedFlagEvent(flag=flag, kind=RedFlagEvent.Kind.RAISED, at=now))
        elif known.withdrawn_at is not None:
            known.state, known.raised_at, known.withdrawn_at = RedFlag.State.OPEN, now, None
            known.patient_saw_at, known.mail_sent_at, known.evidence = None, None, evidence
            known.save()
            opened.append(known)
            events.append(RedFlagEvent(flag=known, kind=RedFlagEvent.Kind.RAISED_AGAIN, at=now))
        elif known.evidence != evidence:
            known.evidence = evidence
            known.save(update_fields=["evidence"])
    for key, flag in standing.items():
        kept = keep_before is not None and flag.raised_at < keep_before
        if key not in wanted and flag.withdrawn_at is None and not kept:
            flag.withdrawn_at = now
            if flag.state == RedFlag.State.OPEN:
                flag.state = RedFlag.State.WITHDRAWN
            flag.save(update_fields=["withdrawn_at", "state"])
            events.append(RedFlagEvent(flag=flag, kind=RedFlagEvent.Kind.WITHDRAWN, at=now))
    RedFlagEvent.objects.bulk_create(events)
    _show_lower_tier(standing.values(), now)
    return opened


def _show_lower_tier(flags: Collection[RedFlag], now: datetime) -> None:
    """Where the highest tier was withdrawn just now, the page of the next one was not seen yet.

    The patient read the text of the highest tier alone (brief, section 4).
    """
    left = [flag for flag in flags if flag.withdrawn_at is None]
    gone = [flag for flag in flags if flag.withdrawn_at == now]
    if not left or not gone:
        return
    highest = min(_rank(flag) for flag in left)
    if highest <= min(map(_rank, gone)):
        return
    hidden = [flag for flag in left if _rank(flag) == highest and flag.patient_saw_at is not None]
    for flag in hidden:
        flag.patient_saw_at = None
    RedFlag.objects.bulk_update(hidden, ["patient_saw_at"])


def _rank(flag: RedFlag) -> int:
    """0 for the highest tier."""
    order: tuple[str, ...] = TIERS
    return order.index(flag.tier)


def move_red_flags(earlier: QuestionnaireResponse, response: QuestionnaireResponse) -> None:
    """Red flags belong to the intake that stands: their history and their calls stay one story."""
    earlier.red_flags.update(response=response)


def mark_advice_seen(response: QuestionnaireResponse, *, mistake: bool) -> None:
    """The patient pressed a button on the page that said what to do.

    mistake: the one that says so. Until the answer is another, the page comes again with the next save.
    """
    now = timezone.now()
    standing = response.red_flags.filter(withdrawn_at=None).annotate(last=_LAST)
    flags = [
        flag
        for flag in standing
        if mistake or flag.patient_saw_at is None or flag.last == RedFlagEvent.Kind.MISTAKE
    ]
    for flag in flags:
        flag.patient_saw_at = now
    RedFlag.objects.bulk_update(flags, ["patient_saw_at"])
    kind = RedFlagEvent.Kind.MISTAKE if mistake else RedFlagEvent.Kind.SEEN
    RedFlagEvent.objects.bulk_create(RedFlagEvent(flag=flag, kind=kind, at=now) for flag in flags)


def is_called_a_mistake(response: QuestionnaireResponse) -> bool:
    """Whether an urgent flag stands that the patient called a mistake, and has not answered since."""
    flags = response.red_flags.filter(tier__in=URGENT, withdrawn_at=None).annotate(last=_LAST)
    return bool(flags.filter(last=RedFlagEvent.Kind.MISTAKE).exists())


def acknowledge(flags: Iterable[RedFlag]) -> None:
    """Staff did what the flag asks for. The caller recorded the contact."""
    now = timezone.now()
    flags = list(flags)
    for flag in flags:
        flag.state = RedFlag.State.ACKNOWLEDGED
    RedFlag.objects.bulk_update(flags, ["state"])
    RedFlagEvent.objects.bulk_create(
        RedFlagEvent(flag=flag, kind=RedFlagEvent.Kind.ACKNOWLEDGED, at=now) for flag in flags
    )
