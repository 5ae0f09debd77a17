"""One patient's answers for one evaluation."""

import hashlib
import uuid
from typing import Final, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData
from intake.patients.models import Evaluation, Invitation, ReviewedQuerySet
from intake.questionnaires.models import Questionnaire

# Nothing that is mistaken for something else on the phone: no 0 O 1 I L 5 S 8 B.
ALPHABET = "234679ACDEFGHJKMNPQRTUVWXYZ"
# The statuses of what was sent.
SENT_STATUSES: Final = ("completed", "amended")
# What was sent and was not replaced by a later version.
SENT: Final = Q(status__in=SENT_STATUSES, replaced_at=None)
STANDS: Final = SENT | Q(status="in-progress", replaces=None)


class ResponseQuerySet(ReviewedQuerySet):
    """Intakes, of which at most one of an evaluation stands for staff."""

    def standing(self) -> Self:
        """What counts: the newest that was sent, or a first draft; never a change that was not sent."""
        return self.filter(STANDS)

    def with_earlier(self) -> Self:
        """Adds `has_earlier`: the same patient sent an intake for another visit."""
        others = self.model.objects.filter(SENT, evaluation__patient=OuterRef("evaluation__patient"))
        return self.annotate(has_earlier=Exists(others.filter(~Q(evaluation=OuterRef("evaluation")))))

    def sent_before(self, evaluation: Evaluation) -> Self:
        """What the patient of an evaluation sent for other visits, the newest first."""
        mine = self.filter(SENT, evaluation__patient=evaluation.patient_id)
        return mine.exclude(evaluation=evaluation.pk).order_by("-authored")


class QuestionnaireResponse(PatientData):
    """A draft while `in-progress`; final once `completed` (a later correction is a new version, R8).

    A change of what was sent is a row of its own that `replaces` it: a draft like any other, `amended` once
    it is sent. From then, `replaced_at`, the earlier one is history; until then it stands (ADR 0021).

    answers: the compact index `{linkId: [value, ...]}`; a draft also keeps answers of disabled items.
    written: of a draft, what open pages last said at each question; see `intake.responses.shown`.
    document: the FHIR R4 QuestionnaireResponse, written at submit; the record.
    saved_pages: linkIds of pages the patient has saved without an error.
    submit_key: made by the patient's browser; the same key twice is one intake.
    privacy_version: of the notice that was in force when she last ticked that she saw it.
    """

    class Status(models.TextChoices):
        IN_PROGRESS = "in-progress", _("In progress")
        COMPLETED = "completed", _("Completed")
        AMENDED = "amended", _("Amended")
        ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="responses")
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="responses")
    questionnaire = models.ForeignKey(Questionnaire, models.PROTECT, related_name="responses")
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.IN_PROGRESS)
    answers = models.JSONField(_("answers"), default=dict)
    written = models.JSONField(_("said by open pages"), default=dict, db_default={})
    document = models.JSONField(_("record"), null=True)
    saved_pages = models.JSONField(_("saved pages"), default=list)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    updated_at = models.DateTimeField(_("last saved"), default=timezone.now)
    authored = models.DateTimeField(_("sent"), null=True)
    submit_key = models.UUIDField(_("key of the submission"), null=True)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="replacements", verbose_name=_("stands in for")
    )
    replaced_at = models.DateTimeField(_("replaced"), null=True)
    privacy_version = models.PositiveIntegerField(_("privacy notice"), null=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("intake")
        verbose_name_plural = _("intakes")
        permissions = [
            ("see_worklist", "Can see the worklist"),
            ("review_intake", "Can read answers and findings, decide, and finish a review"),
        ]
        indexes = [
            models.Index(fields=["authored"], condition=Q(authored__isnull=False), name="response_sent"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="sent_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=["completed", "amended"])
                & (
                    pgtrigger.Q(old__answers__df=pgtrigger.F("new__answers"))
                    | pgtrigger.Q(old__document__df=pgtrigger.F("new__document"))
                    | pgtrigger.Q(old__authored__df=pgtrigger.F("new__authored"))
                    | pgtrigger.Q(old__submit_key__df=pgtrigger.F("new__submit_key"))
                    | pgtrigger.Q(old__replaces__df=pgtrigger.F("new__replaces"))
                    | pgtrigger.Q(old__privacy_version__df=pgtrigger.F("new__privacy_version"))
                    | (
                        pgtrigger.Q(old__replaced_at__isnull=False)
                        & pgtrigger.Q(old__replaced_at__df=pgtrigger.F("new__replaced_at"))
                    )
                ),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation"], condition=STANDS, name="one_standing_response_per_evaluation"
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=Q(status__in=["in-progress", "amended"]),
                name="one_change_of_a_response",
            ),
            models.CheckConstraint(
                condition=Q(replaces=None, status__in=["in-progress", "completed", "stopped"])
                | Q(replaces__isnull=False, status__in=["in-progress", "amended", "stopped"])
                | Q(status="entered-in-error"),
                name="amended_response_replaces_one",
            ),
            models.CheckConstraint(
                condition=Q(replaced_at=None) | Q(authored__isnull=False),
                name="only_sent_response_is_replaced",
            ),
            models.UniqueConstraint(fields=["submit_key"], name="submit_key_unique"),
            models.CheckConstraint(
                condition=Q(status__in=["in-progress", "stopped", "entered-in-error"])
                | Q(
                    status__in=["completed", "amended"],
                    document__isnull=False,
                    authored__isnull=False,
                    submit_key__isnull=False,
                ),
                name="completed_response_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_sent(self) -> bool:
        return self.status in SENT_STATUSES

    @property
    def is_change(self) -> bool:
        """Whether it is a change of something sent that was not sent itself yet."""
        return self.status == self.Status.IN_PROGRESS and self.replaces_id is not None

    @property
    def stands(self) -> "QuestionnaireResponse":
        """What staff look at: of a change that is not sent yet, the intake it will replace.

        Red flags belong to it, so that what is typed in a change alarms where the clinic looks.
        """
        return self.replaces if self.is_change and self.replaces is not None else self

    @property
    def reference(self) -> str:
        """Six letters and numbers a patient can read out on the phone: `KF7 3QX`. No secret, no number."""
        digits = int.from_bytes(hashlib.sha256(self.pk.bytes).digest()[:8])
        letters = "".join(ALPHABET[(digits >> (5 * place)) % len(ALPHABET)] for place in range(6))
        return f"{letters[:3]} {letters[3:]}"
