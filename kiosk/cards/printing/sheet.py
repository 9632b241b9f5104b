"""Five cards on an A4 sheet, each with its slip beside it, and where to cut.

Cards and slips touch, so that a few straight cuts make them all. Cut marks stand in the margins, outside
of what is kept; between card and slip the line is dashed all the way, for scissors or a tear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kiosk.cards.printing import fonts
from kiosk.cards.printing.layout import CARD_MM, Names, Print, face, slip
from kiosk.cards.printing.shapes import GREY, MM_PER_PT, SOFT, Drawing, Line, Shape, Text

A4_MM = (210.0, 297.0)
ROWS = 5
LEFT_MM = (A4_MM[0] - 2 * CARD_MM[0]) / 2
TOP_MM = (A4_MM[1] - ROWS * CARD_MM[1]) / 2
MARK_MM = 6.0
OFF_MM = 2.0
"""A mark begins so far from what is cut out."""
DASH_MM = 1.5


def sheets(cards: Sequence[Print], names: Names, words: Mapping[str, str]) -> Iterator[Drawing]:
    """One drawing a page."""
    pages = -(-len(cards) // ROWS)
    for page in range(pages):
        shapes: list[Shape] = list(_frame(words, page + 1, pages))
        for row, card in enumerate(cards[page * ROWS : (page + 1) * ROWS]):
            top = TOP_MM + row * CARD_MM[1]
            shapes += face(card, names, words).moved(LEFT_MM, top)
            shapes += slip(card, names, words).moved(LEFT_MM + CARD_MM[0], top)
        yield Drawing(*A4_MM, tuple(shapes))


def cut_marks() -> Iterator[Line]:
    """Where to cut: at every edge, on both sides of the sheet."""
    right, bottom = LEFT_MM + 2 * CARD_MM[0], TOP_MM + ROWS * CARD_MM[1]
    for column in range(3):
        x = LEFT_MM + column * CARD_MM[0]
        yield Line(x, TOP_MM - OFF_MM - MARK_MM, x, TOP_MM - OFF_MM)
        yield Line(x, bottom + OFF_MM, x, bottom + OFF_MM + MARK_MM)
    for row in range(ROWS + 1):
        y = TOP_MM + row * CARD_MM[1]
        yield Line(LEFT_MM - OFF_MM - MARK_MM, y, LEFT_MM - OFF_MM, y)
        yield Line(right + OFF_MM, y, right + OFF_MM + MARK_MM, y)


def _frame(words: Mapping[str, str], page: int, pages: int) -> Iterator[Shape]:
    yield from cut_marks()
    bottom = TOP_MM + ROWS * CARD_MM[1]
    x = LEFT_MM + CARD_MM[0]
    yield Line(x, TOP_MM, x, bottom, GREY, 0.2, DASH_MM)
    for row in range(1, ROWS):
        y = TOP_MM + row * CARD_MM[1]
        yield Line(x, y, x + CARD_MM[0], y, GREY, 0.1, DASH_MM)
    size = 6.5 * MM_PER_PT
    yield Text(LEFT_MM + 1.0, A4_MM[1] - 3.6, words["scale"], size, "regular", SOFT)
    number = words["page"].format(page=page, pages=pages)
    at = LEFT_MM + 2 * CARD_MM[0] - fonts.width(number, size, "regular")
    yield Text(at, 4.6, number, size, "regular", SOFT)
