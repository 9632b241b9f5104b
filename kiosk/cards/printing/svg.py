"""A drawing as SVG. Text is outlines, so it looks the same where the font is not installed."""

from __future__ import annotations

from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import Box, Cells, Colour, Drawing, Line, Shape, Text


def drawing(page: Drawing) -> bytes:
    """The whole file; one unit is one millimetre."""
    size = f'width="{page.width}mm" height="{page.height}mm"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {page.width} {page.height}">',
        f'<rect width="{page.width}" height="{page.height}" fill="#ffffff"/>',
        *(_element(shape) for shape in page.shapes),
        "</svg>\n",
    ]
    return "\n".join(lines).encode()


def _element(shape: Shape) -> str:
    match shape:
        case Text():
            return f'<path fill="{_hex(shape.colour)}" d="{_outlines(shape)}"/>'
        case Box():
            place = f'x="{_n(shape.x)}" y="{_n(shape.y)}"'
            size = f'width="{_n(shape.width)}" height="{_n(shape.height)}"'
            return f'<rect {place} {size} fill="{_hex(shape.colour)}"/>'
        case Line():
            ends = f"M{_n(shape.x)} {_n(shape.y)}L{_n(shape.to_x)} {_n(shape.to_y)}"
            dash = f' stroke-dasharray="{shape.dash}"' if shape.dash else ""
            stroke = f'stroke="{_hex(shape.colour)}" stroke-width="{shape.width}"{dash}'
            return f'<path {stroke} d="{ends}"/>'
        case Cells():
            m = shape.module
            runs = (
                f"M{_n(shape.x + x * m)} {_n(shape.y + y * m)}h{_n(width * m)}v{_n(m)}h{_n(-width * m)}z"
                for x, y, width in shape.runs
            )
            return f'<path fill="#000000" d="{"".join(runs)}"/>'


def _outlines(text: Text) -> str:
    from fontTools.misc.transform import Transform
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    font = fonts.opened(text.weight)
    glyphs, cmap, advances = font.getGlyphSet(), font.getBestCmap(), font["hmtx"].metrics
    scale = text.size / font["head"].unitsPerEm
    pen = SVGPathPen(glyphs, ntos=_n)
    x = text.x
    for char in text.text:
        name = cmap.get(ord(char), ".notdef")
        glyphs[name].draw(TransformPen(pen, Transform(scale, 0, 0, -scale, x, text.y)))
        x += advances[name][0] * scale
    commands: str = pen.getCommands()
    return commands


def _n(number: float) -> str:
    """To a ten-thousandth of a millimetre."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
