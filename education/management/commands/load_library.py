"""`manage.py load_library`: the shipped lessons, chain and clinic facts go into the tables."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from education.catalog.load import FOLDER, CatalogError, Report, load


class Command(BaseCommand):
    help = (
        "Loads education/catalog into the database. Creates what is new, updates what still says what was "
        "last shipped, and leaves alone what an editor changed or deleted. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--catalog", type=Path, default=FOLDER, metavar="FOLDER", help="read this folder instead"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument(
            "--json",
            action="store_true",
            help='print {"created": {kind: n}, "updated": {..}, "unchanged": {..}, '
            '"kept": [{"kind", "entry", "reason"}], "withdrawn": [{"kind", "entry"}], "dryRun": bool}',
        )

    def handle(self, *args: Any, catalog: Path, dry_run: bool, json: bool, **options: Any) -> None:
        try:
            report = load(catalog, dry_run=dry_run)
        except CatalogError as error:
            raise CommandError(str(error)) from error
        if json:
            self.stdout.write(as_json(report, dry_run))
            return
        self.stdout.write(summary(report, dry_run))
        for entry in report.kept:
            self.stdout.write(f"kept {entry['kind']} {entry['entry']}: {entry['reason']}, not overwritten")
        for entry in report.withdrawn:
            self.stdout.write(f"no longer shipped, still here: {entry['kind']} {entry['entry']}")


def as_json(report: Report, dry_run: bool) -> str:
    return json.dumps({**asdict(report), "dryRun": dry_run})


def summary(report: Report, dry_run: bool) -> str:
    """Such as `library: 19 created (18 lesson, 1 category), 2 updated (2 link), 170 unchanged`."""

    def told(counts: dict[str, int], word: str) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        return f"{sum(counts.values())} {word}" + (f" ({kinds})" if kinds else "")

    parts = [told(report.created, "created"), told(report.updated, "updated")]
    parts.append(f"{sum(report.unchanged.values())} unchanged")
    return f"library{' (dry run)' if dry_run else ''}: {', '.join(parts)}"
