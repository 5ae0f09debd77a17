"""People at the editor, and a lesson that no rule and no other lesson needs."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from education.catalog.load import load
from education.chain.publishing import remember
from education.lessons.blocks import blocks_of_text
from education.models import Lesson, Source
from tests.factories import make_user

LESSON = "wagtailsnippets_education_lesson"


class Person:
    """Somebody of the staff, in a browser."""

    def __init__(self, role: str) -> None:
        self.user = make_user(role)
        self.client = Client()
        self.client.force_login(self.user)

    def opens(self, name: str, *args: Any) -> Any:
        return self.client.get(reverse(f"{LESSON}:{name}", args=args))

    def form(self, lesson: Lesson | None) -> dict[str, str]:
        """Every field of the form of a lesson, as the page fills it in."""
        page = self.opens("edit", lesson.pk) if lesson else self.opens("add")
        assert page.status_code == 200
        form = page.context["form"]
        data: dict[str, Any] = {}
        for bound in form:
            value = bound.value()
            if bound.name == "body":
                continue
            data[bound.html_name] = (
                [str(getattr(x, "pk", x)) for x in value]
                if isinstance(value, list) and bound.name in ("links", "related", "sources")
                else ("" if value is None else value)
            )
        raw = form["body"].value()
        for name in ("suggest_when",):
            data[name] = form[name].value() or ""
        data["suggest_default"] = "on" if data.get("suggest_default") else ""
        blocks = list(getattr(raw, "raw_data", []) or [])
        data["body-count"] = "0"
        data |= body_data(blocks)
        return {
            key: value for key, value in data.items() if value not in ("", None) or key.startswith("body-")
        }

    def saves(self, lesson: Lesson | None, action: str = "", **changes: Any) -> Any:
        data = {**self.form(lesson), **changes}
        if action:
            data[action] = "1"
        url = reverse(f"{LESSON}:edit", args=[lesson.pk]) if lesson else reverse(f"{LESSON}:add")
        return self.client.post(url, data)


def body_data(blocks: list[Any]) -> dict[str, str]:
    """A body of headings and texts as the fields that the editor's script would send."""
    from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

    from education.lessons.blocks import TEXT_FEATURES

    converter = ContentstateConverter(TEXT_FEATURES)
    data = {"body-count": str(len(blocks))}
    for place, block in enumerate(blocks):
        start = f"body-{place}"
        data |= {f"{start}-type": block["type"], f"{start}-order": str(place), f"{start}-deleted": ""}
        if block["type"] == "text":
            data[f"{start}-value"] = converter.from_database_format(block["value"])
        elif isinstance(block["value"], dict):
            data |= {f"{start}-value-{key}": str(value or "") for key, value in block["value"].items()}
        else:
            data[f"{start}-value"] = str(block["value"])
    return data


@pytest.fixture
def sam(db: None) -> Person:
    return Person("editor")


@pytest.fixture
def physio(db: None) -> Person:
    return Person("physio")


@pytest.fixture
def lesson(db: None) -> Lesson:
    """Live, in good order, known to nobody but its readers."""
    load()
    row = Lesson(
        slug="warm-up",
        title="Warm up first",
        lead="Warm legs move with less effort.",
        part="help",
        order=90,
        summary="Walk a little before you run. Your legs will thank you.",
        body=blocks_of_text("## How to\n\nWalk for five minutes."),
        suggest_because="You asked about running.",
        live=True,
    )
    row.save()
    row.sources.set([Source.objects.exclude(url="").first()])
    row.save()
    remember(row)
    return row


def told(response: Any) -> str:
    """What the page says, tags taken out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))
