"""What a physio may do with an intake, and doing it: decide on findings, finish the review, open it again.

`check_x(standing, ...)` raises `NotAllowed` and says why; the review page draws its buttons from the same
`Standing` that the write checks again under a lock. Decisions are rows that are added, never changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, OuterRef, Subquery, UUIDField
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake.audit import prepared
from intake.kept import Given, Kept
from intake.responses.models import SENT_STATUSES, QuestionnaireResponse
from intake.review import versions
from intake.review.contacts import still_waiting
from intake.review.keys import number_or_none
from intake.review.models import Decision, DismissReason, Review, Verdict
from intake.screening.models import Finding, RedFlag, Rule, Side

NOTE_LENGTH: Final = 500


class NotAllowed(Exception):
    """Not possible now; the message says why and what to do. `field` is the form field it belongs to."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Standing:
    """How an intake stands: what `check_x` looks at.

    replaced: the patient changed it since. waiting: titles of urgent red flags nobody has acknowledged.
    undecided: titles of chain findings without a standing decision. Both with their side.
    """

    sent: bool
    finished: bool
    waiting: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    replaced: bool = False


def allowed(check: Callable[..., None], *args: Any, **kwargs: Any) -> bool:
    """Whether a `check_x` lets it pass: for a button, where its own write would raise."""
    try:
        check(*args, **kwargs)
    except NotAllowed:
        return False
    return True


def titled(title: str, side: str | None) -> str:
    """A finding or a flag by name, with its side: "Swollen or hot calf or leg (left)"."""
    if side is None:
        return title
    return _("%(title)s (%(side)s)") % {"title": title, "side": Side(side).label.lower()}


def full_name(first: str | None, last: str | None) -> str:
    """A member of staff by name, as a join brings it: both parts may be missing."""
    return f"{first or ''} {last or ''}".strip()


# A page of the worklist says few names many times.
@lru_cache(maxsize=1024)
def formal_name(title: str, first: str, last: str, username: str = "") -> str:
    """A member of staff as patients know them, "Dr. Ortiz", of columns as a join brings them."""
    user = get_user_model()(title=title, first_name=first, last_name=last, username=username)
    return user.formal_name


def titled_finding(title: str, source_side: str | None, target_side: str | None) -> str:
    """A finding by name with the side it is about, and the other one where it comes from there."""
    if source_side is None or target_side is None or source_side == target_side:
        return titled(title, target_side or source_side)
    return _("%(title)s (%(target)s, from %(source)s)") % {
        "title": title,
        "target": Side(target_side).label.lower(),
        "source": Side(source_side).label.lower(),
    }


# Checks


def _replaced() -> str:
    return _("The patient has changed answers since. Decide on the newest version.")


def check_open(standing: Standing) -> None:
    """May findings be decided at all now?"""
    if not standing.sent:
        raise NotAllowed(_("This form has not been sent yet. Findings come with it."))
    if standing.replaced:
        raise NotAllowed(_replaced())
    if standing.finished:
        raise NotAllowed(_("This review is finished. Open it again to change a decision."))
    if standing.waiting:
        raise NotAllowed(_("Record the call about the red flag first. Findings wait for it."))


def check_decide(
    standing: Standing, *, decided: bool, decision: str, reason: str = "", note: str = ""
) -> None:
    """May this decision be added? decided: the finding has a standing decision now."""
    check_open(standing)
    if decision not in Decision.values:
        raise NotAllowed(_("Choose Confirm, Assess or Dismiss."), "decision")
    if decision == Decision.UNCONFIRMED and not decided:
        raise NotAllowed(_("There is no decision to undo."), "decision")
    if decision == Decision.REFUTED and reason not in DismissReason.values:
        raise NotAllowed(_("Choose why you dismiss it."), "reason")
    if "\x00" in note:
        raise NotAllowed(_("The note has a character we cannot keep. Please write it without."), "note")
    if len(note) > NOTE_LENGTH:
        raise NotAllowed(
            _("Use %(limit)s characters or fewer. You have %(length)s.")
            % {"limit": NOTE_LENGTH, "length": len(note)},
            "note",
        )


def check_finish(standing: Standing) -> None:
    """May the review be finished? The message names what is left; a call alone, for findings wait for it."""
    if not standing.sent:
        raise NotAllowed(_("This form has not been sent yet. There is nothing to finish."))
    if standing.replaced:
        raise NotAllowed(_replaced())
    if standing.finished:
        raise NotAllowed(_("This review is finished already."))
    if standing.waiting:
        raise NotAllowed(
            ngettext(
                "Record what was done about the urgent answer: %(names)s.",
                "Record what was done about the urgent answers: %(names)s.",
                len(standing.waiting),
            )
            % {"names": "; ".join(standing.waiting)}
        )
    if standing.undecided:
        count = len(standing.undecided)
        raise NotAllowed(
            ngettext("Decide on 1 finding: %(names)s.", "Decide on %(count)s findings: %(names)s.", count)
            % {"count": count, "names": "; ".join(standing.undecided)}
        )


def check_reopen(standing: Standing) -> None:
    """May the review be opened again?"""
    if standing.replaced:
        raise NotAllowed(_replaced())
    if not standing.finished:
        raise NotAllowed(_("This review is not finished."))


# Writes


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The newest decision on a finding, an undone one included: its key, and by whom, with her name."""

    key: int
    by_id: int
    by: str


@dataclass(frozen=True, slots=True)
class Found:
    """A chain finding of an intake, as much as deciding needs."""

    key: int
    name: str
    undecided: bool


@dataclass(frozen=True, slots=True)
class Held:
    """An intake under its lock. review: the key of its review; found: in the order of the page.

    last: the newest decision on the finding that was asked for.
    """

    review: int
    standing: Standing
    found: tuple[Found, ...]
    last: LastDecision | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was added. before: the one it came after; following: the next finding without one."""

    before: LastDecision | None
    following: int | None


def _state(responses: Any, flags: Any, findings: Any, verdicts: Any) -> Any:
    """How an intake stands: its review, urgent flags nobody has acknowledged, findings and last decisions."""
    # In the order of the index that finds the last one, also where the planner thinks the table small.
    latest = "finding", "-pk"
    decisions = verdicts.filter(finding=OuterRef("pk")).order_by(*latest).values("decision")[:1]
    last = (
        verdicts.filter(finding=Given("finding", BigIntegerField()))
        .order_by(*latest)
        .values(
            json=JSONObject(
                key="pk", by_id="by_id", first="by__first_name", last="by__last_name", username="by__username"
            )
        )[:1]
    )
    found = findings.filter(response=OuterRef("pk"), rule__kind=Rule.Kind.CHAIN).order_by("-score", "pk")
    waiting = still_waiting(flags).filter(response=OuterRef("pk"))
    return (
        responses.filter(pk=Given("response", UUIDField()))
        .annotate(
            waiting=ArraySubquery(waiting.values(json=JSONObject(title="rule__title", side="side"))),
            found=ArraySubquery(
                # The tally has it at hand, but for visits that are cancelled.
                found.annotate(decision=Coalesce("tally__decision", Subquery(decisions))).values(
                    json=JSONObject(
                        key="pk",
                        title="rule__title",
                        source="source_side",
                        target="target_side",
                        decision="decision",
                    )
                )
            ),
            last=Subquery(last),
        )
        .values_list("reviews__pk", "reviews__finished_at", "waiting", "found", "last", named=True)
    )


_STATE: Final = Kept(_state)
# By hand: it is written with every press of a key.
_VERDICT: Final = """INSERT INTO "intake_verdict" (finding_id, decision, reason, note, at, by_id)
VALUES (%s, %s, %s, %s, %s, %s)"""
_REVIEW: Final = Kept(lambda reviews: reviews.filter(pk=Given("review", BigIntegerField())))


def begin(response: UUID, by: AbstractBaseUser, finding: int = 0) -> Held:
    """The intake under its lock, with its review, begun now if nobody has; two physios get the same one.

    finding: the one that is decided on, if one is.
    Raises `NotAllowed` for a form that was not sent, `versions.Replaced` for one that was changed since,
    `QuestionnaireResponse.DoesNotExist` for one that `by` does not see.
    """
    if versions.hold(response, QuestionnaireResponse.objects.visible_to(by)) not in SENT_STATUSES:
        raise NotAllowed(_("This form has not been sent yet. There is nothing to review."))
    tables = QuestionnaireResponse, RedFlag, Finding, Verdict
    # Asked once the lock is there: what whoever held it before has written is seen.
    (state,) = _STATE.rows([table.objects.all() for table in tables], response=response, finding=finding)
    review = state.reviews__pk or Review.objects.create(response_id=response, started_by_id=by.pk).pk
    found = tuple(_read(row) for row in state.found)
    standing = Standing(
        sent=True,
        finished=state.reviews__finished_at is not None,
        waiting=tuple(titled(flag["title"], flag["side"]) for flag in state.waiting),
        undecided=tuple(one.name for one in found if one.undecided),
    )
    last = state.last and LastDecision(
        state.last["key"],
        state.last["by_id"],
        full_name(state.last["first"], state.last["last"]) or state.last["username"],
    )
    return Held(review, standing, found, last)


def _read(row: Mapping[str, Any]) -> Found:
    name = titled_finding(row["title"], row["source"], row["target"])
    return Found(row["key"], name, row["decision"] in (None, "", Decision.UNCONFIRMED))


def decide(
    *,
    response: UUID,
    finding: int,
    decision: str,
    by: AbstractBaseUser,
    reason: str = "",
    note: str = "",
) -> Decided:
    """Add a decision on a chain finding; the first one begins the review. Undo is `Decision.UNCONFIRMED`.

    Nothing is overwritten: of two physios at once both rows stay, and the later one stands. Raises
    `NotAllowed`, `versions.Replaced`, or `DoesNotExist` of the intake or the finding: none that `by` may see.
    """
    note = note.strip()
    if decision != Decision.REFUTED:
        reason = ""
    if decision == Decision.UNCONFIRMED:
        note = ""
    try:
        held = begin(response, by, finding)
    except (NotAllowed, versions.Replaced):
        # What is said of an intake is said of its own findings alone.
        _check_own(finding, response)
        raise
    place = next((place for place, one in enumerate(held.found) if one.key == finding), None)
    if place is None:
        _check_own(finding, response)
        raise NotAllowed(_("A note is there to be read. It needs no decision."), "decision")
    here = held.found[place]
    check_decide(held.standing, decided=not here.undecided, decision=decision, reason=reason, note=note)
    with prepared() as cursor:
        cursor.execute(_VERDICT, [finding, decision, reason, note, timezone.now(), by.pk])
    onward = (*held.found[place + 1 :], *held.found[:place])
    return Decided(held.last, next((one.key for one in onward if one.undecided), None))


def _check_own(finding: int, response: UUID) -> None:
    if not Finding.objects.filter(pk=finding, response=response).exists():
        raise Finding.DoesNotExist


def finish(response: QuestionnaireResponse, by: AbstractBaseUser) -> Review:
    """Finish the review. Raises `NotAllowed` whose message names what is left."""
    held = begin(response.pk, by)
    check_finish(held.standing)
    review = _review(held)
    review.finished_at, review.finished_by_id = timezone.now(), by.pk
    review.save(update_fields=["finished_at", "finished_by"])
    return review


def reopen(response: QuestionnaireResponse, by: AbstractBaseUser) -> Review:
    """Open a finished review again; the trail keeps who finished it before. Raises `NotAllowed`."""
    held = begin(response.pk, by)
    check_reopen(held.standing)
    review = _review(held)
    review.finished_at = review.finished_by = None
    review.save(update_fields=["finished_at", "finished_by"])
    return review


def _review(held: Held) -> Review:
    review: Review = _REVIEW.rows([Review.objects.all()], review=held.review)[0]
    return review


def came_meanwhile(before: LastDecision | None, seen: str) -> LastDecision | None:
    """The decision before this one, if the page did not know of it; seen: the key of the last it knew."""
    known = number_or_none(seen) or 0
    return before if before is not None and before.key > known else None
