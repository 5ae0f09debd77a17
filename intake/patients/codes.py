"""The six digits that let a second device to what is stored (security requirement R6).

The date of birth was right before anybody is asked for a code. Whoever calls holds the lock on the link.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from intake.patients import links
from intake.patients.models import AccessCode, AccessEvent, Invitation

DIGITS: Final = 6
# Of one evaluation, from all browsers together: nobody fills somebody's mailbox.
CODES_BEFORE_REST: Final = 3
CODES_A_DAY: Final = 10
# How long the page that asks for a code stays, so that another one can be sent.
ASKING: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A code is on its way to the patient's mail. code: the new one, None where an earlier one still works.

    device_token: for the cookie of the browser that asked, the only one in which the code works.
    """

    device_token: str
    code: AccessCode | None


@dataclass(frozen=True, slots=True)
class TooMany:
    """Enough codes were sent for now, or the link rests: no other is."""


@dataclass(frozen=True, slots=True)
class WrongCode:
    """Wrong, expired, replaced, used up, or the link rests. All show one page; nobody learns which it was."""


def read_code(typed: str) -> str | None:
    """The six digits that are meant, however they were spaced; None for anything else."""
    text = re.sub(r"[\s\-]", "", typed)
    return text if len(text) == DIGITS and text.isascii() and text.isdigit() else None


def new_digits() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def ask(invitation: Invitation, device_token: str) -> Asked | TooMany:
    """A code for this browser. While one works that it was sent before, there is no other."""
    now, device = timezone.now(), device_token or links.new_token()
    newest = _newest(device, now)
    if newest is not None and newest.invitation_id == invitation.pk and newest.is_live(now):
        return Asked(device, None)
    return _make(invitation, device, now)


def ask_again(device_token: str, address: str | None) -> Asked | TooMany | links.NotLive:
    """ "Send another code": the one before works no more."""
    now = timezone.now()
    invitation = _locked(device_token, now)
    if invitation is None:
        return links.NotLive()
    if links.refused_at_rest(invitation, address, now):
        return TooMany()
    return _make(invitation, device_token, now)


def _make(invitation: Invitation, device_token: str, now: datetime) -> Asked | TooMany:
    recent = AccessCode.objects.filter(invitation__evaluation=invitation.evaluation_id)
    if (
        recent.filter(asked_at__gt=now - links.REST).count() >= CODES_BEFORE_REST
        or recent.filter(asked_at__gt=now - timedelta(days=1)).count() >= CODES_A_DAY
    ):
        return TooMany()
    code = AccessCode.objects.create(
        invitation=invitation,
        device_hash=links.hash_token(device_token),
        asked_at=now,
        expires_at=now + AccessCode.LIFE,
    )
    return Asked(device_token, code)


def find_asked(device_token: str) -> AccessCode | None:
    """What this browser asked for last, within the hour, for a link that lives; None once it was used."""
    newest = _newest(device_token, timezone.now())
    return newest if newest is not None and links.is_open(newest.invitation) else None


def try_code(
    *, device_token: str, code: str, address: str | None
) -> links.Opened | WrongCode | links.NotLive:
    """Judge one try in the browser that asked. Parallel tries are counted one by one."""
    now = timezone.now()
    invitation = _locked(device_token, now)
    if invitation is None:
        return links.NotLive()
    if links.refused_at_rest(invitation, address, now):
        return WrongCode()
    newest = _newest(device_token, now)
    if newest is None or newest.invitation_id != invitation.pk or not newest.is_live(now):
        return WrongCode()
    if newest.code_hash is None or not constant_time_compare(bytes(newest.code_hash), _hash(newest, code)):
        newest.tries += 1
        newest.save(update_fields=["tries"])
        links.count_wrong(invitation, AccessEvent.Kind.WRONG_CODE, address, now)
        return WrongCode()
    newest.used_at = now
    newest.save(update_fields=["used_at"])
    return links.open_session(invitation=invitation, address=address, device_token=device_token)


def make_digits(code_id: int) -> tuple[AccessCode, str] | None:
    """New digits for a code that is to be mailed; only their hash is kept. None where none is needed."""
    now = timezone.now()
    code: AccessCode | None = (
        AccessCode.objects.select_for_update(of=("self",))
        .select_related("invitation__evaluation__patient")
        .filter(pk=code_id, sent_at=None)
        .first()
    )
    if code is None or not code.is_live(now) or not links.is_open(code.invitation):
        return None
    newer = AccessCode.objects.filter(device_hash=code.device_hash, pk__gt=code.pk)
    if newer.exists() or not code.invitation.evaluation.patient.email:
        return None
    digits = new_digits()
    code.code_hash = _hash(code, digits)
    code.save(update_fields=["code_hash"])
    return code, digits


def note_sent(code_id: int) -> None:
    # Whoever is fast has used it by now, and what is used does not change.
    AccessCode.objects.filter(pk=code_id, used_at=None).update(sent_at=timezone.now())


def _hash(code: AccessCode, digits: str) -> bytes:
    return salted_hmac("intake.patients.codes", f"{code.pk} {digits}", algorithm="sha256").digest()


def _newest(device_token: str, now: datetime) -> AccessCode | None:
    """What this browser asked for last, unless it was used: only that can work."""
    if not device_token:
        return None
    newest: AccessCode | None = (
        AccessCode.objects.select_related("invitation__evaluation")
        .filter(device_hash=links.hash_token(device_token), asked_at__gt=now - ASKING)
        .order_by("-pk")
        .first()
    )
    return newest if newest is not None and newest.used_at is None else None


def _locked(device_token: str, now: datetime) -> Invitation | None:
    newest = _newest(device_token, now)
    return links.lock_live(newest.invitation_id) if newest is not None else None
