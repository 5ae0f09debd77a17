"""The banner on every staff page: how many intakes have an urgent answer that nobody has dealt with."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.translation import ngettext

from intake import audit
from intake.patients.models import may
from intake.review.models import QueueEntry


def waiting_count(user: AbstractBaseUser | AnonymousUser) -> int:
    """Intakes with an emergency or same-day flag that waits; 0 for those who may not see the worklist.

    A number that names nobody, so it writes no row of its own into the trail.
    """
    if not may(user, "intake.see_worklist"):
        return 0
    with audit.covered():
        return QueueEntry.objects.filter(urgent=True).count()


def words(count: int) -> str:
    """What the banner says; empty for none."""
    if not count:
        return ""
    text = ngettext("%(count)s urgent answer waits", "%(count)s urgent answers wait", count)
    return text % {"count": count}
