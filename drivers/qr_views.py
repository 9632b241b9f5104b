"""Preparations of a grey picture that let a decoder read what it misses in the picture as it is.

Each view is a picture and how it is to be made black and white. The order is about that of what they
added by the millisecond on 840 rendered photographs (seed 1 of ``tests/benchmarks/card_pictures.py``),
with what is known to help on real ones (enlarged, sharpened, a threshold, a quiet zone) well in front. A
view that a picture has no use for is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drivers.qr_prepare import (
    closed,
    evened,
    halfway,
    lit_evenly,
    opened,
    refocused,
    scaled,
    sharp,
    standing_out,
    stretched,
    threshold,
    within,
)
from drivers.qr_zxing import FIXED, GLOBAL, LOCAL
from drivers.vision import Gray, load_cv2

QUIET_PX = 32
MAX_TWICE_PIXELS = 2 << 20
"""A larger picture is not enlarged: its codes have pixels enough."""
MAX_THRICE_PIXELS = 1 << 18
FULL_SIDE_PX = 2_000
"""What costs much is done to a picture of this longer side at most."""
FEW = 6
"""So many views are looked at in any case where a picture shows several codes."""


@dataclass(frozen=True, slots=True)
class View:
    """``made`` the prepared picture, whose size says how much it was scaled; ``edge_px`` the frame that was
    put around it."""

    made: Callable[[Gray], Gray | None]
    binarizer: str = LOCAL
    edge_px: int = 0


def _full(gray: Gray) -> Gray:
    return within(gray, FULL_SIDE_PX)


def _smaller(gray: Gray) -> Gray:
    """Half of it, or what is left of a large one."""
    return scaled(gray, min(0.5, 720 / max(gray.shape)))


def _twice(gray: Gray) -> Gray | None:
    return scaled(gray, 2) if gray.size <= MAX_TWICE_PIXELS else None


def _thrice(gray: Gray) -> Gray | None:
    return scaled(gray, 3) if gray.size <= MAX_THRICE_PIXELS else None


def _half_more(gray: Gray) -> Gray | None:
    return scaled(gray, 1.5) if gray.size <= MAX_TWICE_PIXELS else None


def _twice_sharp(gray: Gray) -> Gray | None:
    twice = _twice(gray)
    return None if twice is None else sharp(twice)


def _framed(gray: Gray) -> Gray:
    cv2 = load_cv2()
    q = QUIET_PX
    wide: Gray = cv2.copyMakeBorder(gray, q, q, q, q, cv2.BORDER_CONSTANT, value=255)
    return wide


def _soft(gray: Gray) -> Gray:
    made: Gray = load_cv2().GaussianBlur(_full(gray), (5, 5), 0)
    return made


def _median(gray: Gray) -> Gray:
    made: Gray = load_cv2().medianBlur(_full(gray), 3)
    return made


def _spread(gray: Gray) -> Gray:
    made: Gray = load_cv2().erode(_full(gray), np.ones((3, 3), np.uint8))
    return made


def _thinned(gray: Gray) -> Gray:
    made: Gray = load_cv2().dilate(_full(gray), np.ones((3, 3), np.uint8))
    return made


VIEWS: tuple[View, ...] = (
    View(lambda gray: 255 - gray, GLOBAL),
    View(lambda gray: threshold(_smaller(gray), 31, 3), FIXED),
    View(lambda gray: gray, GLOBAL),
    View(lambda gray: stretched(_full(gray))),
    View(_framed, edge_px=QUIET_PX),
    View(_twice_sharp),
    View(_smaller),
    View(lambda gray: scaled(gray, 0.25)),
    View(lambda gray: threshold(_full(gray)), FIXED),
    View(lambda gray: halfway(within(gray, 800), 31), FIXED),
    View(lambda gray: within(gray, 640), GLOBAL),
    View(_twice),
    View(lambda gray: sharp(_full(gray), 4, 2.5)),
    View(lambda gray: lit_evenly(_full(gray)), GLOBAL),
    View(lambda gray: evened(_full(gray))),
    View(_spread),
    View(_median),
    View(lambda gray: scaled(gray, 0.7)),
    View(lambda gray: opened(_full(gray), 5)),
    View(lambda gray: closed(_full(gray), 3)),
    View(_thinned),
    View(lambda gray: threshold(_soft(gray), 41, 2), FIXED),
    View(_half_more),
    View(lambda gray: standing_out(within(gray, 1_000)), FIXED),
    View(lambda gray: standing_out(within(gray, 1_000), 31), FIXED),
    View(lambda gray: halfway(within(gray, 1_000), 15), FIXED),
    View(lambda gray: halfway(within(gray, 1_000), 71), FIXED),
    View(_thrice),
    View(lambda gray: refocused(within(gray, 800), 3)),
    View(lambda gray: refocused(within(gray, 800), 5)),
)
