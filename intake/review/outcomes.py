"""After the evaluation: what was found and measured, what the rules missed; closing it, and opening it again.

`check_x(standing, ...)` raises `NotAllowed` and says why, as in `decide`. Everything is a row that is added.
A page that was open for long overwrites nothing it did not change: see `Seen`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from education.chain.regions import body_regions
from intake.patients.models import Evaluation
from intake.responses.models import QuestionnaireResponse
from intake.review import versions
from intake.review.decide import NOTE_LENGTH, NotAllowed, titled_finding
from intake.review.keys import number_or_none
from intake.review.measures import MEASURES, ONE_SIDE, SIDES, Impossible, read_value
from intake.review.models import Closing, Measurement, MissedLink, NotTestedReason, Outcome, Result
from intake.screening.models import Finding, Rule

WORDS_LENGTH: Final = 200


class NotRecorded(Exception):
    """Something typed cannot be kept; nothing was. `problems`: field name -> what to do."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("the outcome was not recorded")
        self.problems = dict(problems)


class AlreadyClosed(NotAllowed):
    """The evaluation is closed, by a second tap or by somebody else."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an evaluation stands: what `check_x` looks at.

    begun: its time has come. unset: names of the chain findings without an outcome. number: of the last
    closing or reopening.
    """

    sent: bool
    cancelled: bool
    begun: bool
    closed: bool
    unset: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class TypedOutcome:
    """What stands in the fields of one finding; an empty result is none yet."""

    result: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TypedLink:
    """A link the rules missed. starts, shows: side and region, "left.knee-front"."""

    starts: str = ""
    shows: str = ""
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.starts or self.shows or self.words)


@dataclass(frozen=True, slots=True)
class Seen:
    """The last outcome and the last measurement a page knew of. What it shows unchanged it does not write, so
    that two physios who fill in different parts both keep theirs.
    """

    outcome: int = 0
    measurement: int = 0

    def __str__(self) -> str:
        return f"{self.outcome}.{self.measurement}"

    @classmethod
    def read(cls, text: str) -> "Seen":
        """Nothing seen for anything else."""
        match [number_or_none(part) for part in text.split(".")]:
            case [int(outcome), int(measurement)]:
                return cls(outcome, measurement)
        return cls()


@dataclass(frozen=True, slots=True)
class Typed:
    """Everything on the page as it was typed.

    outcomes: by finding. values: by kind and side. taken_back: keys of missed links that were mistakes.
    """

    outcomes: Mapping[int, TypedOutcome] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    link: TypedLink = TypedLink()
    taken_back: frozenset[int] = frozenset()
    seen: Seen = Seen()


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many rows were added."""

    outcomes: int = 0
    measurements: int = 0
    links: int = 0

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.measurements or self.links)


# Checks


def check_record(standing: Standing) -> None:
    """May anything be recorded now?"""
    if not standing.sent:
        raise NotAllowed(_("This form was not sent, so no finding is there to look for."))
    if standing.cancelled:
        raise NotAllowed(_("This visit is cancelled. It counts for no rule."))
    if not standing.begun:
        raise NotAllowed(_("The visit has not begun yet. Come back after it."))
    if standing.closed:
        raise AlreadyClosed(_("This evaluation is closed. Open it again to change it."))


def check_close(standing: Standing) -> None:
    """May the evaluation be closed? The message names every finding that is left."""
    check_record(standing)
    if standing.unset:
        count = len(standing.unset)
        raise NotAllowed(
            ngettext(
                "Say what you found about 1 finding: %(names)s.",
                "Say what you found about %(count)s findings: %(names)s.",
                count,
            )
            % {"count": count, "names": "; ".join(standing.unset)}
        )


def check_reopen(standing: Standing, reason: str = "-") -> None:
    """May the evaluation be opened again, with this reason?"""
    if not standing.closed:
        raise NotAllowed(_("This evaluation is not closed."))
    if not reason.strip():
        raise NotAllowed(_("Write why you open it again."), "reason")
    problem = _bad_text(reason, NOTE_LENGTH)
    if problem:
        raise NotAllowed(problem, "reason")


def problems_of(typed: Typed) -> dict[str, str]:
    """What cannot be kept of what was typed, by field."""
    found: dict[str, str] = {}
    for key, one in typed.outcomes.items():
        if one.result and one.result not in Result.values:
            found[f"result-{key}"] = _("Choose Found, Not found or Not tested.")
        elif not one.result and one.note.strip():
            found[f"result-{key}"] = _("Choose Found, Not found or Not tested, so that the note can be kept.")
        if one.result == Result.NOT_TESTED and one.reason not in NotTestedReason.values:
            found[f"reason-{key}"] = _("Choose why it was not tested.")
        problem = _bad_text(one.note, NOTE_LENGTH)
        if problem:
            found[f"note-{key}"] = problem
    numbers: dict[tuple[str, str], Decimal | None] = {}
    for (kind, side), text in typed.values.items():
        try:
            numbers[kind, side] = read_value(MEASURES[kind], text)
        except Impossible as problem_of_value:
            found[f"{kind}-{side}"] = str(problem_of_value)
    for kind in ONE_SIDE:
        if numbers.get((kind, "left")) and numbers.get((kind, "right")):
            found[f"{kind}-right"] = _("Only one side can be the weaker one. Empty the other.")
    if typed.link:
        found |= _problems_of_link(typed.link)
    return found


def _problems_of_link(link: TypedLink) -> dict[str, str]:
    found = {}
    known = places()
    if link.starts not in known:
        found["starts"] = _("Choose the part where it starts.")
    if link.shows not in known:
        found["shows"] = _("Choose the part where it shows.")
    elif link.shows == link.starts:
        found["shows"] = _("Choose another part than the one where it starts.")
    problem = _bad_text(link.words, WORDS_LENGTH)
    if problem or not link.words.strip():
        found["words"] = problem or _("Say in a few words what you saw.")
    return found


def _bad_text(text: str, limit: int) -> str:
    if "\x00" in text:
        return _("This has a character we cannot keep. Please write it without.")
    length = len(text.strip())
    if length > limit:
        return _("Use %(limit)s characters or fewer. You have %(length)s.") % {
            "limit": limit,
            "length": length,
        }
    return ""


@cache
def places() -> Mapping[str, tuple[str, str]]:
    """Where a missed link may start or show: "left.knee-front" -> side and region."""
    return {f"{side}.{region.id}": (side, region.id) for side in SIDES for region in body_regions()}


# What stands


def last_outcomes(rows: Iterable[Any], until: int | None = None) -> dict[int, Any]:
    """The outcome that stands for each finding; until: as it was at that row."""
    return {row.finding_id: row for row in rows if until is None or row.pk <= until}


def last_values(rows: Iterable[Any], until: int | None = None) -> dict[tuple[str, str], Decimal | None]:
    """The value that stands for each kind and side; until: as it was at that row."""
    return {(row.kind, row.side): row.value for row in rows if until is None or row.pk <= until}


def standing_from(
    *,
    response: QuestionnaireResponse,
    closings: Sequence[Closing],
    names: Mapping[int, str],
    known: Collection[int],
    now: datetime,
) -> Standing:
    """response: with its evaluation. names: chain findings by key. known: those that have an outcome."""
    evaluation = response.evaluation
    return Standing(
        sent=response.is_sent,
        cancelled=evaluation.status == Evaluation.Status.CANCELLED,
        begun=evaluation.starts_at is not None and evaluation.starts_at <= now,
        closed=bool(closings) and closings[-1].act == Closing.Act.CLOSED,
        unset=tuple(name for key, name in names.items() if key not in known),
        number=closings[-1].number if closings else 0,
    )


def _names(response: QuestionnaireResponse) -> dict[int, str]:
    rows = (
        Finding.objects.filter(response=response, rule__kind=Rule.Kind.CHAIN)
        .order_by("-score", "pk")
        .values_list("pk", "rule__title", "source_side", "target_side")
    )
    return {key: titled_finding(title, source, target) for key, title, source, target in rows}


def _locked(response: QuestionnaireResponse) -> tuple[QuestionnaireResponse, list[Closing]]:
    """The intake under the lock that everything here takes, with its closings: of two at once one waits.

    Raises `versions.Replaced` for one that was changed since: what was found belongs to the one that stands.
    """
    locked: QuestionnaireResponse = (
        QuestionnaireResponse.objects.select_for_update(of=("self",))
        .select_related("evaluation")
        .defer("answers", "document")
        .get(pk=response.pk)
    )
    if locked.replaced_at is not None:
        raise versions.Replaced(versions.current_of(locked.pk), locked.replaced_at)
    return locked, list(Closing.objects.filter(response=locked).order_by("number"))


# Writes


def record(*, response: QuestionnaireResponse, typed: Typed, by: AbstractBaseUser) -> Recorded:
    """Add a row for everything on the page that differs from what it showed and from what stands.

    Sent twice it adds nothing the second time, closed or not. Raises `NotRecorded` naming the fields,
    `AlreadyClosed` or `NotAllowed`.
    """
    locked, closings = _locked(response)
    names = _names(locked)
    problems = problems_of(typed)
    if problems:
        raise NotRecorded(problems)
    outcomes = _new_outcomes(locked, typed, names, by)
    measurements = _new_measurements(locked, typed, by)
    links = _new_links(locked, typed, by)
    recorded = Recorded(len(outcomes), len(measurements), len(links))
    standing = standing_from(response=locked, closings=closings, names=names, known=names, now=timezone.now())
    if recorded or not standing.closed:
        check_record(standing)
    Outcome.objects.bulk_create(outcomes)
    Measurement.objects.bulk_create(measurements)
    MissedLink.objects.bulk_create(links)
    return recorded


def add_link(*, response: QuestionnaireResponse, link: TypedLink, by: AbstractBaseUser) -> list[MissedLink]:
    """Add a link the rules missed, before the visit or after it. Sent twice it adds nothing the second time.

    Raises `NotRecorded` naming the fields, or `NotAllowed` for a form that was not sent.
    """
    locked, _closings = _locked(response)
    if not locked.is_sent:
        raise NotAllowed(_("This form has not been sent yet. Links come with it."))
    problems = _problems_of_link(link)
    if problems:
        raise NotRecorded(problems)
    found = _new_links(locked, Typed(link=link), by)
    MissedLink.objects.bulk_create(found)
    return found


def _new_outcomes(
    response: QuestionnaireResponse, typed: Typed, names: Collection[int], by: AbstractBaseUser
) -> list[Outcome]:
    rows = list(Outcome.objects.filter(finding__response=response).order_by("pk"))
    stands, shown = last_outcomes(rows), last_outcomes(rows, typed.seen.outcome)
    found = []
    for key, one in typed.outcomes.items():
        if key not in names or not one.result:
            continue
        reason = one.reason if one.result == Result.NOT_TESTED else ""
        wanted = (one.result, reason, one.note.strip())
        known = [(row.result, row.reason, row.note) for row in (shown.get(key), stands.get(key)) if row]
        if wanted not in known:
            result, reason, note = wanted
            found.append(Outcome(finding_id=key, result=result, reason=reason, note=note, by_id=by.pk))
    return found


def _new_measurements(
    response: QuestionnaireResponse, typed: Typed, by: AbstractBaseUser
) -> list[Measurement]:
    rows = list(Measurement.objects.filter(response=response).order_by("pk"))
    stands, shown = last_values(rows), last_values(rows, typed.seen.measurement)
    found = []
    for (kind, side), text in typed.values.items():
        value, place = read_value(MEASURES[kind], text), (kind, side)
        if value not in (shown.get(place), stands.get(place)):
            found.append(Measurement(response=response, kind=kind, side=side, value=value, by_id=by.pk))
    return found


def _new_links(response: QuestionnaireResponse, typed: Typed, by: AbstractBaseUser) -> list[MissedLink]:
    rows = list(MissedLink.objects.filter(response=response, takes_back=None, taken_back_by=None))
    found = [
        MissedLink(
            response=response,
            starts_at=row.starts_at,
            starts_side=row.starts_side,
            shows_at=row.shows_at,
            shows_side=row.shows_side,
            words=row.words,
            takes_back=row,
            by_id=by.pk,
        )
        for row in rows
        if row.pk in typed.taken_back
    ]
    if typed.link:
        starts_side, starts_at = places()[typed.link.starts]
        shows_side, shows_at = places()[typed.link.shows]
        wanted = (starts_side, starts_at, shows_side, shows_at, typed.link.words.strip())
        known = [
            (row.starts_side, row.starts_at, row.shows_side, row.shows_at, row.words)
            for row in rows
            if row.pk not in typed.taken_back
        ]
        if wanted not in known:
            found.append(
                MissedLink(
                    response=response,
                    starts_at=starts_at,
                    starts_side=starts_side,
                    shows_at=shows_at,
                    shows_side=shows_side,
                    words=wanted[-1],
                    by_id=by.pk,
                )
            )
    return found


def close(response: QuestionnaireResponse, by: AbstractBaseUser) -> Closing:
    """Close the evaluation: what was found now counts for the rules. Raises `AlreadyClosed` or `NotAllowed`,
    whose message names what is left.
    """
    locked, closings = _locked(response)
    names = _names(locked)
    known = set(Outcome.objects.filter(finding__in=names).values_list("finding_id", flat=True))
    standing = standing_from(response=locked, closings=closings, names=names, known=known, now=timezone.now())
    check_close(standing)
    return _closing(locked, standing, Closing.Act.CLOSED, "", by)


def reopen(response: QuestionnaireResponse, *, reason: str, by: AbstractBaseUser) -> Closing:
    """Open a closed evaluation again: it counts for no rule until it is closed anew. Raises `NotAllowed`."""
    locked, closings = _locked(response)
    standing = standing_from(response=locked, closings=closings, names={}, known=(), now=timezone.now())
    check_reopen(standing, reason)
    return _closing(locked, standing, Closing.Act.REOPENED, reason.strip(), by)


def _closing(
    response: QuestionnaireResponse, standing: Standing, act: str, reason: str, by: AbstractBaseUser
) -> Closing:
    closing: Closing = Closing.objects.create(
        response=response, number=standing.number + 1, act=act, reason=reason, by_id=by.pk
    )
    return closing
