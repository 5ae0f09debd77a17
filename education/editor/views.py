"""Pages of the editor that Wagtail does not bring, and what its own do differently here."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.views.generic.usage import UsageView as SnippetUsageView
from wagtail.models import Revision
from wagtail.snippets.views.snippets import EditView, UsageView

from education.chain.protection import lists_that_name, uses_of
from education.editor.health import board


class NobodyOverwritten(EditView):
    """A save on top of what somebody else saved meanwhile is refused once, with both to compare.

    Wagtail asks in the browser, which hears of it some seconds later; a second press of the button saves.
    What the page saved by itself while the button was pressed is one's own and no reason to ask.
    """

    def is_valid(self, form: Any) -> bool:
        seen = self.request.POST.get("overwrite_revision_id") or self.request.POST.get("loaded_revision_id")
        seen = seen if seen and seen.isascii() and seen.isdigit() else None
        newest = None if self.expects_json_response else self.newest_of_others(seen)
        if newest is None:
            return bool(super().is_valid(form))
        address = self.get_history_url() or ""
        if seen:
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

    def newest_of_others(self, seen: str | None) -> Revision | None:
        """What somebody else, or a release, saved after the version that this page began with."""
        if not self.is_out_of_date:
            return None
        newest: Revision = self.latest_revision
        if seen is None or newest.user != self.request.user:
            return newest
        return self.object.revisions.filter(pk__gt=seen).exclude(user=self.request.user).last()


@dataclass(frozen=True, slots=True)
class Listed:
    """A use that Wagtail keeps no index of, as its table of uses shows one."""

    model_name: str
    field: str
    content_path: str = ""

    def describe_source_field(self) -> str:
        return str(capfirst(self.field))

    def describe_on_delete(self) -> str:
        return _("prevents deletion")


class EveryUse(UsageView):
    """Also the lists that name the row, and the rules that do."""

    def get_queryset(self) -> list[tuple[Any, list[Any]]]:
        uses: dict[tuple[type, Any], tuple[Any, list[Any]]] = {}
        for other, references in super().get_queryset():
            uses[type(other), other.pk] = (other, list(references))
        for other, name in lists_that_name(self.object):
            found = uses.setdefault((type(other), other.pk), (other, []))[1]
            found.append(Listed(str(other._meta.verbose_name), name))
        rules = [
            (text, [Listed(_("rule"), _("needs it"))]) for text in uses_of(self.object, only_by_name=True)
        ]
        return [*uses.values(), *rules]

    def get_table(self, object_list: Any, **options: Any) -> Any:
        """Rules stand in the staff site, so they have no page to open here."""
        found = AdminURLFinder(self.request.user)
        rows = []
        for other, references in object_list:
            url = None if isinstance(other, str) else found.get_edit_url(other)
            title = _("Edit “%(row)s”") % {"row": other} if url else None
            rows.append(
                {
                    "object": other,
                    "references": references,
                    "edit_url": url,
                    "label": str(other),
                    "edit_link_title": title,
                }
            )
        return super(SnippetUsageView, self).get_table(rows, **options)


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
