"""The review desk inside the Django admin, at /staff/."""

from intake.admin import content, evaluations, patients, requests, reviews

__all__ = ["content", "evaluations", "patients", "requests", "reviews"]
