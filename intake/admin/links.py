"""Every link that patients hold, as a number, and the button that ends them all."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake import audit, journey
from intake.admin.audited import member, see_other
from intake.patients.links import ENDS_ALL_LINKS, WRONG_OF_ALL


def links_view(request: HttpRequest) -> HttpResponseBase:
    """How many links are out and what is tried at them. A POST that confirms it ends all of them.

    No fresh factor is asked: it shows nobody and lets nobody in, and whoever needs it is in a hurry.
    """
    if not request.user.has_perm(ENDS_ALL_LINKS):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    by = audit.staff(member(request))
    missing = request.method == "POST" and request.POST.get("sure") != "yes"
    if request.method == "POST" and not missing:
        ended = journey.end_all_links(by=by)
        number = len(ended.invitations) + len(ended.shares)
        told = ngettext("%(number)s link ended.", "%(number)s links ended.", number) % {"number": number}
        messages.success(request, told)
        return see_other(reverse("admin:links"))
    context = {
        **admin.site.each_context(request),
        "title": _("Open links"),
        "found": journey.open_links(by=by),
        "most": WRONG_OF_ALL,
        "missing": missing,
    }
    return TemplateResponse(request, "staff/links.html", context, status=400 if missing else 200)
