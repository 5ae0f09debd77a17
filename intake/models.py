"""Where Django finds the river's tables. Code imports a stage's own `models`, never this file."""

from intake.audit import AuditEvent
from intake.patients.models import (
    AccessEvent,
    BookingEvent,
    Evaluation,
    EvaluationRequest,
    Invitation,
    Patient,
    PatientSession,
    Reminder,
)
from intake.questionnaires.models import Questionnaire
from intake.responses.models import QuestionnaireResponse
from intake.review.models import RedFlagContact, Review, Verdict
from intake.screening.models import Finding, RedFlag, RedFlagEvent, Rule, ScreeningRun

__all__ = [
    "AccessEvent",
    "AuditEvent",
    "BookingEvent",
    "Evaluation",
    "EvaluationRequest",
    "Finding",
    "Invitation",
    "Patient",
    "PatientSession",
    "Questionnaire",
    "QuestionnaireResponse",
    "RedFlag",
    "RedFlagContact",
    "RedFlagEvent",
    "Reminder",
    "Review",
    "Rule",
    "ScreeningRun",
    "Verdict",
]
