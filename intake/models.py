"""Where Django finds the river's tables. Code imports a stage's own `models`, never this file."""

from intake.audit import AuditEvent
from intake.patients.models import (
    AccessEvent,
    Evaluation,
    EvaluationRequest,
    Invitation,
    Patient,
    PatientSession,
)
from intake.questionnaires.models import Questionnaire
from intake.responses.models import QuestionnaireResponse
from intake.review.models import LessonOpening, RedFlagContact, Review, Verdict
from intake.screening.models import Finding, RedFlag, RedFlagEvent, Rule, ScreeningRun

__all__ = [
    "AccessEvent",
    "AuditEvent",
    "Evaluation",
    "EvaluationRequest",
    "Finding",
    "Invitation",
    "LessonOpening",
    "Patient",
    "PatientSession",
    "Questionnaire",
    "QuestionnaireResponse",
    "RedFlag",
    "RedFlagContact",
    "RedFlagEvent",
    "Review",
    "Rule",
    "ScreeningRun",
    "Verdict",
]
