"""What the clinic already knows is not asked again from scratch: it is filled in, to be confirmed."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from intake.conditions import Answers, Value
from intake.patients.models import Patient
from intake.questionnaires.definition import Definition

# linkId -> what the clinic's own record says. Source: clinical brief, section 3.
KNOWN: Final[Mapping[str, Callable[[Patient, date], Value]]] = {
    "about.age": lambda patient, today: patient.age_on(today),
}


def with_known(
    definition: Definition, answers: Answers, patient: Patient, today: date
) -> dict[str, tuple[Value, ...]]:
    """The answers with what the clinic knows in the place of what is not answered yet."""
    filled = {link_id: tuple(values) for link_id, values in answers.items()}
    for link_id, known in KNOWN.items():
        if definition.get(link_id) is not None and not filled.get(link_id):
            filled[link_id] = (known(patient, today),)
    return filled
