"""Which findings the review page draws whole, and which by name until somebody opens them.

A page stays small however many findings there are (ADR 0051). The first that is not decided is open, and
after each decision the next one; the others are opened by their name, one at a time or all at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from intake.review.keys import number_or_none
from intake.review.page import FindingCard, ReviewPage

# What a page is asked to show, in its address: the key of a finding, the rule behind it, or one of these.
RULE: Final = "rule-"
ALL: Final = "all"
ANSWERS: Final = "answers"
KEYS: Final = "keys"
# So many are named beside the open ones; whoever has more opens all.
MOST_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding or a note in its place.

    drawn: `whole`, with its evidence and its buttons; `decided`, with what was decided and a way to undo it;
    or by its `name`.
    """

    card: FindingCard
    drawn: Literal["whole", "decided", "name"]


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What of an intake is drawn.

    left: how many findings are not even named; answers: all that was said; keys: what the shortcuts are;
    rule: the finding or note whose rule is open.
    """

    findings: tuple[Listed, ...]
    notes: tuple[Listed, ...]
    left: int
    answers: bool
    keys: bool
    rule: FindingCard | None = None

    @property
    def drawn(self) -> tuple[int, ...]:
        """The keys of all that is on the page, if only by name."""
        return tuple(one.card.key for one in (*self.findings, *self.notes))

    @property
    def undecided(self) -> int | None:
        """The first finding that is left to decide."""
        return next((one.card.key for one in self.findings if one.card.verdict is None), None)

    @property
    def folded(self) -> bool:
        """Whether there are findings to open."""
        return self.left > 0 or any(one.drawn != "whole" for one in self.findings)


def unfolded(page: ReviewPage, show: str, refused: int | None = None) -> Unfolded:
    """show: of the page's address, whatever stands there. refused: a finding with a message beside it."""
    cards = (*page.findings, *page.notes)
    wanted = refused or number_or_none(show.removeprefix(RULE))
    whole = {card.key for card in cards if show == ALL or card.key == wanted}
    if not whole:
        undecided = (card.key for card in page.findings if card.verdict is None)
        first = next(undecided, None) or (page.notes[0].key if page.notes and not page.findings else None)
        whole = {first} if first else set()
    findings = _listed(page.findings, whole, page.seen)
    left = len(page.findings) - len(findings)
    rule = next((card for card in cards if card.key in whole and show == f"{RULE}{card.key}"), None)
    return Unfolded(findings, _listed(page.notes, whole), left, show in (ALL, ANSWERS), show == KEYS, rule)


def _listed(cards: Sequence[FindingCard], whole: Collection[int], last: int = 0) -> tuple[Listed, ...]:
    """In their order: the open ones, that of the last decision, and the others as far as they are named."""
    listed: list[Listed] = []
    named = 0
    for card in cards:
        if card.key in whole:
            listed.append(Listed(card, "whole"))
        elif card.verdict is not None and card.seen == last:
            listed.append(Listed(card, "decided"))
        elif named < MOST_NAMED:
            listed.append(Listed(card, "name"))
            named += 1
    return tuple(listed)
