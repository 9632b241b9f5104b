"""What warmth does to a scale, learned from the hours in which nobody touches it.

Theory. Over one undisturbed stretch the load is constant, so the level moves with the temperature only,
apart from slow drift. Of each stretch the slope of level against temperature (grams per degree) is kept,
with its weight (the temperatures' sum of squares) and its load. A slope is the zero's part plus the gain's
part times the load: two unknowns, found by weighted least squares once stretches with different loads
are there, else the zero's part alone from empty ones. Drift that has nothing to do with warmth falls out
between nights: it shows as their scatter, and only what is ``SURE`` times that is believed.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

MAX_STRETCHES = 60
POINT_MS = 10 * 60_000
LEAST_MS, LEAST_SPREAD_C = 4 * 3_600_000, 2.0
"""A stretch counts that is at least so long, and in which it got so much warmer or colder."""
LEAST_STRETCHES = 4
SURE = 4.0
LEAST_D_PER_C = 0.02
"""Less than this, in divisions at the load where it matters, is not worth a new adjustment."""
LOADS_SHARE = 0.1
"""Loads must differ by this share of Max for the gain to be told from the zero."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``slope_g_per_c`` with its ``weight`` (squared degrees), at ``load_g``."""

    slope_g_per_c: float
    weight: float
    load_g: float


@dataclass(frozen=True, slots=True)
class Learned:
    """What a degree more adds to the reading: grams, and a share of the load."""

    zero_g_per_c: float
    gain_per_c: float


class Nights:
    """Points come in while a bin lies still; ``end`` when it was touched."""

    def __init__(self, max_g: int, division_g: int) -> None:
        self._max_g, self._d = max_g, division_g
        self._stretches: deque[Stretch] = deque(maxlen=MAX_STRETCHES)
        self._clear()

    def _clear(self) -> None:
        self._begun_ms: int | None = None
        self._last_ms = 0
        self._n = 0
        self._t = self._y = self._tt = self._ty = 0.0
        self._low_c = self._high_c = self._first_c = self._first_g = 0.0

    def point(self, t_ms: int, temperature_c: float, level_g: float) -> None:
        """Where the level lies at this temperature; kept once in ``POINT_MS``."""
        if self._begun_ms is None:
            self._begun_ms, self._first_c, self._first_g = t_ms, temperature_c, level_g
            self._low_c = self._high_c = temperature_c
        elif t_ms - self._last_ms < POINT_MS:
            return
        self._last_ms = t_ms
        self._low_c = min(self._low_c, temperature_c)
        self._high_c = max(self._high_c, temperature_c)
        t, y = temperature_c - self._first_c, level_g - self._first_g
        self._n += 1
        self._t, self._y = self._t + t, self._y + y
        self._tt, self._ty = self._tt + t * t, self._ty + t * y

    def end(self, t_ms: int, load_g: float) -> None:
        """The bin was touched: what its stillness has taught is kept."""
        long = self._begun_ms is not None and t_ms - self._begun_ms >= LEAST_MS
        if long and self._high_c - self._low_c >= LEAST_SPREAD_C:
            weight = self._tt - self._t * self._t / self._n
            slope = (self._ty - self._t * self._y / self._n) / weight
            self._stretches.append(Stretch(slope, weight, load_g))
        self._clear()

    def forget(self) -> None:
        """A new line is in force: the old one's slopes say nothing of it."""
        self._stretches.clear()
        self._clear()

    def learned(self) -> Learned | None:
        """What is sure and worth it; None where nothing is."""
        if len(self._stretches) < LEAST_STRETCHES:
            return None
        loads = [s.load_g for s in self._stretches]
        if max(loads) - min(loads) >= LOADS_SHARE * self._max_g:
            return self._both()
        if max(abs(load) for load in loads) > LOADS_SHARE * self._max_g:
            return None  # all of them loaded alike: zero and gain cannot be told apart
        return self._zero_alone()

    def _zero_alone(self) -> Learned | None:
        zero, sd = _mean([(s.slope_g_per_c, s.weight) for s in self._stretches])
        if abs(zero) < max(SURE * sd, LEAST_D_PER_C * self._d):
            return None
        return Learned(zero, 0.0)

    def _both(self) -> Learned | None:
        weights = sum(s.weight for s in self._stretches)
        load = sum(s.weight * s.load_g for s in self._stretches) / weights
        slope = sum(s.weight * s.slope_g_per_c for s in self._stretches) / weights
        spread = sum(s.weight * (s.load_g - load) ** 2 for s in self._stretches)
        across = sum(
            s.weight * (s.load_g - load) * (s.slope_g_per_c - slope) for s in self._stretches
        )
        gain = across / spread
        zero = slope - gain * load
        free = max(1, len(self._stretches) - 2)
        left = sum(
            s.weight * (s.slope_g_per_c - zero - gain * s.load_g) ** 2 for s in self._stretches
        )
        variance = left / free
        gain_sd = math.sqrt(variance / spread)
        zero_sd = math.sqrt(variance * (1 / weights + load * load / spread))
        if abs(gain) < SURE * gain_sd or abs(gain) * self._max_g < LEAST_D_PER_C * self._d:
            gain = 0.0
        if abs(zero) < max(SURE * zero_sd, LEAST_D_PER_C * self._d):
            zero = 0.0
        return Learned(zero, gain) if zero or gain else None


def _mean(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Weighted, and its standard deviation by their scatter."""
    weights = sum(w for _, w in values)
    mean = sum(v * w for v, w in values) / weights
    scatter = sum(w * (v - mean) ** 2 for v, w in values) / (len(values) - 1)
    return mean, math.sqrt(scatter / weights)
