"""What a release last shipped for each entry, so that the next release can tell an editor's change apart."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ShippedEntry(models.Model):
    """The catalog entry from which a row of the library was last written.

    A row that still says what `content` says is ours to update; one that differs was changed by an editor.
    It is kept apart from the rows themselves, so that going back to an old revision of a lesson cannot
    bring back an old idea of what was shipped.
    """

    kind = models.CharField(_("kind"), max_length=20)
    key = models.CharField(_("entry"), max_length=120)
    content = models.JSONField(_("content"))
    # Nobody ships this date: it counts from the day of loading. None where it is not known.
    next_review_on = models.DateField(_("next review as loaded"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipped entry")
        verbose_name_plural = _("shipped entries")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="education_shipped_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
