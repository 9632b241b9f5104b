"""The screen's pictograms (``kiosk/screen/assets/pictograms.svg``) as shapes to print.

A symbol is drawn in a square of ``GRID``: paths with the class ``tint`` are filled, all others are lines of
``STROKE``, as screen.css has them.
"""

from __future__ import annotations

import tomllib
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
WARNING = "warning"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Path:
    """One path of a symbol, as SVG's ``d``; ``filled`` rather than drawn."""

    d: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A symbol in a square of ``size`` millimetres from (``x``, ``y``)."""

    x: float
    y: float
    size: float
    paths: tuple[Path, ...]
    colour: Colour = GREEN
    tint: Colour = TINT

    def moved(self, dx: float, dy: float) -> Picture:
        return replace(self, x=self.x + dx, y=self.y + dy)


# Two that only paper needs: the screen has none to stand on.
PRINTED: dict[str, tuple[Path, ...]] = {
    "standing": (
        Path("M14 50h36v6H14z", filled=True),
        Path("M32 12a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM32 22v14M24 27h16M32 36l-6 13M32 36l6 13", False),
        Path("M13 50h38v6H13z", False),
        Path("M32 3a29 29 0 1 1 0 58a29 29 0 0 1 0-58zM11.5 11.5l41 41", False),
    ),
    WARNING: (
        Path("M32 6L61 57H3z", filled=True),
        Path("M32 6L61 57H3zM32 24v17M32 48v1", False),
    ),
}


@cache
def symbols() -> dict[str, tuple[Path, ...]]:
    """Every symbol of the screen, and those of paper, by its name."""
    found = dict(PRINTED)
    svg = (resources.files(ASSETS) / "pictograms.svg").read_text("utf-8")
    for symbol in ET.fromstring(svg):
        assert symbol.get("viewBox") == f"0 0 {GRID:g} {GRID:g}", symbol.get("id")
        found[symbol.attrib["id"]] = tuple(
            Path(_d(one), one.get("class") == "tint") for one in symbol
        )
    return found


@cache
def _of_items() -> dict[str, str]:
    pictures: dict[str, str] = tomllib.loads(
        (resources.files(ASSETS) / "pictures.toml").read_text("utf-8")
    )
    return pictures


def of_item(code: str) -> tuple[Path, ...]:
    """An item's symbol; what has none gets the one for anything else."""
    return symbols()[_of_items().get(code, OTHER)]


def of_hazard(hazard: Hazard) -> tuple[Path, ...]:
    """A hazard's own symbol where the screen has one, else the triangle."""
    return symbols().get(f"hazard-{hazard}") or symbols()[WARNING]


def _d(element: ET.Element) -> str:
    """A path's data; circles and rectangles as paths."""
    tag, at = element.tag.rpartition("}")[2], element.attrib
    if tag == "circle":
        x, y, r = float(at["cx"]), float(at["cy"]), float(at["r"])
        return f"M{x - r} {y}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"
    if tag == "rect":
        return f"M{at['x']} {at['y']}h{at['width']}v{at['height']}h-{at['width']}z"
    assert tag == "path", tag
    return at["d"]
