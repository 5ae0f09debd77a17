"""Fill the tables with invented intakes, to see what grows with them."""

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import crowd
from clinic.demo import NotDemo


class Command(BaseCommand):
    help = (
        "Tops up to this many invented, completed intakes in the past. May be stopped at any moment and run "
        "again. Demo mode only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="N", help="how many there shall be")
        parser.add_argument("--json", action="store_true", help="print JSON alone")
        parser.add_argument("--dry-run", action="store_true", help="say how many are missing; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted, began = options["number"], time.monotonic()
        if wanted < 0:
            raise CommandError("N has to be 0 or more.")
        try:
            crowd.refuse_outside_demo()
            before = made = crowd.count()
            if not options["dry_run"] and made < wanted:
                for progress in crowd.make(wanted):
                    made = progress.made
                    if not options["json"]:
                        self.show(made, wanted, made - before, time.monotonic() - began)
                crowd.settle()
        except NotDemo as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. Run it again to go on.")
            sys.exit(130)
        seconds = round(time.monotonic() - began, 1)
        found = {"wanted": wanted, "before": before, "now": made, "seconds": seconds}
        if options["json"]:
            self.stdout.write(json.dumps(found))
        elif options["dry_run"]:
            self.stdout.write(f"{before:,} made intakes are here; {max(0, wanted - before):,} would be made.")
        else:
            self.stdout.write(f"{made:,} made intakes are here, {made - before:,} of them new ({seconds} s).")

    def show(self, made: int, wanted: int, new: int, seconds: float) -> None:
        """A line that writes over itself."""
        left = f", {seconds / new * (wanted - made):.0f} s left" if new else ""
        self.stderr.write(f"\r{made:,} of {wanted:,} intakes{left}    ", ending="")
        self.stderr.flush()
        if made >= wanted:
            self.stderr.write("")
