"""What can be drawn: a few shapes in millimetres from the top left corner.

Colours are RGB. ``Text`` stands on its baseline ``y``; its size is the em in millimetres (a point is
0.353 mm).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Colour = tuple[int, int, int]
Weight = Literal["regular", "bold"]

INK: Colour = (20, 33, 31)
SOFT: Colour = (70, 83, 79)
GREEN: Colour = (11, 93, 78)
PALE: Colour = (227, 240, 232)
GREY: Colour = (150, 150, 150)
BLACK: Colour = (0, 0, 0)
MM_PER_PT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour

    def moved(self, dx: float, dy: float) -> Box:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Line:
    """From (``x``, ``y``) to (``to_x``, ``to_y``); ``dash`` the length of dashes and gaps, 0 for none."""

    x: float
    y: float
    to_x: float
    to_y: float
    colour: Colour = GREY
    width: float = 0.2
    dash: float = 0.0

    def moved(self, dx: float, dy: float) -> Line:
        to_x, to_y = self.to_x + dx, self.to_y + dy
        return replace(self, x=self.x + dx, y=self.y + dy, to_x=to_x, to_y=to_y)


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text from ``x`` on."""

    x: float
    y: float
    text: str
    size: float
    weight: Weight = "regular"
    colour: Colour = INK

    def moved(self, dx: float, dy: float) -> Text:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Cells:
    """A QR code's dark runs as (x, y, width) in modules of ``module`` millimetres, without quiet zone."""

    x: float
    y: float
    module: float
    runs: tuple[tuple[int, int, int], ...]

    def moved(self, dx: float, dy: float) -> Cells:
        return replace(self, x=self.x + dx, y=self.y + dy)


Shape = Box | Line | Text | Cells


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a white area."""

    width: float
    height: float
    shapes: tuple[Shape, ...]

    def moved(self, dx: float, dy: float) -> tuple[Shape, ...]:
        """Its shapes at another place."""
        return tuple(shape.moved(dx, dy) for shape in self.shapes)
