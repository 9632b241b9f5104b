"""Counts as they would be at the temperature of the adjustment.

Invariant: without a thermometer, or before anything was learned, counts pass unchanged; what the
correction itself does to a weight that stands still is slower than any drop.

Theory. With ``a`` grams and a share ``b`` for each degree, a load reads ``(load * (1 + b * dT) + a * dT)``;
this is undone here. The temperature that corrects goes after the thermometer at no more than
``SLEW_C_PER_S``: cells are heavy, and a thermometer that was away for a night must not make grams in a
moment.
"""

from __future__ import annotations

from kiosk.core.adjusted import Adjusted
from kiosk.core.config import ScaleRules

SLEW_C_PER_S = 1 / 120
ADC_LIMIT = 1 << 23


WAIT_MS = 10_000
"""So long after a start the first weight waits for the thermometer, where one corrects."""


class WarmthLine:
    """``now_mc`` the temperature that corrects, None before the first reading."""

    def __init__(
        self, scale: ScaleRules, adjusted: Adjusted | None, temperature_mc: float | None
    ) -> None:
        self._slope = scale.counts_per_gram or 1.0
        self._zero = scale.zero_counts
        self._at_mc = None if adjusted is None else adjusted.temperature_mc
        self._zero_g_per_c = 0.0 if adjusted is None else adjusted.zero_mg_per_c / 1000
        self._gain_per_c = 0.0 if adjusted is None else adjusted.gain_ppb_per_c / 1e9
        self.now_mc = temperature_mc
        self._last_ms: int | None = None
        self._begun_ms: int | None = None
        self._away()

    def awaits(self, t_ms: int) -> bool:
        """Whether a sample of now is better left out, for the temperature is about to be known."""
        if self.now_mc is not None or self._at_mc is None:
            return False
        if self._begun_ms is None:
            self._begun_ms = t_ms
        if t_ms - self._begun_ms < WAIT_MS:
            return True
        self.now_mc = float(self._at_mc)
        return False

    def _away(self) -> None:
        away_c = 0.0
        if self.now_mc is not None and self._at_mc is not None:
            away_c = (self.now_mc - self._at_mc) / 1000
        self._shift = self._zero_g_per_c * away_c * self._slope
        self._gain = 1 + self._gain_per_c * away_c

    def seen(self, t_ms: int, temperature_mc: int) -> None:
        """A thermometer's reading."""
        if self.now_mc is None:
            self.now_mc = float(temperature_mc)
        elif self._last_ms is not None:
            most_mc = SLEW_C_PER_S * max(0, t_ms - self._last_ms)
            step_mc = temperature_mc - self.now_mc
            self.now_mc += min(most_mc, max(-most_mc, step_mc))
        self._last_ms = t_ms
        self._away()

    def corrected(self, counts: int) -> int:
        """As at the adjustment's temperature. What is saturated stays so."""
        if self._shift == 0.0 and self._gain == 1.0:
            return counts
        if not -ADC_LIMIT < counts < ADC_LIMIT - 1:
            return counts
        return round(self.at_adjustment(counts))

    @property
    def gain(self) -> float:
        """Counts that a load makes now, as a share of those at the adjustment's temperature."""
        return self._gain

    def at_adjustment(self, counts: float) -> float:
        """Raw counts as they would be at the adjustment's temperature."""
        return self._zero + (counts - self._zero - self._shift) / self._gain

    def raw(self, counts: float) -> float:
        """Back again."""
        return self._zero + (counts - self._zero) * self._gain + self._shift
