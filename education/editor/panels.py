"""What stands above a lesson's form."""

from typing import Any

from wagtail.admin.panels import Panel

from education.editor.warnings import Warn, warnings_of


class WarningsPanel(Panel):
    """The warnings about the draft as it was last saved."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "education/editor/warnings.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            found: list[Warn] = warnings_of(self.instance) if self.instance.pk else []
            return {**context, "warnings": found, "is_new": not self.instance.pk}
