"""From samples to plateaus: when is a weight a weight?

Invariant: a plateau is told only in stable equilibrium, and once; while a plateau holds, its level
follows drift and creep but never a load.

Theory. OIML R 76-1:2006, 4.4.2 lets a value be stored only within 1 e of the final one. Three
things disturb a sample: noise of the converter (a few counts), the platform's own lightly damped
modes (5 to 14 Hz), and hands. A mean with a Hann window over some periods is blind to the modes, so
two tests decide together: the *smoothed* value has stood still for the hold time, and the raw samples
have quietened (a hand is loud: hundreds of grams at all frequencies). Wrong values of an HX711 come
singly or in pairs, so up to two samples that leave and return are dropped as a spike; three that
stay are a load.

A plateau ends when three samples in a row leave the band around its level. The level follows the
mean of the last second, but no faster than ``DRIFT_D_PER_S``: drift (2 g in a quarter of an hour) and
creep are followed, oil poured slowly is not.

Times are boottime milliseconds, weights gross grams as floats; the books round.
"""

from __future__ import annotations

import math
import operator
from collections import Counter, deque
from dataclasses import dataclass

from kiosk.core.config import ScaleRules
from kiosk.core.events import IndicatorReading

NOISE_COUNTS = 40.0
"""What an HX711 shows at rest with a load cell (28 to 50 counts rms measured): the first belief."""

ADC_LIMIT = 1 << 23
"""24 bits, two's complement; the two end values mean saturation, not a weight."""

SLOW_SPS = 40
"""Below, the converter's own filter hides the modes and there are few samples to judge by."""

FAST_LENSES_MS = ((400, 300), (900, 450))
SLOW_LENSES_MS = ((600, 500),)
"""Smoothing and hold times: the short lens is quick, the long one sees through a swaying floor."""

STILL_D = 0.2
"""How far the smoothed weight may wander within its hold time, in divisions."""

QUIET_FAST_D, QUIET_SLOW_D = 5.0, 1.5
"""How loud the raw samples may still be: modes are let through where the lens is blind to them."""

SPIKE_SAMPLES = 2
"""Wrong values come singly or in pairs."""

LEAVE_SAMPLES = 3
"""As many samples in a row outside the band end a plateau."""

DRIFT_D_PER_S = 0.02
"""The fastest that a held plateau follows its scale, in divisions a second (R 76 allows 0.5)."""

GAP_MS = 1_000
"""A longer silence begins stability anew."""

BLIND_MS = 3_000
"""An indicator that so long says everything but a weight has more on it than a hand's shock."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A plateau was left; ``t_ms`` of the first sample that left it."""

    t_ms: int


@dataclass(frozen=True, slots=True)
class Plateau:
    """Stable anew: known at ``t_ms``; ``uncertainty_g`` expanded, k = 2.

    ``left_g`` the level that was left at ``began_ms``; None where there was none (a start, a gap).
    """

    t_ms: int
    gross_g: float
    uncertainty_g: float
    began_ms: int
    left_g: float | None


Sign = Motion | Plateau


class _Lens:
    """One smoothing of the samples: Hann mean over ``smooth_ms``, still for ``hold_ms``."""

    def __init__(
        self, smooth_ms: int, hold_ms: int, rate_sps: float, d: float, noise_g: float
    ) -> None:
        self.smooth_n = max(4, round(smooth_ms * rate_sps / 1000))
        hold_n = max(3, round(hold_ms * rate_sps / 1000))
        window = [
            math.sin(math.pi * (i + 1) / (self.smooth_n + 1)) ** 2 for i in range(self.smooth_n)
        ]
        self._weights = tuple(w / sum(window) for w in window)
        self._still_g = max(STILL_D * d, 5 * noise_g / math.sqrt(self.smooth_n / 2))
        self._hold_n = hold_n
        self.seen: deque[float] = deque(maxlen=hold_n)

    def look(self, raw: list[float]) -> None:
        if len(raw) >= self.smooth_n:
            self.seen.append(sum(map(operator.mul, self._weights, raw[-self.smooth_n :])))

    def still(self) -> bool:
        return len(self.seen) == self._hold_n and self.wander_g() <= self._still_g

    def wander_g(self) -> float:
        return max(self.seen) - min(self.seen)


class CountsSettler:
    """Plateaus of one bin from raw ADC counts.

    ``level_g`` the level held (None in motion), ``live_g`` the newest smoothed weight, ``moving_since_ms``
    when the motion began, ``rejected`` samples refused, by reason.
    """

    def __init__(self, rules: ScaleRules) -> None:
        if rules.counts_per_gram is None:
            raise ValueError("counts_per_gram is needed to make grams of counts")
        self._per_count_g = 1.0 / rules.counts_per_gram
        self._zero_counts = rules.zero_counts
        d = float(rules.division_g)
        noise_g = abs(NOISE_COUNTS * self._per_count_g)
        slow = rules.rate_sps < SLOW_SPS
        self._lenses = tuple(
            _Lens(smooth_ms, hold_ms, rules.rate_sps, d, noise_g)
            for smooth_ms, hold_ms in (SLOW_LENSES_MS if slow else FAST_LENSES_MS)
        )
        self._quiet_n = self._lenses[0].smooth_n
        self._quiet_g = max((QUIET_SLOW_D if slow else QUIET_FAST_D) * d, 8 * noise_g)
        self._leave_g = max(0.5 * d, 5 * noise_g)
        self._spike_g = max(4 * d, 10 * noise_g)
        self._drift_g_per_ms = DRIFT_D_PER_S * d / 1000
        self._floor_g = 2 * math.hypot(0.1 * d, noise_g / math.sqrt(self._quiet_n / 2))
        self._period_ms = 1000 / rules.rate_sps
        self._raw: deque[float] = deque(maxlen=self._lenses[-1].smooth_n)
        self._suspects: list[tuple[int, float]] = []
        self._outside = 0
        self._outside_since_ms = 0
        self._confirmed: int | None = None
        """After lost samples, how many have been at the old level; None when that is settled."""
        self._last_ms: int | None = None
        self._level_g: float | None = None
        self.moving_since_ms: int | None = None
        self.rejected: Counter[str] = Counter()

    @property
    def level_g(self) -> float | None:
        return None if self.moving_since_ms is not None else self._level_g

    @property
    def live_g(self) -> float | None:
        if self._level_g is not None and self.moving_since_ms is None:
            return self._level_g
        recent = list(self._raw)[-max(1, round(200 / self._period_ms)) :]
        return sorted(recent)[len(recent) // 2] if recent else None

    def interrupt(self) -> None:
        """The scale was away: nothing that was known of it holds."""
        self.doubt()
        self._confirmed = None
        self._last_ms = None
        self._level_g = None
        self.moving_since_ms = None

    def doubt(self) -> None:
        """Samples were lost: stillness has to be proven anew, but the level left is remembered."""
        if self._level_g is not None and self.moving_since_ms is None:
            self.moving_since_ms = self._last_ms
            self._confirmed = 0
        self._raw.clear()
        for lens in self._lenses:
            lens.seen.clear()
        self._suspects.clear()
        self._outside = 0

    def feed(self, t_ms: int, counts: int) -> list[Sign]:
        """One sample in; at most two signs out (a plateau may be left and found within one call)."""
        if not -ADC_LIMIT < counts < ADC_LIMIT - 1:
            self.rejected["saturated"] += 1
            return []
        if self._last_ms is not None and t_ms <= self._last_ms:
            self.rejected["out_of_order"] += 1
            return []
        if self._last_ms is not None and t_ms - self._last_ms > GAP_MS:
            self.doubt()
        self._last_ms = t_ms
        gross_g = (counts - self._zero_counts) * self._per_count_g
        signs: list[Sign] = []
        for when_ms, value_g in self._without_spikes(t_ms, gross_g):
            signs += self._accept(when_ms, t_ms, value_g)
        return signs

    def _without_spikes(self, t_ms: int, gross_g: float) -> list[tuple[int, float]]:
        """The samples to believe now: none while a jump is in doubt, several once it has stayed."""
        before = self._raw[-1] if self._raw else None
        if before is None or abs(gross_g - before) <= self._spike_g:
            self.rejected["spike"] += len(self._suspects)
            self._suspects.clear()
            return [(t_ms, gross_g)]
        self._suspects.append((t_ms, gross_g))
        if len(self._suspects) <= SPIKE_SAMPLES:
            return []
        believed, self._suspects = self._suspects, []
        return believed

    def _accept(self, t_ms: int, now_ms: int, gross_g: float) -> list[Sign]:
        self._raw.append(gross_g)
        if self._level_g is not None and self.moving_since_ms is None:
            return self._held(t_ms, gross_g)
        if self._confirmed is not None and self._resumed(t_ms, gross_g):
            return []
        raw = list(self._raw)
        for lens in self._lenses:
            lens.look(raw)
        recent = raw[-self._quiet_n :]
        if max(recent) - min(recent) > self._quiet_g:
            return []
        for lens in self._lenses:
            if lens.still():
                uncertainty_g = math.hypot(self._floor_g, lens.wander_g())
                return [self._plateau(now_ms, lens.seen[-1], uncertainty_g)]
        return []

    def _resumed(self, t_ms: int, gross_g: float) -> bool:
        """After lost samples: whether the old level has simply gone on.

        A sample at the old level also says that what moves later began later.
        """
        assert self._level_g is not None and self._confirmed is not None
        if abs(gross_g - self._level_g) <= self._leave_g:
            self._confirmed += 1
            if self._confirmed < LEAVE_SAMPLES:
                return False
            self.moving_since_ms = None
        elif self._confirmed > 0:
            self.moving_since_ms = t_ms
        self._confirmed = None
        return self.moving_since_ms is None

    def _plateau(self, now_ms: int, gross_g: float, uncertainty_g: float) -> Plateau:
        began_ms = now_ms if self.moving_since_ms is None else self.moving_since_ms
        plateau = Plateau(now_ms, gross_g, uncertainty_g, began_ms, self._level_g)
        self._level_g = gross_g
        self.moving_since_ms = None
        self._confirmed = None
        self._outside = 0
        return plateau

    def _held(self, t_ms: int, gross_g: float) -> list[Sign]:
        assert self._level_g is not None
        if abs(gross_g - self._level_g) > self._leave_g:
            if self._outside == 0:
                self._outside_since_ms = t_ms
            self._outside += 1
            if self._outside >= LEAVE_SAMPLES:
                self._outside = 0
                self.moving_since_ms = self._outside_since_ms
                for lens in self._lenses:
                    lens.seen.clear()
                return [Motion(self._outside_since_ms)]
            return []
        self._outside = 0
        # The mean of as many samples, taken one by one: a first-order filter costs nothing.
        slew_g = self._drift_g_per_ms * self._period_ms
        pull_g = (gross_g - self._level_g) / len(self._raw)
        self._level_g += min(slew_g, max(-slew_g, pull_g))
        return []


class IndicatorSettler:
    """Plateaus of one bin from a serial indicator's own telegrams.

    The indicator says what is stable; a plateau is known once its stable value has stood for the
    hold time. Its values are whole divisions, so a value that flickers between two neighbours
    without a moving telegram in between is the same plateau.
    """

    HOLD_MS = 500

    def __init__(self, rules: ScaleRules) -> None:
        self._d = float(rules.division_g)
        self._stable_since_ms: int | None = None
        self._candidate_g = 0.0
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
        if reading.t_ms - self._stable_since_ms >= self.HOLD_MS:
            # Rounded to a division (uniform, d / sqrt(12)), and within 1 e of the end: k = 2.
            uncertainty_g = 2 * math.hypot(self._d / math.sqrt(12), 0.1 * self._d)
            since_ms = reading.t_ms if self.moving_since_ms is None else self.moving_since_ms
            signs.append(Plateau(reading.t_ms, gross_g, uncertainty_g, since_ms, self._level_g))
            self._level_g = gross_g
            self.moving_since_ms = None
        return signs

    def _leave(self, t_ms: int) -> list[Sign]:
        if self._level_g is None or self.moving_since_ms is not None:
            return []
        self.moving_since_ms = t_ms
        return [Motion(t_ms)]
