"""What passes on its way to the inbox and no rule keeps: the scales' pace, refused cards.

Samples are counted once the inbox has taken them, so that those it had no room for are missing here
as they are missing to the rules.
"""

from __future__ import annotations

import threading
from collections import deque

from kiosk.core.events import CardRefused, CountsBlock, DeviceLost, Event, IndicatorReading

WINDOW_MS = 10_000
"""So far back is counted; nothing is said before a scale has been at work for so long."""
MAX_BLOCKS = 2_048
"""The fastest that posts singly is an indicator: 100 telegrams a second."""


class Pace:
    """One scale's. Its own thread counts, another one asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: deque[tuple[int, int]] = deque(maxlen=MAX_BLOCKS)
        self._since_ms: int | None = None
        self.refused = 0
        """Frames that the driver did not believe, since the start."""

    def count(self, event: CountsBlock | IndicatorReading) -> None:
        """Samples that were handed in."""
        if isinstance(event, CountsBlock):
            last_ms, samples = event.t_ms[-1], len(event.t_ms)
            self.refused += event.rejected
        else:
            last_ms, samples = event.t_ms, 1
        with self._lock:
            if self._since_ms is None:
                self._since_ms = last_ms
            self._blocks.append((last_ms, samples))

    def lost(self) -> None:
        """The scale is away; when it comes back the counting begins anew."""
        with self._lock:
            self._blocks.clear()
            self._since_ms = None

    def samples_per_s(self, now_ms: int) -> float | None:
        """Over the last ``WINDOW_MS``; None where the scale has not been at work for so long."""
        with self._lock:
            if self._since_ms is None or now_ms - self._since_ms < WINDOW_MS:
                return None
            samples = sum(n for t_ms, n in self._blocks if t_ms > now_ms - WINDOW_MS)
        return samples * 1000 / WINDOW_MS


class Noticing:
    """All that is noticed; ``refused`` the last refusal (which holds nothing of the card)."""

    def __init__(self) -> None:
        self.paces: dict[str, Pace] = {}
        self.refused: CardRefused | None = None

    def note(self, event: Event) -> None:
        """Called by the thread that posted it, after it was taken."""
        if isinstance(event, CountsBlock | IndicatorReading):
            # One thread a bin; adding a key is one step for all of them.
            self.paces.setdefault(event.bin, Pace()).count(event)
        elif isinstance(event, DeviceLost):
            kind, _, name = event.device.partition(":")
            if kind == "scale" and name in self.paces:
                self.paces[name].lost()
        elif isinstance(event, CardRefused):
            self.refused = event
