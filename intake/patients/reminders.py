"""Reminders: which are due, claiming each once, and whether one is still needed when its turn comes.

Times are the clinic's: nine in the morning, seven days and one day before the visit by the calendar, so a
change of the clocks between moves nothing. One that was missed, because nothing ran, goes later in its
window.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from intake import audit
from intake.patients import diary
from intake.patients.links import hash_token, new_token
from intake.patients.models import Evaluation, Invitation, Reminder, ScopedQuerySet

# For the clinic to decide: when a mail is welcome, and how many days ahead.
FROM: Final = time(9)
UNTIL: Final = time(20)
DAYS_BEFORE: Final = {Reminder.Kind.WEEK: 7, Reminder.Kind.DAY: 1}
# One for the last days is due then; a late one for the week would only come on top of it.
LAST_DAY_BEFORE: Final = {Reminder.Kind.WEEK: 2, Reminder.Kind.DAY: 1}

BATCH: Final = 50
# `responses` stands above this stage, which knows its words but not its code.
SENT: Final = ("completed", "amended")


def due_at(kind: str, starts_at: datetime) -> datetime:
    """When a reminder of this kind is due for a visit that starts then."""
    return _on(timezone.localdate(starts_at) - timedelta(days=DAYS_BEFORE[Reminder.Kind(kind)]), FROM)


def too_late_at(kind: str, starts_at: datetime) -> datetime:
    """From when on one that could not be sent is given up."""
    return _on(timezone.localdate(starts_at) - timedelta(days=LAST_DAY_BEFORE[Reminder.Kind(kind)]), UNTIL)


def is_good_hour(now: datetime) -> bool:
    """Whether a mail is welcome now, on the clinic's clock."""
    return FROM <= timezone.localtime(now).time() < UNTIL


def next_good_hour(now: datetime) -> datetime:
    """The next nine in the morning."""
    today = timezone.localdate(now)
    morning = _on(today, FROM)
    return morning if now < morning else _on(today + timedelta(days=1), FROM)


def _on(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=timezone.get_current_timezone())


def due(now: datetime) -> list[tuple[str, object]]:
    """Kind and evaluation's key of what is to be claimed now: a batch of each kind, the nearest visits first.

    Keys alone, every few minutes and mostly none: what is claimed of them gets its line in the trail.
    """
    if not is_good_hour(now):
        return []
    with audit.covered():
        return [
            (kind, key)
            for kind in Reminder.Kind
            for key in _due(kind, now).order_by("starts_at", "pk").values_list("pk", flat=True)[:BATCH]
        ]


def _due(kind: Reminder.Kind, now: datetime) -> ScopedQuerySet:
    """Visits whose reminder of this kind may go now and was not claimed yet.

    Booked on the day it is due or later: the invitation has only just said so, and none is needed.
    """
    today = timezone.localdate(now)
    nearest = today + timedelta(days=LAST_DAY_BEFORE[kind])
    farthest = today + timedelta(days=DAYS_BEFORE[kind])
    ahead = ExpressionWrapper(TruncDate("starts_at") - TruncDate("booked_at"), DurationField())
    claimed = Reminder.objects.filter(evaluation=OuterRef("pk"), kind=kind, starts_at=OuterRef("starts_at"))
    return (  # type: ignore[no-any-return]  # the manager of a patient table gives such a set
        wants_reminding()
        .filter(
            starts_at__gte=_on(nearest, time.min), starts_at__lt=_on(farthest + timedelta(days=1), time.min)
        )
        .annotate(ahead=ahead)
        .filter(~Exists(claimed), ahead__gt=timedelta(days=DAYS_BEFORE[kind]))
    )


def wants_reminding() -> ScopedQuerySet:
    """Booked visits whose form is open behind a link that was mailed, and nobody switched reminders off."""
    link = Invitation.objects.filter(
        evaluation=OuterRef("pk"),
        revoked_at=None,
        ended_at=None,
        sent_at__isnull=False,
        expires_at__gt=timezone.now(),
    )
    return (
        Evaluation.objects.filter(
            Exists(link), status=Evaluation.Status.BOOKED, reminders_off=False, patient__reminders_off=False
        )
        .exclude(patient__email="")
        .exclude(Q(responses__status__in=SENT))
    )


def claim(kind: str, evaluation_id: object, now: datetime) -> Reminder | None:
    """Take what is due for ourselves, in the transaction that queues its job. None: somebody else did."""
    evaluation: Evaluation | None = (
        _due(Reminder.Kind(kind), now)
        .filter(pk=evaluation_id)
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    if evaluation is None:
        return None
    reminder = Reminder(evaluation=evaluation, kind=kind, starts_at=diary.starts(evaluation), queued_at=now)
    # Whoever claimed it between our look and our lock keeps it: the row is unique.
    Reminder.objects.bulk_create([reminder], ignore_conflicts=True)
    return reminder if Reminder.objects.filter(pk=reminder.pk).exists() else None


def take(reminder_id: object) -> Reminder | None:
    """A reminder that waits to be sent, locked until it is settled: a second worker then finds none."""
    reminder: Reminder | None = (
        Reminder.objects.select_for_update(of=("self",))
        .select_related("evaluation__patient", "evaluation__physio")
        .filter(pk=reminder_id, state=Reminder.State.QUEUED)
        .first()
    )
    return reminder


def is_needed(reminder: Reminder) -> bool:
    """Whether what made it due still holds: same time, form open, link alive, nobody switched it off."""
    same = wants_reminding().filter(pk=reminder.evaluation_id, starts_at=reminder.starts_at)
    return bool(same.exists())


def settle(reminder: Reminder, state: Reminder.State, now: datetime) -> None:
    reminder.state, reminder.settled_at = state, now
    reminder.save(update_fields=["state", "settled_at"])


def new_links(reminder: Reminder) -> tuple[str, str]:
    """Two tokens for the mail: one opens the form, one leads to the page that stops reminders.

    The link of the first mail goes on working: people look for the mail they remember.
    """
    token, stop = new_token(), new_token()
    reminder.invitation = reminder.evaluation.invitations.get(revoked_at=None, ended_at=None)
    reminder.token_hash, reminder.stop_hash = hash_token(token), hash_token(stop)
    reminder.save(update_fields=["invitation", "token_hash", "stop_hash"])
    return token, stop


def find_stop(token: str) -> Reminder | None:
    """The reminder whose mail this way to stop stood in."""
    found: Reminder | None = (
        Reminder.objects.select_related("evaluation").filter(stop_hash=hash_token(token)).first()
    )
    return found


def switch(evaluation: Evaluation, *, off: bool) -> None:
    """No more reminders of this visit, or reminders again."""
    Evaluation.objects.filter(pk=evaluation.pk).update(reminders_off=off)
    evaluation.reminders_off = off


def of_visit(evaluation: Evaluation) -> list[Reminder]:
    """What became of the reminders for the time that stands now."""
    if evaluation.starts_at is None:
        return []
    found = evaluation.reminders.filter(starts_at=diary.starts(evaluation))
    return list(found.order_by(F("queued_at"), "pk"))
