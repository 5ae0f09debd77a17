"""Pages of the editor that Wagtail does not bring, and what its own do differently here."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.snippets.views.snippets import EditView

from education.editor.health import board


class NobodyOverwritten(EditView):
    """A save on top of what somebody else saved meanwhile is refused once, with both to compare.

    Wagtail asks in the browser, which hears of it some seconds later; a second press of the button saves.
    """

    def is_valid(self, form: Any) -> bool:
        if self.expects_json_response or not self.is_out_of_date:
            return bool(super().is_valid(form))
        newest = self.latest_revision
        seen = self.request.POST.get("overwrite_revision_id") or self.request.POST.get("loaded_revision_id")
        address = self.get_history_url() or ""
        if seen and seen.isascii() and seen.isdigit():
            name = self.revisions_compare_url_name
            address = reverse(name, args=[self.object.pk, seen, newest.pk]) if name else address
        self.produced_error_code = "invalid_revision"
        self.produced_error_message = format_html(
            _(
                "{who} saved this meanwhile, so yours was not saved yet. "
                '<a href="{compare}" target="_blank">Compare</a>, then save again to put your words on top.'
            ),
            who=newest.user or _("A new release"),
            compare=address,
        )
        return False


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("education.change_lesson"):
        raise PermissionDenied
    return render(
        request,
        "education/editor/health.html",
        {
            "ailments": board(),
            "page_title": _("Health of the library"),
            "header_icon": "clipboard-list",
        },
    )
