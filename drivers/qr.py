"""Reading QR codes: one decoder after another, over one preparation after another.

Each step takes a grey picture and gives the codes it found, at the picture's own coordinates.
zxing-cpp comes first: it is ten times as fast as zbar, and on a large labelled set of photographs
it gave no wrong text. It is asked for ``QRCodeModel2`` alone: Micro QR is found in mere noise.
The preparations help what it misses (far, unsharp, uneven light, no quiet zone), zbar what is worn.

Never a wrong text: both decoders give bytes that passed the symbol's Reed-Solomon check, no text is
ever guessed from them, and zbar's word counts only where zxing-cpp read nothing, and, in a still
picture, only if zbar reads the same in two preparations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.qr_code import Code
from drivers.vision import Gray, load_cv2

Step = Callable[[Gray], list[Code]]

MAX_WORK_PIXELS = 16 << 20
"""A larger picture is made smaller first; a module of a code in it still has several pixels."""
MAX_ENLARGE_PIXELS = 2 << 20
"""A larger picture is not enlarged: its codes have pixels enough."""
_QUIET_PIXELS = 32
_WHITE = 255


def plain(gray: Gray) -> list[Code]:
    """zxing-cpp on the picture as it is (0.3 to 0.6 ms at 640×480)."""
    return [code_of(barcode) for barcode in barcodes(gray) if barcode.valid and barcode.bytes]


def barcodes(gray: Gray, *, errors: bool = False) -> list[Any]:
    """What zxing-cpp finds; with ``errors`` also codes that it located and cannot read."""
    import zxingcpp

    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    # In this mode ``barcode.text`` says where an ECI stands (``qr_text``), and guesses nothing.
    layout = zxingcpp.TextMode.HexECI
    return list(
        zxingcpp.read_barcodes(gray, formats=wanted, text_mode=layout, return_errors=errors)
    )


def code_of(barcode: Any) -> Code:
    """A barcode of zxing-cpp's as one of ours."""
    at = barcode.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    xs = [corner.x for corner in corners]
    ys = [corner.y for corner in corners]
    return Code(bytes(barcode.bytes), min(xs), min(ys), max(xs), max(ys), barcode)


def enlarged(gray: Gray) -> list[Code]:
    """Twice as large, for a card held far away."""
    if gray.size > MAX_ENLARGE_PIXELS:
        return []
    return [code.scaled(0.5) for code in plain(_twice(gray))]


def sharpened(gray: Gray) -> list[Code]:
    """Unsharp mask, for a card out of focus."""
    return plain(_sharp(gray))


def enlarged_and_sharpened(gray: Gray) -> list[Code]:
    """Both, for a small card out of focus."""
    if gray.size > MAX_ENLARGE_PIXELS:
        return []
    return [code.scaled(0.5) for code in plain(_sharp(_twice(gray)))]


def thresholded(gray: Gray) -> list[Code]:
    """Black or white against the neighbourhood, for shadow and glare."""
    return plain(_threshold(gray))


def framed(gray: Gray) -> list[Code]:
    """A white frame around it, for a picture cropped to the code."""
    cv2 = load_cv2()
    q = _QUIET_PIXELS
    wide: Gray = cv2.copyMakeBorder(gray, q, q, q, q, cv2.BORDER_CONSTANT, value=_WHITE)
    return [code.moved(-q) for code in plain(wide)]


def worn(gray: Gray) -> list[Code]:
    """zbar on the picture as it is (about 8 ms at 640×480), for a scratched card."""
    from drivers import zbar

    return zbar.scan(gray)


def read_gray(gray: Gray) -> list[Code]:
    """Everything tried on one grey picture; each code once, in the order of finding."""
    gray = _bounded(gray)
    codes: list[Code] = []
    for step in (plain, enlarged, sharpened, enlarged_and_sharpened, thresholded, framed):
        codes += step(gray)
    codes += [code for code in _agreed_by_zbar(gray) if not any(map(code.overlaps, codes))]
    each: list[Code] = []
    for code in codes:
        if not any(known.is_again(code) for known in each):
            each.append(code)
    return each


def _agreed_by_zbar(gray: Gray) -> list[Code]:
    views = [gray, _sharp(gray), _threshold(gray)]
    if gray.size <= MAX_ENLARGE_PIXELS:
        views.append(_twice(gray))
    seen: dict[bytes, Code] = {}
    agreed: dict[bytes, Code] = {}
    for view in views:
        for code in worn(view):
            at_home = code.scaled(gray.shape[1] / view.shape[1])
            if seen.setdefault(code.text, at_home) is not at_home:
                agreed.setdefault(code.text, at_home)
    return list(agreed.values())


def _bounded(gray: Gray) -> Gray:
    if gray.size <= MAX_WORK_PIXELS:
        return gray
    cv2 = load_cv2()
    factor = (MAX_WORK_PIXELS / gray.size) ** 0.5
    small: Gray = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return small


def _twice(gray: Gray) -> Gray:
    cv2 = load_cv2()
    large: Gray = cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return large


def _sharp(gray: Gray) -> Gray:
    cv2 = load_cv2()
    soft = cv2.GaussianBlur(gray, (0, 0), 2.0)
    sharp: Gray = cv2.addWeighted(gray, 2.5, soft, -1.5, 0)
    return sharp


def _threshold(gray: Gray) -> Gray:
    cv2 = load_cv2()
    black: Gray = cv2.adaptiveThreshold(
        gray, _WHITE, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 41, 5
    )
    return black
