"""How `allauth.mfa` keeps secrets here, and what it calls this clinic."""

import base64

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from clinic.staff_site import StaffSite


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it ships no types
    """Secrets are encrypted with a key that the database does not hold, so a copy of it signs nobody in."""

    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `cryptography.fernet.InvalidToken` where no key of ours fits."""
        return _keys().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return StaffSite.site_header

    def _get_site_name(self) -> str:
        return StaffSite.site_header


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    digest = salted_hmac("clinic.mfa_adapter", "", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
