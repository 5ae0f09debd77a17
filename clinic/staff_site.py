"""The Django admin as the clinic's staff site at /staff/."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from clinic import editor
from clinic.door.stepup import step_up
from clinic.oversight.refusals import watched
from clinic.roles import BREAKS_GLASS, SEES_PEOPLE
from intake.audit import SEES_TRAIL
from intake.patients.links import ENDS_ALL_LINKS
from intake.patients.models import KEEPS_PRIVACY
from intake.review.figures import SEES_FIGURES
from intake.views.desk import urgent_count

# The side bar by what people come for: a heading, and the models under it with the name of their page.
GROUPS: Final = (
    (
        _("Before the visit"),
        {"Evaluation": _("Worklist"), "EvaluationRequest": _("Needs appointment"), "Patient": _("Patients")},
    ),
    (_("Content"), {"Questionnaire": _("Questionnaires"), "Rule": _("Rules")}),
)

# What of the library is kept here, beside the lessons' editor.
LIBRARY: Final = ("Issue", "Subscriber")

# Packages register their models here too: what editors need of them is at /editor/, what an account needs at
# /staff/account/.
ELSEWHERE: Final = frozenset({"taggit", "wagtaildocs", "wagtailimages", "account", "mfa"})

# Roles, and what somebody was given beside one.
MOST_LISTS: Final = 64

# Pages that belong to no model, under headings of their own.
LESSONS: Final = {"name": _("Library"), "app_label": "library", "has_module_perms": True}
FIGURES: Final = {"name": _("The clinic"), "app_label": "figures", "has_module_perms": True}
# Who sees it, what it is called, its part of the entry's id, and its address.
CLINIC_PAGES: Final = (
    (SEES_FIGURES, _("Figures"), "Figures", "admin:figures"),
    (SEES_PEOPLE, _("People"), "People", "admin:people"),
    (SEES_TRAIL, _("Who looked"), "Trail", "admin:trail"),
    (ENDS_ALL_LINKS, _("Open links"), "Links", "admin:links"),
    (BREAKS_GLASS, _("Emergency access"), "Emergency", "admin:emergency"),
    (KEEPS_PRIVACY, _("Copies and erasure"), "Privacy", "admin:privacy"),
)


def page_entry(name: object, key: str, url: str) -> dict[str, Any]:
    """A page as the side bar lists a model. key: its part of the entry's id."""
    return {
        "name": name,
        "object_name": key,
        "admin_url": url,
        "add_url": None,
        "perms": {"view": True},
        "view_only": True,
    }


class StaffSite(admin.AdminSite):
    """Our words in the shell. What a role may not see answers 404 (`clinic.views.forbidden`)."""

    site_header = "i.Athlete Physio"
    site_title = _("Staff")
    index_title = _("Staff pages")
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._lists: dict[object, list[dict[str, Any]]] = {}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Everything but the models of `ELSEWHERE`."""
        given: list[Any] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        )
        ours = [model for model in given if model._meta.app_label not in ELSEWHERE]
        super().register(ours, admin_class, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Pages are looked at and posted to; Django's would answer any other method like a GET.

        What is refused to somebody who has signed in is in the trail, whatever page refused it.
        """
        asked = require_http_methods(["GET", "HEAD", "POST"])(view)
        return super().admin_view(watched(asked), cacheable)

    def when_fresh(self, view: Any) -> Any:
        """For pages of intakes: a fresh factor is asked for first (`clinic.door.stepup`)."""
        return step_up(view)

    def logout(  # type: ignore[override]  # it is a response like any other
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a line in the trail, and words of ours."""
        # Its package registers pages with this site, so there has to be one first.
        from clinic.door import pages as account_pages

        return account_pages.log_out(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Both steps are ours (`clinic.door.pages`)."""
        from clinic.door import pages as account_pages

        return account_pages.sign_in(request)

    def password_change(  # type: ignore[override]  # it is a response like any other
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a line in the trail."""
        from clinic.door import pages as account_pages

        answer: HttpResponse = account_pages.change_password(request)
        return answer

    def index(  # type: ignore[override]  # a redirect is an answer like any other
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The worklist, for those who have one."""
        if request.user.has_perm("intake.see_worklist"):
            return redirect("admin:intake_evaluation_changelist")
        return super().index(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, with `shown_pages`: what stands in the side bar, and which of it is this page."""
        context = super().each_context(request)
        pages = tuple(
            (str(app["name"]), str(model["name"]), model["admin_url"], model["add_url"])
            for app in context["available_apps"]
            for model in app["models"]
        )
        here = tuple(url for _app, _name, url, _add in pages if url and url in request.path)
        return context | {"shown_pages": (pages, here)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Django's list of pages under our own headings; what stands under none of them keeps its app.

        It follows from the permissions alone, so a process works it out once for each role.
        """
        user = request.user
        permissions = frozenset(user.get_all_permissions()) if user.is_authenticated else frozenset()
        key = (permissions, user.is_active, user.is_superuser, get_language(), app_label)
        if key not in self._lists:
            if len(self._lists) >= MOST_LISTS:
                self._lists.clear()
            self._lists[key] = self._list(request, app_label)
        return self._lists[key]

    def _list(self, request: HttpRequest, app_label: str | None) -> list[dict[str, Any]]:
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        found = {model["object_name"]: (app, model) for app in apps for model in app["models"]}
        groups = []
        for heading, names in GROUPS:
            shown = [found.pop(name) for name in names if name in found]
            if shown:
                models = [{**model, "name": names[model["object_name"]]} for _app, model in shown]
                groups.append({**shown[0][0], "name": heading, "models": models})
        if request.user.has_perm(editor.ENTER):
            url = editor.ADDRESS
            models = [page_entry(_("Lessons and links"), "Lessons", url)]
            models += [found.pop(name)[1] for name in LIBRARY if name in found]
            groups.append(LESSONS | {"app_url": url, "models": models})
        pages = [
            page_entry(name, key, reverse(address))
            for permission, name, key, address in CLINIC_PAGES
            if request.user.has_perm(permission)
        ]
        if pages:
            groups.append(FIGURES | {"app_url": pages[0]["admin_url"], "models": pages})
        for app in apps:
            models = [model for model in app["models"] if model["object_name"] in found]
            if models:
                groups.append({**app, "models": models})
        return groups

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # Their packages register pages with this site, so there has to be one first.
        from clinic.door import pages as account
        from clinic.oversight import pages as trail_pages
        from clinic.people import emergency_pages as emergency_views
        from clinic.people import pages as people_views
        from clinic.privacy import person_view, privacy_view
        from intake.admin.figures import figures_view
        from intake.admin.links import links_view

        ours: list[URLPattern | URLResolver] = [
            path("urgent/", self.admin_view(urgent_count), name="urgent"),
            path("login/code/", account.second_step, name="login_code"),
            path("prove/", self.admin_view(account.prove_page), name="prove"),
            path("account/", self.admin_view(account.account), name="account"),
            path("account/app/", self.admin_view(account.app_page), name="account_app"),
            path("account/passkey/", self.admin_view(account.passkey_page), name="account_passkey"),
            path("account/recovery/", self.admin_view(account.recovery_page), name="account_recovery"),
            path("account/remove/<int:pk>/", self.admin_view(account.remove_page), name="account_remove"),
            path("account/everywhere/", self.admin_view(account.everywhere), name="account_everywhere"),
            path("figures/", self.admin_view(figures_view), name="figures"),
            *people_views.urls(self.admin_view),
            *emergency_views.urls(self.admin_view),
            path("links/", self.admin_view(links_view), name="links"),
            path("trail/", self.admin_view(trail_pages.trail_view), name="trail"),
            path("trail/export/", self.admin_view(trail_pages.export_view), name="trail_export"),
            path("trail/week/", self.admin_view(trail_pages.week_view), name="trail_week"),
            path("privacy/", self.admin_view(privacy_view), name="privacy"),
            path("privacy/<str:key>/", self.admin_view(person_view), name="privacy_person"),
        ]
        # "View on site" fetches any object of any table by its id, for a link that no page of ours shows.
        return ours + [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]
