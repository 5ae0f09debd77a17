"""Versions of the questionnaire, as data, and what every version of the clinic's content has."""

from functools import lru_cache

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from intake.questionnaires.definition import Definition, read_definition


class Status(models.TextChoices):
    """What runs. Approval by a physio is another matter: see `approved_by`."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class Version(models.Model):
    """One version of something that the clinic asks or screens by: drafted, in use, then retired.

    What is in use never changes; another version takes its place. A physio's approval is whole or not there.
    """

    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.DRAFT)
    definition = models.JSONField(_("definition"))
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "retired"]), name="%(class)s_status_known"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="%(class)s_approval_whole",
            ),
        ]


def immutable_once_used(*also: str) -> pgtrigger.Protect:
    """The trigger that keeps the definition of a version in use as it was, and these fields that name it."""
    changed = pgtrigger.Q()
    for name in ("definition", "version", *also):
        changed |= pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")})
    return pgtrigger.Protect(
        name="immutable_once_used",
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__status__in=["active", "retired"]) & changed,
    )


class Questionnaire(Version):
    """One version of a FHIR R4 Questionnaire. `definition` is the resource itself; immutable once active."""

    url = models.CharField(_("canonical address"), max_length=200)
    version = models.CharField(_("version"), max_length=40)
    title = models.CharField(_("title"), max_length=200)

    class Meta:
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")
        ordering = ["url", "-created_at"]
        permissions = [("approve_clinical_content", "Can approve questionnaires, rules and lessons")]
        constraints = [
            *Version.Meta.constraints,
            models.UniqueConstraint(fields=["url", "version"], name="questionnaire_version_unique"),
            models.UniqueConstraint(
                fields=["url"], condition=Q(status="active"), name="one_active_questionnaire_per_url"
            ),
        ]
        triggers = [immutable_once_used("url")]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"

    def tree(self) -> Definition:
        """The typed items. A version that is in use never changes, so its tree is read once a process."""
        if self.status == Status.DRAFT:
            return read_definition(self.definition)
        return _tree(self.pk)


@lru_cache(maxsize=16)
def _tree(pk: int) -> Definition:
    return read_definition(Questionnaire.objects.values_list("definition", flat=True).get(pk=pk))
