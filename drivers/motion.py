"""Whether something moves before the camera, and where.

Theory: two thumbnails of about 80 by 60 pixels, some 200 ms apart. What changes without anybody there
is light, and light multiplies: lamps on the mains pulse 100 or 120 times a second and so make bright and
dark bands of rows that wander; auto-exposure hunts; clouds pass. A camera's levels are a power of the
light, so each row's change is still one factor. It is taken out, row by row, as the median of the row's
ratios, and only what then still differs has moved. Where a pixel was clipped to white, what it became
may be anything between what the factor says and white.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.vision import Gray

ALERT_MS = 2_000
"""Full attention goes on so long after the last movement."""
REFERENCE_MS = 200
"""A picture is compared with one about so much older: slow movements add up."""
MOVED_LEVELS = 10
"""Grey levels (of 255) by which a thumbnail's pixel must change; noise averages to about 1."""
MOVED_PIXELS = 10
"""So many of the thumbnail's 4,800 pixels changed: something the size of a finger."""
MIN_RATIO, MAX_RATIO = 0.25, 4.0
"""Between two pictures light changes by no more; what changes more has moved."""
_DARK = 8
_WHITE = 250


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture, as shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def grown(self, share: float) -> Box:
        """With a margin of ``share`` of the picture on each side."""
        return Box(
            max(0.0, self.left - share),
            max(0.0, self.top - share),
            min(1.0, self.right + share),
            min(1.0, self.bottom + share),
        )

    def overlaps(self, other: Box) -> bool:
        """Whether both share a place."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class MotionGate:
    """Whether something moves, or did within ``ALERT_MS``."""

    def __init__(self) -> None:
        self._reference: Gray | None = None
        self._reference_ms = 0
        self._moved_ms: int | None = None
        self.moving = False
        """Whether the last thumbnail showed a movement."""
        self.box: Box | None = None
        """Where the last movement was."""

    def alert(self, thumb: Gray, t_ms: int) -> bool:
        """Look at a frame's thumbnail; whether something moved in the last ``ALERT_MS``."""
        if self._reference is None or self._reference.shape != thumb.shape:
            self._reference, self._reference_ms = thumb, t_ms
        moved = changes(self._reference, thumb)
        self.moving = int(np.count_nonzero(moved)) >= MOVED_PIXELS
        if self.moving:
            self._moved_ms, self.box = t_ms, _box(moved)
        if t_ms - self._reference_ms >= REFERENCE_MS:
            self._reference, self._reference_ms = thumb, t_ms
        return self._moved_ms is not None and t_ms - self._moved_ms < ALERT_MS


def changes(before: Gray, after: Gray) -> NDArray[np.bool_]:
    """The pixels whose change is not that of their row's light."""
    old, new = before.astype(np.float32), after.astype(np.float32)
    ratios = (new + _DARK) / (old + _DARK)
    light = np.clip(np.median(ratios, axis=1, keepdims=True), MIN_RATIO, MAX_RATIO)
    expected = np.minimum((old + _DARK) * light - _DARK, 255)
    apart = np.abs(new - expected)
    dimmed = (before >= _WHITE) & (new > expected)
    return np.asarray((apart > MOVED_LEVELS) & ~dimmed, np.bool_)


def _box(moved: NDArray[np.bool_]) -> Box:
    height, width = moved.shape
    rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
    return Box(
        float(columns[0]) / width,
        float(rows[0]) / height,
        float(columns[-1] + 1) / width,
        float(rows[-1] + 1) / height,
    )
