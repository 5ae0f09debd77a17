"""Which rules does one intake raise, on which side, and from which answers? Pure Python, no Django.

The shape of a rule and what it means are fixed by the ``semantics`` block of
``intake/catalog/rules/foot-knee.json``: a rule about a side is tried for the left and for the right; it is
raised when every group of ``requires`` holds and the weights of ``supports`` that hold, less those of
``against``, reach the threshold. The score sorts a list for staff. It is never a probability and never
shown to a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from intake.conditions import (
    SIDES,
    Answers,
    ConditionError,
    Group,
    Side,
    Value,
    group_holds,
    holds,
    matching,
    on_side,
    other_side,
    parse_group,
    questions_of,
)

Kind: TypeAlias = Literal["chain", "note", "red-flag", "precaution"]
Tier: TypeAlias = Literal["emergency", "same-day", "tell-physio"]

KINDS: Final[tuple[Kind, ...]] = ("chain", "note", "red-flag", "precaution")
TIERS: Final[tuple[Tier, ...]] = ("emergency", "same-day", "tell-physio")
"""Highest first."""
URGENT: Final[tuple[Tier, ...]] = ("emergency", "same-day")

_PLACES: Final = ("{side}", "{other}", None)
_SHARED_FIELDS: Final = (
    "id",
    "version",
    "kind",
    "title",
    "scope",
    "requires",
    "supports",
    "against",
    "threshold",
    "explanation",
    "sources",
)
_LINK_FIELDS: Final = ("source", "target", "links", "direction", "suggestedChecks", "lesson", "evidence")
_FLAG_FIELDS: Final = ("tier", "patientMessage", "extraPatientMessage", "clinicAction", "staffLabel")
_FIELDS: Final[Mapping[Kind, frozenset[str]]] = {
    "chain": frozenset((*_SHARED_FIELDS, *_LINK_FIELDS, "path", "patientBecause")),
    "note": frozenset((*_SHARED_FIELDS, *_LINK_FIELDS)),
    "red-flag": frozenset((*_SHARED_FIELDS, *_FLAG_FIELDS, "hides")),
    "precaution": frozenset((*_SHARED_FIELDS, "staffNote", "hides")),
}
"""Fields of a catalog entry by kind: one that would silently do nothing is refused."""


class RuleError(ValueError):
    """A rule that cannot be read; the message names the rule and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class LinkEvidence:
    """How well one link of the chain is supported: grade strong, moderate, limited, conflicting, expert."""

    link: str
    grade: str
    note: str


@dataclass(frozen=True, slots=True)
class SidedRule:
    """A rule with its questions filled in for one side, or for the person (``side`` None)."""

    side: Side | None
    source_side: Side | None
    target_side: Side | None
    requires: tuple[Group, ...]
    supports: tuple[Group, ...]
    against: tuple[Group, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """One version of a rule as read from a catalog entry; texts that a kind does not have are empty."""

    id: str
    version: int
    kind: Kind
    title: str
    scope: Literal["side", "person"]
    requires: tuple[Group, ...]
    supports: tuple[Group, ...]
    against: tuple[Group, ...]
    threshold: int
    source: str | None = None
    target: str | None = None
    links: tuple[str, ...] = ()
    path: str = ""
    direction: str = ""
    explanation: str = ""
    suggested_checks: tuple[str, ...] = ()
    lesson: str = ""
    evidence: tuple[LinkEvidence, ...] = ()
    sources: tuple[str, ...] = ()
    patient_because: Mapping[str, str] = field(default_factory=dict)
    tier: Tier | None = None
    patient_message: str = ""
    extra_patient_message: str = ""
    clinic_action: str = ""
    staff_label: str = ""
    staff_note: str = ""
    hides: tuple[str, ...] = ()
    sides: tuple[SidedRule, ...] = field(default=(), repr=False)

    @property
    def is_urgent(self) -> bool:
        """Is this a red flag for which the patient must act today?"""
        return self.tier in URGENT


@dataclass(frozen=True, slots=True)
class EvidenceGroup:
    """A group that holds and the answers that make it hold.

    ``matched`` is ``((linkId, values), ...)``; values are empty where silence is what counts.
    """

    id: str | None
    label: str | None
    weight: int
    matched: tuple[tuple[str, tuple[Value, ...]], ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """A rule raised on one side (None for the person), with everything that speaks for and against."""

    rule: RuleDefinition
    side: Side | None
    source_side: Side | None
    target_side: Side | None
    score: int
    required: tuple[EvidenceGroup, ...]
    supports: tuple[EvidenceGroup, ...]
    against: tuple[EvidenceGroup, ...]
    not_answered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientNotice:
    """What a patient reads when flags are raised: one text, and the extra lines of all flags.

    Texts may hold ``{clinic_phone}``.
    """

    tier: Tier
    message: str
    extra_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """All that one set of answers raises.

    ``rules`` holds chain rules and notes, highest score first; ``red_flags`` highest tier first;
    ``precautions`` in the order of the catalog.
    """

    rules: tuple[Raised, ...]
    red_flags: tuple[Raised, ...]
    precautions: tuple[Raised, ...]

    @property
    def tier(self) -> Tier | None:
        """The highest tier raised."""
        return self.red_flags[0].rule.tier if self.red_flags else None

    @property
    def is_urgent(self) -> bool:
        """Is an emergency or same-day flag raised? Then no lesson is suggested."""
        return self.tier in URGENT

    @property
    def hides(self) -> frozenset[str]:
        """linkIds not shown while these flags and precautions stand. Answers given there still count."""
        return frozenset(h for raised in (*self.red_flags, *self.precautions) for h in raised.rule.hides)

    @property
    def notice(self) -> PatientNotice | None:
        """What the patient is told: the text of the highest tier and each flag's extra line, once."""
        if not self.red_flags:
            return None
        first = self.red_flags[0].rule
        lines = (r.rule.extra_patient_message for r in self.red_flags if r.rule.extra_patient_message)
        return PatientNotice(first.tier or "tell-physio", first.patient_message, tuple(dict.fromkeys(lines)))


def screen(rules: Iterable[RuleDefinition], answers: Answers) -> Screening:
    """Try every rule on answers that are already pruned by enableWhen."""
    raised = [found for rule in rules for found in _try(rule, answers)]
    return Screening(
        rules=tuple(sorted((r for r in raised if r.rule.kind in ("chain", "note")), key=_by_score)),
        red_flags=tuple(sorted((r for r in raised if r.rule.kind == "red-flag"), key=_by_tier)),
        precautions=tuple(r for r in raised if r.rule.kind == "precaution"),
    )


def score_of(rule: SidedRule, answers: Answers) -> int:
    """Weights of the supporting groups that hold, less those of the groups against that hold."""
    plus = sum(group.weight for group in rule.supports if group_holds(group, answers))
    return plus - sum(group.weight for group in rule.against if group_holds(group, answers))


def highest_tier(tiers: Iterable[str | None]) -> Tier | None:
    """The most urgent of some tiers, None when there is none."""
    present = set(tiers)
    return next((tier for tier in TIERS if tier in present), None)


def _try(rule: RuleDefinition, answers: Answers) -> Iterator[Raised]:
    for sided in rule.sides:
        if not all(group_holds(group, answers) for group in sided.requires):
            continue
        score = score_of(sided, answers)
        if score < rule.threshold:
            continue
        yield Raised(
            rule=rule,
            side=sided.side,
            source_side=sided.source_side,
            target_side=sided.target_side,
            score=score,
            required=_evidence(sided.requires, answers),
            supports=_evidence(sided.supports, answers),
            against=_evidence(sided.against, answers),
            not_answered=tuple(question for question in sided.questions if not answers.get(question)),
        )


def _evidence(groups: tuple[Group, ...], answers: Answers) -> tuple[EvidenceGroup, ...]:
    return tuple(
        EvidenceGroup(group.id, group.label, group.weight, _matched(group, answers))
        for group in groups
        if group_holds(group, answers)
    )


def _matched(group: Group, answers: Answers) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    found: dict[str, tuple[Value, ...]] = {}
    for condition in group.conditions:
        if holds(condition, answers):
            before = found.get(condition.question, ())
            new = tuple(value for value in matching(condition, answers) if value not in before)
            found[condition.question] = before + new
    return tuple(found.items())


def _by_score(raised: Raised) -> tuple[int, str, str]:
    return -raised.score, raised.rule.id, raised.side or ""


def _by_tier(raised: Raised) -> tuple[int, str, str]:
    return TIERS.index(raised.rule.tier or "tell-physio"), raised.rule.id, raised.side or ""


# Reading


def parse_rules(data: object) -> tuple[RuleDefinition, ...]:
    """Read a rule file: ``{"rules": [...], "redFlags": [...], "precautions": [...]}``.

    Raises RuleError for an entry that cannot be read and for an id used twice.
    """
    rules = tuple(parse_rule(entry) for entry in entries_of(data))
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RuleError(f"{rule.id}: this id is used twice")
        seen.add(rule.id)
    return rules


def entries_of(data: object) -> list[object]:
    """The entries of a rule file, in order. Raises RuleError when the file has another shape."""
    if not isinstance(data, Mapping):
        raise RuleError("a rule file must be an object with rules, redFlags and precautions")
    entries: list[object] = []
    for name in ("rules", "redFlags", "precautions"):
        listed = data.get(name, [])
        if not isinstance(listed, list):
            raise RuleError(f"{name} must be a list")
        entries.extend(listed)
    return entries


def parse_rule(data: object) -> RuleDefinition:
    """Read one entry of a rule file. Raises RuleError for any other shape or an unknown field."""
    if not isinstance(data, Mapping):
        raise RuleError("a rule must be an object")
    rule_id = data.get("id")
    if not isinstance(rule_id, str) or not rule_id:
        raise RuleError("a rule needs an id")
    entry = _Entry(rule_id, data)
    kind = next((k for k in KINDS if k == data.get("kind")), None)
    if kind is None:
        raise RuleError(f"{rule_id}: kind must be one of {', '.join(KINDS)}")
    unknown = sorted(str(key) for key in data if key not in _FIELDS[kind])
    if unknown:
        raise RuleError(f"{rule_id}: a {kind} has no field {unknown[0]!r}")
    if data.get("scope") not in ("side", "person"):
        raise RuleError(f"{rule_id}: scope must be 'side' or 'person'")
    scope: Literal["side", "person"] = "side" if data["scope"] == "side" else "person"
    tier = next((t for t in TIERS if t == data.get("tier")), None)
    if kind == "red-flag" and tier is None:
        raise RuleError(f"{rule_id}: a red flag needs a tier: {', '.join(TIERS)}")
    if kind == "red-flag" and not entry.text("patientMessage"):
        raise RuleError(f"{rule_id}: a red flag needs a patientMessage")
    for end in ("source", "target"):
        if data.get(end) not in _PLACES or (scope == "person" and data.get(end) is not None):
            raise RuleError(f"{rule_id}: {end} must be '{{side}}' or '{{other}}', or null for a person")
    requires = entry.groups("requires", weighted=False)
    supports = entry.groups("supports", weighted=True)
    against = entry.groups("against", weighted=True)
    if not requires and not supports:
        raise RuleError(f"{rule_id}: it has no condition at all")
    ids = [group.id for group in (*requires, *supports, *against) if group.id is not None]
    double = next((name for name in ids if ids.count(name) > 1), None)
    if double is not None:
        raise RuleError(f"{rule_id}: two groups have the id {double!r}")
    source, target = entry.text("source") or None, entry.text("target") or None
    return RuleDefinition(
        id=rule_id,
        version=entry.whole("version"),
        kind=kind,
        title=entry.text("title"),
        scope=scope,
        requires=requires,
        supports=supports,
        against=against,
        threshold=entry.whole("threshold"),
        source=source,
        target=target,
        links=entry.texts("links"),
        path=entry.text("path"),
        direction=entry.text("direction"),
        explanation=entry.text("explanation"),
        suggested_checks=entry.texts("suggestedChecks"),
        lesson=entry.text("lesson"),
        evidence=entry.evidence(),
        sources=entry.texts("sources"),
        patient_because=entry.because(),
        tier=tier,
        patient_message=entry.text("patientMessage"),
        extra_patient_message=entry.text("extraPatientMessage"),
        clinic_action=entry.text("clinicAction"),
        staff_label=entry.text("staffLabel"),
        staff_note=entry.text("staffNote"),
        hides=entry.texts("hides"),
        sides=tuple(
            _sided(side, source, target, requires, supports, against)
            for side in (SIDES if scope == "side" else (None,))
        ),
    )


def _sided(
    side: Side | None,
    source: str | None,
    target: str | None,
    requires: tuple[Group, ...],
    supports: tuple[Group, ...],
    against: tuple[Group, ...],
) -> SidedRule:
    filled = [tuple(on_side(group, side) for group in part) for part in (requires, supports, against)]
    return SidedRule(
        side=side,
        source_side=_place(source, side),
        target_side=_place(target, side),
        requires=filled[0],
        supports=filled[1],
        against=filled[2],
        questions=questions_of(group for part in filled for group in part),
    )


def _place(place: str | None, side: Side | None) -> Side | None:
    if place is None or side is None:
        return None
    return side if place == "{side}" else other_side(side)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Reads the fields of one catalog entry and names the rule in every complaint."""

    rule_id: str
    data: Mapping[str, object]

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise RuleError(f"{self.rule_id}: {name} must be text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.data.get(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise RuleError(f"{self.rule_id}: {name} must be a list of texts")
        return tuple(value)

    def whole(self, name: str) -> int:
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise RuleError(f"{self.rule_id}: {name} must be a whole number")
        return value

    def groups(self, name: str, *, weighted: bool) -> tuple[Group, ...]:
        value = self.data.get(name, [])
        if not isinstance(value, list):
            raise RuleError(f"{self.rule_id}: {name} must be a list of groups")
        groups = []
        for number, entry in enumerate(value, start=1):
            try:
                groups.append(parse_group(entry))
            except ConditionError as error:
                raise RuleError(f"{self.rule_id}: {name} {number}: {error}") from None
            if weighted and "weight" not in entry:
                raise RuleError(f"{self.rule_id}: {name} {number}: a group needs a weight here")
        return tuple(groups)

    def evidence(self) -> tuple[LinkEvidence, ...]:
        value = self.data.get("evidence", [])
        found = []
        for entry in value if isinstance(value, list) else [value]:
            parts = (
                [entry.get(key, "") for key in ("link", "grade", "note")]
                if isinstance(entry, Mapping)
                else []
            )
            if not parts or not all(isinstance(part, str) for part in parts):
                raise RuleError(f"{self.rule_id}: evidence must list link, grade and note")
            found.append(LinkEvidence(*parts))
        return tuple(found)

    def because(self) -> dict[str, str]:
        value = self.data.get("patientBecause", {})
        if not isinstance(value, Mapping):
            raise RuleError(f"{self.rule_id}: patientBecause must map group ids to texts")
        texts: dict[str, str] = {}
        for key, text in value.items():
            if not isinstance(key, str) or not isinstance(text, str):
                raise RuleError(f"{self.rule_id}: patientBecause must map group ids to texts")
            texts[key] = text
        return texts
