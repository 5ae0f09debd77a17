"""Gives every template the clinic's facts, and asks the database only where a template shows them."""

from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from education.clinic_info.models import ClinicInfo, PrivacyNotice


def clinic(request: HttpRequest) -> dict[str, object]:
    """`{"clinic": ClinicInfo, "privacy_notice": PrivacyNotice}`, each read at its first use in a template.

    Without a database or before the first `load_library` it is a blank `ClinicInfo`, so that error pages
    still stand.
    """
    return {
        "clinic": SimpleLazyObject(current_or_blank),
        "privacy_notice": SimpleLazyObject(PrivacyNotice.current),
    }


def current_or_blank() -> ClinicInfo:
    """The clinic's facts, or blanks where they cannot be read."""
    try:
        return ClinicInfo.current()
    except (ClinicInfo.DoesNotExist, Error):
        return ClinicInfo()
