"""Start-up of the roof: the audit guard goes onto every database connection of every process."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import apps as admin_apps
from django.db.backends.signals import connection_created


def guard_connection(sender: Any, connection: Any, **kwargs: Any) -> None:
    from intake import audit

    if audit.guard not in connection.execute_wrappers:
        connection.execute_wrappers.append(audit.guard)


class ClinicConfig(AppConfig):
    default = True
    name = "clinic"
    verbose_name = "Clinic"

    def ready(self) -> None:
        from clinic import checks, editor  # noqa: F401  # checks register themselves
        from clinic.oversight import library as library_trail

        editor.protect()
        if settings.AS_OWNER:
            return
        library_trail.listen()
        # A weak receiver would vanish and take the guard with it, silently.
        connection_created.connect(guard_connection, weak=False, dispatch_uid="audit guard")


class AllauthAccountConfig(AppConfig):
    """Only for what `allauth.mfa` imports of it: none of its pages exists here, nor what they need."""

    default = False
    name = "allauth.account"
    default_auto_field = "django.db.models.AutoField"


class StaffAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "clinic.staff_site.StaffSite"

    def ready(self) -> None:
        super().ready()
        # Pages that packages bring along and no role may use: roles are code, jobs are the operator's.
        for label in ("auth.Group", "procrastinate.ProcrastinateJob"):
            admin.site.unregister(apps.get_model(label))
