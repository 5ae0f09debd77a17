"""Staff accounts. Patients have none: they come by link (`intake.patients`)."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A member of staff. What one may do comes from the roles in `clinic.roles`.

    `title` stands before the family name wherever patients read it ("Dr. Ortiz"). sessions_round: sessions of
    an earlier round are over (`clinic.factors.end_sessions`).
    """

    title = models.CharField(_("title"), max_length=20, blank=True)
    sessions_round = models.PositiveIntegerField(_("round of sessions"), default=0, db_default=0)

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session has to know: it changes with the password, and with the round."""
        known = f"{self.password} {self.sessions_round}"
        return salted_hmac("clinic.models.User.session", known, secret=secret, algorithm="sha256").hexdigest()

    @property
    def formal_name(self) -> str:
        """How patients know them: "Dr. Ortiz", or the full name where no title is set."""
        return f"{self.title} {self.last_name}" if self.title and self.last_name else str(self)
