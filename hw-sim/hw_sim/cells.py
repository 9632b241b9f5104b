"""A bin's scale over a year: the platform of ``physics`` with all that moves a real one slowly.

Invariant: whatever the time is cut into, samples and skips, loads and slow errors go on as they would have.

Theory. ``physics`` rings, trembles and creeps. Beside it stand what a year adds: a zero that goes with the
temperature (R 76, 3.9.2.3: at most 1 e for 5 degrees) and walks by itself, a gain that goes with the
temperature, a slope that the adjustment knew only so well, a bow between its points, and minutes
of warming up after the power came. A cell that nobody touches is moved on in closed form, so that quiet
hours cost nothing. The converter's filter (sinc^4) stands between the force and a sample.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from operator import mul
from random import Random

from hw_sim.physics import STEP_S, Build, Platform

NOISE_COUNTS = 25.0
STILL_G = 0.02
"""Ringing below this is none."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What the adjustment does not know of one scale; shares are of the load."""

    slope: float = 0.0
    bow: float = 0.0
    """Of Max, in the middle of the range."""
    zero_g_per_c: float = 0.0
    gain_per_c: float = 0.0
    walk_g_per_day: float = 0.0
    """The zero's random walk: standard deviation after a day."""
    cold_g: float = 0.0
    """How far the zero is off when the power comes; it goes with ``COLD_S``."""

    @classmethod
    def drawn(cls, rng: Random) -> Errors:
        """A scale of the field, as good as its adjustment says (``kiosk.core.uncertainty``)."""
        return cls(
            slope=rng.gauss(0, 250e-6),
            bow=rng.gauss(0, 100e-6),
            zero_g_per_c=rng.uniform(-3, 3),
            gain_per_c=rng.gauss(0, 20e-6),
            walk_g_per_day=rng.uniform(1, 6),
            cold_g=rng.uniform(-8, 8),
        )


def _sinc4(steps: int) -> tuple[float, ...]:
    """Four running means over a conversion each (HX711 data sheet: it settles in four)."""
    kernel = [1.0]
    for _ in range(4):
        kernel = [
            sum(kernel[max(0, i - steps + 1) : i + 1]) / steps
            for i in range(len(kernel) + steps - 1)
        ]
    return tuple(kernel)


RATE_SPS = 10
NOISE_FAST_COUNTS = 40.0
"""At 80 SPS (HX711 data sheet: 90 nV where it has 50)."""
WIND_TAU_S = 1.5
COLD_S = 300.0
ADJUSTED_AT_C = 18.0


@dataclass
class Cell:
    """One scale. Its owner sets ``temperature_c`` and moves the clock by asking for ``counts``."""

    rng: Random
    counts_per_gram: float
    max_g: float
    errors: Errors = field(default_factory=Errors)
    noise_counts: float = NOISE_COUNTS
    temperature_c: float = ADJUSTED_AT_C
    powered_s: float = 0.0
    walked_g: float = 0.0
    pressed_g: float = 0.0
    rate_sps: int = RATE_SPS

    def __post_init__(self) -> None:
        # In whole steps: at 80 SPS the filter is that of a converter of 100.
        self._sinc4 = _sinc4(max(1, round(1 / self.rate_sps / STEP_S)))
        self.platform = Platform(Build.drawn(self.rng, 20), self.rng, 0.0)
        self._wind, self._blown_g = (0.0, 0.0), 0.0
        self._felt_g = deque([0.0] * len(self._sinc4), maxlen=len(self._sinc4))

    @property
    def load_g(self) -> float:
        """What has come to lie."""
        return self.platform.load_g

    def lay(self, grams: float) -> None:
        """Somebody lays something in, or takes it out, and lets go within a second or so."""
        self.platform.lay(grams, self.rng.uniform(0.15, 0.6), self.rng.uniform(0.0, 0.8))

    def lean(self, for_s: float) -> None:
        """A hand on the rim, and off again."""
        self.platform.lay(0.0, 0.01, for_s)

    def blow(self, for_s: float, sigma_g: float) -> None:
        """Wind on the bin's side: slow pushes and pulls, then calm."""
        self._wind = (self.platform.now_s + for_s, sigma_g)

    def press(self, grams: float) -> None:
        """A heap comes to lean on something, or off it: force that is no load, without a hand."""
        self.pressed_g = grams

    def knock(self) -> None:
        self.platform.knock(self.rng.uniform(300, 3_000), self.rng.uniform(0.01, 0.05))

    def set_down(self, grams: float) -> None:
        """While nobody looks: no hand, no ringing."""
        self.platform.shift(grams)

    def power_on(self, t_s: float) -> None:
        self.powered_s = t_s

    def zero_g(self, t_s: float) -> float:
        """What the scale reads with nothing on it, but for creep and its short drift."""
        away_c = self.temperature_c - ADJUSTED_AT_C
        cold_g = self.errors.cold_g * math.exp(-max(0.0, t_s - self.powered_s) / COLD_S)
        return self.errors.zero_g_per_c * away_c + self.walked_g + cold_g

    def counts(self, t_s: float) -> int:
        """A converter's sample at ``t_s``."""
        felt_g = self._mean_g(t_s)
        away_c = self.temperature_c - ADJUSTED_AT_C
        share = felt_g / self.max_g
        gain = 1 + self.errors.slope + self.errors.gain_per_c * away_c
        grams = felt_g * gain + 4 * self.errors.bow * self.max_g * share * (1 - share)
        grams += self.zero_g(t_s)
        return round(grams * self.counts_per_gram + self.rng.gauss(0, self.noise_counts))

    def _mean_g(self, t_s: float) -> float:
        platform = self.platform
        if self._lies_still():
            self._skip(t_s)
            self._felt_g.extend([platform.force_g] * len(self._sinc4))
            return platform.force_g + self.pressed_g
        if t_s - platform.now_s > 1.0:
            self._skip(t_s - 1.0)
        while platform.now_s + STEP_S <= t_s + 1e-9:
            platform._step()
            self._felt_g.append(platform.force_g + self._wind_g())
        felt_g: float = sum(map(mul, self._sinc4, self._felt_g))
        return felt_g + self.pressed_g

    def _wind_g(self) -> float:
        until_s, sigma_g = self._wind
        if self.platform.now_s > until_s:
            sigma_g = 0.0
        pull_g = self.rng.gauss(0, sigma_g * math.sqrt(2 * STEP_S / WIND_TAU_S))
        self._blown_g += pull_g - self._blown_g * STEP_S / WIND_TAU_S
        return self._blown_g

    def _lies_still(self) -> bool:
        p = self.platform
        touched = p._ramps or p._hands or p._knocks or p.now_s < self._wind[0] + 8 * WIND_TAU_S
        ringing = abs(p._deflection_g - p.load_g) > STILL_G or abs(p._speed_g) > 30 * STILL_G
        return not touched and not ringing

    def _skip(self, t_s: float) -> None:
        """On to ``t_s`` in closed form: creep, drift, walk, floor."""
        p, build = self.platform, self.platform.build
        by_s = t_s - p.now_s
        if by_s <= 0:
            return
        creeping = math.exp(-by_s / build.creep_s)
        p._creep_g = build.creep_share * p.load_g * (1 - creeping) + p._creep_g * creeping
        drifting = math.exp(-by_s / build.drift_s)
        p._drift_g = p._drift_g * drifting + self.rng.gauss(
            0, build.drift_g * math.sqrt(1 - drifting * drifting)
        )
        self.walked_g += self.rng.gauss(0, self.errors.walk_g_per_day * math.sqrt(by_s / 86_400))
        p.now_s = t_s
        floor_g = build.floor_g * math.sin(2 * math.pi * build.floor_hz * t_s)
        p.force_g = p._deflection_g + p._creep_g + p._drift_g + floor_g
