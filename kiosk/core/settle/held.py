"""A plateau's level while it holds.

Invariant: one sample costs a handful of operations; a real load, however slowly it comes, is never followed
faster than ``DRIFT_D_PER_S``, apart from what the plateau itself left open when it was told.

Theory. A plateau is told early, its level known to a gram or so, its platform still ringing. What
rings is known, so it is taken off each sample and dies with its own decay. The rest is a mean that goes
on: the n-th sample moves the level by 1/n, within the uncertainty that was told (``late_g``, the
change before's own). After ``REFINE_S`` the level follows drift and creep: 2 g in a quarter of an hour.
"""

from __future__ import annotations

import math

from kiosk.core.settle.hypotheses import Mode

DRIFT_D_PER_S = 0.02
"""The fastest that a held plateau follows its scale, in divisions a second (R 76 allows 0.5)."""
REFINE_S = 2.0
MEAN_S = 1.0
LEAVE_SAMPLES = 3
"""As many samples in a row outside the band end a plateau."""
RING_TRUST = 1.0
"""The band is wider by this share of what still rings: a prediction, not a measurement."""
RING_OVER_G = 0.1


class Held:
    """A plateau of ``gross_g``; ``known_n`` samples' worth of knowledge when it was told."""

    def __init__(
        self,
        gross_g: float,
        slack_g: float,
        known_n: int,
        mode: Mode | None,
        *,
        rate_sps: float,
        leave_g: float,
        d: float,
    ) -> None:
        self.level_g = gross_g
        self.late_g = 0.0
        self.rest_g = 0.0
        """How far the newest sample lay from what was expected."""
        self.left_ms = 0
        self._slack_g = slack_g
        self._leave_g = leave_g
        self._n = max(1, known_n)
        self._refine_n = round(REFINE_S * rate_sps)
        self._mean_n = max(3.0, MEAN_S * rate_sps)
        self._slew_g = DRIFT_D_PER_S * d / rate_sps
        self._wave, self._turn = (0j, 0j) if mode is None else (mode.now_g * mode.z, mode.z)
        self._outside = 0

    def take(self, t_ms: int, gross_g: float, missing: int) -> bool:
        """One sample, after ``missing`` lost ones; True when the plateau has been left, at ``left_ms``."""
        leave_g = self._leave_g
        rest_g = gross_g - self.level_g
        if self._turn:
            if missing:
                self._wave *= self._turn**missing
            rest_g -= self._wave.real
            loud_g = abs(self._wave)
            leave_g += RING_TRUST * loud_g
            self._wave *= self._turn
            if loud_g < RING_OVER_G:
                self._turn = 0j
        self.rest_g = rest_g
        if abs(rest_g) > leave_g:
            if self._outside == 0:
                self.left_ms = t_ms
            self._outside += 1
            return self._outside >= LEAVE_SAMPLES
        self._outside = 0
        if self._refine_n > 0:
            self._refine_n -= 1
            self._n += 1
            late_g = self.late_g + rest_g / self._n
            if abs(late_g) > self._slack_g:
                late_g = math.copysign(self._slack_g, late_g)
            self.level_g += late_g - self.late_g
            self.late_g = late_g
            return False
        # The mean of as many samples, taken one by one: a first-order filter costs nothing.
        pull_g = rest_g / self._mean_n
        self.level_g += (
            pull_g if abs(pull_g) <= self._slew_g else math.copysign(self._slew_g, pull_g)
        )
        return False
