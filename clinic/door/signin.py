"""The story of the staff's doors: signing in by two steps, proving it anew, changing factors, leaving.

Every function here is one audited transaction with one line in the trail. Tries that are wrong are counted
before they are judged (`clinic.door.throttle`). The trail names an account by its id; a name that was typed
and belongs to nobody stands nowhere (R23).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest

from clinic.door import factors, throttle
from clinic.door.stepup import prove
from clinic.models import User
from intake import audit

BACKEND: Final = "clinic.accounts.AccountBackend"


@dataclass(frozen=True, slots=True)
class NotRight:
    """What was typed does not fit, or nothing is judged for a while; nobody learns which."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """Nothing is judged before then, and whoever tries may know."""

    until: datetime


class LastFactor(Exception):
    """The only factor of an account stays until there is another."""


def about(user: User) -> dict[str, Iterable[object]]:
    """How the trail names an account."""
    return {"staff": [user.pk]}


# ---- signing in


def try_password(
    *, request: HttpRequest, username: str, password: str, address: str | None, known: bool
) -> User | NotRight | TooMany:
    """Whose account this is. known: this device was signed in to this account before.

    Takes as long for a name that is nobody's as for an account, right, wrong or resting.
    """
    account = User.objects.filter(username=username).first()
    # A name that is nobody's is counted like an account; the database holds a keyed hash of it.
    who = f"account {account.pk}" if account else f"name {username}"
    if known:
        limits = [(throttle.PAIR, f"{who} on a known device")]
    else:
        limits = [
            (throttle.ADDRESS, f"{address}"),
            (throttle.PAIR, f"{who} from {address}"),
            (throttle.ACCOUNT, who),
        ]
    tries: list[throttle.Try] = []
    for limit, whose in limits:
        one = throttle.take(limit, whose)
        if isinstance(one, throttle.Try):
            tries.append(one)
        elif limit is throttle.ADDRESS:
            return TooMany(one.until)
        else:
            # As long as a password that is judged.
            User().set_password(password)
            return NotRight()
    found = authenticate(request, username=username, password=password)
    if isinstance(found, User) and found.is_staff:
        for one in tries:
            throttle.give_back(one)
        return found
    objects = {} if account is None else about(account)
    rests = any(one.is_last for one in tries if one.limit is not throttle.ADDRESS)
    action = "signin.locked-out" if rests else "signin.failed"
    with audit.audited(action, by=audit.ANONYMOUS, objects=objects, step="password"):
        pass
    return NotRight()


def come_in(*, request: HttpRequest, user: User, factor: factors.Kind | None) -> None:
    """The account is signed in to in this browser. factor: None where it has none yet."""
    with audit.audited("signin.done", by=audit.staff(user), objects=about(user), factor=factor):
        login(request, user, backend=BACKEND)
        if factor is not None:
            prove(request)


# ---- the second factor

Why = Literal["signin", "stepup"]


def try_code(*, user: User, typed: str, why: Why) -> factors.Kind | NotRight | TooMany:
    """A code of the app, or one of the recovery codes, which is used up by that."""
    return _try_factor(user, why, lambda: factors.use_code(user, typed))


def try_passkey(
    *, request: HttpRequest, user: User, answer: str, why: Why
) -> factors.Kind | NotRight | TooMany:
    """What the browser answered with one of the account's passkeys."""
    return _try_factor(user, why, lambda: factors.use_passkey(request, user, answer))


def _try_factor(
    user: User, why: Why, use: Callable[[], factors.Kind | None]
) -> factors.Kind | NotRight | TooMany:
    one = throttle.take(throttle.SECOND, str(user.pk))
    if isinstance(one, throttle.Rests):
        return TooMany(one.until)
    # Of whoever is at the second step the password is known, not who it is.
    by = audit.staff(user) if why == "stepup" else audit.ANONYMOUS
    action = "stepup.failed" if why == "stepup" else "signin.failed"
    with audit.audited(action, by=by, objects=about(user), step="factor", unless_told=True) as access:
        used = use()
        if used is None and one.is_last:
            access.action = "signin.locked-out"
        elif used is not None:
            # Told by what follows: `signin.done` or `stepup.done`.
            access.told = True
            if used == "recovery":
                access.action, access.told = "recovery.used", False
    if used is not None:
        throttle.give_back(one)
        return used
    return TooMany(one.until) if one.is_last else NotRight()


def second_step_rests(*, user: User) -> datetime | None:
    """When the second step is open again, if it rests now."""
    rests = throttle.rest(throttle.SECOND, str(user.pk))
    return rests.until if rests else None


def prove_again(*, request: HttpRequest, user: User, factor: factors.Kind) -> None:
    """A factor was given anew in a session that goes on."""
    with audit.audited("stepup.done", by=audit.staff(user), objects=about(user), factor=factor):
        prove(request)


# ---- changing it


def set_app(*, request: HttpRequest, user: User, secret: str) -> None:
    """An authenticator app, in the place of an earlier one. Other sessions end."""
    had = factors.of(user).app is not None
    action = "factor.replaced" if had else "factor.added"
    with audit.audited(action, by=audit.staff(user), objects=about(user), factor="totp"):
        factors.set_app(user, secret)
        _end_others(request, user)


def add_passkey(*, request: HttpRequest, user: User, name: str, answer: str) -> None:
    """One more passkey. Other sessions end. Raises `factors.NotFitting`; nothing is stored then."""
    with audit.audited("factor.added", by=audit.staff(user), objects=about(user), factor="passkey"):
        factors.add_passkey(request, user, name, answer)
        _end_others(request, user)


def remove_factor(*, request: HttpRequest, user: User, factor: Authenticator) -> None:
    """One of the account's own factors goes. Other sessions end. Raises `LastFactor`."""
    with audit.audited(
        "factor.removed", by=audit.staff(user), objects=about(user), factor=factors.kind(factor)
    ):
        # Two at once, each of which leaves the other, would leave none.
        User.objects.select_for_update().get(pk=user.pk)
        if factors.of(user).count < 2:
            raise LastFactor
        factor.delete()
        _end_others(request, user)


def new_recovery_codes(*, request: HttpRequest, user: User) -> None:
    """Ten fresh codes; earlier ones open nothing any more."""
    with audit.audited("recovery.made", by=audit.staff(user), objects=about(user)):
        factors.new_recovery_codes(user)


def change_password(*, user: User, save: Callable[[], object]) -> None:
    """save: stores the new one. Other sessions end with it."""
    with audit.audited("password.changed", by=audit.staff(user), objects=about(user)):
        save()


def _end_others(request: HttpRequest, user: User) -> None:
    """This session goes on, under a new key and as freshly proved."""
    factors.end_sessions(user)
    update_session_auth_hash(request, user)
    prove(request)


# ---- leaving


def go(*, request: HttpRequest, user: User) -> None:
    """Out, in this browser."""
    with audit.audited("signout.done", by=audit.staff(user), objects=about(user)):
        logout(request)


def go_everywhere(*, request: HttpRequest, user: User) -> None:
    """Out, in this browser and all others."""
    with audit.audited("signout.everywhere", by=audit.staff(user), objects=about(user)):
        factors.end_sessions(user)
        logout(request)
