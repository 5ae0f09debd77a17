"""Breaking the glass: an owner, who sees no patient otherwise, reads for an hour what a physio reads (R19).

It lends rights to requests that read and to no other, so that nothing can be decided by it: a button that
is pressed all the same is an unknown page (ADR 0041). Each step and each page read is a line of the trail.
"""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from clinic import roles
from clinic.models import EMERGENCY_HOUR, EmergencyAccess, User
from intake import audit
from intake.admin import searching
from intake.patients.wording import moment

# The name of the job in `clinic.tasks`, which stands above this module and calls it.
TELL_OWNER: Final = "tell_owner"
ADDRESS: Final = "/staff/"
KIND: Final = "emergency-access"

# Lists whose search is posted, and only looks.
SEARCHED: Final = ("admin:intake_evaluation_changelist", "admin:intake_patient_changelist")

GetResponse = Callable[[HttpRequest], HttpResponse]


class EmergencyDoor:
    """Lends the rights to read while the hour lasts, and notes at the next request that it is over."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if not request.path.startswith(ADDRESS):
            return
        user: Any = request.user
        ends_at = getattr(user, "emergency_ends_at", None)
        if ends_at is None:
            return
        if ends_at <= timezone.now() or not user.has_perm(roles.BREAKS_GLASS):
            _settle(user, "emergency.expired" if ends_at <= timezone.now() else "emergency.ended")
        elif request.method in ("GET", "HEAD") or is_search(request):
            user.break_glass = user.emergency
            user._perm_cache = user.get_all_permissions() | set(roles.EMERGENCY)


def is_search(request: HttpRequest) -> bool:
    """Whether a name is looked for, which is posted so that it stands in no address (ADR 0047)."""
    where = request.resolver_match
    return where is not None and where.view_name in SEARCHED and searching.FIELD in request.POST


def open_access(*, reason: str, by: audit.Actor) -> EmergencyAccess:
    """Break the glass for an hour; a mail to each owner is queued. Pressed twice it is one."""
    user = by.user
    if not isinstance(user, User):
        raise ValueError("only staff can do this")
    with audit.audited("emergency.opened", by=by) as access:
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        now = timezone.now()
        before = EmergencyAccess.objects.filter(by=user, ended_at=None).first()
        if before is not None and before.ends_at > now:
            access.action = "emergency.asked-again"
            access.saw(KIND, [before.pk])
            return before
        if before is not None:
            _settle(user, "emergency.expired")
        opened = EmergencyAccess.objects.create(
            by=user, reason=reason, opened_at=now, ends_at=now + EMERGENCY_HOUR
        )
        access.saw(KIND, [opened.pk])
        # Here too, where the chain behind the trail keeps it from being changed.
        access.note(reason=reason)
        for owner in User.objects.filter(is_active=True, groups__name=roles.OWNER.name).exclude(email=""):
            app.configure_task(TELL_OWNER).defer(access_id=opened.pk, user_id=owner.pk)
    return opened


def end_access(*, by: audit.Actor) -> bool:
    """No longer needed. False when it had ended."""
    if not isinstance(by.user, User):
        raise ValueError("only staff can do this")
    return _settle(by.user, "emergency.ended")


def _settle(user: User, action: str) -> bool:
    """End what the user has open, with one line in the trail; of several requests at once one writes it."""
    with audit.audited(action, by=audit.Actor("staff", str(user.pk), user), unless_told=True) as access:
        rows = EmergencyAccess.objects.select_for_update().filter(by=user, ended_at=None)
        found = rows.first()
        if found is None:
            access.told = True
        else:
            found.ended_at = timezone.now()
            found.save(update_fields=["ended_at"])
            access.saw(KIND, [found.pk])
    user.emergency = user.emergency_ends_at = user.break_glass = None
    return found is not None


def tell_owner(*, access_id: int, user_id: int) -> bool:
    """The job: tell an owner who broke the glass, and until when. Nothing of a patient, nor the reason.

    False for one who has left meanwhile.
    """
    owner = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if owner is None:
        return False
    opened = EmergencyAccess.objects.select_related("by").get(pk=access_id)
    context = {
        "name": str(opened.by),
        "opened_at": moment(opened.opened_at),
        "ends_at": moment(opened.ends_at),
        "page": settings.SITE_URL + reverse("admin:emergency"),
    }
    EmailMessage(
        subject=_("Emergency access was opened"),
        body=render_to_string("email/emergency.txt", context),
        to=[owner.email],
    ).send()
    return True
