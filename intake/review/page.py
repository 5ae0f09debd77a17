"""Everything the review page shows, gathered in three queries whatever the number of findings."""

import json
import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Literal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, F, FilteredRelation, OuterRef, Q, Subquery, TextField, UUIDField
from django.db.models.functions import Cast, Coalesce, JSONObject, Now
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from education.chain.models import ChainLink
from education.edition.models import Edition
from intake.conditions import SIDES, Answers, Group, Value, fill, holds
from intake.kept import Given, Kept, among
from intake.patients.asking import lesson_title
from intake.patients.models import Evaluation, Patient
from intake.questionnaires.definition import TYPED_WORDS, Definition, Item
from intake.questionnaires.models import Status
from intake.questionnaires.pages import enabled, pages
from intake.responses.answers import prune, read_answers
from intake.responses.body import marked_names
from intake.responses.compare import Difference, compare
from intake.responses.models import SENT_STATUSES, QuestionnaireResponse
from intake.responses.summary import Section, answer_words, summarize
from intake.responses.wording import question_label, scale_of
from intake.review import presence, timers
from intake.review.assess import BASELINE, AssessList, assess_list
from intake.review.changes import Gone, History, annotations, behind, history_of
from intake.review.decide import Standing, formal_name, full_name, titled, titled_finding
from intake.review.library import Check, LessonRef, Quoted, SourceRef, quote
from intake.review.models import ACKNOWLEDGING, Decision, DismissReason, MissedLink, RedFlagContact, Verdict
from intake.review.outcome_page import MissedLine, place_names
from intake.review.places import Step, Whereabouts, whereabouts
from intake.review.rules import definition, definitions
from intake.screening.models import Finding, RedFlag, RedFlagEvent, Rule, ScreeningRun, Tier
from intake.screening.screen import TIERS, URGENT, RuleDefinition

# The questions the page quotes by name; a questionnaire without them simply shows less.
MAIN_PROBLEM: Final = "why.main-problem"
AIM: Final = "goal.aim"
MAY_CALL: Final = "consent.contact"
# The order in which red flags that were looked for are listed.
SAFETY_STATES: Final = ("raised", "withdrawn", "unanswered", "clear")
# Earlier intakes that a score is compared with.
EARLIER: Final = 5
# What follows from answers alone is worked out once; a process remembers so many intakes and findings.
MOST_INTAKES: Final = 128
MOST_CARDS: Final = 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A question and what was answered; side is empty, left or right. An empty answer was left out."""

    question: str
    side: str
    answer: str


@dataclass(frozen=True, slots=True)
class Grade:
    """How well one link behind a finding is supported by evidence."""

    link: str
    grade: str
    note: str


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One decision: who, when, why. kept: made on an earlier version; the answers behind it are the same."""

    key: int
    decision: str
    label: str
    reason: str
    note: str
    by: str
    mine: bool
    at: datetime
    kept: bool = False


@dataclass(frozen=True, slots=True)
class FindingCard:
    """A chain finding or a note on the answers. Strength is told by how many signs fit, never as a chance.

    changed: since the patient changed answers it is `new` or rests on other `answers` or another `rule`;
    empty for what is the same. differences: the changed answers behind it, since the decision `before`.
    rule: the key of the version that raised it.
    """

    key: int
    title: str
    name: str
    place: Whereabouts
    level: int
    fitting: int
    asked: int
    contrary: int
    because: tuple[Line, ...]
    against: tuple[Line, ...]
    not_answered: tuple[Line, ...]
    explanation: str
    grades: tuple[Grade, ...]
    checks: tuple[Check, ...]
    lesson: LessonRef | None
    sources: tuple[SourceRef, ...]
    rule: int
    rule_id: str
    version: int
    approved: bool
    verdict: VerdictLine | None
    history: tuple[VerdictLine, ...]
    changed: str = ""
    differences: tuple[Difference, ...] = ()
    before: VerdictLine | None = None

    def __hash__(self) -> int:
        # All fields say no more: equal cards have equal keys.
        return hash((self.key, len(self.history), self.changed))

    @property
    def anchor(self) -> str:
        return f"finding-{self.key}"

    @property
    def seen(self) -> int:
        """The last decision this page knows of, to notice one that comes in between."""
        return self.history[-1].key if self.history else 0


@dataclass(frozen=True, slots=True)
class FlagEvent:
    """What happened to a red flag; these rows are only ever added to."""

    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FlagCard:
    """A red flag: what was ticked, what the clinic does about it, and how it stands."""

    key: int
    title: str
    side: str
    tier: str
    tier_label: str
    label: str
    action: tuple[str, ...]
    explanation: str
    ticked: tuple[Line, ...]
    state: str
    raised_at: datetime
    withdrawn_at: datetime | None
    seen_at: datetime | None
    mail_sent_at: datetime | None
    events: tuple[FlagEvent, ...]
    rule_id: str
    version: int
    approved: bool

    @property
    def due_at(self) -> datetime:
        """By when the clinic has called."""
        return timers.due_at(self.tier, self.raised_at)

    @property
    def overdue(self) -> bool:
        return self.waiting and timers.is_overdue(self.tier, self.raised_at, timezone.now())

    @property
    def stuck(self) -> bool:
        """Whether the notice to whoever is on call should have left and has not."""
        return self.waiting and timers.notice_is_stuck(self.raised_at, self.mail_sent_at, timezone.now())

    @property
    def urgent(self) -> bool:
        return self.tier in URGENT

    @property
    def waiting(self) -> bool:
        return self.urgent and self.state != RedFlag.State.ACKNOWLEDGED

    @property
    def name(self) -> str:
        return titled(self.title, self.side or None)


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One call about the red flags, as recorded."""

    called: str
    called_at: datetime
    outcome: str
    settled: bool
    next_step: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SafetyLine:
    """One red flag that was looked for. state: clear, raised, withdrawn (by the patient) or unanswered."""

    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Precaution:
    """Something to mind at the visit, with the note for staff."""

    title: str
    note: str
    approved: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What the same scale said in an earlier intake."""

    value: Value
    at: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """An intake the patient sent before: when, and its answers as stored."""

    at: datetime
    answers: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class LastTime:
    """The intake of the visit before: when it was sent, and what is answered differently now.

    new_places: marked on the body map now and not then, in words.
    """

    at: datetime
    differences: tuple[Difference, ...]
    new_places: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        """How many of the questions answered then have no answer now."""
        return sum(not one.after for one in self.differences)

    @property
    def different(self) -> int:
        """How many have another answer, or one for the first time."""
        return len(self.differences) - self.left_out


@dataclass(frozen=True, slots=True)
class Score:
    """A number on a scale: `value` of `most`; value None was not answered. before: in earlier intakes."""

    label: str
    value: Value | None
    most: Value | None
    before: tuple[Before, ...] = ()

    @property
    def curve(self) -> tuple[tuple[str, str], ...]:
        """The values from the first to this one as points of a drawing, 96 wide and 24 high; none for one."""
        values = [*(one.value for one in self.before), self.value]
        numbers = [float(value) for value in values if isinstance(value, int | float | Decimal)]
        if len(numbers) < 2 or len(numbers) < len(values) or not isinstance(self.most, int | float | Decimal):
            return ()
        step = 88 / (len(numbers) - 1)
        most = float(self.most) or 1.0
        return tuple(
            (f"{4 + place * step:.1f}", f"{20 - 16 * number / most:.1f}")
            for place, number in enumerate(numbers)
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """Who did something to the review, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one set of answers says, whoever reads it and whenever. scales: scored questions by linkId."""

    definition: Definition
    answers: Answers
    on: Collection[str]
    problem: str
    story: tuple[Line, ...]
    aim: str
    goals: tuple[Score, ...]
    scales: tuple[tuple[str, Score], ...]
    marked_left: tuple[str, ...]
    marked_right: tuple[str, ...]
    may_call: bool | None
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The whole page. Names and words of the patient are plain text, to be escaped by the template."""

    response: QuestionnaireResponse
    evaluation: Evaluation
    patient: Patient
    told: Told
    with_me: bool
    came_from: str
    standing: Standing
    begun: Signed | None
    others: tuple[presence.Other, ...]
    finished: Signed | None
    problem: str
    story: tuple[Line, ...]
    aim: str
    goals: tuple[Score, ...]
    scores: tuple[Score, ...]
    marked_left: tuple[str, ...]
    marked_right: tuple[str, ...]
    may_call: bool | None
    flags: tuple[FlagCard, ...]
    contacts: tuple[ContactLine, ...]
    safety: tuple[SafetyLine, ...]
    findings: tuple[FindingCard, ...]
    notes: tuple[FindingCard, ...]
    precautions: tuple[Precaution, ...]
    sections: tuple[Section, ...]
    approved: bool
    assess: AssessList
    history: History
    last_time: LastTime | None
    added: tuple[MissedLine, ...]

    @property
    def today(self) -> date:
        """The day that the page's times are told from."""
        return timezone.localdate()

    @property
    def ways(self) -> tuple[str, ...]:
        """The drawings beside its findings: up, down, local."""
        found = {card.place.way for card in (*self.findings, *self.notes)}
        return tuple(sorted({way if way in ("up", "down") else "local" for way in found}))

    @property
    def head(self) -> tuple[Hashable, ...]:
        """All that stands beside the name: of whom, of which visit, of which form."""
        response, evaluation = self.response, self.evaluation
        physio = evaluation.physio.formal_name if evaluation.physio else ""
        return (
            *(str(self.patient), self.age, self.with_me, physio, self.came_from, self.over, self.today),
            *(evaluation.pk, evaluation.status, evaluation.created_at, evaluation.starts_at),
            *(response.pk, response.authored, response.updated_at, self.standing.sent),
        )

    @property
    def kept(self) -> int:
        """How many decisions on an earlier version still stand."""
        return sum(card.verdict is not None and card.verdict.kept for card in self.findings)

    @property
    def age(self) -> int:
        """In whole years on the day of the visit, or today while there is none."""
        return self.patient.age_on(timezone.localdate(self.evaluation.starts_at or timezone.now()))

    @property
    def over(self) -> bool:
        """Whether the visit has begun, so that what it showed can be recorded."""
        starts_at = self.evaluation.starts_at
        return self.standing.sent and starts_at is not None and starts_at <= timezone.now()

    @property
    def phone_href(self) -> str:
        digits = re.sub(r"[^\d+]", "", self.patient.phone)
        return f"tel:{digits}" if digits else ""

    @property
    def urgent_flags(self) -> tuple[FlagCard, ...]:
        return tuple(flag for flag in self.flags if flag.urgent)

    @property
    def quiet_flags(self) -> tuple[FlagCard, ...]:
        return tuple(flag for flag in self.flags if not flag.urgent)

    @property
    def waiting(self) -> tuple[FlagCard, ...]:
        return tuple(flag for flag in self.flags if flag.waiting)

    @property
    def seen(self) -> int:
        """The last decision on any finding that this page knows of."""
        return max((card.seen for card in self.findings), default=0)

    @property
    def decided(self) -> int:
        return sum(card.verdict is not None for card in self.findings)

    @property
    def raised(self) -> int:
        return sum(line.state in ("raised", "withdrawn") for line in self.safety)

    @property
    def answered(self) -> int:
        """Of the red flags that were looked for, those whose questions were answered."""
        return sum(line.state != "unanswered" for line in self.safety)


def review_page(*, user: AbstractBaseUser, response_id: UUID) -> ReviewPage:
    """The page of one intake, as this user may see it.

    Raises `QuestionnaireResponse.DoesNotExist` for an unknown one, one this user may not see, and a draft
    that raised no red flag: what a patient has not sent is read only where she may need help.
    """
    response = _response(user, response_id)
    told = _told(response.questionnaire.tree(), response.said, get_language())
    definition, answers = told.definition, told.answers
    rows, rules = _rules_asked(response)
    flags = _flags(rows, rules)
    if not response.is_sent and not flags:
        raise QuestionnaireResponse.DoesNotExist
    earlier = _earlier(response)
    history = history_of(response, definition, answers)
    findings, notes, gone, library = _cards(response, user, history)
    precautions = tuple(
        Precaution(rules[row["pk"]].title, rules[row["pk"]].staff_note, row["approved_at"] is not None)
        for row in rows
        if row["kind"] == Rule.Kind.PRECAUTION and row["rule_id"] in (response.precautions or ())
    )
    approved = response.questionnaire.approved_at is not None
    return ReviewPage(
        response=response,
        evaluation=response.evaluation,
        patient=response.evaluation.patient,
        told=told,
        with_me=response.evaluation.physio_id == user.pk,
        came_from=response.came_from or "",
        standing=Standing(
            sent=response.is_sent,
            finished=response.finished_at is not None,
            waiting=tuple(flag.name for flag in flags if flag.waiting),
            undecided=tuple(card.name for card in findings if card.verdict is None),
            replaced=response.replaced_at is not None,
        ),
        begun=_signed(response.begun_first, response.begun_last, response.begun_at),
        others=presence.read(response.colleagues),
        finished=_signed(response.finished_first, response.finished_last, response.finished_at),
        problem=told.problem,
        story=told.story,
        aim=told.aim,
        goals=told.goals,
        scores=_scores(told, earlier),
        marked_left=told.marked_left,
        marked_right=told.marked_right,
        may_call=told.may_call,
        flags=flags,
        contacts=_contacts(response),
        safety=_safety(told, rows, rules, flags),
        findings=findings,
        notes=notes,
        precautions=precautions,
        sections=told.sections,
        approved=approved and all(row["approved_at"] for row in rows) and all(c.approved for c in findings),
        assess=_assess((*findings, *notes), library, get_language()),
        history=replace(history, gone=gone),
        last_time=_last_time(earlier, definition, answers),
        added=_added(response),
    )


# The intake and what stands beside it: three queries, and one for what of the library was not quoted yet


def _intake(responses: Any, links: Any) -> Any:
    """One intake with what stands beside it: who opened it, calls, earlier intakes, versions."""
    runs = ScreeningRun.objects.filter(response=OuterRef("pk")).order_by("-at", "-pk")
    return (
        responses.select_related("evaluation__patient", "evaluation__physio", "questionnaire")
        .defer("questionnaire__definition", "document", "answers", "saved_pages")
        .annotate(
            said=Cast("answers", TextField()),
            ran=Subquery(runs.values("rule_versions")[:1]),
            precautions=Subquery(runs.values("precautions")[:1]),
            came_from=lesson_title("evaluation__request__source"),
            edition=Subquery(Edition.objects.values("mark")[:1]),
            colleagues=presence.COLLEAGUES,
            added_links=ArraySubquery(
                links.filter(
                    response__evaluation=OuterRef("evaluation"), takes_back=None, taken_back_by__isnull=True
                )
                .order_by("pk")
                .values(
                    json=JSONObject(
                        key="pk",
                        starts_side="starts_side",
                        starts_at="starts_at",
                        shows_side="shows_side",
                        shows_at="shows_at",
                        words="words",
                        title="by__title",
                        first="by__first_name",
                        last="by__last_name",
                        at="at",
                    )
                )
            ),
            calls=ArraySubquery(
                RedFlagContact.objects.filter(response__evaluation=OuterRef("evaluation"))
                .order_by("pk")
                .values(
                    json=JSONObject(
                        called="called",
                        called_at="called_at",
                        outcome="outcome",
                        next_step="next_step",
                        first="by__first_name",
                        last="by__last_name",
                        username="by__username",
                        at="at",
                    )
                )
            ),
            intakes_before=ArraySubquery(
                responses.filter(
                    evaluation__patient=OuterRef("evaluation__patient"),
                    status__in=SENT_STATUSES,
                    replaced_at=None,
                    authored__lt=Coalesce(OuterRef("authored"), Now()),
                )
                .exclude(evaluation=OuterRef("evaluation"))
                .order_by("-authored")
                .values(json=JSONObject(at="authored", answers="answers"))[:EARLIER]
            ),
            begun_at=F("reviews__started_at"),
            begun_first=F("reviews__started_by__first_name"),
            begun_last=F("reviews__started_by__last_name"),
            finished_at=F("reviews__finished_at"),
            finished_first=F("reviews__finished_by__first_name"),
            finished_last=F("reviews__finished_by__last_name"),
            **annotations(),
        )
        .filter(pk=Given("key", UUIDField()))
    )


_INTAKE: Final = Kept(_intake)


def _response(user: AbstractBaseUser, response_id: UUID) -> Any:
    scopes = QuestionnaireResponse.objects.visible_to(user), MissedLink.objects.visible_to(user)
    found = _INTAKE.rows(scopes, key=response_id, **presence.but_not(user))
    if not found:
        raise QuestionnaireResponse.DoesNotExist
    return found[0]


def _rules(wanted: Q) -> Any:
    """Rules that raised a flag of the intake, and those that are wanted beside them."""
    happened = (
        RedFlagEvent.objects.filter(flag=OuterRef("flag__pk"))
        .order_by("at", "pk")
        .values(event=JSONObject(kind="kind", at="at"))
    )
    raised = FilteredRelation("red_flags", condition=Q(red_flags__response=Given("owner", UUIDField())))
    return (
        Rule.objects.annotate(flag=raised)
        .filter(Q(flag__pk__isnull=False) | (Q(kind__in=[Rule.Kind.RED_FLAG, Rule.Kind.PRECAUTION]) & wanted))
        .order_by("pk", "flag__pk")
        .values(
            "pk",
            "rule_id",
            "version",
            "kind",
            "approved_at",
            "flag__pk",
            "flag__side",
            "flag__tier",
            "flag__state",
            "flag__evidence",
            "flag__raised_at",
            "flag__withdrawn_at",
            "flag__patient_saw_at",
            "flag__mail_sent_at",
            flag_events=ArraySubquery(happened),
        )
    )


_RULES_THAT_RAN: Final = Kept(
    lambda: _rules(Q(among("rule_id", Given("ran", CharField(max_length=80), many=True))))
)
_RULES_THAT_RUN: Final = Kept(lambda: _rules(Q(status=Status.ACTIVE)))


def _rules_asked(response: Any) -> tuple[list[dict[str, Any]], dict[int, RuleDefinition]]:
    """Red flags and precautions that were looked for, beside the flags they raised; and their definitions.

    For a sent intake the versions that ran; for a draft those that run now.
    """
    # Red flags went on to the version that stands.
    owner = response.current if response.replaced_at else response.pk
    if not response.ran:
        rows = _RULES_THAT_RUN.rows((), owner=owner)
    else:
        rows = [
            row
            for row in _RULES_THAT_RAN.rows((), owner=owner, ran=list(response.ran))
            if row["flag__pk"] or response.ran.get(row["rule_id"]) == row["version"]
        ]
    return rows, definitions(row["pk"] for row in rows)


def _flags(rows: Sequence[Mapping[str, Any]], rules: Mapping[int, RuleDefinition]) -> tuple[FlagCard, ...]:
    """The flags raised: waiting ones first, then by tier, then as they came."""
    cards = []
    for row in rows:
        if not row["flag__pk"]:
            continue
        rule, evidence = rules[row["pk"]], row["flag__evidence"]
        cards.append(
            FlagCard(
                key=row["flag__pk"],
                title=rule.title,
                side=row["flag__side"] or "",
                tier=row["flag__tier"],
                tier_label=str(Tier(row["flag__tier"]).label),
                label=rule.staff_label or rule.title,
                action=_sentences(rule.clinic_action),
                explanation=rule.explanation,
                ticked=_lines([*evidence["requires"], *evidence["supports"]]),
                state=row["flag__state"],
                raised_at=row["flag__raised_at"],
                withdrawn_at=row["flag__withdrawn_at"],
                seen_at=row["flag__patient_saw_at"],
                mail_sent_at=row["flag__mail_sent_at"],
                events=tuple(
                    FlagEvent(str(RedFlagEvent.Kind(one["kind"]).label), datetime.fromisoformat(one["at"]))
                    for one in row["flag_events"]
                ),
                rule_id=rule.id,
                version=rule.version,
                approved=row["approved_at"] is not None,
            )
        )
    order: tuple[str, ...] = TIERS
    return tuple(sorted(cards, key=lambda card: (not card.waiting, order.index(card.tier), card.key)))


def _contacts(response: Any) -> tuple[ContactLine, ...]:
    return tuple(
        ContactLine(
            called=row["called"],
            called_at=datetime.fromisoformat(row["called_at"]),
            outcome=str(RedFlagContact.Outcome(row["outcome"]).label),
            settled=row["outcome"] in ACKNOWLEDGING,
            next_step=row["next_step"],
            by=full_name(row["first"], row["last"]) or row["username"],
            at=datetime.fromisoformat(row["at"]),
        )
        for row in response.calls
    )


def _findings(findings: Any, verdicts: Any) -> Any:
    """Findings of some versions of an intake, highest score first, each with the decisions on it."""
    return (
        findings.filter(among("response", Given("versions", UUIDField(), many=True)))
        .annotate(
            evidence_text=Cast("evidence", TextField()),
            decisions=ArraySubquery(
                verdicts.filter(finding=OuterRef("pk"))
                .order_by("pk")
                .values(
                    json=JSONObject(
                        key="pk",
                        decision="decision",
                        reason="reason",
                        note="note",
                        at="at",
                        by="by",
                        first="by__first_name",
                        last="by__last_name",
                        username="by__username",
                        kept_from="carried_from",
                    )
                )
            ),
        )
        .order_by("-score", "pk")
        .values_list(
            "pk",
            "response_id",
            "rule_id",
            "rule__kind",
            "rule__version",
            "rule__approved_at",
            "side",
            "source_side",
            "target_side",
            "score",
            "evidence_text",
            "decisions",
            named=True,
        )
    )


_FINDINGS: Final = Kept(_findings)


def _cards(
    response: Any, user: AbstractBaseUser, history_of_intake: History
) -> tuple[tuple[FindingCard, ...], tuple[FindingCard, ...], tuple[Gone, ...], Quoted]:
    """Chain findings, highest score first; notes on the answers; findings raised no more; the library."""
    keys = [response.pk, *(version.key for version in history_of_intake.versions)]
    scopes = Finding.objects.visible_to(user), Verdict.objects.visible_to(user)
    found_at_all = _FINDINGS.rows(scopes, versions=keys)
    found = [finding for finding in found_at_all if finding.response_id == response.pk]
    rules = definitions(finding.rule_id for finding in found_at_all)
    history = {
        finding.pk: [_decision(row, user) for row in finding.decisions]
        for finding in found_at_all
        if finding.decisions
    }
    used = [rules[finding.rule_id] for finding in found]
    library = quote(
        links=[slug for rule in used for slug in rule.links],
        tests=chain(*BASELINE.values(), *(rule.suggested_checks for rule in used)),
        lessons=[rule.lesson for rule in used if rule.lesson],
        sources=[code for rule in used for code in rule.sources],
        mark=response.edition,
    )
    language = get_language()
    cards = [
        (finding.rule__kind, _decided(_card_of(finding, library, language), history.get(finding.pk, ())))
        for finding in found
    ]
    gone: tuple[Gone, ...] = ()
    if history_of_intake.versions:
        before = [finding for finding in found_at_all if finding.response_id != response.pk]
        cards = [
            (kind, _since(card, finding, before, rules, history, history_of_intake))
            for (kind, card), finding in zip(cards, found, strict=True)
        ]
        gone = _gone(found, before, rules, history, history_of_intake)
    return (
        tuple(card for kind, card in cards if kind == Rule.Kind.CHAIN),
        tuple(card for kind, card in cards if kind == Rule.Kind.NOTE),
        gone,
        library,
    )


@lru_cache(maxsize=MOST_INTAKES)
def _assess(cards: tuple[FindingCard, ...], library: Quoted, _language: str | None) -> AssessList:
    return assess_list(cards, library.checks)


def _decision(row: Mapping[str, Any], user: AbstractBaseUser) -> VerdictLine:
    return VerdictLine(
        key=row["key"],
        decision=row["decision"],
        label=str(Decision(row["decision"]).label),
        reason=str(DismissReason(row["reason"]).label) if row["reason"] else "",
        note=row["note"],
        by=full_name(row["first"], row["last"]) or row["username"],
        mine=row["by"] == user.pk,
        at=datetime.fromisoformat(row["at"]),
        kept=row["kept_from"] is not None,
    )


def _since(
    card: FindingCard,
    finding: Any,
    before: Sequence[Any],
    rules: Mapping[int, RuleDefinition],
    history: Mapping[int, Sequence[VerdictLine]],
    intake: History,
) -> FindingCard:
    """The card with what became of its finding since the earlier versions of the intake."""
    place = {version.key: number for number, version in enumerate(intake.versions)}
    same = sorted(
        (one for one in before if (rules[one.rule_id].id, one.side) == (card.rule_id, finding.side)),
        key=lambda one: place[one.response_id],
    )
    own = [line for line in card.history if not line.kept]
    earlier = [line for one in same for line in history.get(one.pk, ()) if not line.kept]
    card = replace(card, history=(*earlier, *own) if earlier else card.history)
    if not same or same[-1].response_id != intake.versions[-1].key:
        return replace(card, changed="new")
    decided = [one for one in same if history.get(one.pk)]
    base = decided[-1] if decided else same[-1]
    if base.evidence_text == finding.evidence_text and base.rule_id == finding.rule_id:
        return card
    last = history[base.pk][-1] if decided else None
    differences = behind(
        intake.since[base.response_id], json.loads(base.evidence_text), json.loads(finding.evidence_text)
    )
    return replace(
        card,
        changed="answers" if differences else "rule",
        differences=differences,
        before=last if last and last.decision != Decision.UNCONFIRMED else None,
    )


def _gone(
    found: Sequence[Any],
    before: Sequence[Any],
    rules: Mapping[int, RuleDefinition],
    history: Mapping[int, Sequence[VerdictLine]],
    intake: History,
) -> tuple[Gone, ...]:
    """Chain findings of the last version that the answers do not raise any more."""
    still = {(rules[one.rule_id].id, one.side) for one in found}
    gone = []
    for one in before:
        rule = rules[one.rule_id]
        last_version = one.response_id == intake.versions[-1].key
        if not last_version or one.rule__kind != Rule.Kind.CHAIN or (rule.id, one.side) in still:
            continue
        last = next(reversed(history.get(one.pk, ())), None)
        decided = last is not None and last.decision != Decision.UNCONFIRMED
        name = titled_finding(rule.title, one.source_side, one.target_side)
        gone.append(Gone(name, last.label if last and decided else ""))
    return tuple(gone)


def _decided(card: FindingCard, history: Sequence[VerdictLine]) -> FindingCard:
    """The card with the decisions on it."""
    if not history:
        return card
    last = history[-1]
    stands = last if last.decision != Decision.UNCONFIRMED else None
    return replace(card, verdict=stands, history=tuple(history))


def _card_of(finding: Any, library: Quoted, language: str | None) -> FindingCard:
    return _card(
        finding.pk,
        finding.rule_id,
        finding.side,
        finding.source_side,
        finding.target_side,
        finding.score,
        finding.evidence_text,
        finding.rule__version,
        finding.rule__approved_at is not None,
        library,
        language,
    )


@lru_cache(maxsize=MOST_CARDS)
def _card(
    key: int,
    rule_key: int,
    side: Literal["left", "right"] | None,
    source_side: str | None,
    target_side: str | None,
    score: int,
    evidence_text: str,
    version: int,
    approved: bool,
    library: Quoted,
    _language: str | None,
) -> FindingCard:
    """A finding that nobody has decided on: all that it says follows from what stands here."""
    rule, evidence = definition(rule_key), json.loads(evidence_text)
    return FindingCard(
        key=key,
        title=rule.title,
        name=titled_finding(rule.title, source_side, target_side),
        place=whereabouts(
            direction=rule.direction,
            steps=[library.steps[slug] for slug in rule.links if slug in library.steps],
            source_side=source_side,
            target_side=target_side,
        ),
        level=_level(score, rule.threshold),
        fitting=len(evidence["supports"]),
        asked=len(rule.supports),
        contrary=len(evidence["against"]),
        because=_lines([*evidence["requires"], *evidence["supports"]]),
        against=_lines(evidence["against"]),
        not_answered=tuple(
            Line(line["question"], line.get("side") or "", "") for line in evidence["notAnswered"]
        ),
        explanation=capfirst(fill(rule.explanation, side)),
        grades=grades(rule, library.steps),
        checks=tuple(library.checks[slug] for slug in rule.suggested_checks if slug in library.checks),
        lesson=library.lessons.get(rule.lesson),
        sources=tuple(library.sources[code] for code in rule.sources if code in library.sources),
        rule=rule_key,
        rule_id=rule.id,
        version=version,
        approved=approved,
        verdict=None,
        history=(),
    )


def grades(rule: RuleDefinition, steps: Mapping[str, Step]) -> tuple[Grade, ...]:
    """The evidence for each link of a rule, with the link in words."""
    words = dict(ChainLink.Evidence.choices)
    found = []
    for one in rule.evidence:
        step = steps.get(one.link)
        if step is not None:
            ends = {"start": step.start_name, "end": step.end_name[:1].lower() + step.end_name[1:]}
            link = _("%(start)s to %(end)s") % ends
            found.append(Grade(link, str(words.get(one.grade, one.grade)), one.note))
    return tuple(found)


def _level(score: int, threshold: int) -> int:
    """1 to 3 for "few", "some" and "many" signs: how far the score is past what raises the rule."""
    if score >= 2 * threshold:
        return 3
    return 2 if score > threshold else 1


# What the patient said, found by the shape of the questions rather than by their names


def _lines(groups: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    """The answers of evidence groups, each question once."""
    questions: dict[str, tuple[str, str]] = {}
    answers: dict[str, list[str]] = {}
    for group in groups:
        for entry in group["answers"]:
            link_id, text = entry["linkId"], entry["answer"]
            questions.setdefault(link_id, (entry["question"], entry.get("side") or ""))
            known = answers.setdefault(link_id, [])
            # One group may quote two answers of a question and another group one of them.
            if not any(text in one for one in known):
                known[:] = [*(one for one in known if one not in text), text]
    return tuple(
        Line(question, side, "; ".join(filter(None, answers[link_id])))
        for link_id, (question, side) in questions.items()
    )


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"(?<=[.?!])\s+(?=[A-Z0-9])", text) if part.strip())


def _signed(first: str | None, last: str | None, at: datetime | None) -> Signed | None:
    return Signed(full_name(first, last), at) if at else None


@lru_cache(maxsize=MOST_INTAKES)
def _told(definition: Definition, said: str, _language: str | None) -> Told:
    """said: the answers as stored, a JSON text."""
    answers = prune(definition, read_answers(json.loads(said)))
    on = enabled(definition, answers)
    return Told(
        definition=definition,
        answers=answers,
        on=on,
        problem=_answer(definition, answers, MAIN_PROBLEM),
        story=_story(definition, answers, on),
        aim=_answer(definition, answers, AIM),
        goals=_goals(definition, answers),
        scales=_scales(definition, answers, on),
        marked_left=_marked(definition, answers, "left"),
        marked_right=_marked(definition, answers, "right"),
        may_call=_yes_or_no(answers, MAY_CALL),
        sections=summarize(
            definition, answers, tuple(page for page in pages(definition) if page.link_id in on)
        ),
    )


def _answer(definition: Definition, answers: Answers, link_id: str) -> str:
    item = definition.get(link_id)
    if item is None:
        return ""
    return ", ".join(answer_words(item, value) for value in answers.get(link_id, ()))


def _yes_or_no(answers: Answers, link_id: str) -> bool | None:
    values = answers.get(link_id, ())
    return bool(values[0]) if values else None


def _story(definition: Definition, answers: Answers, on: Collection[str]) -> tuple[Line, ...]:
    """What the patient wrote at length."""
    return tuple(
        Line(item.text, "", str(value))
        for item in definition.questions()
        if item.type == "text" and item.link_id in on
        for value in answers.get(item.link_id, ())
        if str(value).strip()
    )


def _scored_words(definition: Definition) -> dict[str, Item]:
    """Questions in the patient's words that a scale beside them scores: linkId of the words -> the scale."""
    pairs = {}
    for scale in definition.questions():
        if scale_of(scale) is None:
            continue
        for condition in scale.enable_when:
            asked = definition.get(condition.question)
            if condition.operator == "exists" and asked is not None and asked.type in TYPED_WORDS:
                pairs[asked.link_id] = scale
    return pairs


def _goals(definition: Definition, answers: Answers) -> tuple[Score, ...]:
    return tuple(
        Score(str(answers[words][0]), next(iter(answers.get(scale.link_id, ())), None), scale.max_value)
        for words, scale in _scored_words(definition).items()
        if answers.get(words)
    )


def _earlier(response: Any) -> tuple[Earlier, ...]:
    """What the patient sent before, oldest first."""
    return tuple(
        Earlier(datetime.fromisoformat(one["at"]), one["answers"])
        for one in reversed(response.intakes_before)
    )


def _added(response: Any) -> tuple[MissedLine, ...]:
    names = place_names() if response.added_links else {}
    return tuple(
        MissedLine(
            key=one["key"],
            starts=names.get(f"{one['starts_side']}.{one['starts_at']}", one["starts_at"]),
            shows=names.get(f"{one['shows_side']}.{one['shows_at']}", one["shows_at"]),
            words=one["words"],
            by=full_name(one["first"], one["last"]),
            physio=formal_name(one["title"], one["first"], one["last"]),
            at=datetime.fromisoformat(one["at"]),
            taken_back=False,
        )
        for one in response.added_links
    )


def _last_time(earlier: Sequence[Earlier], definition: Definition, answers: Answers) -> LastTime | None:
    if not earlier:
        return None
    then = prune(definition, read_answers(earlier[-1].answers))
    left, right = (
        set(_marked(definition, answers, side)).difference(_marked(definition, then, side)) for side in SIDES
    )
    return LastTime(earlier[-1].at, compare(definition, then, answers), marked_names(left, right))


def _scales(definition: Definition, answers: Answers, on: Collection[str]) -> tuple[tuple[str, Score], ...]:
    goals = {scale.link_id for scale in _scored_words(definition).values()}
    return tuple(
        (
            item.link_id,
            Score(
                question_label(definition, item),
                next(iter(answers.get(item.link_id, ())), None),
                item.max_value,
            ),
        )
        for item in definition.questions()
        if scale_of(item) is not None and item.link_id in on and item.link_id not in goals
    )


def _scores(told: Told, earlier: Sequence[Earlier]) -> tuple[Score, ...]:
    if not earlier:
        return tuple(score for _link_id, score in told.scales)
    return tuple(
        replace(
            score,
            before=tuple(
                Before(value, one.at) for one in earlier for value in one.answers.get(link_id, ())[:1]
            ),
        )
        for link_id, score in told.scales
    )


def _marked(definition: Definition, answers: Answers, side: str) -> tuple[str, ...]:
    return tuple(
        str(value)
        for item in definition.questions()
        if item.body_map and item.side == side
        for value in answers.get(item.link_id, ())
    )


def _safety(
    told: Told,
    rows: Sequence[Mapping[str, Any]],
    rules: Mapping[int, RuleDefinition],
    flags: Sequence[FlagCard],
) -> tuple[SafetyLine, ...]:
    """Every red flag that was looked for, by state."""
    raised = {flag.rule_id for flag in flags}
    standing = {flag.rule_id for flag in flags if flag.withdrawn_at is None}
    lines = {}
    for row in rows:
        rule = rules[row["pk"]]
        if rule.kind != "red-flag":
            continue
        if rule.id in raised:
            state = "raised" if rule.id in standing else "withdrawn"
        else:
            state = "clear" if _cleared(told, row["pk"]) else "unanswered"
        lines[rule.id] = SafetyLine(rule.title, state)
    return tuple(sorted(lines.values(), key=lambda line: SAFETY_STATES.index(line.state)))


@lru_cache(maxsize=MOST_INTAKES * 16)
def _cleared(told: Told, rule: int) -> bool:
    return _ruled_out(definition(rule), told.answers, told.on)


def _ruled_out(rule: RuleDefinition, answers: Answers, on: Collection[str]) -> bool:
    """Whether the answers given rule a red flag out on every side, rather than leave it open."""
    return all(
        any(_is_false(group, answers, on) for group in sided.requires)
        or all(answers.get(question) for question in sided.questions)
        for sided in rule.sides
    )


def _is_false(group: Group, answers: Answers, on: Collection[str]) -> bool:
    """Whether a group is false because of what was answered, not for want of an answer.

    Of several ways to fulfill it, those not asked (no injury, so nothing since the injury) drop out.
    """
    asked = [condition for condition in group.conditions if condition.question in on]
    failed = [bool(answers.get(one.question)) and not holds(one, answers) for one in asked]
    return any(failed) if group.match == "all" else bool(failed) and all(failed)
