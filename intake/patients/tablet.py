"""The code that the front desk starts, and that opens one form on the clinic's tablet (J9.11, ADR 0032).

Whoever types it has the tablet in the hand that staff gave them; the date of birth is asked all the same.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from intake.patients import links
from intake.patients.codes import new_digits
from intake.patients.models import Evaluation, Invitation, PatientSession, TabletCode, TabletTry


@dataclass(frozen=True, slots=True)
class Started:
    """A code, told this once: six digits to type, or the same as a token to scan."""

    code: TabletCode
    digits: str
    token: str


@dataclass(frozen=True, slots=True)
class NoCode:
    """Wrong, expired, replaced, used, or tried too often. All show one page; nobody learns which it was."""


def start(invitation: Invitation, *, by: AbstractBaseUser) -> Started:
    """A new code for the tablet. The caller ended those before by `end_codes`."""
    now = timezone.now()
    live, digits = _living(now), new_digits()
    while any(_fits(code, digits) for code in live):
        digits = new_digits()
    token = links.new_token()
    code = TabletCode.objects.create(
        invitation=invitation,
        code_hash=_hash(digits),
        token_hash=links.hash_token(token),
        started_at=now,
        started_by_id=by.pk,
        expires_at=now + TabletCode.LIFE,
    )
    return Started(code, digits, token)


def end_codes(evaluation: Evaluation) -> None:
    """What was started for this visit before opens nothing any more."""
    TabletCode.objects.filter(
        invitation__evaluation=evaluation, used_at=None, replaced_at=None, expires_at__gt=timezone.now()
    ).update(replaced_at=timezone.now())


def find_typed(digits: str, address: str | None) -> TabletCode | None:
    """The living code of these digits. Wrong ones are counted; parallel tries one by one.

    One address has three tries at what lives, and all addresses together have thirty.
    """
    now = timezone.now()
    live = _living(now, lock=True)
    wrong = _wrong_since(live, address)
    judged = [
        code
        for code in live
        if code.tries < TabletCode.TRIES_OF_ALL
        and sum(at >= code.started_at for at in wrong) < TabletCode.TRIES
    ]
    for code in judged:
        if _fits(code, digits):
            return code
    if judged:
        TabletTry.objects.create(at=now, address=address)
        TabletCode.objects.filter(pk__in=[code.pk for code in judged]).update(tries=F("tries") + 1)
    return None


def find_scanned(token: str, *, lock: bool = False) -> TabletCode | None:
    """The living code of a token. It is too long to be guessed, so nothing is counted."""
    return next(iter(_living(timezone.now(), lock=lock, token_hash=links.hash_token(token))), None)


def open_with(
    code: TabletCode, *, birth_date: date, address: str | None
) -> links.Opened | links.Mismatch | NoCode:
    """Judge the date of birth. The right one uses the code up and opens a session that the tablet forgets."""
    invitation = links.lock_live(code.invitation_id)
    if invitation is None:
        return NoCode()
    now = timezone.now()
    if not links.is_right_date(invitation, birth_date, address, now):
        return links.Mismatch()
    code.used_at = now
    code.save(update_fields=["used_at"])
    # A device of its own each time: the tablet is never known again.
    return links.open_session(invitation=invitation, address=address, device_token="", on_tablet=True)


def find_ended(session_token: str) -> PatientSession | None:
    """A session of the tablet that is over, by the cookie that its last answer should have taken away."""
    session: PatientSession | None = (
        PatientSession.objects.select_related("invitation__evaluation")
        .filter(token_hash=links.hash_token(session_token), on_tablet=True, ended_at__isnull=False)
        .first()
    )
    return session


def _living(now: datetime, *, lock: bool = False, **which: object) -> list[TabletCode]:
    codes = TabletCode.objects.select_related("invitation").order_by("pk")
    if lock:
        codes = codes.select_for_update(of=("self",))
    return list(codes.filter(used_at=None, replaced_at=None, expires_at__gt=now, **which))


def _wrong_since(live: list[TabletCode], address: str | None) -> list[datetime]:
    if not live:
        return []
    since = min(code.started_at for code in live)
    return list(TabletTry.objects.filter(address=address, at__gte=since).values_list("at", flat=True))


def _fits(code: TabletCode, digits: str) -> bool:
    return constant_time_compare(bytes(code.code_hash), _hash(digits))


def _hash(digits: str) -> bytes:
    return salted_hmac("intake.patients.tablet", digits, algorithm="sha256").digest()
