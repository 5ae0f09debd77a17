"""When somebody last did a thing that has a limit. Nobody can be read from it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class RecentUse(models.Model):
    """The latest times of one thing by one visitor, never more than its limit.

    `who` is a keyed hash: the address or record behind it cannot be read back.
    """

    what = models.CharField(_("what"), max_length=40)
    who = models.BinaryField(_("who, as a keyed hash"), max_length=32)
    times = ArrayField(models.DateTimeField(), verbose_name=_("when"), default=list)
    last_at = models.DateTimeField(_("last"), null=True)

    class Meta:
        verbose_name = _("recent use")
        verbose_name_plural = _("recent uses")
        constraints = [models.UniqueConstraint(fields=["what", "who"], name="education_use_once")]
        indexes = [models.Index(fields=["last_at"], name="education_use_last")]

    def __str__(self) -> str:
        return self.what
