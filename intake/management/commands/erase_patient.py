"""Erase what is kept about one patient."""

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake import audit, journey
from intake.patients.erasure import KeptByLaw
from intake.patients.models import Erasure, Patient


class Command(BaseCommand):
    help = (
        "Erases all that is kept about a patient and leaves a tombstone without a name. A clinical record is "
        "refused before its day: then --keep-legal-minimum erases the rest, and the record goes on that day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("patient", type=UUID, help="the patient's id")
        parser.add_argument(
            "--keep-legal-minimum",
            action="store_true",
            help="erase contact data, drafts, links and devices; keep the clinical record until its day",
        )
        parser.add_argument(
            "--reason", choices=[Erasure.Reason.ASKED, Erasure.Reason.MISTAKE], default=Erasure.Reason.ASKED
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = journey.erase_patient(
                patient_id=options["patient"],
                reason=options["reason"],
                by=audit.system("erase_patient"),
                whole=not options["keep_legal_minimum"],
                dry_run=options["dry_run"],
            )
        except Patient.DoesNotExist:
            raise CommandError("there is no such patient") from None
        except KeptByLaw as kept:
            raise CommandError(f"{kept}; --keep-legal-minimum erases the rest now") from None
        if options["json"]:
            self.stdout.write(json.dumps({"rows": counts, "dryRun": options["dry_run"]}))
            return
        for table, number in counts.items():
            self.stdout.write(f"{table}: {number} {'would go' if options['dry_run'] else 'gone'}")
