"""The QR code as a drawing: what it draws is what the library means."""

import re

import segno
from hypothesis import given
from hypothesis import strategies as st

from intake.admin.tablet import MARGIN, qr_drawing

ADDRESS = "https://intake.clinic.example/intake/tablet/"


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=43, max_size=43))
def test_the_path_has_exactly_the_dark_modules(token: str) -> None:
    side, path = qr_drawing(ADDRESS + token)
    meant = segno.make(ADDRESS + token, error="m", micro=False).matrix
    dark = {(x + MARGIN, y + MARGIN) for y, row in enumerate(meant) for x, module in enumerate(row) if module}
    drawn = [
        (int(x) + step, int(y))
        for x, y, run, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
        for step in range(int(run))
        if run == back
    ]
    assert side == len(meant) + 2 * MARGIN
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == dark
    assert re.sub(r"M\d+ \d+h\d+v1h-\d+z", "", path) == "", "and nothing that would need a style"
