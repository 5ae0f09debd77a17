"""What the clinic already knows is not asked again from scratch: it is filled in, to be confirmed."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from intake.conditions import Answers, Value
from intake.patients.models import Patient
from intake.questionnaires.definition import Definition

# From this age on nobody has to do the form with her. Source: clinical brief, section 3.
ADULT: Final = 18
# linkId -> what the clinic's own record says. Source: clinical brief, section 3.
KNOWN: Final[Mapping[str, Callable[[Patient, date], Value]]] = {
    "about.age": lambda patient, today: patient.age_on(today),
}


def known_limits(definition: Definition, patient: Patient, today: date) -> dict[str, tuple[int, str]]:
    """`{linkId: (most, what to say to more)}`: nobody types herself out of having a guardian beside her."""
    age = patient.age_on(today)
    if age >= ADULT or definition.get("about.age") is None:
        return {}
    words = _("Your date of birth says that you are %(age)s. If that is not right, please call us.")
    return {"about.age": (ADULT - 1, words % {"age": age})}


def with_known(
    definition: Definition, answers: Answers, patient: Patient, today: date
) -> dict[str, tuple[Value, ...]]:
    """The answers with what the clinic knows in the place of what is not answered yet."""
    filled = {link_id: tuple(values) for link_id, values in answers.items()}
    for link_id, known in KNOWN.items():
        if definition.get(link_id) is not None and not filled.get(link_id):
            filled[link_id] = (known(patient, today),)
    return filled
