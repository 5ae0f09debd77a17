"""The front desk's writes: people and their visits."""

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser

from intake.patients.models import Evaluation, Patient

# A link has to end after it was made (a constraint of the table), also when a visit moves into the past.
SHORTEST_LIFE: Final = timedelta(seconds=1)


def add_patient(patient: Patient, *, by: AbstractBaseUser) -> None:
    """Keep a new patient."""
    patient.created_by_id = by.pk
    patient.save(force_insert=True)


def change_patient(patient: Patient) -> None:
    """Keep what was corrected: the name, the date of birth, how to reach her."""
    patient.save(update_fields=["given_name", "family_name", "birth_date", "email", "phone"])


def add_evaluation(evaluation: Evaluation, *, by: AbstractBaseUser) -> None:
    """Book a visit. No link is sent yet."""
    evaluation.created_by_id = by.pk
    evaluation.save(force_insert=True)


def change_evaluation(evaluation: Evaluation) -> None:
    """Keep a visit's new time, physio, length or status; its live link then lives until a day after it."""
    evaluation.save(update_fields=["physio", "starts_at", "minutes", "status"])
    for invitation in evaluation.invitations.filter(revoked_at=None, ended_at=None):
        invitation.expires_at = max(evaluation.link_ends_at, invitation.created_at + SHORTEST_LIFE)
        invitation.save(update_fields=["expires_at"])
