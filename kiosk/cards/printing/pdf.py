"""Drawings as PDF pages; of the fonts only the characters that are used are embedded."""

from __future__ import annotations

from collections.abc import Iterable

from fpdf import FPDF
from fpdf.drawing import PaintedPath
from fpdf.enums import PathPaintRule

from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import MM_PER_PT, Box, Cells, Drawing, Line, Shape, Text


def document(pages: Iterable[Drawing], title: str) -> bytes:
    """The whole file."""
    pdf = begun(title)
    for page in pages:
        pdf.add_page(format=(page.width, page.height))
        for shape in page.shapes:
            draw(pdf, shape)
    return bytes(pdf.output())


def begun(title: str) -> FPDF:
    """A file without a page."""
    pdf = FPDF(unit="mm")
    pdf.set_margin(0)
    pdf.set_auto_page_break(False)
    pdf.set_title(title)
    return pdf


def draw(pdf: FPDF, shape: Shape) -> None:
    """One shape on the file's last page."""
    match shape:
        case Text():
            if shape.weight not in pdf.fonts:
                font = fonts.path(shape.weight)
                pdf.add_font(shape.weight, fname=font, collection_font_number=fonts.JAPANESE)
            pdf.set_text_color(*shape.colour)
            pdf.set_font(shape.weight, size=shape.size / MM_PER_PT)
            pdf.text(shape.x, shape.y, shape.text)
        case Box():
            pdf.set_fill_color(*shape.colour)
            pdf.rect(shape.x, shape.y, shape.width, shape.height, style="F")
        case Line():
            pdf.set_draw_color(*shape.colour)
            pdf.set_line_width(shape.width)
            pdf.set_dash_pattern(dash=shape.dash, gap=shape.dash)
            pdf.line(shape.x, shape.y, shape.to_x, shape.to_y)
        case Cells():
            _cells(pdf, shape)


def _cells(pdf: FPDF, cells: Cells) -> None:
    """One path for all: between paths a renderer would leave hairlines of white."""
    with pdf.new_path() as path:
        assert isinstance(path, PaintedPath)
        path.style.fill_color = "#000000"
        path.style.stroke_color = None
        path.style.paint_rule = PathPaintRule.FILL_NONZERO
        for x, y, width in cells.runs:
            left, top = cells.x + x * cells.module, cells.y + y * cells.module
            path.rectangle(left, top, width * cells.module, cells.module)
