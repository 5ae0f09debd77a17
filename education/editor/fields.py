"""Form fields that let people write as text what the tables keep as lists."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext as _


def _text(value: str | None) -> str:
    """What was typed. Django looks for NUL in what is stored, where a list hides it."""
    ProhibitNullCharactersValidator()(value)
    return value or ""


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in _text(super().to_python(value)).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial or [])) != self.to_python(data)


class SelfChecksField(forms.CharField):
    """Questions, an empty line between them: the question, `-` an option, `*` the one that fits, `=` why."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 10}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n\n".join(
            "\n".join(
                [
                    entry["question"],
                    *(
                        f"{'*' if place == entry['answer'] else '-'} {option}"
                        for place, option in enumerate(entry["options"])
                    ),
                    f"= {entry['why']}",
                ]
            )
            for entry in value
        )

    def to_python(self, value: Any) -> Any:
        text = _text(super().to_python(value)).replace("\r\n", "\n")
        return [self._entry(part) for part in text.split("\n\n") if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(self.prepare_value(initial or [])) != self.to_python(data))
        except ValidationError:
            return True

    def _entry(self, text: str) -> dict[str, Any]:
        question, *lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
        options = [line[1:].strip() for line in lines if line[0] in "-*"]
        fitting = [place for place, line in enumerate(x for x in lines if x[0] in "-*") if line[0] == "*"]
        why = [line[1:].strip() for line in lines if line[0] == "="]
        if len(options) < 2 or len(fitting) != 1 or len(why) != 1 or len(lines) != len(options) + 1:
            raise ValidationError(
                _(
                    "“%(question)s” needs two options or more on lines that begin with - , the one that fits "
                    "beginning with * , and one line that begins with = and says why."
                )
                % {"question": question}
            )
        return {"question": question, "options": options, "answer": fitting[0], "why": why[0]}
