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
from drivers.qr_zxing import look
from drivers.vision import Gray, load_cv2

Step = Callable[[Gray], list[Code]]

MAX_ENLARGE_PIXELS = 2 << 20
"""A larger picture is not enlarged: its codes have pixels enough."""
_QUIET_PIXELS = 32
_WHITE = 255


def plain(gray: Gray) -> list[Code]:
    """zxing-cpp on the picture as it is (0.3 to 0.6 ms at 640×480)."""
    return look(gray)[0]


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


LIVE_STEPS: tuple[Step, ...] = (enlarged, worn, sharpened, thresholded, framed)
"""What a live reader tries in turn, one a frame, beside :func:`plain` on each."""


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
