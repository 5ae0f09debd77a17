"""The page that breaks the glass, and the button that ends it."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import roles
from clinic.door.stepup import step_up
from clinic.models import LONGEST_REASON, EmergencyAccess
from clinic.people import emergency
from clinic.people.pages import READ_WRITE, View, owners_page, shown
from intake import audit
from intake.admin.audited import member, see_other

SHORTEST_REASON: Final = 10
# The last ones that the page lists.
LISTED: Final = 20


class ReasonForm(forms.Form):
    """Why an owner has to read what she sees otherwise not at all."""

    reason = forms.CharField(
        label=gettext_lazy("Why do you need it?"),
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "class": "k-in"}),
        help_text=gettext_lazy("Owners read it later. No patient’s name and nothing about health, please."),
        error_messages={
            "required": gettext_lazy("Write why you need it."),
            "min_length": gettext_lazy("Write a little more: %(limit_value)d characters at least."),
            "max_length": gettext_lazy("Use %(limit_value)d characters or fewer. You have %(show_value)d."),
        },
    )


@owners_page(roles.BREAKS_GLASS, *READ_WRITE)
@step_up
def emergency_view(request: HttpRequest) -> HttpResponseBase:
    """Asks for the reason, says what comes of it, and lists the last ones."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        emergency.open_access(reason=form.cleaned_data["reason"], by=audit.staff(member(request)))
        return see_other(reverse("admin:intake_evaluation_changelist"))
    listed = EmergencyAccess.objects.select_related("by")[:LISTED]
    return shown(request, "emergency/page.html", _("Emergency access"), form=form, listed=listed)


@owners_page(roles.BREAKS_GLASS, "POST")
def end_view(request: HttpRequest) -> HttpResponseBase:
    emergency.end_access(by=audit.staff(member(request)))
    messages.success(request, _("Emergency access has ended."))
    return see_other(reverse("admin:emergency"))


def urls(inside: Callable[[View], Any]) -> list[URLPattern]:
    """The pages. inside: puts one behind the staff site's sign-in."""
    return [
        path("emergency/", inside(emergency_view), name="emergency"),
        path("emergency/end/", inside(end_view), name="emergency_end"),
    ]
