"""The plain test of stillness, for platforms that ring in ways which the estimate does not know.

Theory: a mean with a Hann window over some periods is blind to modes and to much of the converter's
noise; where it has stood still for the hold time, and the samples have quietened (a hand is loud at all
frequencies), the weight is stable. It is slower than ``ringing`` and believes nothing about the platform.
"""

from __future__ import annotations

import math
import operator
from collections import deque

SMOOTH_MS, HOLD_MS = 900, 900
STILL_D = 0.2
"""How far the smoothed weight may wander within its hold time, in divisions."""
QUIET_FAST_D, QUIET_SLOW_D = 5.0, 1.5
"""How loud the samples may still be: the converter's own filter hides some of it at few samples."""
SLOW_SPS = 40


class Lens:
    """``raw`` the samples of a motion, newest last, as far back as the lens sees."""

    def __init__(self, rate_sps: float, stride: int, d: float, noise_g: float) -> None:
        n = max(4, round(SMOOTH_MS * rate_sps / 1000))
        window = [math.sin(math.pi * (i + 1) / (n + 1)) ** 2 for i in range(n)]
        self._weights = tuple(w / sum(window) for w in window)
        self._still_g = max(STILL_D * d, 5 * noise_g / math.sqrt(n / 2))
        self._quiet_g = max(
            (QUIET_SLOW_D if rate_sps < SLOW_SPS else QUIET_FAST_D) * d, 8 * noise_g
        )
        self.raw: deque[float] = deque(maxlen=n)
        self._seen: deque[float] = deque(maxlen=max(3, round(HOLD_MS * rate_sps / stride / 1000)))

    def clear(self) -> None:
        self.raw.clear()
        self._seen.clear()

    def look(self) -> tuple[float, float] | None:
        """The weight and how far it has wandered, where it stands still; once a block."""
        if len(self.raw) < len(self._weights):
            return None
        self._seen.append(sum(map(operator.mul, self._weights, self.raw)))
        if len(self._seen) < (self._seen.maxlen or 0):
            return None
        wander_g = max(self._seen) - min(self._seen)
        if wander_g > self._still_g or max(self.raw) - min(self.raw) > self._quiet_g:
            return None
        return self._seen[-1], wander_g
