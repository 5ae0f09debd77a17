"""Where Django finds the river's tables. Code imports a stage's own `models`, never this file."""

from intake.audit import AuditEvent
from intake.patients.models import (
    AccessCode,
    AccessEvent,
    BookingEvent,
    Erasure,
    Evaluation,
    EvaluationRequest,
    Invitation,
    LessonShare,
    Patient,
    PatientSession,
    Reminder,
)
from intake.questionnaires.models import Questionnaire
from intake.responses.models import QuestionnaireResponse
from intake.review.models import (
    Closing,
    FindingTally,
    LessonOpening,
    Measurement,
    MissedLink,
    Outcome,
    RedFlagContact,
    Review,
    Verdict,
)
from intake.screening.models import Finding, RedFlag, RedFlagEvent, Rule, ScreeningRun
from intake.trail import TrailLink, WeekReviewed

__all__ = [
    "AccessCode",
    "AccessEvent",
    "AuditEvent",
    "BookingEvent",
    "Closing",
    "Erasure",
    "Evaluation",
    "EvaluationRequest",
    "Finding",
    "FindingTally",
    "Invitation",
    "LessonOpening",
    "LessonShare",
    "Measurement",
    "MissedLink",
    "Outcome",
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
    "TrailLink",
    "Verdict",
    "WeekReviewed",
]
