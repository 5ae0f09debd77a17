"""The second factor of an account: an authenticator app, passkeys, and codes for when they are not at hand.

`allauth.mfa` keeps them and knows how they work; here stands when they count (ADR 0039). What writes is
called by `clinic.door.signin` inside an audited transaction.
"""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from clinic.accounts import FACTORS
from clinic.models import User

TOTP: Final = Authenticator.Type.TOTP
PASSKEY: Final = Authenticator.Type.WEBAUTHN
RECOVERY: Final = Authenticator.Type.RECOVERY_CODES

Kind = Literal["totp", "passkey", "recovery"]

# Of a code, in seconds.
PERIOD: Final = 30

# What a passkey's answer can be wrong with; the library lets some of it through as it comes.
_GARBAGE: Final = (ValidationError, ValueError, TypeError, KeyError, AttributeError)
_NAMES: Final[dict[str, Kind]] = {TOTP: "totp", PASSKEY: "passkey", RECOVERY: "recovery"}


class NotFitting(Exception):
    """A passkey's answer that does not belong to what was asked."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has. codes_left: recovery codes that were not used."""

    app: Authenticator | None
    passkeys: tuple[Authenticator, ...]
    codes_left: int

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.app is not None)


def of(user: User) -> Factors:
    """All factors of the account, oldest first."""
    rows = list(Authenticator.objects.filter(user=user).order_by("pk"))
    codes = next((row for row in rows if row.type == RECOVERY), None)
    return Factors(
        next((row for row in rows if row.type == TOTP), None),
        tuple(row for row in rows if row.type == PASSKEY),
        0 if codes is None else len(codes.wrap().get_unused_codes()),
    )


def is_enrolled(user: User) -> bool:
    """Whether the account has a second factor. A request's user knows it (`clinic.accounts`)."""
    known = getattr(user, "is_enrolled", None)
    if known is not None:
        return bool(known)
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def kind(factor: Authenticator) -> Kind:
    """What the trail calls it."""
    return _NAMES[factor.type]


# ---- giving one


def use_code(user: User, typed: str) -> Kind | None:
    """Which factor was typed: a code of the app or an unused recovery code, now used up. In a transaction."""
    text = "".join(typed.replace("-", " ").split())
    if not (text.isascii() and text.isdigit()):
        return None
    rows = Authenticator.objects.select_for_update().filter(user=user, type__in=(TOTP, RECOVERY))
    for row in rows.order_by("pk"):
        if _use_app(row, text) if row.type == TOTP else row.wrap().validate_code(text):
            row.record_usage()
            return kind(row)
    return None


def _use_app(row: Authenticator, text: str) -> bool:
    # The library remembers used codes in a cache, which each process has for itself; here the row does.
    counter = _counter(secret_of(row), text)
    if counter is None or counter <= row.data.get("used", 0):
        return False
    row.data["used"] = counter
    row.save(update_fields=["data"])
    return True


def code_now(secret: str) -> str:
    """What an app with this secret shows."""
    from allauth.mfa.totp.internal import auth

    return str(auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // PERIOD)))


def is_code_of(secret: str, typed: str) -> bool:
    """Whether an app with this secret shows this code now."""
    return _counter(secret, "".join(typed.split())) is not None


def _counter(secret: str, text: str) -> int | None:
    """Which of the codes that count now was typed: the number of its 30 seconds."""
    from allauth.mfa.totp.internal import auth

    counters: list[int] = list(auth.yield_hotp_counters_from_time())
    for counter in counters:
        if constant_time_compare(text, auth.format_hotp_value(auth.hotp_value(secret, counter))):
            return counter
    return None


def passkey_question(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the page asks the browser for; the session keeps the challenge."""
    from allauth.mfa.webauthn.internal import auth

    with context.request_context(request):
        return _plain(auth.begin_authentication(user))


def use_passkey(request: HttpRequest, user: User, answer: str) -> Kind | None:
    """Whether the browser's answer comes from a passkey of the account, to what this session asked."""
    from allauth.mfa.webauthn.internal import auth

    try:
        with context.request_context(request):
            parsed = json.loads(answer)
            auth.parse_authentication_response(parsed)
            row = auth.complete_authentication(user, parsed)
    except _GARBAGE:
        return None
    row.record_usage()
    return kind(row)


# ---- having one


def new_secret() -> str:
    from allauth.mfa.totp.internal import auth

    return str(auth.generate_totp_secret())


def app_address(user: User, secret: str) -> str:
    """What the QR code says to the app."""
    return str(get_adapter().build_totp_url(user, secret))


def set_app(user: User, secret: str) -> Authenticator:
    """The app with this secret, in the place of an earlier one."""
    from allauth.mfa.totp.internal import auth

    Authenticator.objects.filter(user=user, type=TOTP).delete()
    made: Authenticator = auth.TOTP.activate(user, secret).instance
    return made


def secret_of(app: Authenticator) -> str:
    """Raises `cryptography.fernet.InvalidToken` for one that was kept under another key."""
    return str(get_adapter().decrypt(app.data["secret"]))


def has_app_with(user: User, secret: str) -> bool:
    """Whether this very secret is the account's."""
    from cryptography.fernet import InvalidToken

    app = of(user).app
    try:
        return app is not None and secrets.compare_digest(secret_of(app), secret)
    except InvalidToken:
        return False


def passkey_wish(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the page asks the browser for to make a passkey; the session keeps the challenge."""
    from allauth.mfa.webauthn.internal import auth

    with context.request_context(request):
        return _plain(auth.begin_registration(user, False))


def add_passkey(request: HttpRequest, user: User, name: str, answer: str) -> Authenticator:
    """The passkey that the browser made. Raises `NotFitting`."""
    from allauth.mfa.webauthn.internal import auth

    try:
        with context.request_context(request):
            parsed = json.loads(answer)
            auth.parse_registration_response(parsed)
            auth.complete_registration(parsed)
    except _GARBAGE:
        raise NotFitting from None
    made: Authenticator = auth.WebAuthn.add(user, name, parsed).instance
    return made


def new_recovery_codes(user: User) -> list[str]:
    """Fresh codes; earlier ones are gone."""
    from allauth.mfa.recovery_codes.internal import auth

    Authenticator.objects.filter(user=user, type=RECOVERY).delete()
    return list(auth.RecoveryCodes.activate(user).generate_codes())


def recovery_codes(user: User) -> list[str]:
    """Those that were not used, to be shown once after they were made."""
    row = Authenticator.objects.filter(user=user, type=RECOVERY).first()
    return [] if row is None else list(row.wrap().get_unused_codes())


def remove_all(user: User) -> int:
    """Nothing is left, recovery codes neither. Returns how many factors there were."""
    count = Authenticator.objects.filter(user=user, type__in=FACTORS).count()
    Authenticator.objects.filter(user=user).delete()
    return int(count)


def end_sessions(user: User) -> None:
    """Whoever is signed in as this account is not at the next request."""
    User.objects.filter(pk=user.pk).update(sessions_round=F("sessions_round") + 1)
    user.refresh_from_db(fields=["sessions_round"])


def _plain(options: Any) -> dict[str, Any]:
    """The options as JSON has them."""
    found: dict[str, Any] = json.loads(json.dumps(options, default=dict))
    return found
