"""Parse every template, also those no test happens to render."""

import json
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.template import Engine, TemplateSyntaxError
from django.template.loader import get_template


class Command(BaseCommand):
    help = "Parses every template of the project and names those that do not. Exit 1 when there is one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        found = sorted({name for folder in self._folders() for name in names_in(folder)})
        broken: dict[str, str] = {}
        for name in found:
            try:
                get_template(name)
            except (TemplateSyntaxError, UnicodeDecodeError) as error:
                broken[name] = str(error)
        if options["json"]:
            self.stdout.write(json.dumps({"templates": len(found), "broken": broken}))
        else:
            for name, words in broken.items():
                self.stderr.write(f"{name}: {words}")
            self.stderr.write(f"{len(found)} templates, {len(broken)} broken")
        if broken:
            raise CommandError(f"{len(broken)} template(s) do not parse.")

    def _folders(self) -> list[Path]:
        """The project's template folders; other packages answer for theirs."""
        own = [Path(folder) for folder in Engine.get_default().dirs]
        for config in apps.get_app_configs():
            folder = Path(config.path) / "templates"
            if folder.is_dir() and folder.is_relative_to(settings.BASE_DIR) and ".venv" not in folder.parts:
                own.append(folder)
        return own


def names_in(folder: Path) -> list[str]:
    """The names by which templates under `folder` are loaded."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
