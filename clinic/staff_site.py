"""The Django admin as the clinic's staff site at /staff/."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from intake.views.desk import urgent_count


class StaffSite(admin.AdminSite):
    """Our words in the shell. What a role may not see answers 404 (`clinic.views.forbidden`)."""

    site_header = "i.Athlete Physio"
    site_title = _("Staff")
    index_title = _("Before the visit")
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        ours: list[URLPattern | URLResolver] = [
            path("urgent/", self.admin_view(urgent_count), name="urgent"),
        ]
        # "View on site" fetches any object of any table by its id, for a link that no page of ours shows.
        return ours + [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]
