"""What a password may be beside Django's own rules (R13): long, up to a limit, of anything."""

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# What somebody who knows the clinic would try first; a password has to be more than these (ASVS 6.2.11).
OUR_WORDS: Final = (
    *("iathlete", "athlete", "physiotherapy", "physio", "footing", "clinic", "patient", "torrance"),
    *("password", "welcome", "therapy", "staff", "knee", "foot", "ankle", "chain", "leg", "hip"),
)
# So many characters have to be left without them.
LEFT: Final = 6


class MaximumLengthValidator:
    """Longer ones are refused, not cut: what is typed is what counts."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: object = None) -> None:
        """Raises `ValidationError`."""
        if len(password) > self.max_length:
            raise ValidationError(
                ngettext(
                    "This password is too long. It may have at most %(max_length)d character.",
                    "This password is too long. It may have at most %(max_length)d characters.",
                    self.max_length,
                ),
                code="password_too_long",
                params={"max_length": self.max_length},
            )

    def get_help_text(self) -> str:
        return ngettext(
            "Your password may have at most %(max_length)d character.",
            "Your password may have at most %(max_length)d characters.",
            self.max_length,
        ) % {"max_length": self.max_length}


class OurWordsValidator:
    """What is left without the clinic's own words has to be hard to guess as well."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises `ValidationError`."""
        left = password.lower()
        for word in OUR_WORDS:
            left = left.replace(word, "")
        if len(left) < LEFT and left != password.lower():
            raise ValidationError(
                _("This password is made of words that everybody here would try. Choose others."),
                code="password_our_words",
            )

    def get_help_text(self) -> str:
        return _("Your password may not be made of the clinic’s own words.")
