"""What physios decided and did, as rows that are added and never changed; and the worklist they work from."""

from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData
from intake.patients.models import Evaluation, ReviewedQuerySet, ScopedQuerySet
from intake.responses.models import QuestionnaireResponse
from intake.review import placing
from intake.screening.models import Finding, RedFlag


class Review(PatientData):
    """The physio's look at one intake before the evaluation. Open until finished; reopened by a new start."""

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="reviews")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(_("finished"), null=True)
    finished_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["response"], name="one_review_per_response"),
            models.CheckConstraint(
                condition=Q(finished_at=None, finished_by=None)
                | Q(finished_at__isnull=False, finished_by__isnull=False),
                name="review_finish_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Decision(models.TextChoices):
    """FHIR condition-ver-status words; the buttons are Confirm, Dismiss and Assess. Undo is `unconfirmed`."""

    CONFIRMED = "confirmed", _("Confirmed")
    REFUTED = "refuted", _("Dismissed")
    PROVISIONAL = "provisional", _("To assess")
    UNCONFIRMED = "unconfirmed", _("Undone")


class DismissReason(models.TextChoices):
    """Why a finding is dismissed. Fixed and short, so that it can be counted."""

    EXPLAINED = "explained", _("Something else explains it better")
    OLD_INJURY = "old-injury", _("An old injury explains it")
    MISREAD = "misread", _("The patient misread the question")
    KNOWN = "known", _("Already known and treated")
    NOT_RELEVANT = "not-relevant", _("Not relevant to this visit")
    OTHER = "other", _("Another reason")


class Verdict(PatientData):
    """One decision on one finding. The last one stands; the earlier ones are its history. Append-only."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="verdicts")
    decision = models.CharField(_("decision"), max_length=12, choices=Decision.choices)
    reason = models.CharField(_("reason"), max_length=12, choices=DismissReason.choices, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(decision="refuted") & ~Q(reason="")) | (~Q(decision="refuted") & Q(reason="")),
                name="dismissal_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=["confirmed", "refuted", "provisional", "unconfirmed"]),
                name="verdict_decision_known",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RedFlagContact(PatientData):
    """Whom the clinic called about a red flag, when, and what came of it. Append-only.

    Only an outcome that reached somebody, or a note why no call is needed, acknowledges the flag.
    """

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Spoke to the patient")
        REACHED_OTHER = "reached-other", _("Spoke to someone else")
        MESSAGE = "message", _("Left a message")
        NO_ANSWER = "no-answer", _("No answer")
        NO_CALL_NEEDED = "no-call-needed", _("No call needed, ticked by mistake")

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="contacts")
    flags = models.JSONField(_("red flags"), help_text=_("primary keys of the flags this contact was about"))
    called = models.CharField(_("called whom"), max_length=120)
    called_at = models.DateTimeField(_("when"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    next_step = models.CharField(_("agreed next step"), max_length=500, blank=True)
    at = models.DateTimeField(_("recorded"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("red flag contact")
        verbose_name_plural = _("red flag contacts")
        ordering = ["at", "id"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class QueueEntry(PatientData):
    """An evaluation's place on the worklist: its status in one row. Kept by the database (`review.placing`).

    at: when the visit starts, and for one without a visit when it was asked for. status: of the form, or
    cancelled. needs_appointment: asked for and not booked yet. urgent: an emergency or same-day flag waits
    for staff, also on a draft, a cancelled visit or before any. response: the one with such a flag, else the
    one that stands. up, down: chain findings foot to knee and knee to foot.
    """

    class Status(models.TextChoices):
        NOT_STARTED = "not-started", _("Not started")
        IN_PROGRESS = "in-progress", _("In progress")
        TO_REVIEW = "to-review", _("To review")
        IN_REVIEW = "in-review", _("In review")
        REVIEWED = "reviewed", _("Reviewed")
        CANCELLED = "cancelled", _("Cancelled")

    evaluation = models.OneToOneField(
        Evaluation, models.CASCADE, primary_key=True, related_name="queue_entry", verbose_name=_("evaluation")
    )
    response = models.ForeignKey(
        QuestionnaireResponse, models.SET_NULL, null=True, related_name="+", verbose_name=_("intake")
    )
    physio = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("physio"),
    )
    at = models.DateTimeField(_("at"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices)
    needs_appointment = models.BooleanField(_("needs appointment"))
    urgent = models.BooleanField(_("urgent"))
    up = models.PositiveSmallIntegerField(_("foot to knee findings"))
    down = models.PositiveSmallIntegerField(_("knee to foot findings"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("place on the worklist")
        verbose_name_plural = _("worklist")
        indexes = [
            models.Index(fields=["at", "evaluation"], name="queue_time"),
            models.Index(fields=["status", "at", "evaluation"], name="queue_status"),
            models.Index(fields=["physio", "at", "evaluation"], name="queue_physio"),
            models.Index(
                fields=["at", "evaluation"],
                condition=Q(status__in=["to-review", "in-review"]),
                name="queue_to_do",
            ),
            models.Index(fields=["at", "evaluation"], condition=Q(urgent=True), name="queue_urgent"),
            models.Index(
                fields=["at", "evaluation"], condition=Q(needs_appointment=True), name="queue_asked"
            ),
            models.Index(fields=["at", "evaluation"], condition=Q(up__gt=0), name="queue_up"),
            models.Index(fields=["at", "evaluation"], condition=Q(down__gt=0), name="queue_down"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def readable(self) -> UUID | None:
        """The intake to open for who may read it: a sent one, or a draft that may need help."""
        status = self.Status
        if self.urgent or self.status in (status.TO_REVIEW, status.IN_REVIEW, status.REVIEWED):
            return UUID(str(self.response_id)) if self.response_id else None
        return None


pgtrigger.register(*placing.on_evaluations())(Evaluation)
pgtrigger.register(*placing.on_responses())(QuestionnaireResponse)
for _model in (Review, Finding, RedFlag):
    pgtrigger.register(*placing.on_rows_of_a_response())(_model)


ACKNOWLEDGING = frozenset(
    {
        RedFlagContact.Outcome.REACHED,
        RedFlagContact.Outcome.REACHED_OTHER,
        RedFlagContact.Outcome.NO_CALL_NEEDED,
    }
)

__all__ = [
    "ACKNOWLEDGING",
    "Decision",
    "DismissReason",
    "QueueEntry",
    "RedFlag",
    "RedFlagContact",
    "Review",
    "Verdict",
]
