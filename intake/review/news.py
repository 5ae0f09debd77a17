"""What happened to an intake since its page was opened: changed answers, a colleague's decision."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from intake import audit
from intake.patients.wording import clock, moment
from intake.responses.models import QuestionnaireResponse
from intake.review.models import Verdict


@dataclass(frozen=True, slots=True)
class Replaced:
    """The patient sent changed answers; current: the intake that stands now."""

    at: datetime
    current: UUID

    @property
    def words(self) -> str:
        return _("The patient sent changed answers %(when)s.") % {"when": _when(self.at)}


@dataclass(frozen=True, slots=True)
class Decided:
    """A colleague decided on a finding. key: of the decision."""

    at: datetime
    by: str
    finding: int
    key: int

    @property
    def words(self) -> str:
        return _("%(name)s decided on a finding %(when)s.") % {"name": self.by, "when": _when(self.at)}


def news(*, user: AbstractBaseUser, response_id: UUID, seen: int) -> Replaced | Decided | None:
    """The latest that a page does not show yet; seen: the last decision it knows of.

    Raises `QuestionnaireResponse.DoesNotExist` for an intake this user may not see. Says nothing about the
    patient, so it writes no row into the trail: opening the page did.
    """
    standing = QuestionnaireResponse.objects.standing().filter(evaluation=OuterRef("evaluation"))
    with audit.covered():
        response = (
            QuestionnaireResponse.objects.visible_to(user)
            .annotate(current=Subquery(standing.values("pk")[:1]))
            .only("replaced_at")
            .get(pk=response_id)
        )
        if response.replaced_at is not None:
            return Replaced(response.replaced_at, response.current)
        # What was carried over from an earlier version is older than the page.
        last = (
            Verdict.objects.filter(finding__response=response_id, pk__gt=seen, carried_from=None)
            .exclude(by=user.pk)
            .select_related("by")
            .order_by("-pk")
            .first()
        )
    return Decided(last.at, last.by.formal_name, last.finding_id, last.pk) if last else None


def _when(at: datetime) -> str:
    """With its preposition: "at 7:41 am", "on Tue Jun 3, 7:41 am"."""
    if timezone.localdate(at) == timezone.localdate():
        return _("at %(time)s") % {"time": clock(at)}
    return _("on %(day)s") % {"day": moment(at)}
