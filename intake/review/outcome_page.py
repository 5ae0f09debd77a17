"""Everything the page after the evaluation shows, in seven queries whatever the number of findings.

What the visit before showed takes two more, where there was one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, OuterRef, Subquery
from django.db.models.fields.json import KeyTransform
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.patients.models import Evaluation, Patient
from intake.responses.body import regions
from intake.responses.models import QuestionnaireResponse
from intake.review.decide import allowed, titled_finding
from intake.review.library import quote
from intake.review.measures import MEASURES, SIDES, Measure, written
from intake.review.models import (
    Closing,
    Decision,
    Measurement,
    MissedLink,
    NotTestedReason,
    Outcome,
    Result,
    Verdict,
)
from intake.review.outcome_before import VisitBefore, closed_before, visit_before
from intake.review.outcomes import (
    Seen,
    Standing,
    Typed,
    TypedLink,
    TypedOutcome,
    check_record,
    last_outcomes,
    last_values,
    standing_from,
)
from intake.review.places import SIDES as SIDE_WORDS
from intake.review.places import Whereabouts, whereabouts
from intake.screening.models import Finding, Rule


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One outcome as recorded: who, when, what."""

    label: str
    reason: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One chain finding, what stands in its fields, and what was recorded about it before.

    decision: the verdict that stands, in words, or empty. stands: the outcome that stands, if any. offered:
    dismissed, so its fields say already that it was not tested, and are kept with all others.
    """

    key: int
    title: str
    name: str
    place: Whereabouts
    decision: str
    typed: TypedOutcome
    stands: OutcomeLine | None
    history: tuple[OutcomeLine, ...]
    errors: Mapping[str, str]
    offered: bool = False

    @property
    def filled(self) -> bool:
        return self.stands is not None or self.offered


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a measurement."""

    name: str
    side: str
    text: str
    error: str


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One test with a field a side."""

    measure: Measure
    cells: tuple[Cell, ...]

    @property
    def errors(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.error)

    @property
    def taken(self) -> bool:
        return any(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class MissedLine:
    """A link the rules missed, in words. physio: who added it as patients know them, "Dr. Ortiz"."""

    key: int
    starts: str
    shows: str
    words: str
    by: str
    physio: str
    at: datetime
    taken_back: bool


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """The evaluation was closed or opened again: who, when, why."""

    closed: bool
    label: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnkeptLine:
    """Something typed that could not be kept any more: about what, and the words."""

    about: str
    words: str


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """The whole page. Names and words are plain text, to be escaped by the template.

    unkept: what was typed and is not what stands, for a page that is only read.
    """

    response: QuestionnaireResponse
    evaluation: Evaluation
    patient: Patient
    with_me: bool
    standing: Standing
    findings: tuple[FindingRow, ...]
    measures: tuple[MeasureRow, ...]
    links: tuple[MissedLine, ...]
    typed: Typed
    closings: tuple[ClosingLine, ...]
    unkept: tuple[UnkeptLine, ...]
    before: VisitBefore | None

    @property
    def filled(self) -> int:
        return sum(row.filled for row in self.findings)

    @property
    def left(self) -> int:
        return len(self.findings) - self.filled

    @property
    def measured(self) -> tuple[MeasureRow, ...]:
        """The tests with a value, for a page that is only read."""
        return tuple(row for row in self.measures if row.taken)


def outcome_page(
    *,
    user: AbstractBaseUser,
    response_id: UUID,
    typed: Typed | None = None,
    problems: Mapping[str, str] | None = None,
) -> OutcomePage:
    """The page of one intake as this user may see it. typed, problems: of a form that was not kept.

    Raises `QuestionnaireResponse.DoesNotExist` for an unknown one, one this user may not see, and a draft.
    """
    response = _response(user, response_id)
    if not response.is_sent:
        raise QuestionnaireResponse.DoesNotExist
    found = _findings(response)
    outcomes = list(Outcome.objects.filter(finding__response=response.pk).select_related("by").order_by("pk"))
    measurements = list(Measurement.objects.filter(response=response.pk).order_by("pk"))
    closings = list(Closing.objects.filter(response=response.pk).select_related("by").order_by("number"))
    names = {one.pk: titled_finding(one.title, one.source_side, one.target_side) for one in found}
    last = last_outcomes(outcomes)
    stands = Typed(
        outcomes={one.pk: _fields(last.get(one.pk), one.decision) for one in found},
        values={
            place: written(MEASURES[place[0]], value) for place, value in last_values(measurements).items()
        },
        seen=Seen(
            outcomes[-1].pk if outcomes else 0,
            measurements[-1].pk if measurements else 0,
        ),
    )
    standing = standing_from(
        response=response, closings=closings, names=names, known=last, now=timezone.now()
    )
    # What cannot be kept any more is listed; the page is of what stands.
    kept = typed if typed is not None and allowed(check_record, standing) else None
    shown = kept or stands
    problems = problems if kept and problems else {}
    links = _links(response)
    return OutcomePage(
        response=response,
        evaluation=response.evaluation,
        patient=response.evaluation.patient,
        with_me=response.evaluation.physio_id == user.pk,
        standing=standing,
        findings=_rows(found, names, outcomes, shown, problems),
        measures=tuple(
            MeasureRow(
                measure,
                tuple(
                    Cell(
                        f"{kind}-{side}",
                        str(SIDE_WORDS[side]),
                        shown.values.get((kind, side), ""),
                        problems.get(f"{kind}-{side}", ""),
                    )
                    for side in SIDES
                ),
            )
            for kind, measure in MEASURES.items()
        ),
        links=links,
        typed=shown,
        closings=tuple(_closing_line(row) for row in closings),
        unkept=_unkept(typed, stands, names, links) if typed and not kept else (),
        before=visit_before(user, response.closed_before),
    )


def closings_of(*, user: AbstractBaseUser, response_id: UUID) -> tuple[ClosingLine, ...]:
    """For who may only open it again: when it was closed and opened, and nothing of the patient.

    Raises `Closing.DoesNotExist` where it is not closed, or this user may not see it.
    """
    rows = Closing.objects.visible_to(user).filter(response=response_id)
    lines = tuple(_closing_line(row) for row in rows.select_related("by").order_by("number"))
    if not lines or not lines[-1].closed:
        raise Closing.DoesNotExist
    return lines


def place_choices() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The parts a missed link may start from or show at, by side: "left.knee-front", "Left knee, front"."""
    return tuple(
        (str(SIDE_WORDS[side]), tuple((f"{side}.{one.id}", one.name) for one in regions(side)))
        for side in ("left", "right")
    )


def place_names() -> dict[str, str]:
    """What each of them is called: "left.knee-front" -> "Left knee, front"."""
    return dict(choice for _side, choices in place_choices() for choice in choices)


def _response(user: AbstractBaseUser, response_id: UUID) -> Any:
    return (
        QuestionnaireResponse.objects.visible_to(user)
        .select_related("evaluation__patient", "evaluation__physio")
        .defer("answers", "document")
        .annotate(closed_before=Subquery(closed_before(user)))
        .get(pk=response_id)
    )


def _findings(response: QuestionnaireResponse) -> list[Any]:
    verdicts = Verdict.objects.filter(finding=OuterRef("pk")).order_by("-pk")
    return list(
        Finding.objects.filter(response=response.pk, rule__kind=Rule.Kind.CHAIN)
        .annotate(
            title=F("rule__title"),
            links=KeyTransform("links", "rule__definition"),
            decision=Subquery(verdicts.values("decision")[:1]),
        )
        .defer("evidence")
        .order_by("-score", "pk")
    )


def _fields(row: Any, decision: str | None) -> TypedOutcome:
    """What stands in the fields of a finding; one that was dismissed is offered as not tested for that."""
    if row is not None:
        return TypedOutcome(row.result, row.reason, row.note)
    if decision == Decision.REFUTED:
        return TypedOutcome(Result.NOT_TESTED, NotTestedReason.DISMISSED)
    return TypedOutcome()


def _rows(
    found: Sequence[Any],
    names: Mapping[int, str],
    outcomes: Sequence[Any],
    shown: Typed,
    problems: Mapping[str, str],
) -> tuple[FindingRow, ...]:
    steps = quote(links={slug for one in found for slug in one.links or ()}).steps if found else {}
    history: dict[int, list[OutcomeLine]] = {}
    for row in outcomes:
        history.setdefault(row.finding_id, []).append(
            OutcomeLine(
                label=row.get_result_display(),
                reason=row.get_reason_display() if row.reason else "",
                note=row.note,
                by=str(row.by),
                at=row.at,
            )
        )
    decisions = {word: label for word, label in Decision.choices if word != Decision.UNCONFIRMED}
    return tuple(
        FindingRow(
            key=one.pk,
            title=one.title,
            name=names[one.pk],
            place=whereabouts(
                direction=one.direction,
                steps=[steps[slug] for slug in one.links or () if slug in steps],
                source_side=one.source_side,
                target_side=one.target_side,
            ),
            decision=str(decisions.get(one.decision, "")),
            typed=shown.outcomes.get(one.pk, TypedOutcome()),
            stands=history[one.pk][-1] if one.pk in history else None,
            offered=one.pk not in history and one.decision == Decision.REFUTED,
            history=tuple(history.get(one.pk, ())),
            errors={
                field: problems[f"{field}-{one.pk}"]
                for field in ("result", "reason", "note")
                if f"{field}-{one.pk}" in problems
            },
        )
        for one in found
    )


def _unkept(
    typed: Typed, stands: Typed, names: Mapping[int, str], links: Sequence[MissedLine]
) -> tuple[UnkeptLine, ...]:
    found = []
    results, reasons, places = dict(Result.choices), dict(NotTestedReason.choices), place_names()
    for key, name in names.items():
        one = typed.outcomes.get(key, TypedOutcome())
        reason = one.reason if one.result == Result.NOT_TESTED else ""
        if one.result and TypedOutcome(one.result, reason, one.note.strip()) != stands.outcomes[key]:
            said = [results.get(one.result, ""), reasons.get(reason, ""), one.note]
            found.append(UnkeptLine(name, ". ".join(str(words) for words in said if words)))
    for (kind, side), text in typed.values.items():
        if text.strip() and text.strip() != stands.values.get((kind, side)):
            measure = MEASURES[kind]
            found.append(
                UnkeptLine(f"{measure.label}, {SIDE_WORDS[side]}", f"{text.strip()}\xa0{measure.unit}")
            )
    if typed.link:
        ends = [places.get(end, "") for end in (typed.link.starts, typed.link.shows)]
        words = _("From %(starts)s to %(shows)s") % dict(zip(("starts", "shows"), ends, strict=True))
        found.append(UnkeptLine(words, typed.link.words))
    mistakes = [link for link in links if link.key in typed.taken_back and not link.taken_back]
    return (*found, *(UnkeptLine(_("This was a mistake"), link.words) for link in mistakes))


def _links(response: QuestionnaireResponse) -> tuple[MissedLine, ...]:
    names = place_names()
    rows = (
        MissedLink.objects.filter(response=response.pk, takes_back=None)
        .select_related("by", "taken_back_by")
        .order_by("pk")
    )
    return tuple(
        MissedLine(
            key=row.pk,
            starts=names.get(f"{row.starts_side}.{row.starts_at}", row.starts_at),
            shows=names.get(f"{row.shows_side}.{row.shows_at}", row.shows_at),
            words=row.words,
            by=str(row.by),
            physio=row.by.formal_name,
            at=row.at,
            taken_back=hasattr(row, "taken_back_by"),
        )
        for row in rows
    )


def _closing_line(row: Closing) -> ClosingLine:
    return ClosingLine(
        closed=row.act == Closing.Act.CLOSED,
        label=row.get_act_display(),
        reason=row.reason,
        by=str(row.by),
        at=row.at,
    )


__all__ = [
    "MissedLine",
    "OutcomePage",
    "TypedLink",
    "closings_of",
    "outcome_page",
    "place_choices",
    "place_names",
]
