"""The review desk inside the Django admin, at /staff/."""

from intake.admin import content, evaluations, patients, reviews

__all__ = ["content", "evaluations", "patients", "reviews"]
