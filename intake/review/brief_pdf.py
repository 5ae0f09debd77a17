"""The brief as a PDF: one page for each, Letter or A4, black on white.

Nothing of a patient's is ever read as markup: words are measured, broken into lines and drawn as they are.
The letters shrink until the page holds everything. The library is imported at the first PDF, not at start-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from intake.review.brief import Brief, Fact, FindingRow, PlaceRow, Words
from intake.review.drawing import LABEL_HEIGHT, VIEW_BOX, Arrow, Drawing, Label
from intake.review.places import SIDES

FONTS: Final = Path(__file__).resolve().parent / "fonts"
PLAIN: Final = "Footing"
BOLD: Final = "Footing-Bold"
# In points, 72 to an inch.
PAPERS: Final = {"letter": (612.0, 792.0), "a4": (595.28, 841.89)}
MARGIN: Final = 32.4
SIZE: Final = 9.0
SCALES: Final = tuple(1.04 - step * 0.02 for step in range(23))
# Room for notes that is kept free before the letters shrink.
NOTES: Final = 54.0
LINE: Final = 17.0
GREY: Final = 0.25
DASHES: Final = {"up": (), "down": (18, 11)}
DOTS: Final = (4, 9)

Run = tuple[str, str]


def pdf_of(briefs: Sequence[Brief], paper: str) -> bytes:
    """One document with a page for each brief. paper: a key of `PAPERS`. Raises `ValueError` for none."""
    if not briefs:
        raise ValueError("a document needs a page")
    from reportlab.pdfgen.canvas import Canvas

    _register_fonts()
    out = BytesIO()
    canvas = Canvas(out, pagesize=PAPERS[paper], pageCompression=1, lang=get_language() or "en")
    canvas.setTitle(briefs[0].reference if len(briefs) == 1 else _("Briefs"))
    canvas.setAuthor(briefs[0].clinic)
    for brief in briefs:
        _draw_page(canvas, brief, *PAPERS[paper])
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@cache
def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(PLAIN, FONTS / "DejaVuSansCondensed.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, FONTS / "DejaVuSansCondensed-Bold.ttf"))


def _width(text: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, size))


# Pieces: something of a height that can draw itself with its top left corner at a point


@dataclass(frozen=True, slots=True)
class Piece:
    height: float
    draw: Callable[[Any, float, float], None]


def _stack(pieces: Iterable[Piece], gap: float = 0) -> Piece:
    """One under the other."""
    pieces = list(pieces)

    def draw(canvas: Any, x: float, top: float) -> None:
        for piece in pieces:
            piece.draw(canvas, x, top)
            top -= piece.height + gap

    return Piece(sum(piece.height for piece in pieces) + gap * max(len(pieces) - 1, 0), draw)


def _beside(columns: Sequence[tuple[float, Piece]]) -> Piece:
    """Side by side, each at its distance from the left."""

    def draw(canvas: Any, x: float, top: float) -> None:
        for offset, piece in columns:
            piece.draw(canvas, x + offset, top)

    return Piece(max(piece.height for _offset, piece in columns), draw)


def _text(runs: Iterable[Run], width: float, size: float, *, grey: bool = False, after: float = 0) -> Piece:
    """Words in lines. runs: (text, font)."""
    lines = list(_broken(runs, width, size))
    leading = size * 1.27

    def draw(canvas: Any, x: float, top: float) -> None:
        canvas.setFillGray(GREY if grey else 0)
        for number, line in enumerate(lines):
            at = x
            for words, font in line:
                canvas.setFont(font, size)
                canvas.drawString(at, top - size * 0.95 - number * leading, words)
                at += _width(words, font, size)
        canvas.setFillGray(0)

    return Piece(len(lines) * leading + after, draw)


def _broken(runs: Iterable[Run], width: float, size: float) -> Iterator[list[Run]]:
    """The lines of the runs: broken between words, and inside of one that is wider than a line."""
    line: list[Run] = []
    used = 0.0
    for text, font in runs:
        for word in re.findall(r"\S+\s*|\s+", text):
            while used + _width(word.rstrip(), font, size) > width:
                if line:
                    yield line
                    line, used = [], 0.0
                    continue
                fits = next(
                    (end for end in range(len(word), 1, -1) if _width(word[:end], font, size) <= width), 1
                )
                if fits >= len(word.rstrip()):
                    break
                yield [(word[:fits], font)]
                word = word[fits:]
            line.append((word, font))
            used += _width(word, font, size)
    if line:
        yield line


def _heading(text: str, width: float, size: float) -> Piece:
    words = _text([(text, BOLD)], width, size * 1.03)
    height = words.height + 2

    def draw(canvas: Any, x: float, top: float) -> None:
        words.draw(canvas, x, top)
        canvas.setLineWidth(1.1)
        canvas.line(x, top - height + 1.5, x + width, top - height + 1.5)

    return Piece(height + 2.5, draw)


def _ruled(piece: Piece, width: float) -> Piece:
    """A row with a thin line under it."""

    def draw(canvas: Any, x: float, top: float) -> None:
        piece.draw(canvas, x, top - 2)
        canvas.setLineWidth(0.4)
        canvas.line(x, top - piece.height - 3.5, x + width, top - piece.height - 3.5)

    return Piece(piece.height + 4, draw)


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
    words = _stack([_reason(brief, main, size), _mind(brief, main, size)], 7)
    return _stack(
        [
            _head(brief, width, size),
            _flags(brief, width, size),
            _beside([(0, words), (main + 16, _drawing(brief, side, size))]),
            _findings(brief, width, size),
            _assess(brief, width, size),
            _known(brief, width, size),
        ],
        7,
    )


def _head(brief: Brief, width: float, size: float) -> Piece:
    reference = _("Reference %(reference)s") % {"reference": brief.reference}
    right = _width(reference, PLAIN, size) + 12
    name = _("Pre-evaluation brief: %(name)s") % {"name": brief.name}
    left = _stack(
        [
            _text([(name, BOLD)], width - right, size * 1.6),
            _text([(f"{brief.born}. {brief.visit}", PLAIN)], width - right, size),
        ]
    )
    return _beside([(0, left), (width - right + 12, _text([(reference, PLAIN)], right, size))])


def _flags(brief: Brief, width: float, size: float) -> Piece:
    inner = width - 14
    if not brief.flags:
        first = [(_("Red flags: none reported"), BOLD), (f" ({brief.flags_asked})", PLAIN)]
        pieces = [_text(first, inner, size)]
    else:
        flags = [
            [(f"{_('Red flag')}: {flag.name}. ", BOLD), (f"{flag.tier}, {flag.state}. ", PLAIN)]
            for flag in brief.flags
        ]
        lines = flags if brief.few_flags else [[run for flag in flags for run in flag]]
        pieces = [_text(line, inner, size) for line in lines]
        pieces += [_text([(call.text, PLAIN), *_pointer(call)], inner, size) for call in brief.last_calls]
        more = ", ".join(filter(None, (brief.earlier_calls, brief.flags_asked)))
        pieces.append(_text([(more, PLAIN)], inner, size * 0.92, grey=True))
    inside = _stack(pieces, 1)

    def draw(canvas: Any, x: float, top: float) -> None:
        canvas.setLineWidth(1.6)
        canvas.rect(x + 0.8, top - inside.height - 8, width - 1.6, inside.height + 8)
        inside.draw(canvas, x + 7, top - 4)

    return Piece(inside.height + 9, draw)


def _reason(brief: Brief, width: float, size: float) -> Piece:
    pieces = [_heading(_("Reason and goals, in the patient’s words"), width, size)]
    if brief.story:
        pieces.append(_text([(f"“{brief.story.text}”", PLAIN), *_pointer(brief.story)], width, size, after=2))
    if brief.problem:
        pieces.append(_fact(_("Help with"), brief.problem, width, size))
    if brief.aim:
        pieces.append(_fact(_("Most of all"), brief.aim.text, width, size))
    for goal in brief.goals:
        runs = [(f"{_('Goal')}: ", BOLD), (goal.answer.text, PLAIN), *_pointer(goal.answer)]
        pieces.append(_text([*runs, (f" ({goal.question})", PLAIN)], width, size))
    if len(pieces) == 1:
        pieces.append(_text([(_("Nothing was written."), PLAIN)], width, size))
    marked = brief.marked.text or _("Nothing marked")
    pieces.append(_text([(f"{_('Marked')}: ", BOLD), (marked, PLAIN), *_pointer(brief.marked)], width, size))
    if brief.scores:
        scores = "; ".join(f"{score.question} {score.answer.text}" for score in brief.scores)
        pieces.append(_fact(_("Pain"), scores, width, size))
    return _stack(pieces)


def _mind(brief: Brief, width: float, size: float) -> Piece:
    pieces = [_heading(_("Precautions"), width, size)]
    for one in brief.precautions:
        runs = [(f"{one.question}. ", BOLD), (one.answer.text, PLAIN), *_pointer(one.answer)]
        pieces.append(_text(runs, width, size))
    if not brief.precautions:
        pieces.append(_text([(_("None raised."), PLAIN)], width, size))
    pieces.append(Piece(5, _nothing))
    pieces.append(_heading(_("Footwear and orthotics"), width, size))
    pieces += [_asked(fact, width, size) for fact in brief.footwear]
    if not brief.footwear:
        pieces.append(_text([(_("Not asked."), PLAIN)], width, size))
    return _stack(pieces)


def _drawing(brief: Brief, width: float, size: float) -> Piece:
    return _stack(
        [
            _heading(_("The chain"), width, size),
            _picture(brief.drawing, width, size),
            _text([(brief.drawing.legend, PLAIN)], width, size * 0.88, grey=True),
        ]
    )


def _findings(brief: Brief, width: float, size: float) -> Piece:
    title = _("Chain findings, suggestions to test")
    if not brief.approved:
        title += " " + _("(draft rules, not yet approved by a physio)")
    pieces = [_heading(title, width, size)]
    size = size * 0.95
    pieces += [_ruled(_finding(row, width, size), width) for row in brief.rows]
    if brief.more_findings:
        pieces.append(_text([(f"{brief.more_findings}: {_('see full answers')}", PLAIN)], width, size))
    if not brief.rows:
        pieces.append(
            _text([(_("No rule found a link in these answers. That is no all-clear."), PLAIN)], width, size)
        )
    return _stack(pieces)


def _finding(row: FindingRow, width: float, size: float) -> Piece:
    mark = {"up": "↑", "down": "↓"}.get(row.way, "•")
    first, second, last = 20.0, width * 0.27, width * 0.25
    middle = width - first - second - last - 12
    what = [_text([(row.title, BOLD if not row.dismissed else PLAIN)], middle, size)]
    if row.reasons:
        what.append(_text([(row.reasons.text, PLAIN), *_pointer(row.reasons)], middle, size * 0.9, grey=True))
    verdict: list[Run] = [(row.verdict, BOLD)]
    if row.note:
        verdict.append((f": {row.note.text}", PLAIN))
    return _beside(
        [
            (0, _text([(f"{row.number} {mark}", BOLD)], first, size)),
            (first, _text([(row.where, PLAIN)], second, size)),
            (first + second + 6, _stack(what)),
            (width - last, _text(verdict, last, size)),
        ]
    )


def _assess(brief: Brief, width: float, size: float) -> Piece:
    pieces = [_heading(_("Assess the whole chain"), width, size)]
    pieces += [_ruled(_place(place, width, size * 0.95), width) for place in brief.places]
    if brief.whole:
        whole = PlaceRow(_("Both legs"), False, (), brief.whole)
        pieces.append(_ruled(_place(whole, width, size * 0.95), width))
    return _stack(pieces)


def _place(place: PlaceRow, width: float, size: float) -> Piece:
    first, last = width * 0.19, width * 0.2
    name: list[Run] = [(f"☐ {place.name}", BOLD if place.flagged else PLAIN)]
    if place.numbers:
        name.append((f" {place.numbers}", PLAIN))
    checks = "   ".join(f"☐\u00a0{check.name}" for check in place.shown)
    if place.more:
        checks += f"   +{place.more}"
    # What is found is written on the rest of the row's line.
    words = _text([(checks, PLAIN)], width - first - last, size)
    return _beside([(0, _text(name, first - 4, size)), (first, words)])


def _known(brief: Brief, width: float, size: float) -> Piece:
    size = size * 0.92
    column = (width - 14) / 2
    pieces = [_asked(fact, column, size) for fact in brief.facts]
    half = _half(pieces)
    also = _text([(f"{_('Answered')}: ", BOLD), (brief.also.text, PLAIN), *_pointer(brief.also)], width, size)
    return _stack(
        [
            _heading(_("Already answered: do not ask again"), width, size / 0.92),
            _beside([(0, _stack(pieces[:half])), (column + 14, _stack(pieces[half:]))]),
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
    return _text([*runs, *_pointer(fact.answer)], width, size)


def _fact(name: str, words: str, width: float, size: float) -> Piece:
    return _text([(f"{name}: ", BOLD), (words, PLAIN)], width, size)


def _pointer(words: Words) -> list[Run]:
    return [(f" ({_('see full answers')})", PLAIN)] if words.cut else []


def _foot(brief: Brief, width: float, size: float) -> Piece:
    size = min(size * 0.9, 7.5)
    left = _("%(clinic)s. Confidential health information.") % {"clinic": brief.clinic}
    right = f"{brief.printed}. {_('Page 1 of 1')}"
    pieces = [
        (0.0, _text([(left, PLAIN)], width * 0.5, size, grey=True)),
        (width * 0.52, _text([(right, PLAIN)], width * 0.48, size, grey=True)),
    ]
    return _beside([(x, Piece(piece.height + 3, piece.draw)) for x, piece in pieces])


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
