"""How often somebody may try, kept in the database: it holds for all processes and after a restart.

A try is counted before it is judged and given back when it was right, so parallel guesses are counted one by
one. After the last try that is allowed there is a rest, as long from then as the time in which they counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from education.visitors.models import RecentUse


@dataclass(frozen=True, slots=True)
class Limit:
    """what: its name. tries: so many within the time, and then a rest of that time."""

    what: str
    tries: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Try:
    """A try that counts. is_last: a rest begins unless it is given back. until: when that rest would end."""

    limit: Limit
    who: str
    at: datetime
    is_last: bool

    @property
    def until(self) -> datetime:
        return self.at + self.limit.within


@dataclass(frozen=True, slots=True)
class Rests:
    """Nothing is judged before then."""

    until: datetime


# One account from one place: from this address, or on a device where it was signed in to before.
PAIR: Final = Limit("signin.pair", 5, timedelta(minutes=15))
# Anybody from one address.
ADDRESS: Final = Limit("signin.address", 50, timedelta(minutes=15))
# One account from all places where it was never signed in to: guessing with many addresses.
ACCOUNT: Final = Limit("signin.account", 100, timedelta(hours=1))
# The second step of one account, wherever.
SECOND: Final = Limit("signin.second", 5, timedelta(minutes=15))


@transaction.atomic
def take(limit: Limit, who: str) -> Try | Rests:
    """Count a try before it is judged."""
    use, now = _locked(limit, who), timezone.now()
    if len(use.times) >= limit.tries:
        until = use.times[-1] + limit.within
        if now < until:
            return Rests(until)
        use.times = []
    use.times = [*(at for at in use.times if at > now - limit.within), now]
    use.last_at = now
    use.save(update_fields=["times", "last_at"])
    return Try(limit, who, now, is_last=len(use.times) >= limit.tries)


@transaction.atomic
def give_back(one: Try) -> None:
    """It was right, so it does not count."""
    use = _locked(one.limit, one.who)
    use.times = [at for at in use.times if at != one.at]
    use.save(update_fields=["times"])


@transaction.atomic
def forget(limit: Limit, who: str) -> None:
    """What was tried until now does not count, and a rest is over."""
    use = _locked(limit, who)
    use.times = []
    use.save(update_fields=["times"])


def rest(limit: Limit, who: str) -> Rests | None:
    """Whether it rests now; looking counts nothing."""
    use = RecentUse.objects.filter(what=limit.what, who=_key(limit, who)).first()
    if use is None or len(use.times) < limit.tries:
        return None
    until = use.times[-1] + limit.within
    return Rests(until) if timezone.now() < until else None


def _locked(limit: Limit, who: str) -> RecentUse:
    key = _key(limit, who)
    RecentUse.objects.bulk_create([RecentUse(what=limit.what, who=key)], ignore_conflicts=True)
    return RecentUse.objects.select_for_update().get(what=limit.what, who=key)


def _key(limit: Limit, who: str) -> bytes:
    return salted_hmac("clinic.throttle", f"{limit.what} {who}", algorithm="sha256").digest()
