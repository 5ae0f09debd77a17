"""The brief as a PDF: one page for each, Letter or A4, black on white.

The letters shrink until the page holds everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, Final

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from intake.review.brief import AddedRow, Brief, Fact, FindingRow, PlaceRow, Words
from intake.review.drawing import LABEL_HEIGHT, VIEW_BOX, Arrow, Drawing, Label
from intake.review.paper import (
    BOLD,
    MARGIN,
    PAPERS,
    PLAIN,
    SIZE,
    Piece,
    Run,
    beside,
    heading,
    prose,
    register_fonts,
    ruled,
    stack,
    width_of,
)
from intake.review.places import SIDES

SCALES: Final = tuple(1.04 - step * 0.02 for step in range(23))
# Room for notes that is kept free before the letters shrink.
NOTES: Final = 54.0
LINE: Final = 17.0
DASHES: Final = {"up": (), "down": (18, 11)}
DOTS: Final = (4, 9)
# Of a row of findings: how wide the number is, and what part of the row both ends and the verdict take.
FIRST: Final = 20.0
SECOND: Final = 0.27
LAST: Final = 0.25


def pdf_of(briefs: Sequence[Brief], paper: str) -> bytes:
    """One document with a page for each brief. paper: a key of `PAPERS`. Raises `ValueError` for none."""
    if not briefs:
        raise ValueError("a document needs a page")
    from reportlab.pdfgen.canvas import Canvas

    register_fonts()
    out = BytesIO()
    canvas = Canvas(out, pagesize=PAPERS[paper], pageCompression=1, lang=get_language() or "en")
    canvas.setTitle(briefs[0].reference if len(briefs) == 1 else _("Briefs"))
    canvas.setAuthor(briefs[0].clinic)
    for brief in briefs:
        _draw_page(canvas, brief, *PAPERS[paper])
        canvas.showPage()
    canvas.save()
    return out.getvalue()


# The page


def _draw_page(canvas: Any, brief: Brief, width: float, height: float) -> None:
    inner, room = width - 2 * MARGIN, height - 2 * MARGIN
    for scale in SCALES:
        body, foot = _body(brief, inner, SIZE * scale), _foot(brief, inner, SIZE * scale)
        if body.height + foot.height + NOTES <= room:
            break
    top = height - MARGIN
    body.draw(canvas, MARGIN, top)
    foot.draw(canvas, MARGIN, MARGIN + foot.height)
    _notes(canvas, inner, top - body.height, MARGIN + foot.height, SIZE * scale)


def _body(brief: Brief, width: float, size: float) -> Piece:
    side = 156 * size / SIZE
    main = width - side - 16
    words = stack([_reason(brief, main, size), _mind(brief, main, size)], 7)
    return stack(
        [
            _head(brief, width, size),
            _flags(brief, width, size),
            beside([(0, words), (main + 16, _drawing(brief, side, size))]),
            _findings(brief, width, size),
            _assess(brief, width, size),
            _known(brief, width, size),
        ],
        7,
    )


def _head(brief: Brief, width: float, size: float) -> Piece:
    reference = _("Reference %(reference)s") % {"reference": brief.reference}
    right = width_of(reference, PLAIN, size) + 12
    name = _("Pre-evaluation brief: %(name)s") % {"name": brief.name}
    left = stack(
        [
            prose([(name, BOLD)], width - right, size * 1.6),
            prose([(f"{brief.born}. {brief.visit}", PLAIN)], width - right, size),
        ]
    )
    return beside([(0, left), (width - right + 12, prose([(reference, PLAIN)], right, size))])


def _flags(brief: Brief, width: float, size: float) -> Piece:
    inner = width - 14
    if not brief.flags:
        first = [(_("Red flags: none reported"), BOLD), (f" ({brief.flags_asked})", PLAIN)]
        pieces = [prose(first, inner, size)]
    else:
        flags = [
            [(f"{_('Red flag')}: {flag.name}. ", BOLD), (f"{flag.tier}, {flag.state}. ", PLAIN)]
            for flag in brief.flags
        ]
        lines = flags if brief.few_flags else [[run for flag in flags for run in flag]]
        pieces = [prose(line, inner, size) for line in lines]
        pieces += [prose([(call.text, PLAIN), *_pointer(call)], inner, size) for call in brief.last_calls]
        more = ", ".join(filter(None, (brief.earlier_calls, brief.flags_asked)))
        pieces.append(prose([(more, PLAIN)], inner, size * 0.92, grey=True))
    inside = stack(pieces, 1)

    def draw(canvas: Any, x: float, top: float) -> None:
        canvas.setLineWidth(1.6)
        canvas.rect(x + 0.8, top - inside.height - 8, width - 1.6, inside.height + 8)
        inside.draw(canvas, x + 7, top - 4)

    return Piece(inside.height + 9, draw)


def _reason(brief: Brief, width: float, size: float) -> Piece:
    pieces = [heading(_("Reason and goals, in the patient’s words"), width, size)]
    if brief.story:
        pieces.append(prose([(f"“{brief.story.text}”", PLAIN), *_pointer(brief.story)], width, size, after=2))
    if brief.problem:
        pieces.append(_fact(_("Help with"), brief.problem, width, size))
    if brief.aim:
        pieces.append(_fact(_("Most of all"), brief.aim.text, width, size))
    for goal in brief.goals:
        runs = [(f"{_('Goal')}: ", BOLD), (goal.answer.text, PLAIN), *_pointer(goal.answer)]
        pieces.append(prose([*runs, (f" ({goal.question})", PLAIN)], width, size))
    if len(pieces) == 1:
        pieces.append(prose([(_("Nothing was written."), PLAIN)], width, size))
    marked = brief.marked.text or _("Nothing marked")
    pieces.append(prose([(f"{_('Marked')}: ", BOLD), (marked, PLAIN), *_pointer(brief.marked)], width, size))
    if brief.scores:
        scores = "; ".join(f"{score.question} {score.answer.text}" for score in brief.scores)
        pieces.append(_fact(_("Pain"), scores, width, size))
    return stack(pieces)


def _mind(brief: Brief, width: float, size: float) -> Piece:
    pieces = [heading(_("Precautions"), width, size)]
    for one in brief.precautions:
        runs = [(f"{one.question}. ", BOLD), (one.answer.text, PLAIN), *_pointer(one.answer)]
        pieces.append(prose(runs, width, size))
    if not brief.precautions:
        pieces.append(prose([(_("None raised."), PLAIN)], width, size))
    pieces.append(Piece(5, _nothing))
    pieces.append(heading(_("Footwear and orthotics"), width, size))
    pieces += [_asked(fact, width, size) for fact in brief.footwear]
    if not brief.footwear:
        pieces.append(prose([(_("Not asked."), PLAIN)], width, size))
    return stack(pieces)


def _drawing(brief: Brief, width: float, size: float) -> Piece:
    return stack(
        [
            heading(_("The chain"), width, size),
            # Smaller with words under it, so that both take the room of the picture alone.
            *(_unseen(brief, width, size) if brief.unseen else [_picture(brief.drawing, width, size)]),
            prose([(brief.drawing.legend, PLAIN)], width, size * 0.88, grey=True),
        ]
    )


def _unseen(brief: Brief, width: float, size: float) -> list[Piece]:
    picture, inset = _picture(brief.drawing, width * 0.84, size), width * 0.08
    return [beside([(inset, picture)]), prose([(brief.unseen.text, PLAIN)], width, size * 0.88)]


def _findings(brief: Brief, width: float, size: float) -> Piece:
    title = _("Chain findings, suggestions to test")
    if not brief.approved:
        title += " " + _("(draft rules, not yet approved by a physio)")
    pieces = [heading(title, width, size)]
    size = size * 0.95
    if not brief.rows:
        pieces.append(
            prose([(_("No rule found a link in these answers. That is no all-clear."), PLAIN)], width, size)
        )
    pieces += [ruled(_finding(row, width, size), width) for row in brief.rows]
    pieces += [ruled(_added(row, width, size), width) for row in brief.added_rows]
    if brief.more:
        pieces.append(prose([(f"{brief.more}: {_('see full answers')}", PLAIN)], width, size))
    return stack(pieces)


def _finding(row: FindingRow, width: float, size: float) -> Piece:
    mark = {"up": "↑", "down": "↓"}.get(row.way, "•")
    middle = _middle(width)
    what = [prose([(row.title, BOLD if not row.dismissed else PLAIN)], middle, size)]
    if row.reasons:
        what.append(prose([(row.reasons.text, PLAIN), *_pointer(row.reasons)], middle, size * 0.9, grey=True))
    verdict: list[Run] = [(row.verdict, BOLD)]
    if row.note:
        verdict.append((f": {row.note.text}", PLAIN))
    return _columns(f"{row.number} {mark}", row.where, stack(what), verdict, width, size)


def _added(row: AddedRow, width: float, size: float) -> Piece:
    what = prose([(f"“{row.words.text}”", PLAIN), *_pointer(row.words)], _middle(width), size)
    return _columns("+", row.where, what, [(row.by.text, BOLD)], width, size)


def _middle(width: float) -> float:
    return width - FIRST - width * (SECOND + LAST) - 12


def _columns(number: str, where: str, what: Piece, verdict: list[Run], width: float, size: float) -> Piece:
    second, last = width * SECOND, width * LAST
    return beside(
        [
            (0, prose([(number, BOLD)], FIRST, size)),
            (FIRST, prose([(where, PLAIN)], second, size)),
            (FIRST + second + 6, what),
            (width - last, prose(verdict, last, size)),
        ]
    )


def _assess(brief: Brief, width: float, size: float) -> Piece:
    pieces = [heading(_("Assess the whole chain"), width, size)]
    pieces += [ruled(_place(place, width, size * 0.95), width) for place in brief.places]
    if brief.whole:
        whole = PlaceRow(_("Both legs"), False, (), brief.whole)
        pieces.append(ruled(_place(whole, width, size * 0.95), width))
    return stack(pieces)


def _place(place: PlaceRow, width: float, size: float) -> Piece:
    first, last = width * 0.19, width * 0.2
    name: list[Run] = [(f"☐ {place.name}", BOLD if place.flagged else PLAIN)]
    if place.numbers:
        name.append((f" {place.numbers}", PLAIN))
    checks = "   ".join(f"☐\u00a0{check.name}" for check in place.shown)
    if place.more:
        checks += f"   +{place.more}"
    # What is found is written on the rest of the row's line.
    words = prose([(checks, PLAIN)], width - first - last, size)
    return beside([(0, prose(name, first - 4, size)), (first, words)])


def _known(brief: Brief, width: float, size: float) -> Piece:
    size = size * 0.92
    column = (width - 14) / 2
    pieces = [_asked(fact, column, size) for fact in brief.facts]
    half = _half(pieces)
    also = prose([(f"{_('Answered')}: ", BOLD), (brief.also.text, PLAIN), *_pointer(brief.also)], width, size)
    return stack(
        [
            heading(_("Already answered: do not ask again"), width, size / 0.92),
            beside([(0, stack(pieces[:half])), (column + 14, stack(pieces[half:]))]),
            also,
        ]
    )


def _half(pieces: Sequence[Piece]) -> int:
    """How many stand in the first of two columns."""
    total = sum(piece.height for piece in pieces)
    height = 0.0
    for number, piece in enumerate(pieces):
        if height >= total / 2:
            return number
        height += piece.height
    return len(pieces)


def _asked(fact: Fact, width: float, size: float) -> Piece:
    colon = "" if fact.question[-1:] in "?.!" else ":"
    runs = [(f"{fact.question}{colon} ", PLAIN), (fact.answer.text, BOLD if fact.answered else PLAIN)]
    return prose([*runs, *_pointer(fact.answer)], width, size)


def _fact(name: str, words: str, width: float, size: float) -> Piece:
    return prose([(f"{name}: ", BOLD), (words, PLAIN)], width, size)


def _pointer(words: Words) -> list[Run]:
    return [(f" ({_('see full answers')})", PLAIN)] if words.cut else []


def _foot(brief: Brief, width: float, size: float) -> Piece:
    size = min(size * 0.9, 7.5)
    left = _("%(clinic)s. Confidential health information.") % {"clinic": brief.clinic}
    right = f"{brief.printed}. {_('Page 1 of 1')}"
    # Flush with the right margin; a point is spare for what is lost in adding up words.
    room = min(width_of(right, PLAIN, size), width * 0.48)
    pieces = [
        (0.0, prose([(left, PLAIN)], width * 0.5, size, grey=True)),
        (width - room, prose([(right, PLAIN)], room + 1, size, grey=True)),
    ]
    return beside([(x, Piece(piece.height + 3, piece.draw)) for x, piece in pieces])


def _notes(canvas: Any, width: float, top: float, bottom: float, size: float) -> None:
    """Lines to write on, as many as fit."""
    if top - bottom < LINE * 2:
        return
    canvas.setFont(BOLD, size * 1.03)
    canvas.drawString(MARGIN, top - size - 5, _("Notes"))
    canvas.setLineWidth(0.4)
    at = top - size - 5 - LINE
    while at > bottom + 4:
        canvas.line(MARGIN, at, MARGIN + width, at)
        at -= LINE


def _nothing(canvas: Any, x: float, top: float) -> None:
    return None


# The drawing


def _picture(drawing: Drawing, width: float, size: float) -> Piece:
    left, up, box_width, box_height = VIEW_BOX
    unit = width / box_width

    def draw(canvas: Any, x: float, top: float) -> None:
        def at(point: tuple[float, float]) -> tuple[float, float]:
            return x + (point[0] - left) * unit, top - (point[1] - up) * unit

        canvas.setLineWidth(0.5)
        for paths, grey in ((drawing.plain, 1.0), (drawing.marked, 0.62)):
            canvas.setFillGray(grey)
            for d in paths:
                canvas.drawPath(_path(canvas, d, at), stroke=1, fill=1)
        for arrow in drawing.arrows:
            _arrow(canvas, arrow, at, unit)
        for label in drawing.labels:
            _label(canvas, label, at(label.at), unit)
        canvas.setFillGray(0)
        canvas.setFont(BOLD, size * 0.85)
        for side, middle in (("right", drawing.right_at), ("left", drawing.left_at)):
            canvas.drawCentredString(*at((middle, 18)), capfirst(str(SIDES[side])))

    return Piece(box_height * unit + 3, draw)


def _path(canvas: Any, d: str, at: Callable[[tuple[float, float]], tuple[float, float]]) -> Any:
    """An SVG path in steps from point to point, as the body map has (`intake.responses.body.by_steps`)."""
    path = canvas.beginPath()
    here = start = (0.0, 0.0)
    for letter, words in re.findall(r"([Mmlcz])([^Mmlcz]*)", d):
        numbers = [float(word) for word in re.findall(r"-?[\d.]+", words)]
        steps = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "z":
            path.close()
            here = start
        elif letter == "c":
            curve = [(here[0] + x, here[1] + y) for x, y in steps]
            path.curveTo(*at(curve[0]), *at(curve[1]), *at(curve[2]))
            here = curve[2]
        else:
            here = (here[0] + steps[0][0], here[1] + steps[0][1])
            (path.lineTo if letter == "l" else path.moveTo)(*at(here))
            start = start if letter == "l" else here
    return path


def _arrow(
    canvas: Any, arrow: Arrow, at: Callable[[tuple[float, float]], tuple[float, float]], unit: float
) -> None:
    canvas.saveState()
    canvas.setLineWidth(1.5)
    canvas.setDash(
        *([[length * unit for length in dash], 0] if (dash := DASHES.get(arrow.way, DOTS)) else [])
    )
    canvas.bezier(*at(arrow.start), *at(arrow.bend_one), *at(arrow.bend_two), *at(arrow.tip))
    canvas.restoreState()
    canvas.setFillGray(0)
    head = canvas.beginPath()
    head.moveTo(*at(arrow.head[0]))
    for point in arrow.head[1:]:
        head.lineTo(*at(point))
    head.close()
    canvas.drawPath(head, stroke=0, fill=1)


def _label(canvas: Any, label: Label, at: tuple[float, float], unit: float) -> None:
    width, height = label.width * unit, LABEL_HEIGHT * unit
    canvas.setFillGray(1)
    canvas.setLineWidth(0.6)
    canvas.roundRect(at[0] - width / 2, at[1] - height / 2, width, height, height / 3, stroke=1, fill=1)
    canvas.setFillGray(0)
    canvas.setFont(BOLD, 26 * unit)
    canvas.drawCentredString(at[0], at[1] - 9 * unit, label.text)
