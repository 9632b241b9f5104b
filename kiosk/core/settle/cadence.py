"""The converter's own beat, and the samples that are missing from it.

Theory: a converter samples evenly; the stamps jitter (threads, buses), and its rate is some per cent
beside the nominal one. A loop of second order follows beat and period, so that one late stamp is
not taken for a lost sample, and a lost one is.
"""

from __future__ import annotations

BEAT_GAIN, PERIOD_GAIN = 0.2, 0.02
PERIOD_RANGE = 0.3
LATE = 0.75
"""So many periods late: a sample was lost."""


class Cadence:
    """``period_s`` the period as it has turned out to be."""

    def __init__(self, period_ms: float) -> None:
        self._period_ms = period_ms
        self._low_ms, self._high_ms = (1 - PERIOD_RANGE) * period_ms, (1 + PERIOD_RANGE) * period_ms
        self._beat_ms: float | None = None

    def clear(self) -> None:
        self._beat_ms = None

    def missing(self, t_ms: int) -> int:
        """How many samples should have come between the one before and this one."""
        if self._beat_ms is None:
            self._beat_ms = float(t_ms)
            return 0
        period_ms = self._period_ms
        late_ms = t_ms - self._beat_ms - period_ms
        missing = 0
        if late_ms > LATE * period_ms:
            missing = round(late_ms / period_ms)
            late_ms -= missing * period_ms
        if abs(late_ms) > period_ms:
            self._beat_ms = float(t_ms)
            return missing
        self._beat_ms = t_ms - late_ms + BEAT_GAIN * late_ms
        period_ms += PERIOD_GAIN * late_ms
        if period_ms < self._low_ms:
            period_ms = self._low_ms
        elif period_ms > self._high_ms:
            period_ms = self._high_ms
        self._period_ms = period_ms
        return missing
