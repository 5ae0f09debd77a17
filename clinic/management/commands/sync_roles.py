"""Write the roles of `clinic.roles` to the database."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clinic import roles


class Command(BaseCommand):
    help = "Writes the roles and their permissions to the database; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = roles.sync()
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count} permissions")
