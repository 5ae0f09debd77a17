"""`manage.py load_library`: the shipped lessons, chain and clinic facts go into the tables."""

import difflib
import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from wagtail import hooks

from education.catalog.load import FOLDER, CatalogError, Difference, Report, differences, load

# Long enough to see what a sentence is about.
WIDEST = 100


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
            "--diff",
            action="store_true",
            help="show, field by field, where the tables say something else than the catalog; exit 1 where "
            "they do, 2 where the catalog cannot be read; change nothing",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help='print {"created": {kind: n}, "updated": {..}, "unchanged": {..}, '
            '"kept": [{"kind", "entry", "reason"}], "withdrawn": [{"kind", "entry"}], "dryRun": bool}; with '
            '--diff [{"kind", "entry", "state": new|edited|outdated|deleted, "field", "here", "shipped"}]',
        )

    def handle(
        self, *args: Any, catalog: Path, dry_run: bool, diff: bool, json: bool, **options: Any
    ) -> None:
        # Only tables that are registered with the editor are watched for what they refer to.
        hooks.search_for_hooks()
        try:
            if diff:
                found = differences(catalog)
                self.show(found, as_data=json)
                if found:
                    sys.exit(1)
                return
            report = load(catalog, dry_run=dry_run)
        except CatalogError as error:
            raise CommandError(str(error), returncode=2 if diff else 1) from error
        if json:
            self.stdout.write(as_json(report, dry_run))
            return
        self.stdout.write(summary(report, dry_run))
        for entry in report.kept:
            self.stdout.write(f"kept {entry['kind']} {entry['entry']}: {entry['reason']}, not overwritten")
        for entry in report.withdrawn:
            self.stdout.write(f"no longer shipped, still here: {entry['kind']} {entry['entry']}")

    def show(self, found: list[Difference], *, as_data: bool) -> None:
        if as_data:
            self.stdout.write(json.dumps([asdict(one) for one in found]))
            return
        for one in found:
            if one.field is None:
                self.stdout.write(f"{one.kind} {one.entry}: {NO_ROW[one.state]}")
                continue
            self.stdout.write(f"{one.kind} {one.entry}, {one.field}: {ROW[one.state]}")
            for mark, line in changed_lines(one.shipped, one.here):
                self.stdout.write(f"  {mark} {line}")
        self.stdout.write(f"{len(found)} difference(s); nothing was changed")


# What loading would do.
NO_ROW = {"new": "new, would be made", "deleted": "deleted here, stays so"}
ROW = {"edited": "edited here, stays as it is", "outdated": "would be updated"}


def changed_lines(shipped: Any, here: Any) -> list[tuple[str, str]]:
    """Lines that only one side has: `("shipped", line)` and `("here   ", line)`, long ones cut."""
    lines = difflib.ndiff(in_lines(shipped), in_lines(here))
    marks = {"-": "shipped", "+": "here   "}
    return [
        (marks[line[0]], line[2:] if len(line) <= WIDEST + 2 else f"{line[2 : WIDEST + 1]}…")
        for line in lines
        if line[0] in marks
    ]


def in_lines(value: Any) -> list[str]:
    """A text by its lines, a list by its entries, anything else as JSON."""
    if isinstance(value, str):
        return [line for line in value.splitlines() if line.strip()]
    entries = value if isinstance(value, list) else [value]
    return [entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False) for entry in entries]


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
