"""The river: a patient's words from question to review."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = _("Before the visit")

    def ready(self) -> None:
        from intake import audit, checks  # noqa: F401  (importing checks registers them)

        audit.find_patient_tables()
