"""End every link that patients hold."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake import audit, journey


class Command(BaseCommand):
    help = (
        "Ends every open link to a form and to shared lessons, and with it whoever is at work behind one. "
        "Answers stay; patients need new links."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="say so: there is no other choice")
        parser.add_argument("--dry-run", action="store_true", help="say how many would end, end none")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["all"]:
            raise CommandError("Say --all: this ends every link that patients hold.", returncode=2)
        by = audit.system("end_links")
        if options["dry_run"]:
            found = journey.open_links(by=by)
            numbers = {"invitation": found.invitations, "lesson-share": found.shares}
        else:
            ended = journey.end_all_links(by=by)
            numbers = {"invitation": len(ended.invitations), "lesson-share": len(ended.shares)}
        if options["json"]:
            self.stdout.write(json.dumps(numbers))
            return
        for kind, number in numbers.items():
            self.stdout.write(f"{kind}: {number} {'would end' if options['dry_run'] else 'ended'}")
