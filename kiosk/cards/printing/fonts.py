"""The typeface of printed cards: Noto Sans CJK, which the station's screen uses as well.

Not shipped here: Debian's ``fonts-noto-cjk`` brings it, and the installers name that package.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cards.printing.shapes import INK, Colour, Text, Weight
from kiosk.core.errors import OperatorError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FOLDERS = (
    Path("/usr/share/fonts/opentype/noto"),  # Debian, Raspberry Pi OS
    Path("/usr/share/fonts/google-noto-sans-cjk-fonts"),  # Fedora
    Path("/usr/share/fonts/noto-cjk"),  # Arch
)
FILES: dict[Weight, str] = {
    "regular": "NotoSansCJK-Regular.ttc",
    "bold": "NotoSansCJK-Bold.ttc",
}
UNSEEN = ("Cf", "Mn")
"""Joiners and selectors: they have no shape of their own."""
JAPANESE = 0
"""The Japanese face's place in the collection."""


@cache
def path(weight: Weight) -> Path:
    """The font's file; OperatorError where it is not installed."""
    for folder in FOLDERS:
        if (folder / FILES[weight]).is_file():
            return folder / FILES[weight]
    raise OperatorError(
        "no_card_font",
        f"The font for cards is not installed ({FILES[weight]}).",
        "Install it: sudo apt install fonts-noto-cjk",
    )


@cache
def opened(weight: Weight) -> TTFont:
    """For measuring and outlines; tables are read as they are wanted."""
    from fontTools.ttLib import TTFont

    return TTFont(path(weight), fontNumber=JAPANESE, lazy=True)


def width(text: str, size: float, weight: Weight) -> float:
    """How long a line of text is, in the unit of its ``size``."""
    font = opened(weight)
    cmap, advances = font.getBestCmap(), font["hmtx"].metrics
    units = sum(advances[cmap.get(ord(char), ".notdef")][0] for char in text)
    return float(units * size / font["head"].unitsPerEm)


def check(text: str, weight: Weight) -> None:
    """OperatorError where the font has no shape for a letter: it would be missing on the paper."""
    known = opened(weight).getBestCmap()
    missing = {
        one for one in text if ord(one) not in known and unicodedata.category(one) not in UNSEEN
    }
    if missing:
        letters = " ".join(sorted(missing))
        raise OperatorError(
            "letters_unprinted",
            f"The font for paper has no {letters} ({text}).",
            "Write that name without it; pictures and other scripts are for the screen alone.",
            letters=letters,
            text=text,
        )


def fitted(
    text: str, most: float, size: float, weight: Weight, *, least: float
) -> tuple[float, str]:
    """The size, at most ``size`` and at least ``least``, at which a line is no longer than ``most``; what
    is too long even then loses its end."""
    long = width(text, size, weight)
    if long <= most:
        return size, text
    size = max(least, size * most / long)
    while len(text) > 1 and width(text, size, weight) > most:
        text = text[:-2].rstrip() + "…"
    return size, text


def line(
    text: str,
    x: float,
    y: float,
    most: float,
    size: float,
    weight: Weight = "regular",
    colour: Colour = INK,
    *,
    least: float = 0.5,
) -> Text:
    """A line from (``x``, ``y``) on, ``fitted``; ``least`` the share of its ``size`` that it keeps."""
    size, text = fitted(text, most, size, weight, least=least * size)
    return Text(x, y, text, size, weight, colour)
