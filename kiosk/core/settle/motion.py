"""A motion's samples as even blocks, and what they say so far.

Invariant: the window never reaches back over a sample that the estimate could not explain.

Theory: the window grows by a block at a time from where the samples began to be explained. While a
hand is on, nothing is explained, and the window stays as short as it may be; each block is then
refused at little cost. Lost samples and dropped spikes are made up by a straight line, and what is made
up counts for nothing in the evidence.
"""

from __future__ import annotations

from collections import deque

from kiosk.core.settle.hypotheses import Build, Estimate, Mode
from kiosk.core.settle.ringing import ringing

BLOCK_SPS = 27.0
"""Blocks a second, about: two to a quarter turn of a usual mode."""
LEAST_FAST, LEAST_SLOW = 11, 4
"""Blocks to judge by. Slow converters (one sample a block) have smoothed the modes themselves."""
WINDOW_S, WINDOW_LEAST, WINDOW_MOST = 1.2, 14, 36
MADE_UP_MOST = 3
"""More samples lost in a row than this: the window begins anew."""
LOUD_G, LOUD_S = 60.0, 1.0
"""A bend from block to block that only a hand or ringing makes, and how long it is remembered."""
POUR_D_PER_S = 0.25
POUR_NOISES = 4.0
"""What changes faster, in a second, is a pour: divisions, or the noise of a block where that is more."""
LOOKS = 3
"""Attempts a block to find a shorter window that is explained."""


class MotionWindow:
    """Samples of one motion; ``look`` after ``add`` said that a block is complete."""

    def __init__(self, rate_sps: float, noise_g: float, d: float) -> None:
        self.stride = max(1, round(rate_sps / BLOCK_SPS))
        period_s = self.stride / rate_sps
        self._least = LEAST_FAST if self.stride > 1 else LEAST_SLOW
        n_max = min(WINDOW_MOST, max(WINDOW_LEAST, round(WINDOW_S / period_s)))
        self._build = Build(
            period_s=period_s,
            stride=self.stride,
            noise_g=noise_g / self.stride**0.5,
            division_g=d,
            n_max=n_max,
        )
        self._blocks: deque[float] = deque(maxlen=n_max)
        self._made_up: deque[int] = deque(maxlen=n_max)
        self.clear()

    def clear(self) -> None:
        self._blocks.clear()
        self._made_up.clear()
        self._sum_g, self._count, self._false = 0.0, 0, 0
        self._window = 0
        self._since_loud = 1_000
        self._last_g: float | None = None

    @property
    def samples(self) -> int:
        """In the window that was looked at last."""
        return self._window * self.stride

    def add(self, gross_g: float, missing: int) -> bool:
        """One sample, after ``missing`` lost ones; True when a block is complete."""
        complete = False
        last_g = self._last_g
        if missing > MADE_UP_MOST or last_g is None:
            if missing:
                self.clear()
        else:
            for k in range(missing):
                made_up_g = last_g + (gross_g - last_g) * (k + 1) / (missing + 1)
                complete |= self._one(made_up_g, made_up=True)
        self._last_g = gross_g
        return self._one(gross_g, made_up=False) or complete

    def pours(self, estimate: Estimate) -> bool:
        """Whether the weight itself still changes.

        Where something has just been laid down a pour has to be proven; where the weight has moved without
        any hand, that it is none.
        """
        blocks = list(self._blocks)[-self._window :]
        slope_g, sd_g = ringing(self._build).slope(blocks, estimate)
        limit_g = max(POUR_D_PER_S * self._build.division_g, POUR_NOISES * self._build.noise_g)
        if self._since_loud * self._build.period_s <= LOUD_S:
            return abs(slope_g) - 3 * sd_g > limit_g
        return abs(slope_g) + 2 * sd_g > limit_g

    def _one(self, gross_g: float, *, made_up: bool) -> bool:
        self._sum_g += gross_g
        self._count += 1
        self._false += made_up
        if self._count < self.stride:
            return False
        self._blocks.append(self._sum_g / self.stride)
        self._since_loud += 1
        if len(self._blocks) > 2:
            bend_g = self._blocks[-1] - 2 * self._blocks[-2] + self._blocks[-3]
            if abs(bend_g) > LOUD_G:
                self._since_loud = 0
        self._made_up.append(self._false)
        self._window = min(self._window + 1, len(self._blocks))
        self._sum_g, self._count, self._false = 0.0, 0, 0
        return True

    def look(self, left_g: float | None) -> Estimate | None:
        """What the longest explained window says."""
        if self._window < self._least:
            return None
        blocks, made_up = list(self._blocks), list(self._made_up)
        estimator = ringing(self._build)
        change_g = blocks[-1] - (blocks[0] if left_g is None else left_g)
        for _ in range(LOOKS):
            n = self._window
            filled = sum(made_up[-n:]) / self.stride
            estimate = estimator.look(
                blocks[-n:], blocks[-n - 1] if len(blocks) > n else None, change_g, filled
            )
            if estimate is not None:
                return estimate
            if n <= self._least:
                self._window = n - 1
                return None
            self._window = n - 1 - (n > 12)
        return None

    def unblocked(self, mode: Mode) -> Mode:
        """The mode as it stands in the newest sample: a block's mean is its samples' mean."""
        z = mode.z ** (1 / self.stride)
        first = mode.now_g * self.stride / sum(z**k for k in range(self.stride))
        return Mode(first * z ** (self.stride - 1), z)
