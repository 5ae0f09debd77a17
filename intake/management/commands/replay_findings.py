"""Work all findings out anew from the versions they were made with."""

import json
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from intake import journey

EVERY: Final = 1_000


class Command(BaseCommand):
    help = (
        "Screens every sent intake again with the questionnaire, the rules and the answers of its time, and "
        "compares with what is stored. Changes nothing. Exit 1 where something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        def told(done: int, of: int) -> None:
            if options["verbosity"] and (done % EVERY == 0 or done == of):
                self.stderr.write(f"{done} of {of}")

        found = journey.replay_findings(told=told)
        if options["json"]:
            differs = [
                {"run": one.run, "response": str(one.response), "what": one.what} for one in found.differs
            ]
            self.stdout.write(
                json.dumps({"runs": found.runs, "findings": found.findings, "differs": differs})
            )
        else:
            for one in found.differs:
                self.stdout.write(f"run {one.run} of intake {one.response}: {one.what}")
            words = f"{len(found.differs)} differ" if found.differs else "all the same"
            self.stdout.write(f"{found.runs} runs with {found.findings} findings, {words}")
        if found.differs:
            sys.exit(1)
