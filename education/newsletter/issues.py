"""An issue: lessons as one plain mail, to every confirmed subscriber once.

The mail follows nobody: no picture, no link that tells readers apart but the one to leave by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from education.clinic_info.models import ClinicInfo
from education.newsletter.bounces import is_for_good, mark_bounced
from education.newsletter.models import Delivery, Issue, Subscriber
from education.newsletter.subscribe import leave_url

# The names of the jobs in `education.tasks`.
SEND_DELIVERY: Final = "newsletter_delivery"
SEND_TEST: Final = "newsletter_test"

# Behind every other job: a notice to whoever is on call never waits for the newsletter.
PRIORITY: Final = -10
# Far longer than handing one mail over takes.
CUT_OFF_AFTER: Final = timedelta(minutes=10)


class NotSendable(Exception):
    """What is lacking before this issue can go out; the message is for the editor."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def text_of(issue: Issue) -> str:
    """The mail without its foot: as it was sent, or as it would be now."""
    if issue.queued_at is not None:
        return issue.text
    lessons = [
        {"title": lesson.title, "lead": lesson.lead, "link": settings.SITE_URL + lesson.get_absolute_url()}
        for lesson in issue.lessons.filter(live=True)
    ]
    text: str = render_to_string(
        "email/newsletter_issue.txt", {"intro": issue.intro.strip(), "lessons": lessons}
    )
    return text.strip()


def with_foot(text: str, leave: str) -> str:
    """The whole mail as plain text: who sends it, from where, and how to leave."""
    body: str = render_to_string(
        "email/newsletter_foot.txt", {"text": text, "leave": leave, "clinic": ClinicInfo.current()}
    )
    # What a template gives counts as safe markup, which a mail's words are not.
    return body + ""


def preview(issue: Issue) -> str:
    """The mail as a subscriber would read it; its link to leave leads nowhere."""
    return with_foot(text_of(issue), f"{settings.SITE_URL}{reverse('education:newsletter')}...")


def check_send(issue: Issue) -> None:
    """Raises `NotSendable` naming what is in the way."""
    if issue.queued_at is not None:
        raise NotSendable(_("This issue has been sent off already."))
    if not issue.lessons.filter(live=True).exists():
        raise NotSendable(_("Choose a lesson that is live."))
    clinic = ClinicInfo.current()
    if not (clinic.street_address and clinic.city and clinic.postal_code):
        raise NotSendable(
            _("Every mail has to name the clinic's postal address. Fill in the clinic's facts first.")
        )
    if not Subscriber.objects.receiving().exists():
        raise NotSendable(_("Nobody has confirmed yet."))


def keep(issue: Issue) -> None:
    """Keep a draft. Raises `NotSendable` once the issue is on its way."""
    if issue._state.adding:
        issue.save()
        return
    kept = Issue.objects.filter(pk=issue.pk, queued_at=None).update(subject=issue.subject, intro=issue.intro)
    if not kept:
        raise NotSendable(_("This issue has been sent off already."))


def send(issue: Issue, *, by: AbstractBaseUser) -> int:
    """Queue the issue for every confirmed subscriber. Returns for how many. Raises `NotSendable`."""
    with transaction.atomic():
        issue = Issue.objects.select_for_update().get(pk=issue.pk)
        check_send(issue)
        issue.text = text_of(issue)
        issue.queued_at = timezone.now()
        issue.queued_by_id = by.pk
        issue.save()
        keys = Subscriber.objects.receiving().values_list("pk", flat=True)
        made = Delivery.objects.bulk_create(
            [Delivery(issue=issue, subscriber_id=key) for key in keys], batch_size=1000
        )
        _queue([delivery.pk for delivery in made])
    return len(made)


def resume(issue: Issue) -> int:
    """Queue again what still waits, and what a run that was cut off left behind. Returns how many mails."""
    cut_off = timezone.now() - CUT_OFF_AFTER
    keys = list(
        issue.deliveries.filter(
            Q(state=Delivery.State.WAITING) | Q(state=Delivery.State.SENDING, at__lt=cut_off)
        ).values_list("pk", flat=True)
    )
    _queue(keys)
    return len(keys)


def deliver(*, delivery_id: int) -> str:
    """The job: send one mail, once. Returns the state it ended in.

    It is claimed before it is sent, so a run that is repeated sends nothing twice. What the mail server
    refuses for good is marked; what it puts off waits again, and the error is raised so that the job is
    tried later.
    """
    State = Delivery.State
    claimed = _move(delivery_id, State.WAITING, State.SENDING)
    delivery = Delivery.objects.select_related("issue", "subscriber").filter(pk=delivery_id).first()
    if delivery is None:
        return State.SKIPPED
    if not claimed:
        # Claimed by a run that was cut off, or done.
        _move(delivery_id, State.SENDING, State.UNKNOWN)
        delivery.refresh_from_db(fields=["state"])
        return delivery.state
    if not delivery.subscriber.receives:
        return _end(delivery, State.SKIPPED)
    try:
        message = message_for(delivery.issue, delivery.subscriber)
        connection = get_connection()
        connection.open()
    except Exception:
        _move(delivery_id, State.SENDING, State.WAITING)
        raise
    try:
        connection.send_messages([message])
    except SMTPRecipientsRefused as refusal:
        if not is_for_good(refusal):
            _move(delivery_id, State.SENDING, State.WAITING)
            raise
        mark_bounced(Subscriber.objects.filter(pk=delivery.subscriber_id))
        return _end(delivery, State.BOUNCED)
    except (SMTPServerDisconnected, TimeoutError):
        # It may have been taken before the line broke.
        return _end(delivery, State.UNKNOWN)
    except Exception:
        _move(delivery_id, State.SENDING, State.WAITING)
        raise
    finally:
        connection.close()
    return _end(delivery, State.SENT)


def message_for(issue: Issue, subscriber: Subscriber) -> EmailMessage:
    """The mail to one subscriber, with the headers of RFC 8058 that let a mail program offer to leave."""
    leave = leave_url(subscriber)
    return EmailMessage(
        subject=issue.subject,
        body=with_foot(text_of(issue), leave),
        to=[subscriber.email],
        headers={
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def queue_test(issue: Issue, *, by: AbstractBaseUser) -> str:
    """Send the issue to whoever asks, for a look. Returns the address. Raises `NotSendable` without one."""
    address: str = getattr(by, "email", "")
    if not address:
        raise NotSendable(_("Your account has no e-mail address to send a test to."))
    app.configure_task(SEND_TEST, priority=PRIORITY).defer(issue_id=issue.pk, user_id=by.pk)
    return address


def deliver_test(*, issue_id: int, user_id: int) -> None:
    """The job: one mail to a member of staff, marked as a test."""
    issue = Issue.objects.get(pk=issue_id)
    user = get_user_model().objects.get(pk=user_id)
    EmailMessage(
        subject=_("Test: %(subject)s") % {"subject": issue.subject}, body=preview(issue), to=[user.email]
    ).send()


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many deliveries are in one state."""

    label: str
    number: int


def progress(issue: Issue) -> list[StateCount]:
    """How far sending is, one line for each state that occurs."""
    rows = issue.deliveries.order_by().values_list("state").annotate(number=Count("pk"))
    numbers = dict(rows)
    return [
        StateCount(str(label), numbers[state]) for state, label in Delivery.State.choices if state in numbers
    ]


def _queue(delivery_ids: Sequence[int]) -> None:
    jobs: list[dict[str, Any]] = [{"delivery_id": key} for key in delivery_ids]
    if jobs:
        app.configure_task(SEND_DELIVERY, priority=PRIORITY).batch_defer(*jobs)


def _move(delivery_id: int, before: str, after: str) -> bool:
    changed = Delivery.objects.filter(pk=delivery_id, state=before).update(state=after, at=timezone.now())
    return bool(changed)


def _end(delivery: Delivery, state: str) -> str:
    Delivery.objects.filter(pk=delivery.pk).update(state=state, at=timezone.now())
    return state
