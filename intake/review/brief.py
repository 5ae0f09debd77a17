"""The brief: one page to read before the evaluation, built from what the review page gathers.

Every text has a limit, so that a page of paper holds the longest intake; what was cut says so and keeps its
full words for the plain text, which needs no paper. Page, PDF and plain text are drawn from the same `Brief`.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from math import ceil
from typing import Final
from uuid import UUID

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake.patients.wording import clock
from intake.responses.body import marked_names
from intake.responses.summary import Line as Answered
from intake.review.assess import Place
from intake.review.drawing import Drawing, draw
from intake.review.library import Check
from intake.review.models import Decision
from intake.review.outcome_page import MissedLine
from intake.review.page import ContactLine, FindingCard, FlagCard, ReviewPage

# What is quoted from the answers by name; a questionnaire without them simply shows less.
FOOTWEAR: Final = ("shoes.usual", "shoes.insoles", "foot.shoe-wear")
KNOWN: Final = (
    "pain.duration",
    "pain.onset",
    "pain.pattern",
    "pain.morning-stiff",
    "timeline.first",
    "knee.aggravators",
    "foot.aggravators",
    "knee.history",
    "foot.history",
    "knee.events",
    "health.conditions",
    "health.medicines",
    "activity.usual",
    "gait.changed",
)

# Limits, in letters of usual width. With more rows than `ROOMY` the reasons go, as they stand in the review.
STORY: Final = 300
GOAL: Final = 80
REASONS: Final = 150
VERDICT_NOTE: Final = 54
ADDED_WORDS: Final = 60
ADDED_BY: Final = 28
UNSEEN: Final = 72
NEXT_STEP: Final = 70
NOTE: Final = 80
FACT: Final = 60
MARKS: Final = 200
CALLED: Final = 40
CHECK: Final = 34
ALSO: Final = 130
SCORES: Final = 5
CALLS: Final = 2
FACTS: Final = 14
ROWS: Final = 10
ADDED: Final = 3
# The rows of findings that give way to so many links that were added, whose words are long.
GIVEN_UP: Final = (0, 2, 3, 5)
ROOMY: Final = 4
CHECKS: Final = 5
FEW_FLAGS: Final = 3
# Letters of the printed page, from the usual size down: up to how many of `Brief.lines` each fits. Measured
# with wide letters; what is more than all of these fits the smallest, because every text has its limit.
DENSITIES: Final[Mapping[str, float]] = {"": 30, "tight": 40, "dense": 48}
SMALLEST: Final = "full"
# What stands behind words that were cut, as long as it is in English.
SEE: Final = " (see full answers)"


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote, in one line: `text` as far as it fits, `full` as it is."""

    text: str
    full: str

    @property
    def cut(self) -> bool:
        return self.text != self.full

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.full)


def clip(text: str, limit: int) -> Words:
    """At most `limit` letters of a text, cut between words if they are short. Wide letters count double."""
    full = " ".join(text.split())
    ends = list(accumulate(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in full))
    if not ends or ends[-1] <= limit:
        return Words(full, full)
    # One letter less, for the dots.
    head = full[: bisect_right(ends, limit - 1)]
    begun = head.rfind(" ")
    if full[len(head)] != " " and begun > len(head) // 2:
        head = head[:begun]
    return Words(head.rstrip(" ,;:.") + "…", full)


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A red flag that was raised: its name, how urgent it is, how it stands."""

    name: str
    tier: str
    state: str
    waiting: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A question and its answer. answered is False where it was left out."""

    question: str
    answer: Words
    answered: bool = True


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with its standing verdict. number: as in the drawing, empty for what is not drawn there.

    where: both ends, "left heel, from right knee". way: up, down or what else it is.
    """

    number: str
    way: str
    course: str
    where: str
    title: str
    verdict: str
    dismissed: bool
    note: Words
    reasons: Words

    @property
    def lines(self) -> float:
        """About how many lines its title and its reasons take on paper, in their column."""
        reasons = len(self.reasons.text) + (len(SEE) if self.reasons.cut else 0)
        return 0.4 + ceil(len(self.title) / 46) + 0.95 * ceil(reasons / 56)


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A link that the rules missed and a physio added. where: both ends, as in `FindingRow`."""

    where: str
    words: Words
    by: Words


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A test to do, by its short name and its full one."""

    name: str
    full: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A part of one leg to assess. findings: the numbers of those that point at it. listed: how many findings
    are on the page.
    """

    name: str
    flagged: bool
    findings: tuple[str, ...]
    checks: tuple[CheckLine, ...]
    listed: int = ROWS

    @property
    def shown_findings(self) -> tuple[str, ...]:
        """The numbers of those that are on the page."""
        return tuple(number for number in self.findings if int(number) <= self.listed)

    @property
    def numbers(self) -> str:
        return ", ".join(self.shown_findings)

    @property
    def shown(self) -> tuple[CheckLine, ...]:
        """What fits on paper, by number; the others stand in the review."""
        return self.checks[:CHECKS]

    @property
    def more(self) -> int:
        return len(self.checks) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything on the page, ready to be drawn. Texts are plain, to be escaped by what draws them."""

    response: UUID
    reference: str
    name: str
    born: str
    visit: str
    flags: tuple[FlagLine, ...]
    flags_asked: str
    calls: tuple[Words, ...]
    story: Words
    problem: str
    aim: Words
    goals: tuple[Fact, ...]
    scores: tuple[Fact, ...]
    drawing: Drawing
    marked: Words
    unseen: Words
    findings: tuple[FindingRow, ...]
    added: tuple[AddedRow, ...]
    approved: bool
    places: tuple[PlaceRow, ...]
    whole: tuple[CheckLine, ...]
    footwear: tuple[Fact, ...]
    precautions: tuple[Fact, ...]
    known: tuple[Fact, ...]
    also: Words
    clinic: str
    printed: str

    @property
    def lines(self) -> float:
        """About how many lines the page takes on paper, in letters of the usual size."""
        return (
            (len(self.flags) if len(self.flags) <= FEW_FLAGS else len(self.flags) / 2)
            + 2 * len(self.last_calls)
            + len(self.story.text) / 95
            + len(self.marked.text) / 95
            + len(self.goals)
            + 1.5 * (len(self.precautions) + len(self.footwear))
            + sum(row.lines for row in self.rows)
            + 3 * len(self.added_rows)
            + sum(1.3 + (len(place.shown) > 3) for place in self.places)
            + 0.8 * len(self.facts)
        )

    @property
    def density(self) -> str:
        """How small the letters of the printed page have to be: empty, `tight`, `dense` or `full`."""
        return next((name for name, most in DENSITIES.items() if self.lines <= most), SMALLEST)

    @property
    def few_flags(self) -> bool:
        """Whether each flag has a line of its own on paper."""
        return len(self.flags) <= FEW_FLAGS

    # What fits on paper; the plain text has the rest.

    @property
    def last_calls(self) -> tuple[Words, ...]:
        return self.calls[-CALLS:]

    @property
    def earlier_calls(self) -> str:
        number = len(self.calls) - CALLS
        words = ngettext("%(number)s earlier call", "%(number)s earlier calls", number)
        return words % {"number": number} if number > 0 else ""

    @property
    def rows(self) -> tuple[FindingRow, ...]:
        return self.findings[: ROWS - GIVEN_UP[len(self.added_rows)]]

    @property
    def added_rows(self) -> tuple[AddedRow, ...]:
        return self.added[:ADDED]

    @property
    def more_findings(self) -> str:
        number = len(self.findings) - len(self.rows)
        words = ngettext("%(number)s more finding", "%(number)s more findings", number)
        return words % {"number": number} if number > 0 else ""

    @property
    def more_added(self) -> str:
        number = len(self.added) - len(self.added_rows)
        words = ngettext("%(number)s more link was added", "%(number)s more links were added", number)
        return words % {"number": number} if number > 0 else ""

    @property
    def more(self) -> str:
        """What of the findings and of the added links is not on paper."""
        return ", ".join(filter(None, (self.more_findings, self.more_added)))

    @property
    def facts(self) -> tuple[Fact, ...]:
        return self.known[:FACTS]


def brief_of(page: ReviewPage, *, reader: str, clinic: str, now: datetime) -> Brief:
    """The brief of one intake. reader: who prints it. clinic: its name and city for the foot of the page."""
    order = (Decision.CONFIRMED, Decision.PROVISIONAL, "")
    standing = sorted(
        (card for card in page.findings if _decision(card) != Decision.REFUTED),
        key=lambda card: order.index(_decision(card)),
    )
    numbers = {card.key: str(number) for number, card in enumerate((*standing, *page.notes), start=1)}
    dismissed = [card for card in page.findings if _decision(card) == Decision.REFUTED]
    rows = [*standing, *page.notes, *dismissed]
    roomy = len(rows) + len(page.added) <= ROOMY
    listed = ROWS - GIVEN_UP[len(page.added[:ADDED])]
    drawing = draw(
        left=page.marked_left,
        right=page.marked_right,
        findings=[(int(numbers[card.key]), card.place) for card in standing[:listed]],
    )
    lines = {line.link_id: line for section in page.sections for line in section.lines}
    also = ", ".join(
        f"{section.page.title} ({sum(bool(line.answers) for line in section.lines)}/{len(section.lines)})"
        for section in page.sections
        if section.lines
    )
    return Brief(
        response=page.response.pk,
        reference=page.response.reference,
        name=str(page.patient),
        born=_("Born %(date)s, %(age)s years old")
        % {"date": date_format(page.patient.birth_date, "m/d/Y"), "age": page.age},
        visit=_visit(page),
        flags=tuple(_flag(flag) for flag in page.flags),
        flags_asked=_("%(answered)s of %(asked)s asked and answered")
        % {"answered": page.answered, "asked": len(page.safety)},
        calls=tuple(_call(line) for line in page.contacts),
        story=clip(" ".join(line.answer for line in page.story), STORY),
        problem=page.problem,
        aim=clip(page.aim, GOAL),
        goals=tuple(
            Fact(
                _("not scored")
                if goal.value is None
                else _("%(value)s of %(most)s") % {"value": goal.value, "most": goal.most},
                clip(goal.label, GOAL),
            )
            for goal in page.goals
        ),
        scores=tuple(
            Fact(
                clip(score.label, GOAL).text,
                clip(_("%(value)s of %(most)s") % {"value": score.value, "most": score.most}, GOAL),
            )
            for score in page.scores
            if score.value is not None
        )[:SCORES],
        drawing=drawing,
        marked=clip("; ".join(marked_names(page.marked_left, page.marked_right)), MARKS),
        unseen=clip(drawing.unseen, UNSEEN),
        findings=tuple(_finding(card, numbers.get(card.key, ""), roomy) for card in rows),
        added=tuple(map(_added, page.added)),
        approved=page.approved,
        places=tuple(_place(place, numbers, listed) for place in page.assess.places),
        whole=tuple(_check(check) for check in page.assess.whole),
        footwear=_facts(FOOTWEAR, lines, left_out=True),
        precautions=tuple(Fact(one.title, clip(one.note, NOTE)) for one in page.precautions),
        known=_facts(KNOWN, lines),
        also=clip(also, ALSO),
        clinic=clinic,
        printed=_("Printed %(when)s by %(reader)s") % {"when": moment(now), "reader": reader},
    )


def moment(at: datetime) -> str:
    """A time that is still right on paper tomorrow: "June 3, 2025, 9:30 am"."""
    return f"{date_format(localtime(at), 'F j, Y')}, {clock(at)}"


def _visit(page: ReviewPage) -> str:
    starts_at, physio = page.evaluation.starts_at, page.evaluation.physio
    if starts_at is None:
        return _("No appointment yet")
    weekday = date_format(localtime(starts_at), "l")
    when = _("Evaluation %(weekday)s, %(when)s") % {"weekday": weekday, "when": moment(starts_at)}
    return f"{when}, {physio.formal_name}" if physio else when


def _flag(flag: FlagCard) -> FlagLine:
    if flag.withdrawn_at:
        state = _("withdrawn by the patient")
        if flag.waiting:
            state = _("withdrawn by the patient, still waits for a call")
    elif flag.waiting:
        state = _("waits for a call")
    elif flag.urgent:
        state = _("call recorded")
    else:
        state = _("read before the visit")
    return FlagLine(flag.name, flag.tier_label, state, flag.waiting)


def _call(line: ContactLine) -> Words:
    def told(called: str, next_step: str) -> str:
        words = f"{line.outcome}: {called}, {moment(line.called_at)} ({line.by})."
        if next_step:
            words += f" “{next_step}”"
        return words if line.settled else words + " " + _("The flag stayed open.")

    called, next_step = clip(line.called, CALLED), clip(line.next_step, NEXT_STEP)
    return Words(told(called.text, next_step.text), told(called.full, next_step.full))


def _decision(card: FindingCard) -> str:
    return card.verdict.decision if card.verdict else ""


def _finding(card: FindingCard, number: str, roomy: bool) -> FindingRow:
    verdict = card.verdict
    because = "; ".join(
        f"{line.question}{_of_side(line.side)} {line.answer}" for line in card.because if line.answer
    )
    return FindingRow(
        number=number,
        way=card.place.way,
        course=card.place.course,
        where=capfirst(card.place.where),
        title=card.title,
        verdict=verdict.label if verdict else _("Note") if card.place.way == "note" else _("Not decided"),
        dismissed=_decision(card) == Decision.REFUTED,
        note=clip(". ".join(filter(None, (verdict.reason, verdict.note))) if verdict else "", VERDICT_NOTE),
        reasons=clip(because if roomy else "", REASONS),
    )


def _added(line: MissedLine) -> AddedRow:
    ends = {"shows": line.shows, "starts": line.starts[:1].lower() + line.starts[1:]}
    return AddedRow(
        where=_("%(shows)s, from %(starts)s") % ends,
        words=clip(line.words, ADDED_WORDS),
        by=clip(_("Added by %(physio)s") % {"physio": line.physio}, ADDED_BY),
    )


def _of_side(side: str) -> str:
    return {"left": _(" (left)"), "right": _(" (right)")}.get(side, "")


def _place(place: Place, numbers: Mapping[int, str], listed: int) -> PlaceRow:
    checks = tuple(_check(check) for check in place.checks)
    return PlaceRow(
        name=place.name,
        flagged=place.flagged,
        findings=tuple(numbers[key] for key in place.findings),
        checks=checks,
        listed=listed,
    )


def _check(check: Check) -> CheckLine:
    """Under its name without what stands in brackets, as far as that is short."""
    name = check.name.split(" (")[0].split(":")[0]
    return CheckLine(clip(name, CHECK).text, check.name)


def _facts(
    link_ids: Iterable[str], lines: Mapping[str, Answered], *, left_out: bool = False
) -> tuple[Fact, ...]:
    """Questions by linkId, both sides in one. left_out: also those that were asked and not answered."""
    found = []
    for link_id in link_ids:
        asked = [lines[key] for key in (link_id, f"{link_id}.left", f"{link_id}.right") if key in lines]
        if not asked:
            continue
        answer = "; ".join(
            f"{line.side}: {_joined(line.answers)}" if line.side else _joined(line.answers)
            for line in asked
            if line.answers
        )
        if answer:
            found.append(Fact(asked[0].question, clip(answer, FACT)))
        elif left_out:
            found.append(Fact(asked[0].question, clip(_("No answer"), FACT), answered=False))
    return tuple(found)


def _joined(answers: Sequence[str]) -> str:
    return ", ".join(answers)


# As plain text


_PLAIN: Final = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-"})


def as_text(brief: Brief) -> str:
    """The brief in lines of plain text, nothing cut, for another record system."""
    blocks = [
        [f"{_('PRE-EVALUATION BRIEF')} {brief.reference}", brief.name, brief.born, brief.visit],
        [_("RED FLAGS"), *_flag_lines(brief)],
        [_("REASON AND GOALS"), *_reason_lines(brief)],
        [
            _("MARKED PLACES"),
            brief.marked.full or _("Nothing marked"),
            *(f"{score.question}: {score.answer.full}" for score in brief.scores),
        ],
        [_("CHAIN FINDINGS (SUGGESTIONS)"), *_finding_lines(brief)],
        [_("ASSESS"), *_assess_lines(brief)],
        [_("FOOTWEAR AND ORTHOTICS"), *_fact_lines(brief.footwear)],
        [_("PRECAUTIONS"), *(_fact_lines(brief.precautions) or [_("None raised")])],
        [_("ALREADY ANSWERED, DO NOT ASK AGAIN"), *_fact_lines(brief.known), brief.also.full],
        [f"{brief.clinic}. {brief.printed}."],
    ]
    text = "\n\n".join("\n".join(line for line in block if line) for block in blocks)
    return text.translate(_PLAIN) + "\n"


def _flag_lines(brief: Brief) -> list[str]:
    if not brief.flags:
        return [f"{_('None reported')} ({brief.flags_asked})"]
    lines = [f"- {flag.name}: {flag.tier}, {flag.state}" for flag in brief.flags]
    lines += [f"- {call.full}" for call in brief.calls]
    return [*lines, brief.flags_asked]


def _reason_lines(brief: Brief) -> list[str]:
    return [
        f"{_('Help with')}: {brief.problem}" if brief.problem else "",
        f'"{brief.story.full}"' if brief.story else "",
        f"{_('Most of all')}: {brief.aim.full}" if brief.aim else "",
        *(f"- {goal.answer.full}: {goal.question}" for goal in brief.goals),
    ]


def _finding_lines(brief: Brief) -> list[str]:
    lines = []
    for row in brief.findings:
        number = f"{row.number}." if row.number else "-"
        note = f" ({row.note.full})" if row.note else ""
        lines.append(f"{number} {row.where}: {row.title} [{row.verdict}{note}]")
    lines = lines or [_("No rule found a link in these answers. That is no all-clear.")]
    return [*lines, *(f"+ {row.where}: {row.words.full} [{row.by.full}]" for row in brief.added)]


def _assess_lines(brief: Brief) -> list[str]:
    lines = []
    for place in brief.places:
        words = ngettext("finding %(numbers)s", "findings %(numbers)s", len(place.findings))
        numbers = f" ({words % {'numbers': ', '.join(place.findings)}})" if place.findings else ""
        lines.append(f"[ ] {place.name}{numbers}: {', '.join(check.full for check in place.checks)}")
    if brief.whole:
        lines.append(f"[ ] {_('Both legs')}: {', '.join(check.full for check in brief.whole)}")
    return lines


def _fact_lines(facts: Iterable[Fact]) -> list[str]:
    return [
        f"- {fact.question}{'' if fact.question[-1:] in '?.!' else ':'} {fact.answer.full}" for fact in facts
    ]
