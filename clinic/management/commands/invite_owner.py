"""`manage.py invite_owner name@example.org`: a new clinic's first account. There is no default one."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from clinic.people import staff as people
from intake.review.decide import NotAllowed


class Command(BaseCommand):
    help = (
        "Invites the first owner by e-mail; refused while there is one. Called again, the earlier link ends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
            people.invite_first_owner(email=options["email"])
        except ValidationError:
            raise CommandError("Give an e-mail address like name@example.org.") from None
        except NotAllowed as refused:
            raise CommandError(refused.message) from None
        self.stdout.write("Invited. The mail leaves with the next job; its link works once, for 72 hours.")
