"""What a physio may do with an intake, and doing it: decide on findings, finish the review, open it again.

`check_x(standing, ...)` raises `NotAllowed` and says why; the review page draws its buttons from the same
`Standing` that the write checks again under a lock. Decisions are rows that are added, never changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import BigIntegerField, OuterRef, Subquery, UUIDField
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake.kept import Given, Kept
from intake.responses.models import QuestionnaireResponse
from intake.review import versions
from intake.review.contacts import waiting_flags
from intake.review.models import Decision, DismissReason, Review, Verdict
from intake.screening.models import Finding, Rule, Side

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
    """May the review be finished? The message names everything that is left."""
    if not standing.sent:
        raise NotAllowed(_("This form has not been sent yet. There is nothing to finish."))
    if standing.replaced:
        raise NotAllowed(_replaced())
    if standing.finished:
        raise NotAllowed(_("This review is finished already."))
    left = []
    if standing.waiting:
        left.append(
            ngettext(
                "Record what was done about the urgent answer: %(names)s.",
                "Record what was done about the urgent answers: %(names)s.",
                len(standing.waiting),
            )
            % {"names": "; ".join(standing.waiting)}
        )
    if standing.undecided:
        count = len(standing.undecided)
        left.append(
            ngettext("Decide on 1 finding: %(names)s.", "Decide on %(count)s findings: %(names)s.", count)
            % {"count": count, "names": "; ".join(standing.undecided)}
        )
    if left:
        raise NotAllowed(" ".join(left))


def check_reopen(standing: Standing) -> None:
    """May the review be opened again?"""
    if standing.replaced:
        raise NotAllowed(_replaced())
    if not standing.finished:
        raise NotAllowed(_("This review is not finished."))


# Writes


def _found(findings: Any, verdicts: Any) -> Any:
    """The chain findings of an intake in the order of the page, with the last decision on each."""
    last = verdicts.filter(finding=OuterRef("pk")).order_by("-pk").values("decision")[:1]
    return (
        findings.filter(response=Given("response", UUIDField()), rule__kind=Rule.Kind.CHAIN)
        .annotate(decision=Subquery(last))
        .order_by("-score", "pk")
        .values_list("pk", "rule__title", "source_side", "target_side", "decision", named=True)
    )


_FOUND: Final = Kept(_found)
_LAST: Final = Kept(
    lambda verdicts: (
        verdicts.filter(finding=Given("finding", BigIntegerField())).select_related("by").order_by("-pk")[:1]
    )
)
_REVIEW: Final = Kept(
    lambda reviews: reviews.filter(response=Given("response", UUIDField())).select_for_update()
)


def _found_in(response: UUID) -> list[Any]:
    return _FOUND.rows([Finding.objects.all(), Verdict.objects.all()], response=response)


def _is_undecided(found: Any) -> bool:
    return found.decision in (None, Decision.UNCONFIRMED)


def last_verdict(finding: Finding) -> Verdict | None:
    """The newest row, an undone decision included."""
    return next(iter(_LAST.rows([Verdict.objects.all()], finding=finding.pk)), None)


def standing_of(response: QuestionnaireResponse, review: Review | None) -> Standing:
    """How the intake stands in the database: two queries, whatever it holds."""
    return Standing(
        sent=response.is_sent,
        finished=review is not None and review.finished_at is not None,
        waiting=tuple(titled(flag.rule.title, flag.side) for flag in waiting_flags(response)),
        undecided=tuple(
            titled_finding(one.rule__title, one.source_side, one.target_side)
            for one in _found_in(response.pk)
            if _is_undecided(one)
        ),
    )


def begin(response: QuestionnaireResponse, by: AbstractBaseUser) -> Review:
    """The intake's review under a lock, begun now if nobody has; two physios at once get the same one.

    Raises `NotAllowed` for a form that was not sent, `versions.Replaced` for one that was changed since.
    """
    versions.hold(response)
    if not response.is_sent:
        raise NotAllowed(_("This form has not been sent yet. There is nothing to review."))
    begun = _REVIEW.rows([Review.objects.all()], response=response.pk)
    if not begun:
        Review.objects.bulk_create([Review(response=response, started_by_id=by.pk)], ignore_conflicts=True)
        begun = _REVIEW.rows([Review.objects.all()], response=response.pk)
    review: Review = begun[0]
    return review


def decide(
    *,
    finding: Finding,
    decision: str,
    by: AbstractBaseUser,
    reason: str = "",
    note: str = "",
) -> Verdict:
    """Add a decision on a chain finding; the first one begins the review. Undo is `Decision.UNCONFIRMED`.

    Nothing is overwritten: of two physios at once both rows stay, and the later one stands. Raises
    `NotAllowed`.
    """
    note = note.strip()
    if decision != Decision.REFUTED:
        reason = ""
    if decision == Decision.UNCONFIRMED:
        note = ""
    review = begin(finding.response, by)
    if finding.rule.kind != Rule.Kind.CHAIN:
        raise NotAllowed(_("A note is there to be read. It needs no decision."), "decision")
    last = last_verdict(finding)
    check_decide(
        standing_of(finding.response, review),
        decided=last is not None and last.decision != Decision.UNCONFIRMED,
        decision=decision,
        reason=reason,
        note=note,
    )
    verdict: Verdict = Verdict.objects.create(
        finding=finding, decision=decision, reason=reason, note=note, by_id=by.pk
    )
    return verdict


def finish(response: QuestionnaireResponse, by: AbstractBaseUser) -> Review:
    """Finish the review. Raises `NotAllowed` whose message names what is left."""
    review = begin(response, by)
    check_finish(standing_of(response, review))
    review.finished_at, review.finished_by_id = timezone.now(), by.pk
    review.save(update_fields=["finished_at", "finished_by"])
    return review


def reopen(response: QuestionnaireResponse, by: AbstractBaseUser) -> Review:
    """Open a finished review again; the trail keeps who finished it before. Raises `NotAllowed`."""
    review = begin(response, by)
    check_reopen(standing_of(response, review))
    review.finished_at = review.finished_by = None
    review.save(update_fields=["finished_at", "finished_by"])
    return review


def decided_meanwhile(finding: Finding, seen: str) -> Verdict | None:
    """The last decision when it came after the one a page knew of; seen: that one's key as posted."""
    last = last_verdict(finding)
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 18 else 0
    return last if last is not None and last.pk > known else None


def next_undecided(finding: Finding) -> int | None:
    """The key of the next chain finding without a decision, in the order of the page, round to the first."""
    found = _found_in(finding.response_id)
    keys = [one.pk for one in found]
    place = keys.index(finding.pk) if finding.pk in keys else 0
    return next((one.pk for one in (*found[place:], *found[:place]) if _is_undecided(one)), None)
