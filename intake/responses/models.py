"""One patient's answers for one evaluation."""

import hashlib
import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData
from intake.patients.models import Evaluation, Invitation, ReviewedQuerySet
from intake.questionnaires.models import Questionnaire

# Nothing that is mistaken for something else on the phone: no 0 O 1 I L 5 S 8 B.
ALPHABET = "234679ACDEFGHJKMNPQRTUVWXYZ"


class QuestionnaireResponse(PatientData):
    """A draft while `in-progress`; final once `completed` (a later correction is a new version, R8).

    answers: the compact index `{linkId: [value, ...]}`; a draft also keeps answers of disabled items.
    document: the FHIR R4 QuestionnaireResponse, written at submit; the record.
    saved_pages: linkIds of pages the patient has saved without an error.
    submit_key: made by the patient's browser; the same key twice is one intake.
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
    document = models.JSONField(_("record"), null=True)
    saved_pages = models.JSONField(_("saved pages"), default=list)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    updated_at = models.DateTimeField(_("last saved"), default=timezone.now)
    authored = models.DateTimeField(_("sent"), null=True)
    submit_key = models.UUIDField(_("key of the submission"), null=True)

    objects = ReviewedQuerySet.as_manager()

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
                ),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation"],
                condition=Q(status__in=["in-progress", "completed", "amended"]),
                name="one_standing_response_per_evaluation",
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
        return self.status in (self.Status.COMPLETED, self.Status.AMENDED)

    @property
    def reference(self) -> str:
        """Six letters and numbers a patient can read out on the phone: `KF7 3QX`. No secret, no number."""
        digits = int.from_bytes(hashlib.sha256(self.pk.bytes).digest()[:8])
        letters = "".join(ALPHABET[(digits >> (5 * place)) % len(ALPHABET)] for place in range(6))
        return f"{letters[:3]} {letters[3:]}"
