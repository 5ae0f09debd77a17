"""Staff accounts. Patients have none: they come by link (`intake.patients`)."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A member of staff. What one may do comes from the roles in `clinic.roles`.

    `title` stands before the family name wherever patients read it ("Dr. Ortiz").
    """

    title = models.CharField(_("title"), max_length=20, blank=True)

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()

    @property
    def formal_name(self) -> str:
        """How patients know them: "Dr. Ortiz", or the full name where no title is set."""
        return f"{self.title} {self.last_name}" if self.title and self.last_name else str(self)
