"""What stands where on a card and on its slip, in millimetres.

A card is ISO/IEC 7810 ID-1, 85.6 by 54. The code takes its left half, with modules of 1.2 mm and a quiet
zone of four of them: what a camera reads best is large. Words are few and large, for a resident of 78 who
keeps it in a purse. The slip beside it has the same size; it is cut off and stays at home. Nothing is
printed at an edge, so that a cut may be a millimetre off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kiosk.cards.printing import fonts
from kiosk.cards.printing.code import QUIET_MODULES, symbol
from kiosk.cards.printing.shapes import (
    BLACK,
    GREEN,
    INK,
    MM_PER_PT,
    SOFT,
    Box,
    Cells,
    Colour,
    Drawing,
    Shape,
    Text,
    Weight,
)
from kiosk.core.cards.recovery import GROUP_CHARS, grouped

CARD_MM = (85.6, 54.0)
MODULE_MM = 1.2
CODE_MM = 34.8
"""A version 3 symbol's side; a larger symbol gets smaller modules."""
EDGE_MM = 5.0
BAR_MM = 1.2
SLIP_MODULE_MM = 0.8
CELL_MM = 4.2
"""A character's place in the recovery code: one under another they are compared best."""
GROUPS_A_LINE = 3
LEADING = 1.28


@dataclass(frozen=True, slots=True)
class Names:
    """Whose card it is: the town's name (may be missing), the station's, and whom to ask."""

    town: str | None
    station: str
    contact: str


@dataclass(frozen=True, slots=True)
class Print:
    """One card to print. ``number`` tells which slip belongs to it."""

    token: str
    recovery: str
    last_day: date
    number: str
    spare: bool = False


def face(card: Print, names: Names, words: Mapping[str, str]) -> Drawing:
    """The card."""
    width, height = CARD_MM
    code = _code(card.token, MODULE_MM, CODE_MM)
    side = code.side
    quiet = max(QUIET_MODULES * code.cells.module, 4.0)
    top = (height - side) / 2
    left = quiet + CODE_MM + quiet
    column = width - left - 3.0
    shapes: list[Shape] = [
        code.cells.moved(quiet, top),
        Box(quiet, height - 2 - BAR_MM, width - 3.0 - quiet, BAR_MM, GREEN),
    ]
    y = 8.0
    if names.town:
        shapes.append(_line(names.town, left, y, column, pt=9.5, colour=SOFT))
        y += 5.4
    for line in _two_lines(names.station, column):
        shapes.append(_line(line, left, y, column, pt=11.5, weight="bold", colour=GREEN))
        y += 5.2
    show = words["show"].split("\n")
    size = min(fonts.fitted(line, column, 14.5 * MM_PER_PT, "bold", least=3.0)[0] for line in show)
    y = 29.2 - (len(show) - 2) * size * LEADING / 2
    for line in show:
        shapes.append(Text(left, y, line, size, "bold", INK))
        y += size * LEADING
    shapes.append(_line(words["second"], left, y - 0.6, column, pt=7.5, colour=SOFT))
    day = card.last_day
    until = words["until"].format(year=day.year, month=day.month, day=day.day)
    number = words["number"].format(number=card.number)
    shapes.append(_line(until, left, height - 5.4, column, pt=8, colour=SOFT))
    return Drawing(width, height, (*shapes, _right(number, width - 1.6, 3.4, pt=6)))


def slip(card: Print, names: Names, words: Mapping[str, str]) -> Drawing:
    """What is kept at home."""
    width, height = CARD_MM
    code = _code(card.recovery, SLIP_MODULE_MM, 25 * SLIP_MODULE_MM)
    code_left = width - EDGE_MM - code.side
    column = code_left - EDGE_MM - 3.0
    shapes: list[Shape] = [code.cells.moved(code_left, 6.0)]
    shapes.append(Text(EDGE_MM, 8.8, words["slip"], 14 * MM_PER_PT, "bold", GREEN))
    number = words["number"].format(number=card.number)
    shapes.append(_right(number, width - 1.6, 3.4, pt=6))
    y = 14.4
    for line in (words["begin"] if card.spare else words["keep"]).split("\n"):
        shapes.append(_line(line, EDGE_MM, y, column, pt=8, weight="bold"))
        y += 4.0
    y += 0.7
    for line in words["lost"].split("\n"):
        shapes.append(_line(line, EDGE_MM, y, column, pt=8))
        y += 4.0
    y = 39.2
    for at in range(0, len(card.recovery), GROUPS_A_LINE * GROUP_CHARS):
        shapes += _groups(card.recovery[at : at + GROUPS_A_LINE * GROUP_CHARS], y)
        y += 7.2
    whom = words["ask"].format(contact=names.contact)
    shapes.append(_line(whom, EDGE_MM, height - 2.8, width - 2 * EDGE_MM, pt=7.5, colour=SOFT))
    return Drawing(width, height, tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Code:
    cells: Cells
    side: float


def _code(text: str, module: float, most: float) -> _Code:
    made = symbol(text)
    module = min(module, most / made.side)
    return _Code(Cells(0, 0, module, made.runs), module * made.side)


def _line(
    text: str,
    x: float,
    y: float,
    most: float,
    *,
    pt: float,
    weight: Weight = "regular",
    colour: Colour = INK,
) -> Text:
    return fonts.line(text, x, y, most, pt * MM_PER_PT, weight, colour, least=0.7)


def _right(text: str, x: float, y: float, *, pt: float) -> Text:
    size = pt * MM_PER_PT
    return Text(x - fonts.width(text, size, "regular"), y, text, size, "regular", SOFT)


def _two_lines(name: str, most: float) -> list[str]:
    """A name that is too long for one line, at a space of its own where it has one."""
    if fonts.width(name, 11.5 * MM_PER_PT, "bold") <= most:
        return [name]
    head, space, tail = name.replace("　", " ").partition(" ")
    if not space:
        half = (len(name) + 1) // 2
        head, tail = name[:half], name[half:]
    return [head, tail]


def _groups(text: str, y: float) -> list[Shape]:
    """Groups of five on one line, each character in its own place."""
    size = 14 * MM_PER_PT
    return [
        _centred(char, EDGE_MM + place * CELL_MM, y, size, SOFT if char == "-" else BLACK)
        for place, char in enumerate(grouped(text))
    ]


def _centred(char: str, x: float, y: float, size: float, colour: Colour) -> Text:
    """One character in the middle of its place."""
    shift = (CELL_MM - fonts.width(char, size, "bold")) / 2
    return Text(x + shift, y, char, size, "bold", colour)
