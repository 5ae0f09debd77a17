"""`manage.py screen_answers FILE|-`: what the shipped rules raise on a JSON list of answers."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from intake.questionnaires.definition import read_definition
from intake.screening.answer_sets import AnswerSetError, screen_answer_sets
from intake.screening.screen import parse_rules

CATALOG = Path(__file__).resolve().parents[2] / "catalog"


class Command(BaseCommand):
    """Prints JSON on stdout and exits 0; or one line on stderr, nothing on stdout, and exits 1.

    Exits 2 on wrong usage. Reads the shipped questionnaire and rules, needs no database, writes nothing.
    """

    help = (
        'Reads a JSON list of {"answers": {linkId: value or [values]}} and prints, in the same order, a JSON '
        'list of {"rules": [[id, side]], "redFlags": [[id, side]], "precautions": [id]}.'
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file of answers, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["file"]
        try:
            data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except (OSError, ValueError) as error:
            raise CommandError(f"cannot read {name}: {error}", returncode=2) from error
        definition = read_definition(_catalog("questionnaires/pre-visit-foot-knee.json"))
        rules = parse_rules(_catalog("rules/foot-knee.json"))
        try:
            outcomes = screen_answer_sets(data.decode("utf-8-sig"), definition, rules)
        except UnicodeDecodeError:
            self._refuse("not JSON: the text is not UTF-8")
        except AnswerSetError as problem:
            self._refuse(str(problem))
        else:
            self.stdout.write("[" + ",\n ".join(json.dumps(outcome) for outcome in outcomes) + "]")

    def _refuse(self, line: str) -> None:
        self.stderr.write(line)
        sys.exit(1)


def _catalog(name: str) -> Any:
    return json.loads((CATALOG / name).read_text(encoding="utf-8"))
