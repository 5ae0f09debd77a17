"""Remove what has been kept for its time."""

import json
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intake import journey

WORDS = {
    "link": "the secret of {} links",
    "link-to-lessons": "the secret of {} links to lessons",
    "link-of-reminder": "the secrets of {} reminders",
    "never-came": "{} people who asked and never came",
    "record": "{} patients whose record was kept for its time",
    "refused": "{} patients who could not be erased",
}


class Command(BaseCommand):
    help = (
        "Removes what has been kept for its time: codes, drafts and links 30 days after they ended, a "
        "clinical record seven years after the last visit. The trail stays. The same happens each night by "
        "itself. It can be stopped at any time (Ctrl-C); the next run goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        ending = False

        def end(number: int, frame: FrameType | None) -> None:
            nonlocal ending
            ending = True

        before = {one: signal.signal(one, end) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            gone = journey.retain(
                dry_run=options["dry_run"],
                stopped=lambda: ending,
                tell=lambda kind, number: None if options["json"] else self.tell(kind, number),
            )
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
        if options["json"]:
            self.stdout.write(json.dumps(gone | {"stopped": ending}))
            return
        verb = "would go" if options["dry_run"] else "gone"
        for kind, number in gone.items():
            self.stdout.write(f"{verb}: {WORDS.get(kind, '{} ' + kind).format(number)}")
        if ending:
            self.stdout.write("Stopped; the next run goes on.")

    def tell(self, kind: str, number: int) -> None:
        """Progress, apart from what was asked for."""
        self.stderr.write(f"{kind}: {number}")
