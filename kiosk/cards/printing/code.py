"""A text as a QR code: the smallest symbol, and the most correction that costs no larger one.

A card's 45 characters make version 3 at level M, and at Q as well, so Q it is.
"""

from __future__ import annotations

from dataclasses import dataclass

QUIET_MODULES = 4
"""ISO/IEC 18004: nothing but white, so wide, on every side."""
LEAST, BETTER = "M", ("H", "Q")


@dataclass(frozen=True, slots=True)
class Symbol:
    """``side`` in modules; ``runs`` the dark ones as (x, y, width); ``level`` of correction."""

    side: int
    level: str
    runs: tuple[tuple[int, int, int], ...]


def symbol(text: str) -> Symbol:
    """The QR code of a text. Raises ValueError for one that no QR code holds."""
    least = _rows(text, LEAST)
    for level in BETTER:
        rows = _rows(text, level)
        if len(rows) == len(least):
            return Symbol(len(rows), level, _runs(rows))
    return Symbol(len(least), LEAST, _runs(least))


def _rows(text: str, level: str) -> list[list[int]]:
    """Rows of levels, 0 where dark."""
    import numpy as np
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    rows: list[list[int]] = np.array(code.to_image(scale=1, add_quiet_zones=False)).tolist()
    return rows


def _runs(rows: list[list[int]]) -> tuple[tuple[int, int, int], ...]:
    runs: list[tuple[int, int, int]] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            width = 0
            while x + width < len(row) and row[x + width] == 0:
                width += 1
            if width:
                runs.append((x, y, width))
            x += max(width, 1)
    return tuple(runs)
