"""How long the camera's sensor looks: the setting ``exposure``, and hints while a card moves.

Theory: a card swiped at half a metre a second smears over four modules in 8 ms, which no decoder mends,
and over half a module in 1 ms. A camera left alone chooses 8 to 33 ms indoors. So with hints, what moves
is looked at shortly; where that does not lead to a reading (too little light for it, or the card is held
still), the camera has its way again, in turn. In a dark hall short exposures show nothing: then no more
are asked for until the picture has had time to change.

``None`` stands for the camera's own automatic exposure. A camera that has no such control, or ignores
it, goes on as it was.
"""

from __future__ import annotations

from typing import Literal

Wish = Literal["auto", "hint"] | float
"""The setting: ``auto``, ``hint``, or milliseconds."""

SHORT_MS = 2.0
"""Half a metre a second smears a card at 15 cm over one module."""
SHORT_TURN_MS = 700
"""A swipe is over by then."""
LONG_TURN_MS = 800
"""Auto-exposure has settled by then, and had time for a reading."""
HOPELESS_MS = 30_000
"""After a short exposure that showed nothing but dark, none for so long."""


class ExposurePlan:
    """What to ask of the camera, frame by frame."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._short_since_ms: int | None = None
        self._not_before_ms = 0

    def next(self, t_ms: int, *, moving: bool, read: bool, dark: bool) -> float | None:
        """The exposure in ms for the frames to come, None for automatic. ``moving`` something moves,
        ``read`` a code was read in this frame, ``dark`` nothing can be seen in it."""
        if self._wish == "auto":
            return None
        if self._wish != "hint":
            return float(self._wish)
        since_ms = self._short_since_ms
        if since_ms is None:
            if moving and not read and not dark and t_ms >= self._not_before_ms:
                self._short_since_ms = t_ms
        elif dark:
            self._end(t_ms + HOPELESS_MS)
        elif t_ms - since_ms >= SHORT_TURN_MS:
            self._end(t_ms + LONG_TURN_MS)
        return None if self._short_since_ms is None else SHORT_MS

    def _end(self, not_before_ms: int) -> None:
        self._short_since_ms = None
        self._not_before_ms = not_before_ms
