"""Form fields of the desk."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy

MOMENT: Final = "%Y-%m-%dT%H:%M"


class MomentField(forms.DateTimeField):
    """A day and a time, on the clinic's clock, in the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        looks = {"type": "datetime-local", "step": 60, "class": "k-in k-in-a"}
        super().__init__(
            widget=forms.DateTimeInput(format=MOMENT, attrs=looks),
            input_formats=[MOMENT],
            error_messages={
                "required": gettext_lazy("Enter the day and the time."),
                "invalid": gettext_lazy("Enter a day and a time, like 2026-06-03 09:30."),
            },
            **kwargs,
        )
