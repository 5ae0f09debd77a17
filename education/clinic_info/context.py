"""Gives every template the clinic's facts, and asks the database only where a template shows them."""

from uuid import UUID

from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.edition.models import EDITION, Edition

# As this process read them last. Nobody changes them: they are for templates.
_kept = ClinicInfo()


def clinic(request: HttpRequest) -> dict[str, object]:
    """`{"clinic": ClinicInfo, "privacy_notice": PrivacyNotice}`, each read at its first use in a template.

    Without a database or before the first `load_library` it is a blank `ClinicInfo`, so that error pages
    still stand.
    """
    return {
        "clinic": SimpleLazyObject(lambda: current_or_blank(getattr(request, EDITION, None))),
        "privacy_notice": SimpleLazyObject(PrivacyNotice.current),
    }


def current_or_blank(mark: UUID | None = None) -> ClinicInfo:
    """The clinic's facts, or blanks where they cannot be read. To be shown, not to be changed.

    mark: of the library's edition, where somebody asked for it already.
    Each page shows them, so they are read once for each edition of the library; which one it is takes the
    least that a question to the database can cost, and an edit shows at once all the same.
    """
    global _kept
    try:
        mark = mark or Edition.current()
        info = _kept
        if mark is None or mark != info.edition:
            info = ClinicInfo.current()
            # Facts younger than this mark are read again with the next one.
            info.edition = mark
            _kept = info
        return info
    except (ClinicInfo.DoesNotExist, Error):
        return ClinicInfo()
