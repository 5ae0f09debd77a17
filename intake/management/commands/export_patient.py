"""Write all that is kept about one patient into two files."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake import audit, journey
from intake.patients.models import Patient


class Command(BaseCommand):
    help = (
        "Writes all that is kept about a patient as a FHIR Bundle (JSON) and as a PDF. The files are named "
        "by the patient's reference, and only who runs this can read them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("patient", type=UUID, help="the patient's id")
        parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            exported = journey.export_patient(
                patient_id=options["patient"], by=audit.system("export_patient")
            )
        except Patient.DoesNotExist:
            raise CommandError("there is no such patient") from None
        paths = [options["out"] / f"{exported.reference}.{form}" for form in exported.files]
        for path, content in zip(paths, exported.files.values(), strict=True):
            write_private(path, content)
        if options["json"]:
            self.stdout.write(json.dumps({"files": list(map(str, paths))}))
            return
        for path in paths:
            self.stdout.write(str(path))


def write_private(path: Path, content: bytes) -> None:
    """A file that nobody else can read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
