"""The sign over a bin: its pictogram, its item's name in three languages, what to heed there.

Made for A4 across, in millimetres, to be read from two metres; on A5 the same, smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import BLACK, GREEN, INK, SOFT, Box, Colour, Text, Weight
from kiosk.signs.paper import A4_MM, Drawn, Page
from kiosk.signs.pictograms import WHITE, Picture, Symbol

HEIGHT, WIDTH = A4_MM
EDGE = 14.0
PICTURE = 118.0
COLUMN = EDGE + PICTURE + 12.0
WIDE = WIDTH - EDGE - COLUMN
WARNING: Colour = (255, 214, 64)
NAME_MM, OTHER_MM, SMALL_MM = 24.0, 10.0, 6.0
BAND_MM = 29.0
"""One hazard's height."""
LEADING = 1.22
TOP_MM, GAP_MM = 18.0, 4.0
MAX_HAZARDS = 2
"""More on one sign would not be read."""


@dataclass(frozen=True, slots=True)
class Heed:
    """One hazard: its picture, and what to do in the three languages."""

    picture: Symbol
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands over one bin; mappings by language (``ja``, ``easy``, ``en``)."""

    bin: str
    station: str
    picture: Symbol
    name: Mapping[str, str]
    short: tuple[str, str]
    """The Japanese name in two lines."""
    full: Mapping[str, str]
    heeds: tuple[Heed, ...] = ()


def page(sign: Sign) -> Page:
    """The whole page."""
    heeds = sign.heeds[:MAX_HAZARDS]
    bottom = HEIGHT - EDGE - len(heeds) * BAND_MM - 10.0
    picture = min(PICTURE, bottom - EDGE)
    shapes: list[Drawn] = [
        Box(0, 0, WIDTH, 5.0, GREEN),
        Picture(
            EDGE + (PICTURE - picture) / 2,
            EDGE + (bottom - EDGE - picture) / 2,
            picture,
            sign.picture,
        ),
    ]
    shapes += _names(sign, bottom)
    for row, heed in enumerate(heeds):
        shapes += _band(heed, HEIGHT - EDGE + 4.0 - (len(heeds) - row) * BAND_MM)
    shapes.append(fonts.line(sign.station, EDGE, HEIGHT - 3.6, WIDTH / 2, 3.6, colour=SOFT))
    number = fonts.width(sign.bin, 12.0, "bold")
    shapes.append(Text(WIDTH - EDGE - number, 20.0, sign.bin, 12.0, "bold", SOFT))
    return Page(WIDTH, HEIGHT, tuple(shapes))


def _names(sign: Sign, bottom: float) -> list[Drawn]:
    """The names one under another, in the middle of what is left beside the picture."""
    rows: list[tuple[str, float, Weight, Colour]] = []
    lines = [line for line in sign.short if line]
    size = min(fonts.fitted(line, WIDE, NAME_MM, "bold", least=9.0)[0] for line in lines)
    rows += [(line, size, "bold", GREEN) for line in lines]
    rows += [(line, OTHER_MM, "regular", INK) for line in folded(sign.name["easy"], OTHER_MM)]
    rows += [(line, OTHER_MM, "regular", INK) for line in folded(sign.name["en"], OTHER_MM)]
    rows += [
        (sign.full["ja"], SMALL_MM, "bold", SOFT),
        (sign.full["easy"], SMALL_MM, "regular", SOFT),
    ]
    rows.append((sign.full["en"], SMALL_MM, "regular", SOFT))
    tall = sum(size * LEADING for _, size, _, _ in rows) + 2 * GAP_MM
    fits = min(1.0, (bottom - TOP_MM) / tall)
    y = TOP_MM + (bottom - TOP_MM - tall * fits) / 2
    shapes: list[Drawn] = []
    before = size
    for text, wanted, weight, colour in rows:
        y += (wanted * LEADING + (GAP_MM if wanted < before else 0.0)) * fits
        before = wanted
        size = wanted * fits
        shapes.append(fonts.line(text, COLUMN, y - 0.3 * size, WIDE, size, weight, colour))
    return shapes


def folded(text: str, size: float) -> list[str]:
    """A name in one line, or in two at a space or bracket."""
    if fonts.width(text, size, "regular") <= WIDE:
        return [text]
    best = min(
        (at for at, char in enumerate(text) if at and char in " （("),
        key=lambda at: abs(at - len(text) / 2),
        default=len(text) // 2,
    )
    return [text[:best].rstrip(), text[best:].strip()]


def _band(heed: Heed, y: float) -> list[Drawn]:
    """What to heed, on yellow: a picture and three lines."""
    height = BAND_MM - 2.0
    x, wide = EDGE + height + 4.0, WIDTH - 2 * EDGE - height - 8.0
    return [
        Box(EDGE, y, WIDTH - 2 * EDGE, height, WARNING),
        Picture(EDGE + 2.0, y + 1.5, height - 3.0, heed.picture, BLACK, WHITE),
        fonts.line(heed.words["ja"], x, y + 10.0, wide, 9.5, "bold", BLACK),
        fonts.line(heed.words["easy"], x, y + 17.4, wide, 6.2, "regular", BLACK),
        fonts.line(heed.words["en"], x, y + 24.4, wide, 6.2, "regular", BLACK),
    ]
