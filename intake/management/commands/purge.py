"""Remove what is kept no longer than it is needed."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intake import journey


class Command(BaseCommand):
    help = (
        "Removes codes and tries that open nothing any more, 30 days after they ended. The same happens each "
        "night by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        gone = journey.purge(dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(gone))
            return
        for kind, number in gone.items():
            self.stdout.write(f"{kind}: {number} {'would go' if options['dry_run'] else 'removed'}")
