"""What the page of an evaluation says about its form: did the link go out, and how far is the patient."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.patients import links
from intake.patients.models import Evaluation, Invitation
from intake.responses.models import QuestionnaireResponse
from intake.review.decide import NotAllowed
from intake.review.models import Closing


def is_closed(evaluation: Evaluation) -> bool:
    """Whether what was found at the visit is written down and closed."""
    last = (
        Closing.objects.filter(response__evaluation=evaluation).order_by("-pk").values_list("act", flat=True)
    )
    return last.first() == Closing.Act.CLOSED


def check_cancel(evaluation: Evaluation) -> None:
    """May the visit be cancelled? Raises `NotAllowed`."""
    if is_closed(evaluation):
        raise NotAllowed(
            _("This visit took place, and what was found is closed. A physio can open it again first.")
        )


@dataclass(frozen=True, slots=True)
class FormState:
    """code: see `_STATES`. hint: what to do, or empty. refused: why no link can be sent now, or empty.

    by_hand: only for want of an e-mail address, so that a link can be handed over.
    sent_at, opened_at, ends_at: of the newest link. saved_at: of a form that was begun. form_sent_at: done.
    """

    code: str
    hint: str
    refused: str
    again: bool
    by_hand: bool = False
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    ends_at: datetime | None = None
    saved_at: datetime | None = None
    form_sent_at: datetime | None = None

    @property
    def words(self) -> str:
        return str(_STATES[self.code])

    @property
    def link_lives(self) -> bool:
        """Whether a link is out there, or on its way, that opens the form or will after its rest."""
        return self.code in ("queued", "sent", "opened", "begun", "resting") and self.ends_at is not None

    @property
    def is_trouble(self) -> bool:
        return self.code in ("ended", "resting")


_STATES: dict[str, Promise] = {
    "form-sent": gettext_lazy("Form sent"),
    "cancelled": gettext_lazy("Visit cancelled"),
    "over": gettext_lazy("The link has ended with the visit"),
    "lapsed": gettext_lazy("The link has ended, 14 days after the request"),
    "not-sent": gettext_lazy("Not sent"),
    "queued": gettext_lazy("Waiting to be sent"),
    "sent": gettext_lazy("Sent, not opened yet"),
    "opened": gettext_lazy("Opened"),
    "begun": gettext_lazy("Form begun"),
    "resting": gettext_lazy("Resting after wrong dates of birth"),
    "ended": gettext_lazy("Ended after too many wrong dates of birth"),
    "withdrawn": gettext_lazy("The clinic ended the link"),
}


def form_state(evaluation: Evaluation, now: datetime) -> FormState:
    """How the form of this evaluation stands: three queries at most."""
    newest: Invitation | None = evaluation.invitations.order_by("-created_at", "pk").first()
    response: QuestionnaireResponse | None = (
        evaluation.responses.standing().only("status", "authored", "updated_at").first()
    )
    code = _code(evaluation, newest, response, now)
    refused = _refusal(code)
    by_hand = not refused and not evaluation.patient.email
    return FormState(
        code=code,
        hint=_hint(code),
        refused=_("There is no e-mail address. Add one to the patient first.") if by_hand else refused,
        by_hand=by_hand,
        again=newest is not None,
        sent_at=newest.sent_at if newest else None,
        opened_at=newest.opened_at if newest else None,
        ends_at=newest.expires_at
        if newest and code not in ("ended", "withdrawn", "over", "lapsed", "form-sent")
        else None,
        saved_at=response.updated_at if response and not response.is_sent else None,
        form_sent_at=response.authored if response and response.is_sent else None,
    )


def check_invite(state: FormState) -> None:
    """May a link be sent now? Raises `NotAllowed` saying what stands in the way."""
    if state.refused:
        raise NotAllowed(state.refused)


def check_tablet(state: FormState) -> None:
    """May the tablet be handed over now? It needs no e-mail address. Raises `NotAllowed`."""
    if state.code == "resting":
        raise NotAllowed(state.hint)
    if not state.by_hand:
        check_invite(state)


def may_tablet(state: FormState) -> bool:
    try:
        check_tablet(state)
    except NotAllowed:
        return False
    return True


def _code(
    evaluation: Evaluation,
    newest: Invitation | None,
    response: QuestionnaireResponse | None,
    now: datetime,
) -> str:
    if response is not None and response.is_sent:
        return "form-sent"
    if evaluation.status == Evaluation.Status.CANCELLED:
        return "cancelled"
    if evaluation.link_ends_at <= now:
        return "lapsed" if evaluation.needs_appointment else "over"
    if newest is None:
        return "not-sent"
    if newest.revoked_at is not None:
        return "withdrawn"
    if newest.ended_at is not None:
        return "ended"
    if links.rests(newest):
        return "resting"
    if response is not None:
        return "begun"
    if newest.opened_at is not None:
        return "opened"
    return "queued" if newest.sent_at is None else "sent"


def _hint(code: str) -> str:
    if code == "ended":
        return _("Check the date of birth with the patient, then send a new link.")
    if code == "resting":
        return _("It opens again by itself within 15 minutes. Check the date of birth with the patient.")
    return ""


def _refusal(code: str) -> str:
    if code == "form-sent":
        return _("The patient has sent the form already.")
    if code == "cancelled":
        return _("This visit is cancelled. Book it again to send a link.")
    if code == "over":
        return _("This visit is over. Links end 24 hours after it.")
    if code == "lapsed":
        return _("A link to a request ends after 14 days. Book the evaluation, then send a new one.")
    return ""
