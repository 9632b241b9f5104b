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
        self._nominal_ms = self._period_ms = period_ms
        self._beat_ms: float | None = None

    def clear(self) -> None:
        self._beat_ms = None

    def missing(self, t_ms: int) -> int:
        """How many samples should have come between the one before and this one."""
        if self._beat_ms is None:
            self._beat_ms = float(t_ms)
            return 0
        expected_ms = self._beat_ms + self._period_ms
        late_ms = t_ms - expected_ms
        missing = (
            max(0, round(late_ms / self._period_ms)) if late_ms > LATE * self._period_ms else 0
        )
        late_ms -= missing * self._period_ms
        if abs(late_ms) > self._period_ms:
            self._beat_ms = float(t_ms)
            return missing
        self._beat_ms = t_ms - late_ms + BEAT_GAIN * late_ms
        period_ms = self._period_ms + PERIOD_GAIN * late_ms
        low, high = 1 - PERIOD_RANGE, 1 + PERIOD_RANGE
        self._period_ms = min(high * self._nominal_ms, max(low * self._nominal_ms, period_ms))
        return missing
