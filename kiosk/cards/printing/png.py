"""A drawing as PNG, fine enough for a card printer: a module of 1.2 mm is exactly 18 pixels."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import BLACK, Box, Cells, Drawing, Line, Shape, Text, Weight

PX_PER_MM = 15
DPI = PX_PER_MM * 25.4


def picture(page: Drawing) -> bytes:
    """The whole file, with its resolution in it."""
    size = (_px(page.width), _px(page.height))
    image = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for shape in page.shapes:
        _draw(pen, shape)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def _draw(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    match shape:
        case Text():
            place = (shape.x * PX_PER_MM, shape.y * PX_PER_MM)
            font = _font(shape.weight, shape.size * PX_PER_MM)
            pen.text(place, shape.text, fill=shape.colour, font=font, anchor="ls")
        case Box():
            _fill(pen, shape.x, shape.y, shape.width, shape.height, shape.colour)
        case Line():
            ends = [_px(value) for value in (shape.x, shape.y, shape.to_x, shape.to_y)]
            pen.line(ends, fill=shape.colour, width=max(1, _px(shape.width)))
        case Cells():
            m = shape.module
            for x, y, width in shape.runs:
                _fill(pen, shape.x + x * m, shape.y + y * m, width * m, m, BLACK)


def _fill(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    width: float,
    height: float,
    colour: tuple[int, int, int],
) -> None:
    """Both corners belong to the rectangle."""
    corners = (_px(x), _px(y), _px(x + width) - 1, _px(y + height) - 1)
    pen.rectangle(corners, fill=colour)


@cache
def _font(weight: Weight, size_px: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(fonts.path(weight), size_px, index=fonts.JAPANESE)


def _px(mm: float) -> int:
    return round(mm * PX_PER_MM)
