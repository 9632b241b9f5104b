"""The screen's pictograms (``kiosk/screen/assets/pictograms.svg``) as shapes to print.

A symbol is drawn ``GRID`` high, of lines of ``STROKE``; a path's class says what else it is, as
screen.css does for the page (``STYLES``). A class without a style is refused: no picture loses a part.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from kiosk.cards.printing.shapes import GREEN, Colour
from kiosk.core.catalogue import Hazard

ASSETS = "kiosk.screen.assets"
GRID = 64.0
STROKE = 3.0
TINT: Colour = (188, 220, 203)
WHITE: Colour = (255, 255, 255)
RED: Colour = (179, 38, 30)
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Style:
    """How a path is drawn; of ``fill`` and ``line`` ``tint`` and ``own`` are the picture's colours."""

    fill: Colour | str | None = None
    line: Colour | str | None = "own"
    width: float = STROKE


STYLES: dict[str | None, Style] = {
    None: Style(),
    "tint": Style("tint", None),
    "solid": Style("own"),
    "paper": Style(WHITE, None),
    "brown": Style((185, 138, 78), None),
    "no": Style(line=RED, width=5.0),
    "on-solid": Style(line=WHITE, width=6.0),
    "sign-care": Style((246, 196, 69), (122, 74, 0)),
    "on-care": Style(line=(61, 37, 0), width=6.0),
}


@dataclass(frozen=True, slots=True)
class Path:
    """One path of a symbol, as SVG's ``d``."""

    d: str
    style: Style = STYLES[None]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol's paths, on a grid ``wide`` by ``GRID``."""

    paths: tuple[Path, ...]
    wide: float = GRID


@dataclass(frozen=True, slots=True)
class Picture:
    """A symbol ``size`` millimetres high from (``x``, ``y``)."""

    x: float
    y: float
    size: float
    symbol: Symbol
    colour: Colour = GREEN
    tint: Colour = TINT

    def moved(self, dx: float, dy: float) -> Picture:
        return replace(self, x=self.x + dx, y=self.y + dy)

    def of(self, colour: Colour | str | None) -> Colour | None:
        """One of a style's colours as it is in this picture."""
        if isinstance(colour, str):
            return self.tint if colour == "tint" else self.colour
        return colour


STANDING = Symbol(
    (
        Path("M14 50h36v6H14z", STYLES["tint"]),
        Path("M32 12a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM32 22v14M24 27h16M32 36l-6 13M32 36l6 13"),
        Path("M13 50h38v6H13z"),
        Path("M32 3a29 29 0 1 1 0 58a29 29 0 0 1 0-58zM11.5 11.5l41 41"),
    )
)
"""Somebody on a scale's platform, struck out: only paper needs it."""


@cache
def symbols() -> dict[str, Symbol]:
    """Every symbol of the screen by its name."""
    svg = (resources.files(ASSETS) / "pictograms.svg").read_text("utf-8")
    found = {}
    for symbol in ET.fromstring(svg):
        x, y, wide, high = (float(one) for one in symbol.attrib["viewBox"].split())
        assert (x, y, high) == (0, 0, GRID), symbol.get("id")
        paths = tuple(Path(one.attrib["d"], STYLES[one.get("class")]) for one in symbol)
        found[symbol.attrib["id"]] = Symbol(paths, wide)
    return found


def of_item(code: str) -> Symbol:
    """An item's symbol; what has none gets the one for anything else."""
    return symbols().get(code) or symbols()[OTHER]


def of_hazard(hazard: Hazard) -> Symbol:
    """What to heed."""
    return symbols()[f"hazard-{hazard}"]
