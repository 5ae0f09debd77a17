"""What the authenticator app of one of the demo's staff shows."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import demo_file
from clinic.door import factors


class Command(BaseCommand):
    help = "Prints the code for the second step of one of the demo's staff. Demo mode only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo accounts are for CLINIC_MODE=demo alone")
        staff = {entry["username"]: entry for entry in demo_file.read().get("staff", [])}
        found = staff.get(options["username"])
        if found is None or "totp" not in found:
            raise CommandError("no such account in .local/demo.json; `make run` makes them")
        self.stdout.write(factors.code_now(found["totp"]))
