"""Two devices, or two tabs, at one draft: what was typed last on a question counts, not what stood there.

A page carries one hidden word, made by :func:`seal`: a name of its own, and for each of its questions a
digest of the answer that it showed. What comes back as it was shown was not typed here, so it takes nothing
from an answer that came from elsewhere meanwhile. The draft remembers what the pages that wrote a question
last said there, because a page that saves while typing goes on from what it said itself (ADR 0033).
"""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from intake.conditions import Answers, Value
from intake.questionnaires.definition import Item
from intake.questionnaires.pages import Page
from intake.responses import wording
from intake.responses.blocks import to_text

# The name of the hidden field.
FIELD: Final = "shown"
# How many pages a question remembers; who has more of them open at one question sees the newest say.
REMEMBERED: Final = 4
# Stands before the digest of what was filled in for the patient and is not in the draft yet.
_FILLED_IN: Final = "~"
_SEALED: Final = re.compile(r"[0-9a-f]{8}(\.(~?[0-9a-f]{1,8})?)*\Z", re.ASCII)

# {linkId: [[name of a page, digest of what it said, whether that took the place of another's], ...]}
Written = Mapping[str, Sequence[Sequence[object]]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page showed. digests: by linkId; empty for no answer."""

    name: str
    digests: Mapping[str, str]
    filled_in: frozenset[str]


@dataclass(frozen=True, slots=True)
class Met:
    """What two pages said about the same questions. Each in the order of the page.

    written: what this page has to say. newer: came from elsewhere meanwhile, and stays. replaced: came from
    elsewhere too, and what this page says takes its place.
    """

    written: frozenset[str] = frozenset()
    newer: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


def digest(item: Item, values: Sequence[Value]) -> str:
    """A short sign for the answer to one question; empty for none. A box left unticked is none."""
    if not values or (values == (False,) and wording.is_tick(item)):
        return ""
    return f"{crc32(chr(31).join(sorted(map(to_text, values))).encode()):x}"


def seal(page: Page, stored: Answers, drawn: Answers) -> str:
    """The hidden word of a page. drawn: `stored` with what was filled in for the patient."""
    signs = [secrets.token_hex(4)]
    for item in _questions(page):
        values = stored.get(item.link_id)
        if values:
            signs.append(digest(item, tuple(values)))
        else:
            known = digest(item, tuple(drawn.get(item.link_id, ())))
            signs.append(known and _FILLED_IN + known)
    return ".".join(signs)


def read(page: Page, text: str) -> Shown | None:
    """What a page showed, by its hidden word; None for none, and for one that no page of ours made."""
    items = _questions(page)
    if len(text) > 10 * (len(items) + 1) or not _SEALED.match(text):
        return None
    name, *signs = text.split(".")
    if len(signs) != len(items):
        return None
    said = {item.link_id: sign for item, sign in zip(items, signs, strict=True)}
    return Shown(
        name,
        {link_id: sign.removeprefix(_FILLED_IN) for link_id, sign in said.items()},
        frozenset(link_id for link_id, sign in said.items() if sign.startswith(_FILLED_IN)),
    )


def meet(
    page: Page, shown: Shown, written: Written, stored: Answers, fields: Collection[str], sent: Answers
) -> Met:
    """What of a page was typed there, and what of it others wrote since it was shown.

    fields: the linkIds that were sent and fit; what is among them and not in `sent` was emptied.
    """
    mine, newer, replaced = set(), [], []
    for item in _questions(page):
        link_id = item.link_id
        if link_id not in fields:
            continue
        values, there = tuple(sent.get(link_id, ())), tuple(stored.get(link_id, ()))
        said, took_place = _last(written.get(link_id, ()), shown.name)
        base = shown.digests[link_id] if said is None else said
        # What the draft held when this page last knew of it.
        held = "" if said is None and link_id in shown.filled_in else base
        now, stands = digest(item, values), digest(item, there)
        if now != base:
            mine.add(link_id)
            if took_place or stands not in (now, held):
                replaced.append(link_id)
        elif stands != held:
            if stands != now:
                newer.append(link_id)
        elif values and not there:
            # Filled in for the patient, or a box left unticked: saving the page says so.
            mine.add(link_id)
        elif took_place:
            replaced.append(link_id)
    return Met(frozenset(mine), tuple(newer), tuple(replaced))


def remember(page: Page, shown: Shown, written: Written, met: Met, sent: Answers) -> dict[str, object]:
    """What the draft remembers after this page was stored."""
    kept: dict[str, object] = dict(written)
    for item in _questions(page):
        if item.link_id in met.written:
            others = [entry for entry in written.get(item.link_id, ()) if entry[0] != shown.name]
            entry = [
                shown.name,
                digest(item, tuple(sent.get(item.link_id, ()))),
                item.link_id in met.replaced,
            ]
            kept[item.link_id] = [*others, entry][-REMEMBERED:]
    return kept


def _last(entries: Sequence[Sequence[object]], name: str) -> tuple[str | None, bool]:
    """What the page of this name said last, and whether that took the place of another's answer."""
    for entry in entries:
        if entry[0] == name:
            return str(entry[1]), bool(entry[2])
    return None, False


def _questions(page: Page) -> list[Item]:
    return [item for item in page.item.walk() if item.is_question]
