"""The chain behind the trail: whoever changes, removes or slips in a line can be found out.

A line is linked when its transaction commits, by the database itself: the link carries a digest of the line
and of the link before it. The role that runs the product can neither write links nor change lines; whoever
owns the database can, but not without breaking the chain, or, at its end, without contradicting a head that
was kept on another machine (ADR 0034).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import pgtrigger
from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# Links that are read at once.
BATCH: Final = 20_000

What = Literal["changed", "removed", "unlinked", "gap", "head"]


class TrailLink(models.Model):
    """The place of one line in the chain. Written by the SQL function `intake_link_trail` alone.

    number: from 1, without a gap, in the order of commits. digest: SHA-256 of the one before it and the line.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)
    # No foreign key: that a line is gone has to be found, not prevented twice.
    event = models.BigIntegerField(_("line"), unique=True)
    digest = models.BinaryField(_("digest"), max_length=32)

    class Meta:
        verbose_name = _("link of the trail")
        verbose_name_plural = _("links of the trail")
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.number)


class WeekReviewed(models.Model):
    """Somebody read what a week of the trail adds up to. Append-only, once a week; week: its Monday."""

    week = models.DateField(_("week"), unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("reviewed week of the trail")
        verbose_name_plural = _("reviewed weeks of the trail")
        constraints = [
            models.CheckConstraint(condition=models.Q(week__iso_week_day=1), name="reviewed_from_a_monday"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.week.isoformat()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: what to keep on another machine. digest: hexadecimal."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def read(cls, text: str) -> "Head":
        """As `str()` writes it. Raises `ValueError`."""
        number, colon, digest = text.partition(":")
        if not colon or len(bytes.fromhex(digest)) != 32:
            raise ValueError(f"{text!r} is no head of a trail")
        return cls(int(number), digest.lower())


@dataclass(frozen=True, slots=True)
class Wrong:
    """A place that is not as it was written. number: in the chain; the own id of a line without a link."""

    what: What
    number: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. lines: how many are linked."""

    lines: int
    head: Head
    wrong: tuple[Wrong, ...]

    @property
    def whole(self) -> bool:
        """Whether all of it is as it was written."""
        return not self.wrong


# A link's digest, worked out anew from the line and the digest that the link before it claims.
_LINKS: Final = """
SELECT
  link.number,
  encode(link.digest, 'hex'),
  link.number - lag(link.number, 1, %(number)s) OVER chain,
  CASE
    WHEN line.id IS NULL THEN 'removed'
    WHEN link.digest
      <> sha256(lag(link.digest, 1, decode(%(digest)s, 'hex')) OVER chain || intake_trail_line(line))
    THEN 'changed'
  END
FROM (
  SELECT * FROM intake_traillink WHERE number > %(number)s ORDER BY number LIMIT %(batch)s
) link
LEFT JOIN intake_auditevent line ON line.id = link.event
WINDOW chain AS (ORDER BY link.number)
ORDER BY link.number
"""

_UNLINKED: Final = """
SELECT line.id FROM intake_auditevent line
WHERE NOT EXISTS (SELECT FROM intake_traillink link WHERE link.event = line.id) ORDER BY line.id
"""


def verify(kept: Head | None = None) -> Checked:
    """Work the whole chain out anew. kept: a head of an earlier check, which has to be a place of it.

    Reads ids and digests; what a line says does not leave the database.
    """
    head, lines, wrong = Head(0, ""), 0, []
    was_kept = kept is None
    for number, digest, step, what in _links():
        if step != 1:
            wrong.append(Wrong("gap", number))
        if what is not None:
            wrong.append(Wrong(what, number))
        head, lines = Head(number, digest), lines + 1
        was_kept = was_kept or head == kept
    if kept is not None and not was_kept:
        wrong.append(Wrong("head", kept.number))
    with connection.cursor() as cursor:
        cursor.execute(_UNLINKED)
        wrong.extend(Wrong("unlinked", event) for (event,) in cursor.fetchall())
    return Checked(lines, head, tuple(wrong))


def _links() -> Iterator[tuple[int, str, int, What | None]]:
    number, digest = 0, ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_LINKS, {"number": number, "digest": digest, "batch": BATCH})
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        number, digest = rows[-1][:2]
