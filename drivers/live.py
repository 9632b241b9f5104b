"""What a live reader tries on a frame, beside zxing-cpp on the whole of it: cheap steps, in turn.

Ordered by yield for each millisecond on frames that zxing-cpp alone does not read, as measured by
``tests/benchmarks/card_steps.py`` (docs/benchmarks.md keeps the table).
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers import qr
from drivers.qr_code import Code
from drivers.qr_grid import Sight
from drivers.qr_prepare import sharp
from drivers.qr_zxing import look
from drivers.vision import Gray, load_cv2

_WHITE = 255
_SOFT_SIGMA = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What zxing-cpp sees in a frame: ``codes`` it reads, and boxes of what it takes for codes and cannot
    read (left, top, right, bottom in pixels)."""

    codes: list[Code]
    unread: list[tuple[float, float, float, float]]


def sight(gray: Gray) -> Seen:
    """zxing-cpp on the whole frame (0.3 to 0.6 ms at 640x480)."""
    codes, unread = look(gray)
    return Seen(codes, [_box(one) for one in unread])


def _box(unread: Sight) -> tuple[float, float, float, float]:
    xs = [x for x, _ in unread.corners]
    ys = [y for _, y in unread.corners]
    return min(xs), min(ys), max(xs), max(ys)


def sharpened(gray: Gray) -> list[Code]:
    """Unsharp mask, for a card out of focus."""
    return qr.plain(sharp(gray))


def softened(gray: Gray) -> list[Code]:
    """Blurred a little, then black or white at Otsu's one threshold: closes scratches and worn ink."""
    cv2 = load_cv2()
    soft = cv2.GaussianBlur(gray, (0, 0), _SOFT_SIGMA)
    _, black = cv2.threshold(soft, 0, _WHITE, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return qr.plain(black)


LIVE_STEPS: tuple[qr.Step, ...] = (
    sharpened,
    qr.enlarged,
    qr.thresholded,
    qr.enlarged_and_sharpened,
    softened,
    qr.worn,
)
