"""The review desk inside the Django admin, at /staff/."""

from intake.admin import content, evaluations, figures, patients, requests, reviews

__all__ = ["content", "evaluations", "figures", "patients", "requests", "reviews"]
