"""Reading QR codes: one decoder after another, over one preparation after another.

Each step takes a grey picture and gives the codes it found, at the picture's own coordinates.
zxing-cpp comes first: it is ten times as fast as zbar, and on a large labelled set of photographs
it gave no wrong text. It is asked for ``QRCodeModel2`` alone: Micro QR is found in mere noise.
The preparations help what it misses (far, unsharp, uneven light, no quiet zone), zbar what is worn.

Never a wrong text: both decoders give bytes that passed the symbol's Reed-Solomon check, and no text is
ever guessed from them. Still pictures are read more thoroughly: ``qr_still``.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.qr_code import Code
from drivers.qr_prepare import sharp, threshold
from drivers.qr_zxing import look
from drivers.vision import Gray, load_cv2

Step = Callable[[Gray], list[Code]]

MAX_ENLARGE_PIXELS = 2 << 20
"""A larger picture is not enlarged: its codes have pixels enough."""


def plain(gray: Gray) -> list[Code]:
    """zxing-cpp on the picture as it is (0.3 to 0.6 ms at 640×480)."""
    return look(gray)[0]


def enlarged(gray: Gray) -> list[Code]:
    """Twice as large, for a card held far away."""
    if gray.size > MAX_ENLARGE_PIXELS:
        return []
    return [code.scaled(0.5) for code in plain(_twice(gray))]


def enlarged_and_sharpened(gray: Gray) -> list[Code]:
    """Both, for a small card out of focus."""
    if gray.size > MAX_ENLARGE_PIXELS:
        return []
    return [code.scaled(0.5) for code in plain(sharp(_twice(gray)))]


def thresholded(gray: Gray) -> list[Code]:
    """Black or white against the neighbourhood, for shadow and glare."""
    return plain(threshold(gray))


def worn(gray: Gray) -> list[Code]:
    """zbar on the picture as it is (about 8 ms at 640×480), for a scratched card."""
    from drivers import zbar

    return zbar.scan(gray)


def _twice(gray: Gray) -> Gray:
    cv2 = load_cv2()
    large: Gray = cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return large
