"""Double opt-in: ask, confirm by a button, leave by a button or by the mail program's own.

Nobody learns from an answer whether an address is on the list. Links carry signed ids, so each works without
a session; a link to confirm also says which round it belongs to and ends after three days.
"""

from datetime import timedelta
from enum import Enum
from smtplib import SMTPRecipientsRefused
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from education.clinic_info.models import ClinicInfo
from education.newsletter.bounces import is_for_good, mark_bounced
from education.newsletter.models import Subscriber
from education.visitors import limits

# The name of the job in `education.tasks`, which stands above this module and calls it.
SEND_CONFIRMATION: Final = "newsletter_confirmation"

CONFIRM_WITHIN: Final = timedelta(days=3)
FORGET_AFTER: Final = timedelta(days=30)
MAILS_A_DAY: Final = 3

_JOIN: Final = "education.newsletter.join"
_LEAVE: Final = "education.newsletter.leave"


class Joining(Enum):
    """What a link to confirm can do now."""

    OPEN = "open"
    ALREADY = "already"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def ask(email: str) -> None:
    """Somebody typed this address. Unless it gets lessons already, a mail with the confirm link is queued.

    Three mails a day go to one address at most; a fourth request changes nothing and looks the same.
    """
    with transaction.atomic():
        address = email.lower()
        Subscriber.objects.bulk_create([Subscriber(email=address)], ignore_conflicts=True)
        subscriber = Subscriber.objects.select_for_update().get(email=address)
        if subscriber.receives:
            return
        if subscriber.status != Subscriber.Status.PENDING:
            subscriber.status = Subscriber.Status.PENDING
            subscriber.bounced_at = None
            subscriber.round += 1
        subscriber.asked_at = timezone.now()
        subscriber.save()
        if limits.allow(
            "newsletter.confirmation", str(subscriber.pk), limit=MAILS_A_DAY, within=timedelta(days=1)
        ):
            app.configure_task(SEND_CONFIRMATION).defer(subscriber_id=str(subscriber.pk))


def deliver_confirmation(*, subscriber_id: UUID) -> bool:
    """The job: send the confirm link. False where nobody waits for it, or where the address takes no mail.

    What the mail server only puts off is raised, so that the job is tried later.
    """
    subscriber = Subscriber.objects.filter(pk=subscriber_id, status=Subscriber.Status.PENDING).first()
    if subscriber is None:
        return False
    mail = EmailMessage(
        subject=_("Please confirm: lessons by e-mail"),
        body=render_to_string(
            "email/newsletter_confirm.txt",
            {"link": confirm_url(subscriber), "clinic": ClinicInfo.current(), "days": CONFIRM_WITHIN.days},
        ),
        to=[subscriber.email],
    )
    try:
        mail.send()
    except SMTPRecipientsRefused as refusal:
        if not is_for_good(refusal):
            raise
        mark_bounced(Subscriber.objects.filter(pk=subscriber.pk))
        return False
    return True


def confirm_url(subscriber: Subscriber) -> str:
    """The address of the page with the confirm button."""
    token = signing.dumps([str(subscriber.pk), subscriber.round], salt=_JOIN)
    return settings.SITE_URL + reverse("education:newsletter_confirm", args=[token])


def leave_url(subscriber: Subscriber) -> str:
    """The address that ends this subscription; it works for ever."""
    token = signing.dumps(str(subscriber.pk), salt=_LEAVE)
    return settings.SITE_URL + reverse("education:newsletter_leave", args=[token])


def look(token: str) -> Joining:
    """What the link can do now. Changes nothing."""
    return _judge(token, Subscriber.objects.all())[0]


def confirm(token: str) -> Joining:
    """Put the address on the list. OPEN: it was done by this call."""
    with transaction.atomic():
        joining, subscriber = _judge(token, Subscriber.objects.select_for_update())
        if joining is Joining.OPEN and subscriber is not None:
            subscriber.status = Subscriber.Status.ACTIVE
            subscriber.confirmed_at = timezone.now()
            subscriber.left_at = None
            # The link arrived, so the address takes our mail.
            subscriber.bounced_at = None
            subscriber.save()
    return joining


def ask_again(token: str) -> Joining:
    """Send a new link to the address of one that has ended. EXPIRED: it did, so that was done."""
    joining, subscriber = _judge(token, Subscriber.objects.all())
    if joining is Joining.EXPIRED and subscriber is not None:
        ask(subscriber.email)
    return joining


def _judge(token: str, subscribers: QuerySet[Subscriber]) -> tuple[Joining, Subscriber | None]:
    try:
        key, round_ = _unsign(token, _JOIN)
    except (signing.BadSignature, ValueError, TypeError):
        return Joining.UNKNOWN, None
    subscriber = subscribers.filter(pk=key).first()
    if subscriber is None:
        return Joining.UNKNOWN, None
    if subscriber.round == round_ and subscriber.status == Subscriber.Status.ACTIVE:
        return Joining.ALREADY, subscriber
    fresh = subscriber.round == round_ and subscriber.status == Subscriber.Status.PENDING
    try:
        _unsign(token, _JOIN, max_age=CONFIRM_WITHIN)
    except signing.SignatureExpired:
        fresh = False
    return (Joining.OPEN if fresh else Joining.EXPIRED), subscriber


class Leaving(Enum):
    """What a link to leave by finds."""

    ASK = "ask"
    LEFT = "left"
    UNKNOWN = "unknown"


def look_at_leaving(token: str) -> Leaving:
    """Changes nothing. An address deleted since then gets the question: nothing tells that it was there."""
    key = _leaving(token)
    if key is None:
        return Leaving.UNKNOWN
    gone = Subscriber.objects.filter(pk=key, status=Subscriber.Status.UNSUBSCRIBED).exists()
    return Leaving.LEFT if gone else Leaving.ASK


def leave(token: str) -> Leaving:
    """Take the address off the list; doing it again changes nothing. LEFT, or UNKNOWN for a link not ours."""
    key = _leaving(token)
    if key is None:
        return Leaving.UNKNOWN
    Subscriber.objects.filter(pk=key).exclude(status=Subscriber.Status.UNSUBSCRIBED).update(
        status=Subscriber.Status.UNSUBSCRIBED, left_at=timezone.now()
    )
    return Leaving.LEFT


def _leaving(token: str) -> UUID | None:
    try:
        return UUID(_unsign(token, _LEAVE))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None


def _unsign(token: str, salt: str, max_age: timedelta | None = None) -> Any:
    """What was signed. Raises `signing.BadSignature`, or `ValueError` for what was never a token."""
    return signing.loads(token, salt=salt, max_age=max_age)


def forget_unconfirmed() -> int:
    """Delete addresses that nobody confirmed within 30 days. Returns how many."""
    old = timezone.now() - FORGET_AFTER
    return Subscriber.objects.filter(
        status=Subscriber.Status.PENDING, asked_at__lt=old, deliveries=None
    ).delete()[0]
