"""Rules as data, and what they raised."""

from functools import lru_cache

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData
from intake.patients.models import ReviewedQuerySet
from intake.questionnaires.models import Status, Version, immutable_once_used
from intake.responses.models import QuestionnaireResponse
from intake.screening.screen import RuleDefinition, parse_rule


class Side(models.TextChoices):
    LEFT = "left", _("Left")
    RIGHT = "right", _("Right")


class Tier(models.TextChoices):
    EMERGENCY = "emergency", _("Emergency")
    SAME_DAY = "same-day", _("Same day")
    TELL_PHYSIO = "tell-physio", _("Tell the physio")


class Rule(Version):
    """One version of a rule. `definition` is the entry of the catalog; immutable once active."""

    class Kind(models.TextChoices):
        CHAIN = "chain", _("Chain")
        NOTE = "note", _("Note on the answers")
        RED_FLAG = "red-flag", _("Red flag")
        PRECAUTION = "precaution", _("Precaution")

    rule_id = models.SlugField(_("id"), max_length=80)
    version = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    title = models.CharField(_("title"), max_length=200)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["kind", "rule_id", "-version"]
        constraints = [
            *Version.Meta.constraints,
            models.UniqueConstraint(fields=["rule_id", "version"], name="rule_version_unique"),
            models.UniqueConstraint(
                fields=["rule_id"], condition=Q(status="active"), name="one_active_version_per_rule"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["chain", "note", "red-flag", "precaution"]), name="rule_kind_known"
            ),
        ]
        triggers = [immutable_once_used("rule_id")]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.version}"

    def parsed(self) -> RuleDefinition:
        """The typed rule. A version that is in use never changes, so it is parsed once a process."""
        if self.status == Status.DRAFT:
            return parse_rule(self.definition)
        return parsed_rule(self.pk)


@lru_cache(maxsize=1024)
def parsed_rule(pk: int) -> RuleDefinition:
    """The typed rule of a version in use, by primary key. Raises `Rule.DoesNotExist`."""
    return parse_rule(Rule.objects.values_list("definition", flat=True).get(pk=pk))


class ScreeningRun(PatientData):
    """One pass of the rules over one response: what ran, so that the result can be computed again.

    rule_versions: `{rule id: version}` of everything that ran. precautions: `[rule id, ...]` raised.
    """

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="runs")
    at = models.DateTimeField(_("at"), default=timezone.now)
    rule_versions = models.JSONField(_("rule versions"))
    precautions = models.JSONField(_("precautions"), default=list)

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("screening run")
        verbose_name_plural = _("screening runs")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class Finding(PatientData):
    """A link worth a look, with the very answers behind it. For the physio; never a diagnosis.

    Keyed (response, rule, side). `side` is where the rule starts; source and target say where the cause
    and the effect are, null for a finding about the whole person. `score` sorts; it is no probability.
    evidence: see `intake.screening.explain.evidence_json`.
    """

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="findings")
    run = models.ForeignKey(ScreeningRun, models.PROTECT, related_name="findings")
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="findings")
    side = models.CharField(_("side"), max_length=5, choices=Side.choices, null=True)
    source_side = models.CharField(_("source side"), max_length=5, choices=Side.choices, null=True)
    target_side = models.CharField(_("target side"), max_length=5, choices=Side.choices, null=True)
    direction = models.CharField(_("direction"), max_length=8, blank=True)
    score = models.IntegerField(_("sort key"))
    evidence = models.JSONField(_("evidence"))

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(
                fields=["response", "rule", "side"], nulls_distinct=False, name="finding_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RedFlag(PatientData):
    """An answer that may need help. Emergency and same-day alert staff as soon as the page is saved.

    open -> withdrawn (by the patient) -> acknowledged (by staff). A withdrawn one still waits for staff.
    patient_saw_at: when the patient pressed a button on the page that told her what to do.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        WITHDRAWN = "withdrawn", _("Withdrawn by patient")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="red_flags")
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="red_flags")
    side = models.CharField(_("side"), max_length=5, choices=Side.choices, null=True)
    tier = models.CharField(_("tier"), max_length=12, choices=Tier.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    evidence = models.JSONField(_("evidence"))
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("withdrawn by patient"), null=True)
    patient_saw_at = models.DateTimeField(_("patient saw the advice"), null=True)
    mail_sent_at = models.DateTimeField(_("on-call notice sent"), null=True)

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("red flag")
        verbose_name_plural = _("red flags")
        constraints = [
            models.UniqueConstraint(
                fields=["response", "rule", "side"], nulls_distinct=False, name="red_flag_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "withdrawn", "acknowledged"]), name="red_flag_state_known"
            ),
            models.CheckConstraint(
                condition=Q(tier__in=["emergency", "same-day", "tell-physio"]), name="red_flag_tier_known"
            ),
        ]
        indexes = [
            models.Index(fields=["raised_at"], name="red_flag_raised"),
            models.Index(
                fields=["raised_at"],
                condition=Q(tier__in=["emergency", "same-day"], state__in=["open", "withdrawn"]),
                name="red_flag_waiting",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RedFlagEvent(PatientData):
    """What happened to a red flag, in order. Append-only."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("Raised")
        WITHDRAWN = "withdrawn", _("Withdrawn by patient")
        RAISED_AGAIN = "raised-again", _("Raised again")
        SEEN = "seen", _("Patient saw the advice")
        MISTAKE = "mistake", _("Patient said it was ticked by mistake")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")

    flag = models.ForeignKey(RedFlag, models.PROTECT, related_name="events")
    kind = models.CharField(_("what"), max_length=14, choices=Kind.choices)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("red flag event")
        verbose_name_plural = _("red flag events")
        ordering = ["at", "id"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
