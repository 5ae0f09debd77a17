"""A change of what was sent: a draft of its own beside it, until the visit begins (ADR 0021)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import UUIDField
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.conditions import Value
from intake.kept import Given, Kept
from intake.patients.models import Evaluation, Invitation
from intake.responses import draft
from intake.responses.answers import prune, read_answers
from intake.responses.compare import Difference, compare
from intake.responses.models import QuestionnaireResponse

Status = QuestionnaireResponse.Status


class ChangeRefused(Exception):
    """What was sent cannot be changed now; the message says why, in the patient's words."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def has_begun(evaluation: Evaluation, now: datetime) -> bool:
    """Whether the visit has begun; one that is not booked yet has not."""
    return evaluation.starts_at is not None and evaluation.starts_at <= now


def check_change(evaluation: Evaluation, now: datetime) -> None:
    """May answers still be changed? Raises `ChangeRefused`."""
    if evaluation.status == Evaluation.Status.CANCELLED:
        raise ChangeRefused(_("This visit is cancelled, so nothing can be changed here. Call us instead."))
    if has_begun(evaluation, now):
        raise ChangeRefused(_("Your visit has begun. Tell your physio in person what changed."))


def begin(invitation: Invitation) -> QuestionnaireResponse:
    """The change the patient works on, made now if there is none; two tabs at once get the same one.

    It begins with all that was sent, as done. Raises `ChangeRefused`.
    """
    working = draft.standing_response(invitation, lock=True)
    if working is None:
        raise ChangeRefused(_("You have not sent the form yet. Nothing has to be changed for that."))
    check_change(working.evaluation, timezone.now())
    if not working.is_sent:
        return working
    QuestionnaireResponse.objects.bulk_create(
        [
            QuestionnaireResponse(
                evaluation_id=invitation.evaluation_id,
                invitation=invitation,
                questionnaire_id=working.questionnaire_id,
                answers=working.answers,
                saved_pages=working.saved_pages,
                privacy_version=working.privacy_version,
                replaces=working,
            )
        ],
        ignore_conflicts=True,
    )
    made = draft.standing_response(invitation, lock=True)
    if made is None or made.is_sent:
        raise RuntimeError("a change was neither found nor made")
    return made


def stop(change: QuestionnaireResponse) -> None:
    """The patient keeps what she sent; the caller holds the lock. Red flags it raised stay for staff."""
    change.status = Status.STOPPED
    change.updated_at = timezone.now()
    change.save(update_fields=["status", "updated_at"])


def replace(change: QuestionnaireResponse, at: datetime) -> QuestionnaireResponse:
    """What was sent before is history from now on; the caller sends the change in the same transaction."""
    earlier = change.stands
    earlier.replaced_at = at
    earlier.save(update_fields=["replaced_at"])
    return earlier


def differences(
    change: QuestionnaireResponse, answers: Mapping[str, tuple[Value, ...]]
) -> tuple[Difference, ...]:
    """What the patient changed so far. answers: of the change, as they stand."""
    definition = change.questionnaire.tree()
    before = read_answers(change.stands.answers)
    return compare(definition, prune(definition, before), prune(definition, answers))


_OF_KEY: Final = Kept(
    lambda: QuestionnaireResponse.objects.filter(submit_key=Given("key", UUIDField())).values_list(
        "evaluation"
    )
)


def evaluation_of(submit_key: UUID) -> UUID | None:
    """The evaluation whose form was sent with this key, whatever replaced it since; None for a new key."""
    found: list[tuple[UUID]] = _OF_KEY.rows([], key=submit_key)
    return found[0][0] if found else None


def sent_with(invitation: Invitation, submit_key: UUID) -> bool:
    """Whether this visit's form was sent with this key before."""
    return evaluation_of(submit_key) == invitation.evaluation_id
