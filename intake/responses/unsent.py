"""Forms that were begun and never sent, once nobody can go on with them."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from intake.patients.models import Invitation
from intake.responses.models import QuestionnaireResponse, ResponseQuerySet


def over(before: datetime) -> ResponseQuerySet:
    """Drafts whose every link was over by then, and the visit too.

    One whose answers alarmed the clinic is no part of it: what was said and done then is the record's.
    """
    living = Invitation.objects.filter(evaluation=OuterRef("evaluation"), expires_at__gte=before)
    found: ResponseQuerySet = QuestionnaireResponse.objects.filter(
        ~Exists(living),
        Q(evaluation__starts_at=None) | Q(evaluation__starts_at__lt=before),
        authored=None,
        red_flags=None,
        updated_at__lt=before,
    )
    return found


def remove(before: datetime, most: int) -> int:
    """Remove so many of them. Returns how many went."""
    keys = list(over(before).values_list("pk", flat=True)[:most])
    QuestionnaireResponse.objects.filter(pk__in=keys).delete()
    return len(keys)
