"""Addresses that do not take our mail: the mail server says so at once, or a message comes back later.

Nothing is sent to them any more. Whoever signs up anew, or presses the button in a mail of ours, is reached
after all and gets lessons again.
"""

import re
from dataclasses import dataclass
from smtplib import SMTPRecipientsRefused
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from education.newsletter.models import Subscriber

# A mail server that takes nobody under this address says so with 5xx (RFC 5321); 4xx means later.
PERMANENT: Final = 500
# More than anybody pastes by hand.
LONGEST_PASTE: Final = 200_000
# Wide on purpose: it is only compared with addresses that the list has. The lengths (RFC 5321) keep a long
# text without an address from being searched over and over.
_ADDRESS: Final = re.compile(r"[^\s\x00<>\"'(),;:\[\]@]{1,64}@[^\s\x00<>\"'(),;:\[\]@]{1,255}")


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of pasted addresses: how many were marked, and those that got no mail from us anyway."""

    marked: int
    others: tuple[str, ...]


def is_for_good(refusal: SMTPRecipientsRefused) -> bool:
    """Whether the mail server will not take this address later either."""
    return all(code >= PERMANENT for code, _words in refusal.recipients.values())


def mark_bounced(subscribers: QuerySet[Subscriber]) -> int:
    """These addresses do not take our mail; nothing goes there any more. Returns how many were marked."""
    return subscribers.filter(bounced_at=None).update(bounced_at=timezone.now())


def addresses_in(text: str) -> list[str]:
    """The e-mail addresses of a text, in small letters, each once: a list, or messages that came back."""
    found = (match.group().strip(".").lower() for match in _ADDRESS.finditer(text))
    return list(dict.fromkeys(found))


def mark_pasted(text: str) -> Marked:
    """Mark every subscriber whose address the text names."""
    addresses = addresses_in(text)
    reached = Subscriber.objects.filter(email__in=addresses, bounced_at=None)
    known = set(reached.values_list("email", flat=True))
    return Marked(mark_bounced(reached), tuple(address for address in addresses if address not in known))
