"""What physios decided, did and found, as rows that are added and never changed; and the worklist they work
from.
"""

from datetime import datetime
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Floor, Mod
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData
from intake.patients.models import REVIEWS, Evaluation, ReviewedQuerySet, ScopedQuerySet, may
from intake.responses.models import QuestionnaireResponse
from intake.review import placing, tallying
from intake.review.measures import MEASURES
from intake.screening.models import Finding, RedFlag, Rule, Side

REOPENS = "intake.reopen_evaluation"


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
    """One decision on one finding. The last one stands; the earlier ones are its history. Append-only.

    carried_from: of an amended intake, the very decision on the version before, kept because the answers
    behind the finding are the same; who and when are those of that one.
    """

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="verdicts", db_index=False)
    decision = models.CharField(_("decision"), max_length=12, choices=Decision.choices)
    reason = models.CharField(_("reason"), max_length=12, choices=DismissReason.choices, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    carried_from = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", verbose_name=_("kept from"), db_index=False
    )

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["finding", "-id"], name="verdict_last"),
            # For erasing: few are carried, and each that goes is looked for here.
            models.Index(
                fields=["carried_from"], condition=Q(carried_from__isnull=False), name="verdict_carried"
            ),
        ]
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


class Result(models.TextChoices):
    """What the evaluation showed about a finding."""

    FOUND = "found", _("Found")
    NOT_FOUND = "not-found", _("Not found")
    NOT_TESTED = "not-tested", _("Not tested")


class NotTestedReason(models.TextChoices):
    """Why a finding was not tested. Fixed and short, so that it can be counted."""

    TIME = "time", _("No time at this visit")
    PAIN = "pain", _("Too painful to test")
    UNSAFE = "unsafe", _("Not safe to test")
    MISSING = "missing", _("Something needed was not there")
    DECLINED = "declined", _("The patient did not want it")
    DISMISSED = "dismissed", _("Dismissed before the visit")
    OTHER = "other", _("Another reason")


class Outcome(PatientData):
    """What the evaluation showed about one finding. The last one stands. Append-only."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="outcomes")
    result = models.CharField(_("result"), max_length=10, choices=Result.choices)
    reason = models.CharField(_("reason"), max_length=10, choices=NotTestedReason.choices, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(result__in=["found", "not-found", "not-tested"]), name="outcome_result_known"
            ),
            models.CheckConstraint(
                condition=(Q(result="not-tested") & ~Q(reason="")) | (~Q(result="not-tested") & Q(reason="")),
                name="not_tested_has_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


def _possible() -> Q:
    """Each kind of measurement between its ends, whole where only whole numbers make sense."""
    condition = Q(value=None, kind__in=list(MEASURES))
    for kind, measure in MEASURES.items():
        one = Q(kind=kind, value__gte=measure.low, value__lte=measure.high)
        condition |= one & Q(value=Floor(F("value"))) if measure.whole else one
    return condition


class Measurement(PatientData):
    """One value of one leg, measured at the evaluation (FHIR Observation). The last one of its kind and side
    stands; an empty one takes an earlier one back. Append-only. Units: `intake.review.measures`.
    """

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="measurements")
    kind = models.CharField(
        _("what"), max_length=16, choices=[(kind, one.label) for kind, one in MEASURES.items()]
    )
    side = models.CharField(_("side"), max_length=5, choices=Side.choices)
    value = models.DecimalField(_("value"), max_digits=4, decimal_places=1, null=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(side__in=["left", "right"]), name="measurement_side_known"),
            models.CheckConstraint(condition=_possible(), name="measurement_possible"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MissedLink(PatientData):
    """A link the rules missed, as the physio saw it: where it starts and where it shows. Append-only.

    starts_at, shows_at: ids of body regions. takes_back: this row says that an earlier one was a mistake.
    """

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="missed_links")
    starts_at = models.SlugField(_("starts at"), max_length=40, db_index=False)
    starts_side = models.CharField(_("side it starts on"), max_length=5, choices=Side.choices)
    shows_at = models.SlugField(_("shows at"), max_length=40, db_index=False)
    shows_side = models.CharField(_("side it shows on"), max_length=5, choices=Side.choices)
    words = models.CharField(_("in a few words"), max_length=200)
    takes_back = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="taken_back_by", verbose_name=_("takes back")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("link the rules missed")
        verbose_name_plural = _("links the rules missed")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_side__in=["left", "right"], shows_side__in=["left", "right"])
                & ~Q(starts_at="")
                & ~Q(shows_at="")
                & ~Q(words=""),
                name="missed_link_whole",
            ),
            models.CheckConstraint(
                condition=~Q(starts_at=F("shows_at"), starts_side=F("shows_side")),
                name="missed_link_leads_elsewhere",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ClosingQuerySet(ScopedQuerySet):
    """For who reviews, and for who may only open a closed evaluation again."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> "ClosingQuerySet":
        return self if may(user, REVIEWS) or may(user, REOPENS) else self.none()


class Closing(PatientData):
    """An evaluation was closed, or opened again with a reason. The last one stands. Append-only.

    number: 1 the first time it was closed, 2 opened again, 3 closed again; so of two who close at once one
    is refused.
    """

    class Act(models.TextChoices):
        CLOSED = "closed", _("Closed")
        REOPENED = "reopened", _("Opened again")

    response = models.ForeignKey(
        QuestionnaireResponse, models.PROTECT, related_name="closings", db_index=False
    )
    number = models.PositiveSmallIntegerField(_("number"))
    act = models.CharField(_("what"), max_length=8, choices=Act.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ClosingQuerySet.as_manager()

    class Meta:
        verbose_name = _("closing")
        verbose_name_plural = _("closings")
        ordering = ["response", "number"]
        permissions = [("reopen_evaluation", "Can open a closed evaluation again")]
        constraints = [
            models.UniqueConstraint(fields=["response", "number"], name="closing_once"),
            models.CheckConstraint(
                condition=(Q(Exact(Mod(F("number"), 2), 1)) & Q(act="closed", reason=""))
                | (Q(Exact(Mod(F("number"), 2), 0)) & Q(act="reopened") & ~Q(reason="")),
                name="closing_and_reopening_in_turn",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class TallyQuerySet(ScopedQuerySet):
    """Only ever counted, by rule: for whoever keeps rules, who sees no patient."""

    seen_with = "intake.view_rule"


class FindingTally(PatientData):
    """What one chain finding counts for in the record of its rule. Kept by the database (`review.tallying`).

    Every finding of an intake that stands has one row, unless its evaluation is cancelled. decision: the
    verdict that stands, or empty. result: the outcome that stands once the evaluation is closed, else empty.
    """

    finding = models.OneToOneField(Finding, models.CASCADE, primary_key=True, related_name="tally")
    # The finding's own; its key to the rule is checked there, not once more for the same row.
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    decision = models.CharField(_("decision"), max_length=12, blank=True)
    result = models.CharField(_("result"), max_length=10, blank=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("tally of a finding")
        verbose_name_plural = _("tallies of findings")
        indexes = [models.Index(fields=["rule", "decision", "result"], name="tally_of_rule")]

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
        CLOSED = "closed", _("Closed")
        CANCELLED = "cancelled", _("Cancelled")

    # What waits to be closed once the visit has begun: time passes without a write, so no status says so.
    UNCLOSED = (Status.TO_REVIEW, Status.IN_REVIEW, Status.REVIEWED)

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
            models.Index(
                fields=["at", "evaluation"],
                condition=Q(status__in=["to-review", "in-review", "reviewed"], needs_appointment=False),
                name="queue_to_close",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_over(self, now: datetime) -> bool:
        """Whether the visit has begun and waits to be closed."""
        return self.at <= now and self.status in self.UNCLOSED and not self.needs_appointment

    @property
    def readable(self) -> UUID | None:
        """The intake to open for who may read it: a sent one, or a draft that may need help."""
        status = self.Status
        if self.urgent or self.status in (*self.UNCLOSED, status.CLOSED):
            return UUID(str(self.response_id)) if self.response_id else None
        return None


class LessonOpening(models.Model):
    """How often a lesson was opened from the thank-you page in one week. Nobody can be read from it.

    week: the Monday it begins with. lesson: the slug.
    """

    week = models.DateField(_("week"))
    lesson = models.SlugField(_("lesson"), max_length=80, db_index=False)
    number = models.PositiveIntegerField(_("opened"), default=0)

    class Meta:
        verbose_name = _("lesson opened")
        verbose_name_plural = _("lessons opened")
        permissions = [("see_figures", "Can see the clinic's figures: counts, never a patient")]
        constraints = [
            models.UniqueConstraint(fields=["week", "lesson"], name="lesson_opening_once_a_week"),
        ]

    def __str__(self) -> str:
        return f"{self.lesson} {self.week:%Y-%m-%d}"


pgtrigger.register(*placing.on_evaluations())(Evaluation)
pgtrigger.register(*placing.on_responses())(QuestionnaireResponse)
pgtrigger.register(*placing.on_findings())(Finding)
for _model in (Review, RedFlag):
    pgtrigger.register(*placing.on_rows_of_a_response())(_model)
pgtrigger.register(*placing.on_added_rows_of_a_response())(Closing)

pgtrigger.register(*tallying.on_evaluations())(Evaluation)
pgtrigger.register(*tallying.on_responses())(QuestionnaireResponse)
pgtrigger.register(*tallying.on_findings())(Finding)
pgtrigger.register(*tallying.on_verdicts())(Verdict)
pgtrigger.register(*tallying.on_outcomes())(Outcome)
pgtrigger.register(*tallying.on_closings())(Closing)


ACKNOWLEDGING = frozenset(
    {
        RedFlagContact.Outcome.REACHED,
        RedFlagContact.Outcome.REACHED_OTHER,
        RedFlagContact.Outcome.NO_CALL_NEEDED,
    }
)

__all__ = [
    "ACKNOWLEDGING",
    "REOPENS",
    "Closing",
    "Decision",
    "DismissReason",
    "FindingTally",
    "LessonOpening",
    "Measurement",
    "MissedLink",
    "NotTestedReason",
    "Outcome",
    "QueueEntry",
    "RedFlag",
    "RedFlagContact",
    "Result",
    "Review",
    "Verdict",
]
