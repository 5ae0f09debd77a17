"""Registers the library with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EducationConfig(AppConfig):
    name = "education"
    verbose_name = _("Library")

    def ready(self) -> None:
        from education import checks  # noqa: F401  (importing checks registers them)
