"""Subscribers, the issues sent to them, and which issue went to whom."""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    """Subscribers, the newest first."""

    def receiving(self) -> "SubscriberQuerySet":
        """Confirmed, not left, not bounced: who an issue goes to."""
        return self.filter(status=Subscriber.Status.ACTIVE, bounced_at=None)


class Subscriber(models.Model):
    """An e-mail address that asked for lessons. Nothing leads from here to a patient, or back.

    `round` grows each time the address starts anew, so that a confirm link from before it left confirms
    nothing.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Not yet confirmed")
        ACTIVE = "active", _("Confirmed")
        UNSUBSCRIBED = "unsubscribed", _("Left")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.PENDING)
    round = models.PositiveIntegerField(_("round"), default=1, editable=False)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    bounced_at = models.DateTimeField(_("bounced"), null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-asked_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "active", "unsubscribed"]),
                name="education_subscriber_status",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="education_subscriber_email_is_lower"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(confirmed_at__isnull=False),
                name="education_subscriber_active_is_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def receives(self) -> bool:
        """Whether an issue goes to this address now."""
        return self.status == self.Status.ACTIVE and self.bounced_at is None


class Issue(models.Model):
    """One e-mail made of lessons. Once it is on its way its text stays as it was."""

    subject = models.CharField(
        _("subject"),
        max_length=120,
        validators=[RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", _("Keep the subject on one line."))],
    )
    intro = models.TextField(
        _("first lines"), blank=True, max_length=2000, help_text=_("Plain text above the lessons.")
    )
    lessons = models.ManyToManyField(
        "education.Lesson", related_name="issues", verbose_name=_("lessons"), limit_choices_to={"live": True}
    )
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    queued_at = models.DateTimeField(_("sent off"), null=True, blank=True, editable=False)
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("sent off by"),
    )
    text = models.TextField(_("text as sent"), blank=True, editable=False)

    class Meta:
        verbose_name = _("newsletter issue")
        verbose_name_plural = _("newsletter issues")
        ordering = ["-created_at", "-id"]
        permissions = [("send_issue", "Can send a newsletter issue")]

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """One issue to one subscriber, at most once.

    UNKNOWN: the run that sent it ended half-way; it may have arrived, so it is not sent again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        BOUNCED = "bounced", _("Bounced")
        SKIPPED = "skipped", _("Left before it was sent")
        UNKNOWN = "unknown", _("Cut off while sending; not sent again")

    issue = models.ForeignKey(Issue, models.PROTECT, related_name="deliveries", verbose_name=_("issue"))
    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="deliveries", verbose_name=_("subscriber")
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    at = models.DateTimeField(_("since"), auto_now=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["issue", "subscriber"], name="education_delivered_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "sent", "bounced", "skipped", "unknown"]),
                name="education_delivery_state",
            ),
        ]

    def __str__(self) -> str:
        return self.state
