"""Staff accounts. Patients have none: they come by link (`intake.patients`)."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A member of staff. What one may do comes from the roles in `clinic.roles`.

    `title` stands before the family name wherever patients read it ("Dr. Ortiz"). sessions_round: sessions of
    an earlier round are over (`clinic.door.factors.end_sessions`).
    emergency, emergency_ends_at: key and end of an emergency access that was not ended, as `clinic.accounts`
    reads them with the account. break_glass: that key, while a request reads by it
    (`clinic.people.emergency`).
    """

    emergency: int | None = None
    emergency_ends_at: datetime | None = None
    break_glass: int | None = None

    title = models.CharField(_("title"), max_length=20, blank=True)
    sessions_round = models.PositiveIntegerField(_("round of sessions"), default=0, db_default=0)

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """The name as it is kept and counted: an e-mail address in small letters, whatever was typed."""
        name = super().normalize_username(username).strip()
        return name.lower() if "@" in name else name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session has to know: it changes with the password, and with the round."""
        known = f"{self.password} {self.sessions_round}"
        return salted_hmac("clinic.models.User.session", known, secret=secret, algorithm="sha256").hexdigest()

    @property
    def formal_name(self) -> str:
        """How patients know them: "Dr. Ortiz", or the full name where no title is set."""
        return f"{self.title} {self.last_name}" if self.title and self.last_name else str(self)


class Session(AbstractBaseSession):
    """A session of the staff. account: who is signed in by it, so that one question brings both.

    What counts is the name in its data (`clinic.accounts`); the column only says where to look.
    """

    account = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", verbose_name=_("account"))

    @classmethod
    def get_session_store_class(cls) -> Any:
        from clinic.accounts import SessionStore

        return SessionStore


# How long the link of an invitation lives.
LINK_OF_STAFF: Final = timedelta(hours=72)
EMERGENCY_HOUR: Final = timedelta(hours=1)
LONGEST_REASON: Final = 500


class StaffInvitation(models.Model):
    """An owner asks somebody to work here, by e-mail. Its link makes one account, once.

    role: a name of `clinic.roles`. token_hash: of the link mailed last; an earlier one opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # It becomes the name to sign in with, which is no longer than this.
    email = models.EmailField(_("e-mail address"), max_length=150)
    role = models.CharField(_("role"), max_length=40)
    token_hash = models.BinaryField(_("hash of the link"), max_length=32, null=True, unique=True)
    created_at = models.DateTimeField(_("invited"), default=timezone.now)
    # Of a clinic's first owner nobody (`manage.py invite_owner`).
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(_("ends"))
    sent_at = models.DateTimeField(_("mailed"), null=True)
    revoked_at = models.DateTimeField(_("taken back"), null=True)
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="invitation",
        verbose_name=_("account"),
    )

    class Meta:
        verbose_name = _("invitation of staff")
        verbose_name_plural = _("invitations of staff")
        ordering = ["created_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=Q(accepted_at=None, revoked_at=None), name="staff_invited_once"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, user=None) | Q(accepted_at__isnull=False, user__isnull=False),
                name="staff_invitation_accepted_whole",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def has_ended(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= timezone.now()


class EmergencyAccess(models.Model):
    """An owner broke the glass: for an hour she reads what a physio reads. Kept as it is but for its end."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="emergencies")
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    ends_at = models.DateTimeField(_("ends"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("emergency access")
        verbose_name_plural = _("emergency accesses")
        ordering = ["-opened_at"]
        default_permissions = ()
        permissions = [("open_emergency", "Can open emergency access")]
        constraints = [
            models.UniqueConstraint(
                fields=["by"], condition=Q(ended_at=None), name="emergency_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at"), ends_at__lte=F("opened_at") + EMERGENCY_HOUR),
                name="emergency_an_hour_at_most",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="only_ends",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False)
                | pgtrigger.Q(old__by__df=pgtrigger.F("new__by"))
                | pgtrigger.Q(old__reason__df=pgtrigger.F("new__reason"))
                | pgtrigger.Q(old__opened_at__df=pgtrigger.F("new__opened_at"))
                | pgtrigger.Q(old__ends_at__df=pgtrigger.F("new__ends_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opened_at:%Y-%m-%d %H:%M}"

    @property
    def over_at(self) -> datetime | None:
        """When nothing could be read by it any more; None while something can."""
        if self.ended_at is None:
            return self.ends_at if self.ends_at <= timezone.now() else None
        return min(self.ended_at, self.ends_at)
