"""The clinic's facts and words in one row that editors change, and each version of its privacy notice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self
from uuid import UUID

import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from education.clinic_info import witness
from education.edition.models import new_edition

E164 = r"^\+[1-9][0-9]{6,14}$"
# What may stand between the digits of a number that people read: spaces, dashes, dots, slashes, brackets.
BETWEEN_DIGITS: Final = re.compile(r"[\s\-\u2010-\u2013./()]")
# The fewest digits that anybody can dial: a number within its town.
LEAST_DIGITS: Final = 6
# "Instagram https://www.instagram.com/clinic"
SOCIAL_LINE: Final = re.compile(r"(?P<name>\S.*?)\s+(?P<url>\S+)")

# The words of `education/privacy_shipped.html`: their version, and the day they were written. Changed words
# take the next number, because intakes name the version that a patient has seen.
SHIPPED_PRIVACY_VERSION: Final = 1
SHIPPED_PRIVACY_DATE: Final = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class SocialLink:
    """Where else the clinic can be found: `name` is what people read, `url` an https address."""

    name: str
    url: str


def read_social_links(text: str) -> Iterator[SocialLink]:
    """The links of a text with one a line. Raises `ValidationError` naming the first line that is none."""
    is_address = URLValidator(schemes=["https"])
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = SOCIAL_LINE.fullmatch(line.strip())
        try:
            if found is None:
                raise ValidationError("")
            is_address(found["url"])
        except ValidationError:
            raise ValidationError(
                _("Line %(number)s: write a name, a space, and an address that starts with https://."),
                params={"number": number},
            ) from None
        yield SocialLink(found["name"], found["url"])


def validate_social_links(text: str) -> None:
    """Raises `ValidationError` for a line that is not a name and an https address."""
    list(read_social_links(text))


def check_shown_phone(shown: str, phone: str) -> None:
    """Raises `ValidationError` where `shown` is no number, or is not how people write the number `phone`.

    `shown` may leave out the country code, and the area code too: (310) 555-0142 is +13105550142.
    """
    # Some countries write the zero between country and area in brackets, where it is not dialed.
    bare = BETWEEN_DIGITS.sub("", shown.replace("(0)", ""))
    digits = bare.removeprefix("+")
    national = digits.lstrip("0")
    if not (digits.isascii() and digits.isdigit() and len(national) >= LEAST_DIGITS):
        raise ValidationError(_("Enter a phone number in digits, like (310) 555-0142."))
    whole = phone.removeprefix("+")
    same = digits == whole if bare.startswith("+") else whole.endswith(national)
    if not same:
        raise ValidationError(
            _("This is not the number to dial, %(phone)s. Give the same number in both fields."),
            params={"phone": phone},
        )


def one_line_end(value: Any) -> Any:
    """A text with the ends of its lines as we keep them; a browser sends others."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class ClinicInfo(models.Model):
    """The public facts of the one clinic this site belongs to. There is never a second row.

    edition: the mark of the library that a page shows them with; None where they were read by themselves.
    """

    edition: UUID | None = None

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
    social_links = models.TextField(
        _("social links"),
        blank=True,
        validators=[validate_social_links],
        help_text=_(
            "One on each line, a name and an address: Instagram https://www.instagram.com/name. "
            "None: readers see no such line."
        ),
    )
    call_heading = models.CharField(
        _("heading of the call to an evaluation"),
        max_length=80,
        blank=True,
        help_text=_("It ends every lesson. Leave empty for our own words."),
    )
    call_text = models.TextField(
        _("words of the call to an evaluation"),
        max_length=400,
        blank=True,
        help_text=_("Leave empty for our own words."),
    )
    newsletter_text = models.CharField(
        _("what the newsletter brings"),
        max_length=200,
        blank=True,
        help_text=_("One sentence above its field. Leave empty for our own words."),
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep them, and tell what was changed, with what stood there before."""
        for column in self._meta.concrete_fields:
            setattr(self, column.attname, one_line_end(getattr(self, column.attname)))
        with transaction.atomic():
            rows = ClinicInfo.objects.filter(pk=self.pk)
            before: dict[str, Any] = dict(rows.select_for_update().values().first() or {})
            super().save(*args, **kwargs)
            after: dict[str, Any] = dict(rows.values().get())
            changed = {
                name: {"old": old, "new": after[name]}
                for name, old in before.items()
                if one_line_end(old) != after[name]
            }
            if changed:
                witness.tell("clinic.changed", changed=changed)

    def clean(self) -> None:
        """Raises `ValidationError` where one phone number is dialed and another one is read."""
        # A wrong number to dial has its own message, and is nothing to compare with.
        if self.phone_display and re.match(E164, self.phone):
            try:
                check_shown_phone(self.phone_display, self.phone)
            except ValidationError as error:
                raise ValidationError({"phone_display": error}) from None

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

    @property
    def social(self) -> list[SocialLink]:
        """Where else the clinic can be found, in the order in which editors wrote it."""
        return list(read_social_links(self.social_links))


class PrivacyNotice(models.Model):
    """One version of the privacy notice. What people have seen stays as it was: a change is a new version.

    `text` is plain: an empty line between paragraphs, `## ` before a heading. Without a row in force the
    shipped words stand, as version `SHIPPED_PRIVACY_VERSION` with no text of their own.
    """

    version = models.PositiveIntegerField(_("version"), unique=True, editable=False)
    in_force_on = models.DateField(_("in force from"), default=timezone.localdate)
    text = models.TextField(
        _("text"), help_text=_("Leave an empty line between paragraphs; start a heading with ## and a space.")
    )

    class Meta:
        verbose_name = _("privacy notice")
        verbose_name_plural = _("privacy notices")
        ordering = ["-version"]
        triggers = [
            pgtrigger.Protect(name="privacy_notice_stays", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return _("Privacy notice, version %(version)s") % {"version": self.version}

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it under the next number."""
        if self._state.adding:
            newest = PrivacyNotice.objects.aggregate(newest=models.Max("version"))["newest"] or 0
            self.version = max(newest, SHIPPED_PRIVACY_VERSION) + 1
        old = PrivacyNotice.current().version
        with transaction.atomic():
            super().save(*args, **kwargs)
            in_force = self.in_force_on.isoformat()
            witness.tell("privacy-notice.published", old=old, new=self.version, in_force_on=in_force)

    @classmethod
    def current(cls) -> Self:
        """The version in force today."""
        found = cls.objects.filter(in_force_on__lte=timezone.localdate()).order_by("-version").first()
        return found or cls(version=SHIPPED_PRIVACY_VERSION, in_force_on=SHIPPED_PRIVACY_DATE)

    @property
    def blocks(self) -> list[tuple[bool, str]]:
        """`(is a heading, text)` from top to bottom; empty while the shipped words stand."""
        pieces = [piece.strip() for piece in re.split(r"\n\s*\n", self.text.replace("\r\n", "\n"))]
        return [(piece.startswith("## "), piece.removeprefix("## ")) for piece in pieces if piece]


new_edition(ClinicInfo)
new_edition(PrivacyNotice)
