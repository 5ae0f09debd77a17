"""Seed the demo."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import demo


class Command(BaseCommand):
    help = (
        "Makes the demo's invented staff, patients and intakes, and writes .local/demo.json. Demo mode only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = demo.seed()
        except demo.NotDemo as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(data))
            return
        for invitation in data["invitations"]:
            self.stdout.write(f"invitation: {invitation['url']}  date of birth {invitation['birth_date']}")
        for person in data["staff"]:
            words = f"{person['username']} / {person['password']} / TOTP {person['totp']}"
            self.stdout.write(f"{person['role']}: {words}")
