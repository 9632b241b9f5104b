"""Pages of signs as a PDF, in the millimetres of a page or smaller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fpdf import FPDF
from fpdf.drawing import PaintedPath
from fpdf.drawing_primitives import Transform
from fpdf.enums import PathPaintRule, StrokeCapStyle, StrokeJoinStyle
from fpdf.svg import svg_path_converter

from kiosk.cards.printing import fonts
from kiosk.cards.printing import pdf as cards_pdf
from kiosk.cards.printing.shapes import Box, Colour, Line, Shape, Text
from kiosk.signs.pictograms import GRID, Path, Picture

A4_MM = (210.0, 297.0)
A5_OF_A4 = 0.5**0.5

Drawn = Shape | Picture

_RULES = {
    (True, False): PathPaintRule.FILL_NONZERO,
    (False, True): PathPaintRule.STROKE,
    (True, True): PathPaintRule.STROKE_FILL_NONZERO,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Shapes on a white area, in millimetres."""

    width: float
    height: float
    shapes: tuple[Drawn, ...]

    def scaled(self, by: float) -> Page:
        """The same, smaller."""
        shapes = tuple(_scaled(one, by) for one in self.shapes)
        return Page(self.width * by, self.height * by, shapes)


def _scaled(shape: Drawn, by: float) -> Drawn:
    match shape:
        case Text():
            return replace(shape, x=shape.x * by, y=shape.y * by, size=shape.size * by)
        case Picture():
            return replace(shape, x=shape.x * by, y=shape.y * by, size=shape.size * by)
        case Box(x, y, width, height):
            return replace(shape, x=x * by, y=y * by, width=width * by, height=height * by)
        case Line(x, y, to_x, to_y):
            return replace(shape, x=x * by, y=y * by, to_x=to_x * by, to_y=to_y * by)
        case _:
            return replace(shape, x=shape.x * by, y=shape.y * by, module=shape.module * by)


def document(pages: Iterable[Page], title: str) -> bytes:
    """The whole file. OperatorError where a letter cannot be printed."""
    drawn = tuple(pages)
    for words in (one for page in drawn for one in page.shapes if isinstance(one, Text)):
        fonts.check(words.text, words.weight)
    pdf = cards_pdf.begun(title)
    for page in drawn:
        pdf.add_page(format=(page.width, page.height))
        for shape in page.shapes:
            if isinstance(shape, Picture):
                for path in shape.symbol.paths:
                    _draw(pdf, shape, path)
            else:
                cards_pdf.draw(pdf, shape)
    return bytes(pdf.output())


def _draw(pdf: FPDF, picture: Picture, path: Path) -> None:
    scale = picture.size / GRID
    with pdf.new_path() as painted:
        assert isinstance(painted, PaintedPath)
        svg_path_converter(painted, path.d)
        painted.transform = Transform.scaling(scale, scale).translate(picture.x, picture.y)
        painted.auto_close = False
        fill, line = picture.of(path.style.fill), picture.of(path.style.line)
        style = painted.style
        style.paint_rule = _RULES[fill is not None, line is not None]
        style.fill_color = None if fill is None else _hex(fill)
        style.stroke_color = None if line is None else _hex(line)
        style.stroke_width = path.style.width
        style.stroke_dash_pattern = ()
        style.stroke_cap_style = StrokeCapStyle.ROUND
        style.stroke_join_style = StrokeJoinStyle.ROUND


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
