"""The clinic's name, address, phone and hours, kept in one row that editors change."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

E164 = r"^\+[1-9][0-9]{6,14}$"


class ClinicInfo(models.Model):
    """The public facts of the one clinic this site belongs to. There is never a second row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=120)
    street_address = models.CharField(_("street address"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("state or region"), max_length=100, blank=True)
    postal_code = models.CharField(_("ZIP or postal code"), max_length=20, blank=True)
    phone = models.CharField(
        _("phone number to dial"),
        max_length=16,
        validators=[RegexValidator(E164, _("Start with + and the country code, digits only: +13105550142."))],
    )
    phone_display = models.CharField(_("phone number as people read it"), max_length=40)
    hours = models.TextField(_("opening hours"), blank=True, help_text=_("One line for each set of days."))
    hours_note = models.CharField(_("note about the hours"), max_length=200, blank=True)
    booking_url = models.URLField(
        _("booking link"), blank=True, help_text=_("Leave empty where people book by phone.")
    )
    shows_subscriber_count = models.BooleanField(
        _("say how many get the newsletter"), default=False, help_text=_("On the newsletter's own page.")
    )

    class Meta:
        verbose_name = _("clinic facts")
        verbose_name_plural = _("clinic facts")
        constraints = [
            models.CheckConstraint(
                condition=Q(id=1),
                name="education_clinic_single_row",
                violation_error_message=_("The clinic's facts exist already; change those."),
            ),
            models.CheckConstraint(
                condition=Q(phone__regex=E164),
                name="education_clinic_phone_e164",
                violation_error_message=_("Start with + and the country code, digits only: +13105550142."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Self:
        """The clinic's facts, read anew at each call (one small query), so that an edit shows at once.

        Raises `ClinicInfo.DoesNotExist` while `manage.py load_library` has not run.
        """
        return cls.objects.get(pk=1)

    @property
    def phone_href(self) -> str:
        """The link that dials the clinic, such as `tel:+13105550142`; empty while no number is known."""
        return f"tel:{self.phone}" if self.phone else ""

    @property
    def hours_lines(self) -> list[str]:
        """The opening hours, one text a line, for lists."""
        return [line.strip() for line in self.hours.splitlines() if line.strip()]

    @property
    def place(self) -> str:
        """Where the clinic is, such as `Torrance, California`."""
        return ", ".join(part for part in (self.city, self.region) if part)
