"""Paper: words measured, broken into lines and drawn as they are, and pieces put together from them.

Nothing of a patient's is ever read as markup. The library is imported at the first PDF, not at start-up.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FONTS: Final = Path(__file__).resolve().parent / "fonts"
PLAIN: Final = "Footing"
BOLD: Final = "Footing-Bold"
# In points, 72 to an inch.
PAPERS: Final = {"letter": (612.0, 792.0), "a4": (595.28, 841.89)}
MARGIN: Final = 32.4
SIZE: Final = 9.0
GREY: Final = 0.25

Run = tuple[str, str]


@cache
def register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(PLAIN, FONTS / "DejaVuSansCondensed.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, FONTS / "DejaVuSansCondensed-Bold.ttf"))


def width_of(text: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, size))


# Pieces: something of a height that can draw itself with its top left corner at a point


@dataclass(frozen=True, slots=True)
class Piece:
    height: float
    draw: Callable[[Any, float, float], None]


def stack(pieces: Iterable[Piece], gap: float = 0) -> Piece:
    """One under the other."""
    pieces = list(pieces)

    def draw(canvas: Any, x: float, top: float) -> None:
        for piece in pieces:
            piece.draw(canvas, x, top)
            top -= piece.height + gap

    return Piece(sum(piece.height for piece in pieces) + gap * max(len(pieces) - 1, 0), draw)


def beside(columns: Sequence[tuple[float, Piece]]) -> Piece:
    """Side by side, each at its distance from the left."""

    def draw(canvas: Any, x: float, top: float) -> None:
        for offset, piece in columns:
            piece.draw(canvas, x + offset, top)

    return Piece(max(piece.height for _offset, piece in columns), draw)


def prose(runs: Iterable[Run], width: float, size: float, *, grey: bool = False, after: float = 0) -> Piece:
    """Words in lines. runs: (text, font)."""
    lines = list(broken(runs, width, size))
    leading = size * 1.27

    def draw(canvas: Any, x: float, top: float) -> None:
        canvas.setFillGray(GREY if grey else 0)
        for number, line in enumerate(lines):
            at = x
            for words, font in line:
                canvas.setFont(font, size)
                canvas.drawString(at, top - size * 0.95 - number * leading, words)
                at += width_of(words, font, size)
        canvas.setFillGray(0)

    return Piece(len(lines) * leading + after, draw)


def broken(runs: Iterable[Run], width: float, size: float) -> Iterator[list[Run]]:
    """The lines of the runs: broken between words, and inside of one that is wider than a line."""
    line: list[Run] = []
    used = 0.0
    for text, font in runs:
        for word in re.findall(r"\S+\s*|\s+", text):
            while used + width_of(word.rstrip(), font, size) > width:
                if line:
                    yield line
                    line, used = [], 0.0
                    continue
                fits = next(
                    (end for end in range(len(word), 1, -1) if width_of(word[:end], font, size) <= width), 1
                )
                if fits >= len(word.rstrip()):
                    break
                yield [(word[:fits], font)]
                word = word[fits:]
            line.append((word, font))
            used += width_of(word, font, size)
    if line:
        yield line


def heading(text: str, width: float, size: float) -> Piece:
    words = prose([(text, BOLD)], width, size * 1.03)
    height = words.height + 2

    def draw(canvas: Any, x: float, top: float) -> None:
        words.draw(canvas, x, top)
        canvas.setLineWidth(1.1)
        canvas.line(x, top - height + 1.5, x + width, top - height + 1.5)

    return Piece(height + 2.5, draw)


def ruled(piece: Piece, width: float) -> Piece:
    """A row with a thin line under it."""

    def draw(canvas: Any, x: float, top: float) -> None:
        piece.draw(canvas, x, top - 2)
        canvas.setLineWidth(0.4)
        canvas.line(x, top - piece.height - 3.5, x + width, top - piece.height - 3.5)

    return Piece(piece.height + 4, draw)
