"""Red-flag contacts: whom the clinic called, when, and what came of it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import UUIDField
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.kept import Given, Kept
from intake.responses.models import QuestionnaireResponse
from intake.review import versions
from intake.review.models import ACKNOWLEDGING, RedFlagContact
from intake.screening.models import RedFlag
from intake.screening.screen import URGENT

# A clock that is a little fast is no reason to refuse a call that was just made.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)


class ContactRefused(ValueError):
    """A contact that cannot be right. `field` is the form field the message belongs to."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def still_waiting(flags: Any) -> Any:
    """Emergency and same-day flags that nobody has acknowledged, withdrawn ones included, as they came."""
    unsettled = flags.filter(tier__in=URGENT).exclude(state=RedFlag.State.ACKNOWLEDGED)
    return unsettled.order_by("raised_at", "pk")


_WAITING: Final = Kept(lambda flags: still_waiting(flags).filter(response=Given("response", UUIDField())))


def waiting_flags(response: QuestionnaireResponse) -> list[RedFlag]:
    """Those of one intake."""
    return _WAITING.rows([RedFlag.objects.all()], response=response.pk)


def record(
    *,
    response: QuestionnaireResponse,
    called: str,
    called_at: datetime,
    outcome: str,
    next_step: str,
    by: int,
) -> tuple[RedFlagContact, list[RedFlag]]:
    """Add the contact; returns it and the flags it settles (none after a message or no answer).

    by: the key of the member of staff. Raises `ContactRefused` naming the field, `versions.Replaced` for an
    intake that was changed since: its red flags stand on the new one.
    """
    versions.hold(response.pk)
    called, next_step = called.strip(), next_step.strip()
    if not called:
        raise ContactRefused("called", _("Write whom you called."))
    if outcome not in RedFlagContact.Outcome.values:
        raise ContactRefused("outcome", _("Choose what happened."))
    if called_at > timezone.now() + CLOCK_TOLERANCE:
        raise ContactRefused("called_at", _("The time of the call is in the future."))
    if outcome in ACKNOWLEDGING and not next_step:
        raise ContactRefused("next_step", _("Write what was agreed, or why no call is needed."))
    flags = waiting_flags(response)
    contact = RedFlagContact.objects.create(
        response=response,
        flags=[flag.pk for flag in flags],
        called=called,
        called_at=called_at,
        outcome=outcome,
        next_step=next_step,
        by_id=by,
    )
    return contact, flags if outcome in ACKNOWLEDGING else []
