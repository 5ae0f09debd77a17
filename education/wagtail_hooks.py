"""Registers the editor's pages with Wagtail."""

from typing import Any

from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.menu import MenuItem
from wagtail.admin.search import SearchArea
from wagtail.snippets.models import register_snippet

from education.chain.protection import list_uses, uses_of
from education.chain.publishing import SHIPPED
from education.editor import links, pickers, views
from education.editor.viewsets import LibraryGroup

register_snippet(LibraryGroup)
pickers.without_inline_script()


@hooks.register("register_admin_urls")
def our_pages() -> list[Any]:
    urls = [path("health/", views.health, name="health"), path("link/", links.link, name="link")]
    return [path("", include((urls, "education_editor")))]


@hooks.register("register_admin_menu_item")
def health_item() -> MenuItem:
    return MenuItem(
        _("Health board"), reverse("education_editor:health"), icon_name="clipboard-list", order=200
    )


@hooks.register("register_log_actions")
def a_release_is_listed(actions: Any) -> None:
    actions.register_action(SHIPPED, _("Ship"), _("Shipped by release"))


@hooks.register("insert_global_admin_js")
def pickers_script() -> str:
    return format_html('<script src="{}"></script>', static("js/pickers.js"))


@hooks.register("insert_global_admin_css")
def clinic_colors() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("css/editor.css"))


class WithoutStyleElements:
    """What makes Draftail write `<style>` elements, which our policy forbids, is left out: the hint in an
    empty text and the numbering of lists in lists."""

    def construct_options(self, options: dict[str, Any]) -> None:
        options |= {"placeholder": None, "maxListNesting": 0}

    media = Media()


@hooks.register("register_rich_text_features")
def without_style_elements(features: Any) -> None:
    features.register_editor_plugin("draftail", "without-style-elements", WithoutStyleElements())


# After Wagtail's own, which it replaces.
@hooks.register("register_rich_text_features", order=100)
def our_links(features: Any) -> None:
    links.register(features)


@hooks.register("construct_main_menu")
def only_our_rooms(request: HttpRequest, items: list[Any]) -> None:
    """The menu leads nowhere that `clinic.editor` keeps shut."""
    items[:] = [item for item in items if item.name in ("library", "health-board")]


@hooks.register("register_admin_search_area")
def search_finds_lessons() -> SearchArea:
    """The side bar's search is that of the first area."""
    url = reverse("wagtailsnippets_education_lesson:list")
    return SearchArea(_("Lessons"), url, icon_name="doc-full-inverse", order=1)


@hooks.register("construct_homepage_panels")
def only_our_panels(request: HttpRequest, panels: list[Any]) -> None:
    wanted = ("WorkflowObjectsToModeratePanel", "UserObjectsInWorkflowModerationPanel")
    panels[:] = [panel for panel in panels if type(panel).__name__ in wanted]


@hooks.register("construct_homepage_summary_items")
def no_page_counts(request: HttpRequest, items: list[Any]) -> None:
    items.clear()


@hooks.register("before_unpublish")
def keep_what_is_used(request: HttpRequest, row: Any) -> HttpResponse | None:
    return refusal(request, row, uses_of(row))


@hooks.register("before_delete_snippet")
def keep_what_others_name(request: HttpRequest, rows: list[Any]) -> HttpResponse | None:
    for row in rows:
        if answer := refusal(request, row, list(dict.fromkeys([*uses_of(row), *list_uses(row)]))):
            return answer
    return None


def refusal(request: HttpRequest, row: Any, uses: list[str]) -> HttpResponse | None:
    """Back to the row's own page, with what needs it; None where nothing does."""
    if not uses:
        return None
    words = _("“%(row)s” is in use, so it has to stay: %(uses)s. Choose another there first.")
    messages.error(request, words % {"row": row, "uses": "; ".join(uses)})
    return redirect(AdminURLFinder(request.user).get_edit_url(row) or reverse("wagtailadmin_home"))
