"""Write docs/asvs.md from docs/asvs.csv."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
WORDS: Final = {"met": "met", "not-applicable": "not applicable", "open": "**open**"}
CHAPTERS: Final = {
    "1": "Encoding and sanitizing",
    "2": "Validation and business logic",
    "3": "Web front end",
    "4": "Web services",
    "5": "Files",
    "6": "Signing in",
    "7": "Sessions",
    "8": "Who may do what",
    "9": "Self-contained tokens",
    "10": "OAuth and OpenID",
    "11": "Cryptography",
    "12": "Secure lines",
    "13": "Configuration",
    "14": "Data protection",
    "15": "Coding and architecture",
    "16": "Logs and errors",
    "17": "WebRTC",
}


def rows() -> list[dict[str, str]]:
    """The sheet: number, level, asks, state, proof, note."""
    with (DOCS / "asvs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page() -> str:
    """The sheet as a page, one table a chapter."""
    found = rows()
    states = Counter(row["state"] for row in found)
    lines = [
        "# OWASP ASVS 5.0, levels 1 and 2",
        "",
        "Made by `manage.py write_asvs` from `asvs.csv`; a test holds that the two agree and that every",
        "proof is there. What each requirement asks is said in our words; the standard has its own.",
        "",
        ", ".join(
            f"{number} {words}"
            for number, words in (
                (len(found), "requirements"),
                (states["met"], "met"),
                (states["not-applicable"], "not applicable"),
                (states["open"], "open"),
            )
        )
        + ".",
    ]
    for chapter, name in CHAPTERS.items():
        head = "| No. | Level | Asks | State | Proof or reason |"
        lines += ["", f"## {chapter} {name}", "", head, "|---|---|---|---|---|"]
        for row in found:
            if row["number"].split(".")[0] != chapter:
                continue
            proof = " ".join(f"`{one}`" for one in row["proof"].split())
            words = " ".join(filter(None, (proof, row["note"])))
            cells = (row["number"], row["level"], row["asks"], WORDS[row["state"]], words)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


class Command(BaseCommand):
    help = "Writes docs/asvs.md from docs/asvs.csv."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit 1 where it is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        target = DOCS / "asvs.md"
        if options["check"]:
            if not target.exists() or target.read_text(encoding="utf-8") != page():
                raise CommandError("docs/asvs.md is not what docs/asvs.csv says: run manage.py write_asvs")
            return
        target.write_text(page(), encoding="utf-8")
