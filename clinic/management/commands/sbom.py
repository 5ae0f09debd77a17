"""What the product is made of, and whether somebody looked for known holes in it."""

import json
import tomllib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic import supply


class Command(BaseCommand):
    help = (
        "Writes a CycloneDX 1.6 list (JSON) of the packages in requirements.txt with their hashes. Asks "
        "nobody for known holes: docs/advisories.md keeps that, with its day; this says when it is overdue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, help="the file to write; without it, standard output")
        parser.add_argument(
            "--json", action="store_true", help="print a summary as JSON in the place of words"
        )
        parser.add_argument(
            "--check", action="store_true", help="only check pins, hashes and the review's day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = supply.packages()
        except supply.NotPinned as problem:
            raise CommandError(str(problem)) from None
        advisories = (supply.ROOT / "docs" / "advisories.md").read_text(encoding="utf-8")
        overdue = supply.review_is_due(advisories, timezone.localdate())
        if overdue is not None:
            # A warning: a tree that nobody touched must not begin to fail by itself (ADR 0045).
            self.stderr.write(
                f"WARNING: the review in docs/advisories.md is {overdue.days} days overdue "
                f"(last on {supply.reviewed_on(advisories)})."
            )
        if not options["check"]:
            self.write_list(found, options["out"])
        summary = {"packages": len(found), "reviewedOn": str(supply.reviewed_on(advisories))}
        if options["json"]:
            self.stdout.write(json.dumps(summary | {"reviewOverdue": overdue is not None}))
        elif options["check"] or options["out"]:
            self.stdout.write(f"{len(found)} packages, all pinned with hashes.")

    def write_list(self, found: tuple[supply.Package, ...], out: Path | None) -> None:
        project = tomllib.loads((supply.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        try:
            text = supply.bill_of_materials(found, version=project["version"])
        except ImportError:
            raise CommandError("the library that writes the list is not installed: make setup-dev") from None
        if out is None:
            self.stdout.write(text)
        else:
            out.write_text(text + "\n", encoding="utf-8")
