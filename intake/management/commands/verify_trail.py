"""Work the chain behind the audit trail out anew."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake import trail

WORDS = {
    "changed": "changed since it was written",
    "removed": "its line was removed",
    "gap": "a link before it was removed",
    "unlinked": "a line that no link stands for (its own number)",
    "head": "the head that was kept is no place of this chain: its end was cut off, or all was written anew",
}


class Command(BaseCommand):
    help = (
        "Checks that no line of the audit trail was changed, removed or slipped in, and prints the head to "
        "keep on another machine. Exit 1 where something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", metavar="NUMBER:DIGEST", help="a head that an earlier check printed")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kept = trail.Head.read(options["head"]) if options["head"] else None
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        checked = trail.verify(kept)
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "lines": checked.lines,
                        "head": {"number": checked.head.number, "digest": checked.head.digest},
                        "wrong": [{"what": one.what, "number": one.number} for one in checked.wrong],
                    }
                )
            )
        else:
            for one in checked.wrong:
                self.stdout.write(f"{one.number}: {one.what}, {WORDS[one.what]}")
            found = f"{len(checked.wrong)} wrong" if checked.wrong else "all as they were written"
            self.stdout.write(f"{checked.lines} lines, {found}. Head: {checked.head}")
        if checked.wrong:
            sys.exit(1)
