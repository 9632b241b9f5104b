"""Small labels, several to a sheet, with lines to cut along.

``standing``: whoever stands on a scale's platform breaks it. ``numbers``: a bin is called by its name on
the screen, at the command line and in the doctor's sentences; whoever mends something has to find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import BLACK, GREEN, GREY, INK, SOFT, Colour, Line, Text
from kiosk.signs.paper import A4_MM, Drawn, Page
from kiosk.signs.pictograms import RED, STANDING, Picture
from kiosk.signs.sign import Sign

WIDTH, HEIGHT = A4_MM
PALE: Colour = (235, 235, 235)
STANDING_MM = (186.0, 62.0)
NUMBER_MM = (62.0, 36.0)
DASH_MM = 1.5
HEAD_MM = 16.0
EACH = 2
"""One on the bin, one at its lamp."""


def standing(scales: int, words: Mapping[str, str], head: str) -> Iterator[Page]:
    """Sheets with a label for each scale."""
    width, height = STANDING_MM
    shapes: list[Drawn] = [Picture(5.0, 6.0, height - 12.0, STANDING, RED, PALE)]
    x, wide = height + 2.0, width - height - 6.0
    lines = words["ja"].split("\n")
    size = min(fonts.fitted(line, wide, 15.5, "bold", least=8.0)[0] for line in lines)
    y = 22.0
    for line in lines:
        shapes.append(Text(x, y, line, size, "bold", BLACK))
        y += size * 1.15
    shapes.append(Text(x, y - 1.5, words["en"], 8.0, "regular", INK))
    yield from _sheets([tuple(shapes)] * scales, STANDING_MM, head)


def numbers(signs: Sequence[Sign], head: str) -> Iterator[Page]:
    """Sheets with ``EACH`` labels for each bin."""
    labels = [tuple(_number(sign)) for sign in signs for _ in range(EACH)]
    yield from _sheets(labels, NUMBER_MM, head)


def _number(sign: Sign) -> Iterator[Drawn]:
    width, height = NUMBER_MM
    yield Picture(2.5, 5.0, 24.0, sign.picture)
    column = width - 32.0
    yield fonts.line(sign.bin, 29.5, 16.5, column, 14.0, "bold", BLACK, least=0.12)  # its end tells
    y = 23.5
    for line in (one for one in sign.short if one):
        yield fonts.line(line, 29.5, y, column, 5.0, "bold", GREEN, least=0.6)
        y += 6.0
    yield fonts.line(sign.station, 2.5, height - 1.8, width - 5.0, 2.8, colour=SOFT, least=0.7)


def _sheets(
    labels: Sequence[tuple[Drawn, ...]], size: tuple[float, float], head: str
) -> Iterator[Page]:
    width, height = size
    across, down = int((WIDTH - 8) // width), int((HEIGHT - HEAD_MM - 8) // height)
    left = (WIDTH - across * width) / 2
    for first in range(0, len(labels), across * down):
        here = labels[first : first + across * down]
        shapes: list[Drawn] = [Text(left, 9.0, head, 3.6, "regular", SOFT)]
        for place, label in enumerate(here):
            row, column = divmod(place, across)
            x, y = left + column * width, HEAD_MM + row * height
            shapes += [shape.moved(x, y) for shape in label]
            shapes += _frame(x, y, width, height)
        yield Page(WIDTH, HEIGHT, tuple(shapes))


def _frame(x: float, y: float, width: float, height: float) -> Iterator[Line]:
    right, bottom = x + width, y + height
    for ends in (
        (x, y, right, y),
        (right, y, right, bottom),
        (x, bottom, right, bottom),
        (x, y, x, bottom),
    ):
        yield Line(*ends, GREY, 0.2, DASH_MM)
