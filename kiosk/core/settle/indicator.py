"""Plateaus of a serial indicator, which says itself what is stable."""

from __future__ import annotations

import math
from collections import Counter

from kiosk.core.config import ScaleRules
from kiosk.core.events import IndicatorReading
from kiosk.core.settle.signs import GAP_MS, Motion, Plateau, Sign

BLIND_MS = 3_000
"""An indicator that so long says everything but a weight has more on it than a hand's shock."""


class IndicatorSettler:
    """Plateaus of one bin from a serial indicator's own telegrams.

    The indicator says what is stable; a plateau is known once its stable value has stood for the
    hold time. Its values are whole divisions, so a value that flickers between two neighbours
    without a moving telegram in between is the same plateau. ``says_gross``: each stable telegram
    that made the newest plateau said that it is gross; None before the first one.
    """

    HOLD_MS = 500

    def __init__(self, rules: ScaleRules) -> None:
        self._d = float(rules.division_g)
        self._stable_since_ms: int | None = None
        self._candidate_g = 0.0
        self._candidate_says = False
        self.says_gross: bool | None = None
        self._last_ms: int | None = None
        self._blind_since_ms: int | None = None
        self._level_g: float | None = None
        self._live_g: float | None = None
        self.moving_since_ms: int | None = None
        self.rejected: Counter[str] = Counter()

    @property
    def level_g(self) -> float | None:
        return None if self.moving_since_ms is not None else self._level_g

    @property
    def live_g(self) -> float | None:
        return self._live_g

    @property
    def blind(self) -> bool:
        """Overloaded, or in error: for a while now no telegram has held a weight."""
        if self._blind_since_ms is None or self._last_ms is None:
            return False
        return self._last_ms - self._blind_since_ms >= BLIND_MS

    def interrupt(self) -> None:
        """Telegrams were lost: stillness has to be proven from the beginning."""
        self._stable_since_ms = None
        self._last_ms = self._blind_since_ms = None
        self._level_g = None
        self.says_gross = None
        self._live_g = None
        self.moving_since_ms = None

    def feed(self, reading: IndicatorReading) -> list[Sign]:
        """One telegram in; at most two signs out."""
        if self._last_ms is not None and reading.t_ms - self._last_ms > GAP_MS * 3:
            self._stable_since_ms = None
            self._leave(self._last_ms)
        self._last_ms = reading.t_ms
        if reading.gross_mg is None:
            self.rejected[reading.status] += 1
            if self._blind_since_ms is None:
                self._blind_since_ms = reading.t_ms
            self._stable_since_ms = None
            self._live_g = None
            return self._leave(reading.t_ms)
        self._blind_since_ms = None
        gross_g = reading.gross_mg / 1000
        self._live_g = gross_g
        if reading.status != "stable":
            self._stable_since_ms = None
            return self._leave(reading.t_ms)
        signs: list[Sign] = []
        if self._level_g is not None and self.moving_since_ms is None:
            if abs(gross_g - self._level_g) <= 1.01 * self._d:
                return []
            signs = self._leave(reading.t_ms)
        if self._stable_since_ms is None or abs(gross_g - self._candidate_g) > 1.01 * self._d:
            self._stable_since_ms = reading.t_ms
            self._candidate_g = gross_g
            self._candidate_says = True
        self._candidate_says &= reading.says_gross
        if reading.t_ms - self._stable_since_ms >= self.HOLD_MS:
            # Rounded to a division (uniform, d / sqrt(12)), and within 1 e of the end: k = 2.
            uncertainty_g = 2 * math.hypot(self._d / math.sqrt(12), 0.1 * self._d)
            since_ms = reading.t_ms if self.moving_since_ms is None else self.moving_since_ms
            signs.append(
                Plateau(
                    reading.t_ms,
                    gross_g,
                    uncertainty_g,
                    since_ms,
                    self._level_g,
                    says_gross=self._candidate_says,
                    left_says_gross=bool(self.says_gross),
                )
            )
            self._level_g, self.says_gross = gross_g, self._candidate_says
            self.moving_since_ms = None
        return signs

    def _leave(self, t_ms: int) -> list[Sign]:
        if self._level_g is None or self.moving_since_ms is not None:
            return []
        self.moving_since_ms = t_ms
        return [Motion(t_ms)]
