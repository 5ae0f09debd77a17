"""Load questionnaires and rules from the catalog folder."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from intake.questionnaires.definition import DefinitionError, read_definition
from intake.questionnaires.load import LoadRefused, load_questionnaires
from intake.screening.load import load_rules
from intake.screening.screen import RuleError, entries_of

CATALOG = Path(__file__).resolve().parents[2] / "catalog"


class Command(BaseCommand):
    help = (
        "Loads questionnaires and rules from the catalog: new versions become active (and stay marked as not "
        "yet approved by a physio), versions in use never change. All or nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--catalog", type=Path, default=CATALOG, help="folder with questionnaires/ and rules/"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = self.load(options["catalog"], dry_run=options["dry_run"])
        except (LoadRefused, DefinitionError, RuleError, ValueError) as problem:
            raise CommandError(str(problem)) from None
        if options["json"]:
            self.stdout.write(json.dumps([{"what": what, "outcome": outcome} for what, outcome in done]))
            return
        for what, outcome in done:
            if outcome != "unchanged":
                self.stdout.write(f"{what}: {outcome}")
        unchanged = sum(outcome == "unchanged" for _, outcome in done)
        self.stdout.write(f"{len(done) - unchanged} created, {unchanged} unchanged")

    @staticmethod
    @transaction.atomic
    def load(catalog: Path, *, dry_run: bool) -> list[tuple[str, str]]:
        resources = [json.loads(path.read_text()) for path in sorted(catalog.glob("questionnaires/*.json"))]
        if not resources:
            raise LoadRefused(f"no questionnaire in {catalog / 'questionnaires'}")
        done = load_questionnaires(resources)
        definition = read_definition(resources[-1])
        entries = [
            entry
            for path in sorted(catalog.glob("rules/*.json"))
            for entry in entries_of(json.loads(path.read_text()))
        ]
        done += load_rules(entries, definition)  # type: ignore[arg-type]  # lint refuses what is no object
        if dry_run:
            transaction.set_rollback(True)
        return done
