"""What the patient may know of the review: who read the answers and when, and nothing else."""

from dataclasses import dataclass
from datetime import datetime

from intake.responses.models import QuestionnaireResponse
from intake.review.models import Review


@dataclass(frozen=True, slots=True)
class Receipt:
    """reader: by name, with a title. newest: they read what stands now, not what it replaced.

    by_physio: the reader is the physio of the visit.
    """

    reader: str
    at: datetime
    newest: bool
    by_physio: bool


def receipt_for(sent: QuestionnaireResponse) -> Receipt | None:
    """The last finished review of this visit's answers; None until somebody pressed Finish review."""
    review: Review | None = (
        Review.objects.filter(response__evaluation=sent.evaluation_id, finished_at__isnull=False)
        .select_related("finished_by")
        .order_by("-finished_at")
        .first()
    )
    if review is None or review.finished_at is None or review.finished_by is None:
        return None
    reader = review.finished_by
    return Receipt(
        f"{reader.title} {reader}".strip(),
        review.finished_at,
        newest=review.response_id == sent.pk,
        by_physio=review.finished_by_id == sent.evaluation.physio_id,
    )
