"""People, their booked evaluations, and the links that let them answer."""

import uuid
from datetime import date, timedelta
from typing import Any, Final, Self

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Collate, Now, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from intake.audit import PatientData

SEES_PATIENTS = "intake.view_patient"
REVIEWS = "intake.review_intake"
KEEPS_PRIVACY = "intake.keep_privacy"
# How long the link of a request lives; once it is booked, the visit decides (ADR 0015).
LINK_OF_REQUEST = timedelta(days=14)


def may(user: AbstractBaseUser | AnonymousUser, permission: str) -> bool:
    """Whether the user holds the permission; nobody signed in, and nobody inactive, holds any."""
    return bool(getattr(user, "has_perm", None) and user.has_perm(permission))  # type: ignore[union-attr]  # every user model of Django's auth has it


def only_reads(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the user is here by an emergency access: a page then has nothing to press."""
    return getattr(user, "break_glass", None) is not None


class ScopedQuerySet(models.QuerySet[Any]):
    """Staff reach patient records through `visible_to(user)` and nothing else."""

    seen_with: str = SEES_PATIENTS

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The rows this user may see: all of the clinic's with the permission, none without."""
        return self if may(user, self.seen_with) else self.none()


class ReviewedQuerySet(ScopedQuerySet):
    """Rows with answers or findings in them: only for those who review."""

    seen_with = REVIEWS


class PrivacyQuerySet(ScopedQuerySet):
    """For who exports and erases."""

    seen_with: str = KEEPS_PRIVACY


class PatientQuerySet(ScopedQuerySet):
    """People, of whom those that turned out to be somebody else already known are no longer shown."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return super().visible_to(user).filter(replaced_by=None)

    def in_keeping_of(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Those whom this user may export and erase, who need not be one who treats them."""
        return self.filter(replaced_by=None) if may(user, KEEPS_PRIVACY) else self.none()

    def with_standing(self) -> Self:
        """Adds `asked_only`: she asked for an evaluation and none was ever booked for her."""
        hers = Evaluation.objects.filter(patient=OuterRef("pk"))
        booked = Exists(hers.filter(starts_at__isnull=False))
        return self.annotate(asked_only=Exists(hers.filter(starts_at=None)) & ~booked)


def reference_of(patient_id: uuid.UUID) -> str:
    """Eight letters and numbers that say which patient is meant, without saying who: `3F9A 0C71`."""
    return f"{patient_id.hex[:4]} {patient_id.hex[4:8]}".upper()


def age_on(birth_date: date, day: date) -> int:
    """Age in whole years on a day."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday


def named_in_full(given_name: str, family_name: str) -> str:
    """A patient's name as pages write it."""
    return f"{given_name} {family_name}"


def _born_in_the_past(value: Any) -> None:
    if value > timezone.localdate():
        raise ValidationError(_("Enter a date in the past."))


class Patient(PatientData):
    """A person the clinic treats, or who asked it to. Contact data only: answers live in `intake.responses`.

    replaced_by: the patient she turned out to be when her request was booked. Such a row is shown to nobody;
    it stays because the record of an intake that was sent before names it (ADR 0015).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    birth_date = models.DateField(_("date of birth"), validators=[_born_in_the_past])
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    reminders_off = models.BooleanField(
        _("no reminders"), default=False, help_text=_("No mail before a visit while the form is open.")
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    replaced_by = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("is really")
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["family_name", "given_name", "id"]
        indexes = [
            models.Index(fields=["family_name", "given_name", "id"], name="patient_name"),
            # Searched by how a name begins; only this collation lets LIKE use an index in every database.
            models.Index(
                Collate(Upper("family_name"), "C"),
                Collate(Upper("given_name"), "C"),
                name="patient_family_given",
            ),
            models.Index(
                Collate(Upper("given_name"), "C"),
                Collate(Upper("family_name"), "C"),
                name="patient_given_family",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(birth_date__gte="1900-01-01"),
                name="patient_born_after_1900",
                violation_error_message=_("Enter a year after 1900."),
            ),
            models.CheckConstraint(
                condition=Q(replaced_by=None) | ~Q(replaced_by=F("pk")), name="patient_replaced_by_another"
            ),
        ]

    def __str__(self) -> str:
        return named_in_full(self.given_name, self.family_name)

    @property
    def reference(self) -> str:
        """What staff type and read out for her."""
        return reference_of(self.pk)

    def age_on(self, day: date) -> int:
        """Age in whole years on a day."""
        return age_on(self.birth_date, day)


class Evaluation(PatientData):
    """The first visit, `minutes` long, 60 unless the clinic sets another default.

    One that a person asked for has neither time nor physio until the front desk books it (ADR 0015). Two
    booked ones of a physio never overlap: an exclusion constraint, `evaluation_physio_once`, written in the
    first migration because Django's own needs an app that asks every new connection for types nobody uses.

    double_booked: it overlapped with another before that rule, or was handed over after it was over; it stays
    as it is until its time is changed.
    booked_at: when this time was set. reminders_off: no reminders of this visit.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Needs appointment")
        BOOKED = "booked", _("Booked")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, models.PROTECT, related_name="evaluations", verbose_name=_("patient")
    )
    physio = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="evaluations",
        verbose_name=_("physio"),
    )
    starts_at = models.DateTimeField(_("starts at"), null=True)
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=60, validators=[MinValueValidator(5), MaxValueValidator(480)]
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.BOOKED)
    double_booked = models.BooleanField(_("overlaps with another"), default=False, editable=False)
    booked_at = models.DateTimeField(_("booked"), default=timezone.now, editable=False)
    reminders_off = models.BooleanField(_("no reminders"), default=False, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["starts_at", "id"], name="evaluation_time")]
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=5, minutes__lte=480), name="evaluation_minutes"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "booked", "cancelled"]), name="evaluation_status_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(starts_at=None, physio=None, status__in=["requested", "cancelled"])
                    | Q(starts_at__isnull=False, physio__isnull=False, status__in=["booked", "cancelled"])
                ),
                name="evaluation_booked_has_time_and_physio",
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.starts_at):%Y-%m-%d %H:%M}" if self.starts_at else str(self.pk)

    @property
    def needs_appointment(self) -> bool:
        """Whether somebody asked for it and nobody has booked it yet."""
        return self.status == self.Status.REQUESTED

    @property
    def link_ends_at(self) -> Any:
        """A link lives until 24 hours after the visit (R7); before there is a visit, 14 days from asking."""
        if self.starts_at is None:
            return self.created_at + LINK_OF_REQUEST
        return self.starts_at + timedelta(hours=24)


class BookingEvent(PatientData):
    """What happened to a booking, in order, with the time and the physio that stood after it. Append-only."""

    class Kind(models.TextChoices):
        BOOKED = "booked", _("Booked")
        MOVED = "moved", _("Changed")
        CANCELLED = "cancelled", _("Cancelled")
        REBOOKED = "rebooked", _("Booked again")

    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="booking_events")
    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    starts_at = models.DateTimeField(_("starts at"), null=True)
    physio = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking event")
        verbose_name_plural = _("booking events")
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["booked", "moved", "cancelled", "rebooked"]), name="booking_event_known"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class EvaluationRequest(PatientData):
    """Somebody asks for a first evaluation before there is a booking; the front desk turns it into one.

    Whether she is a patient already is for the front desk to see, never for who asks. source: the slug of
    the lesson she came from, or empty. evaluation: of a patient made from this very request, until the front
    desk books it or says who she is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    birth_date = models.DateField(_("date of birth"), validators=[_born_in_the_past])
    guardian_name = models.CharField(_("parent or guardian"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    preferred_times = models.CharField(_("preferred times"), max_length=300, blank=True)
    source = models.CharField(_("lesson she came from"), max_length=80, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    evaluation = models.OneToOneField(
        Evaluation, models.PROTECT, related_name="request", verbose_name=_("evaluation")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("evaluation request")
        verbose_name_plural = _("evaluation requests")
        ordering = ["asked_at", "id"]
        indexes = [
            models.Index(
                fields=["asked_at", "id"], condition=Q(closed_at=None), name="evaluation_request_open"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(email="") | ~Q(phone=""), name="evaluation_request_can_be_answered"
            ),
            models.CheckConstraint(
                condition=Q(birth_date__gte="1900-01-01"), name="evaluation_request_born_after_1900"
            ),
        ]

    def __str__(self) -> str:
        return named_in_full(self.given_name, self.family_name)


class Link(PatientData):
    """A link that a date of birth opens. Only its token's SHA-256 is stored.

    The token is made when the mail is sent, so a link that waits for its mail has none yet.
    """

    token_hash = models.BinaryField(_("hash of the token"), max_length=32, null=True, editable=False)
    expires_at = models.DateTimeField(_("lives until"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    opened_at = models.DateTimeField(_("first opened"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("replaced or withdrawn"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended after wrong dates"), null=True, blank=True)

    class Meta:
        abstract = True

    def is_live(self, now: Any) -> bool:
        """Whether the link may still be opened at `now`."""
        return (
            self.token_hash is not None
            and self.revoked_at is None
            and self.ended_at is None
            and self.expires_at > now
        )


class Invitation(Link):
    """One link for one evaluation and one questionnaire version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="invitations")
    questionnaire = models.ForeignKey("intake.Questionnaire", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "id"]
        permissions = [
            ("send_invitation", "Can send a patient the link to the form"),
            ("end_all_links", "Can end every link that patients hold"),
        ]
        indexes = [models.Index(fields=["created_at"], name="invitation_made")]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation"],
                condition=Q(revoked_at=None, ended_at=None),
                name="one_live_invitation_per_evaluation",
            ),
            models.UniqueConstraint(fields=["token_hash"], name="invitation_token_unique"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invitation_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class LessonShare(Link):
    """Lessons that a physio picked for a patient after one evaluation, with a link of their own.

    lessons: slugs, in the order of the course. The link shows every lesson shared for the evaluation and
    opens nothing else (ADR 0026). What was shared, when and by whom never changes. revoked_at: taken back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="lesson_shares")
    lessons = models.JSONField(_("lessons"))
    at = models.DateTimeField(_("shared"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ReviewedQuerySet.as_manager()

    class Meta:
        verbose_name = _("shared lessons")
        verbose_name_plural = _("shared lessons")
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="lesson_share_token_unique"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("at")), name="lesson_share_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=~Q(lessons=[]), name="lesson_share_has_lessons"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="shared_for_good", fields=["evaluation", "lessons", "at", "by"]),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.id)


class AccessEvent(PatientData):
    """What happened at a link: the counters of R4 are read from here, so they survive a restart."""

    class Kind(models.TextChoices):
        WRONG_DATE = "wrong-date", _("Wrong date of birth")
        REFUSED_AT_REST = "resting", _("Tried while resting")
        OPENED = "opened", _("Opened")
        OTHER_DEVICE = "other-device", _("Opened on another device")
        WRONG_CODE = "wrong-code", _("Wrong code")
        ENDED = "ended", _("Ended after too many wrong dates")

    invitation = models.ForeignKey(Invitation, models.CASCADE, null=True, related_name="events")
    share = models.ForeignKey(LessonShare, models.CASCADE, null=True, related_name="events")
    kind = models.CharField(_("what"), max_length=16, choices=Kind.choices)
    at = models.DateTimeField(_("at"), default=timezone.now)
    address = models.GenericIPAddressField(_("from address"), null=True)

    class Meta:
        verbose_name = _("link event")
        verbose_name_plural = _("link events")
        indexes = [
            models.Index(fields=["invitation", "kind", "at"], name="access_event_link"),
            models.Index(fields=["address", "kind", "at"], name="access_event_address"),
            models.Index(
                fields=["at"], condition=Q(kind__in=["wrong-date", "wrong-code"]), name="access_event_wrong"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(invitation__isnull=False, share=None) | Q(invitation=None, share__isnull=False),
                name="access_event_of_one_link",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class AccessCode(PatientData):
    """Six digits by e-mail that let another device to what is stored (R6).

    It works once, for 10 minutes, for five tries, and only in the browser that asked for it: `device_hash`
    is that of its cookie. code_hash: keyed, because six digits can be counted through; None until the mail
    is made.
    """

    TRIES: Final = 5
    LIFE: Final = timedelta(minutes=10)

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="codes")
    device_hash = models.BinaryField(_("hash of the device"), max_length=32)
    code_hash = models.BinaryField(_("hash of the code"), max_length=32, null=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    expires_at = models.DateTimeField(_("lives until"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    tries = models.PositiveSmallIntegerField(_("wrong tries"), default=0)
    used_at = models.DateTimeField(_("used"), null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("access code")
        verbose_name_plural = _("access codes")
        indexes = [
            models.Index(fields=["device_hash", "asked_at"], name="access_code_device"),
            models.Index(fields=["invitation", "asked_at"], name="access_code_link"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=5), name="access_code_five_tries"),
            models.CheckConstraint(
                condition=Q(
                    expires_at__gt=F("asked_at"), expires_at__lte=F("asked_at") + timedelta(minutes=10)
                ),
                name="access_code_ten_minutes",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(code_hash__isnull=False), name="access_code_used_was_made"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="asked_for_good", fields=["invitation", "device_hash", "asked_at", "expires_at"]
            ),
            pgtrigger.Protect(
                name="used_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__used_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"

    def is_live(self, now: Any) -> bool:
        """Whether the right digits would open the form at `now`."""
        return self.used_at is None and self.tries < self.TRIES and self.expires_at > now


class TabletCode(PatientData):
    """Six digits, or a QR code, that let whoever holds the clinic's tablet to one form.

    Both work once, for 5 minutes, until another is made for the same visit. Of the digits a keyed hash is
    kept. tries: wrong digits typed anywhere while it lived (ADR 0032).
    """

    LIFE: Final = timedelta(minutes=5)
    TRIES: Final = 3
    # From all addresses together: a stranger's three do not end what the front desk has started.
    TRIES_OF_ALL: Final = 30

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="tablet_codes")
    code_hash = models.BinaryField(_("hash of the code"), max_length=32)
    token_hash = models.BinaryField(_("hash of the QR code"), max_length=32)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(_("lives until"))
    tries = models.PositiveSmallIntegerField(_("wrong tries"), default=0)
    replaced_at = models.DateTimeField(_("replaced"), null=True)
    used_at = models.DateTimeField(_("used"), null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("tablet code")
        verbose_name_plural = _("tablet codes")
        indexes = [models.Index(fields=["expires_at"], name="tablet_code_ends")]
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="tablet_code_token_unique"),
            models.CheckConstraint(condition=Q(tries__lte=30), name="tablet_code_thirty_tries"),
            models.CheckConstraint(
                condition=Q(
                    expires_at__gt=F("started_at"), expires_at__lte=F("started_at") + timedelta(minutes=5)
                ),
                name="tablet_code_five_minutes",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="started_for_good",
                fields=["invitation", "code_hash", "token_hash", "started_at", "started_by", "expires_at"],
            ),
            pgtrigger.Protect(
                name="used_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__used_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class TabletTry(PatientData):
    """Wrong digits on the tablet's page while at least one code lived. Whose was meant nobody knows."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    address = models.GenericIPAddressField(_("from address"), null=True)

    class Meta:
        verbose_name = _("wrong tablet code")
        verbose_name_plural = _("wrong tablet codes")
        indexes = [models.Index(fields=["address", "at"], name="tablet_try_address")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class Reminder(PatientData):
    """One mail before one visit, while the form is open. Claimed once for each kind and each start.

    state: queued (its job is on its way) -> sent, failed (given up, staff see it), or not needed any more
    when its turn came. A link and a way to stop reminders stand in the mail; only hashes of both are kept.
    Its link opens the same invitation as the one of the first mail, and both go on working (ADR 0022).
    """

    class Kind(models.TextChoices):
        WEEK = "week", _("7 days before")
        DAY = "day", _("1 day before")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Could not be sent")
        NOT_NEEDED = "not-needed", _("Not needed any more")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="reminders")
    kind = models.CharField(_("when"), max_length=4, choices=Kind.choices)
    starts_at = models.DateTimeField(_("for a visit that starts at"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField(_("queued"), default=timezone.now)
    settled_at = models.DateTimeField(_("sent, failed or not needed"), null=True)
    invitation = models.ForeignKey(Invitation, models.PROTECT, null=True, related_name="reminders")
    token_hash = models.BinaryField(_("hash of the token"), max_length=32, null=True, editable=False)
    stop_hash = models.BinaryField(
        _("hash of the token that stops them"), max_length=32, null=True, editable=False
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["queued_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "kind", "starts_at"], name="reminder_once"),
            models.UniqueConstraint(fields=["token_hash"], name="reminder_token_unique"),
            models.UniqueConstraint(fields=["stop_hash"], name="reminder_stop_unique"),
            models.CheckConstraint(condition=Q(kind__in=["week", "day"]), name="reminder_kind_known"),
            models.CheckConstraint(
                condition=Q(state="queued", settled_at=None)
                | Q(state__in=["sent", "failed", "not-needed"], settled_at__isnull=False),
                name="reminder_state_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class PatientSession(PatientData):
    """A patient at work: opened by the date of birth, idle after 30 minutes, over after 4 hours (R10).

    Cookies carry random tokens; only their SHA-256 is stored. `device_hash` tells the same device again. It
    belongs to the link that opened it: of an invitation it opens the form, of a share the lessons alone.
    on_tablet: of the clinic, which the next patient holds next: idle after 2 minutes, and never known again.
    """

    invitation = models.ForeignKey(Invitation, models.CASCADE, null=True, related_name="sessions")
    share = models.ForeignKey(LessonShare, models.CASCADE, null=True, related_name="sessions")
    token_hash = models.BinaryField(_("hash of the token"), max_length=32)
    device_hash = models.BinaryField(_("hash of the device"), max_length=32)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    on_tablet = models.BooleanField(_("on the clinic’s tablet"), default=False, db_default=False)

    class Meta:
        verbose_name = _("patient session")
        verbose_name_plural = _("patient sessions")
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="patient_session_token_unique"),
            models.CheckConstraint(
                condition=Q(invitation__isnull=False, share=None) | Q(invitation=None, share__isnull=False),
                name="patient_session_of_one_link",
            ),
        ]
        indexes = [models.Index(fields=["invitation", "device_hash"], name="patient_session_device")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def link(self) -> Invitation | LessonShare:
        """The link that opened it: a constraint holds that there is one."""
        link = self.invitation or self.share
        if link is None:
            raise RuntimeError("a session without a link")
        return link


class Erasure(PatientData):
    """What was erased about a patient: when, by whom, why, and how much of what; never a name. Append-only.

    Written by the SQL function `intake_erase` alone, in the transaction that erases (ADR 0044). kept_until:
    the day until which the clinical record has to stay; None when nothing is left. counts: rows by table.
    """

    class Reason(models.TextChoices):
        ASKED = "asked", _("The patient asked for it")
        MISTAKE = "mistake", _("Entered by mistake")
        TIME = "time", _("The time to keep it is over")

    patient_id = models.UUIDField(_("patient"))
    at = models.DateTimeField(_("at"), db_default=Now())
    actor_kind = models.CharField(_("who"), max_length=12)
    actor_id = models.CharField(_("id of who"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason.choices)
    kept_until = models.DateTimeField(_("record kept until"), null=True)
    counts = models.JSONField(_("rows by table"), default=dict)

    objects = PrivacyQuerySet.as_manager()

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-at", "-id"]
        default_permissions = ()
        permissions = [("keep_privacy", "Can export and erase all that is kept about a patient")]
        indexes = [models.Index(fields=["patient_id"], name="erasure_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["asked", "mistake", "time"]), name="erasure_reason_known"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    @property
    def reference(self) -> str:
        """The one she had, which leads to nobody any more."""
        return reference_of(self.patient_id)
