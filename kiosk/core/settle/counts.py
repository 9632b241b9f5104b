"""Plateaus of one bin from raw ADC counts.

Theory of operation. A sample passes the spike gate, and is then taken either by the plateau that holds
(``held``: cheap) or by the motion (``motion``: blocks, and an estimate with each). A motion ends when
the estimate is sure of three things: that no hand is on, that it is no pour, and of the weight to within
``SURE_FAST_D`` or ``SURE_SLOW_D``; or when the plain test of stillness (``lens``) says so.
"""

from __future__ import annotations

import math
from collections import Counter

from kiosk.core.config import ScaleRules
from kiosk.core.settle.cadence import Cadence
from kiosk.core.settle.held import LEAVE_SAMPLES, Held
from kiosk.core.settle.hypotheses import SWAYS_D, Estimate
from kiosk.core.settle.lens import Lens
from kiosk.core.settle.motion import MotionWindow
from kiosk.core.settle.signs import GAP_MS, Motion, Plateau, Sign
from kiosk.core.settle.spikes import SpikeGate

NOISE_COUNTS = 40.0
"""What an HX711 shows at rest with a load cell (28 to 50 counts rms measured)."""
NOISE_D = 0.02
"""What any floor adds to it, in divisions."""

ADC_LIMIT = 1 << 23
"""24 bits, two's complement; the two end values mean saturation, not a weight."""

SURE_FAST_D, SURE_SLOW_D = 0.04, 0.1
"""How well the weight must be known (standard deviation, divisions) to be told."""
NO_HAND_FAST_NATS, NO_HAND_SLOW_NATS = 16.0, 8.0
"""How sure it must be that no hand is on. Slow converters pay for it in time: the curve is in
``docs/benchmarks.md``."""
HONEST = 1.35
"""The estimate's standard deviation is too small by this factor (``docs/benchmarks.md``)."""
FLOOR_D = 0.02
"""And never less than this: what creeps and drifts between two changes."""
SPIKE_D = 10.0
"""Smaller jumps need no gate: two samples do not end a plateau."""
SWAY_BAND = 0.75
"""The band around a plateau is wider by so many standard deviations of a floor that sways."""
LIVE_MS = 200


class CountsSettler:
    """``level_g`` the level held (None in motion), ``live_g`` the newest weight, ``moving_since_ms``
    when the motion began, ``rejected`` samples refused, by reason."""

    def __init__(self, rules: ScaleRules) -> None:
        if rules.counts_per_gram is None:
            raise ValueError("counts_per_gram is needed to make grams of counts")
        self._per_count_g = 1.0 / rules.counts_per_gram
        self._zero_counts = rules.zero_counts
        self._rate_sps = rules.rate_sps
        self._d = d = float(rules.division_g)
        noise_g = math.hypot(NOISE_COUNTS * self._per_count_g, NOISE_D * d)
        self._window = MotionWindow(rules.rate_sps, noise_g, d)
        stride = self._window.stride
        self._lens = Lens(rules.rate_sps, stride, d, noise_g)
        self._sure_g = max((SURE_FAST_D if stride > 1 else SURE_SLOW_D) * d, 0.6 * noise_g)
        self._no_hand_nats = NO_HAND_FAST_NATS if stride > 1 else NO_HAND_SLOW_NATS
        self._leave_g = max(0.5 * d, 5 * noise_g)
        self._lens_sd_g = math.hypot(0.1 * d, noise_g / math.sqrt(max(4.0, rules.rate_sps / 4)))
        self._gate = SpikeGate(max(SPIKE_D * d, 10 * noise_g))
        self._cadence = Cadence(1000 / rules.rate_sps)
        self._held: Held | None = None
        """The plateau that holds, or the one that was left last."""
        self._confirmed: int | None = None
        """After lost samples, how many have been at the old level; None when that is settled."""
        self._last_ms: int | None = None
        self.moving_since_ms: int | None = None
        self._refused: Counter[str] = Counter()

    @property
    def rejected(self) -> Counter[str]:
        return self._refused + Counter(spike=self._gate.dropped)

    @property
    def level_g(self) -> float | None:
        return (
            None if self._held is None or self.moving_since_ms is not None else self._held.level_g
        )

    @property
    def live_g(self) -> float | None:
        if self.level_g is not None:
            return self.level_g
        recent = sorted(list(self._lens.raw)[-max(1, round(LIVE_MS * self._rate_sps / 1000)) :])
        return recent[len(recent) // 2] if recent else None

    def interrupt(self) -> None:
        """The scale was away: nothing that was known of it holds."""
        self.doubt()
        self._confirmed = None
        self._last_ms = None
        self._held = None
        self.moving_since_ms = None

    def doubt(self) -> None:
        """Samples were lost: stillness has to be proven anew, but the level left is remembered."""
        if self.level_g is not None:
            self.moving_since_ms = self._last_ms
            self._confirmed = 0
        self._gate.clear()
        self._cadence.clear()
        self._window.clear()
        self._lens.clear()

    def feed(self, t_ms: int, counts: int) -> list[Sign]:
        """One sample in; at most two signs out (a plateau may be left and found within one call)."""
        if not -ADC_LIMIT < counts < ADC_LIMIT - 1:
            self._refused["saturated"] += 1
            return []
        if self._last_ms is not None:
            if t_ms <= self._last_ms:
                self._refused["out_of_order"] += 1
                return []
            if t_ms - self._last_ms > GAP_MS:
                self.doubt()
        self._last_ms = t_ms
        gross_g = (counts - self._zero_counts) * self._per_count_g
        signs: list[Sign] = []
        for when_ms, value_g in self._gate.take(t_ms, gross_g):
            missing = self._cadence.missing(when_ms)
            if self._held is not None and self.moving_since_ms is None:
                signs += self._hold(self._held, when_ms, value_g, missing)
            else:
                signs += self._move(when_ms, t_ms, value_g, missing)
        return signs

    def _hold(self, held: Held, t_ms: int, gross_g: float, missing: int) -> list[Sign]:
        if not held.take(t_ms, gross_g, missing):
            return []
        self.moving_since_ms = held.left_ms
        self._window.clear()
        self._lens.clear()
        return [Motion(held.left_ms)]

    def _move(self, t_ms: int, now_ms: int, gross_g: float, missing: int) -> list[Sign]:
        if self._confirmed is not None and self._resumed(t_ms, gross_g):
            return []
        self._lens.raw.append(gross_g)
        if not self._window.add(gross_g, missing):
            return []
        estimate = self._window.look(None if self._held is None else self._held.level_g)
        if (
            estimate is not None
            and estimate.sd_g <= self._sure_g
            and estimate.evidence >= self._no_hand_nats
            and not self._window.pours(estimate)
        ):
            sd_g = HONEST * estimate.sd_g
            return [self._told(now_ms, estimate.gross_g, sd_g, self._window.samples, estimate)]
        seen = self._lens.look()
        if seen is not None:
            gross_g, wander_g = seen
            sd_g = math.hypot(self._lens_sd_g, wander_g / 2)
            return [self._told(now_ms, gross_g, sd_g, len(self._lens.raw), None)]
        return []

    def _resumed(self, t_ms: int, gross_g: float) -> bool:
        """After lost samples: whether the old level has simply gone on.

        A sample at the old level also says that what moves later began later.
        """
        assert self._held is not None and self._confirmed is not None
        if abs(gross_g - self._held.level_g) <= self._leave_g:
            self._confirmed += 1
            if self._confirmed < LEAVE_SAMPLES:
                return False
            self.moving_since_ms = None
        elif self._confirmed > 0:
            self.moving_since_ms = t_ms
        self._confirmed = None
        return self.moving_since_ms is None

    def _told(
        self, now_ms: int, gross_g: float, sd_g: float, known_n: int, estimate: Estimate | None
    ) -> Plateau:
        uncertainty_g = 2 * math.hypot(sd_g, FLOOR_D * self._d)
        before = self._held
        mode, leave_g = None, self._leave_g
        if estimate is not None:
            leave_g += SWAY_BAND * SWAYS_D[estimate.best.floor] * self._d
            mode = None if estimate.mode is None else self._window.unblocked(estimate.mode)
        self._held = Held(
            gross_g,
            uncertainty_g,
            known_n,
            mode,
            rate_sps=self._rate_sps,
            leave_g=leave_g,
            d=self._d,
        )
        began_ms = now_ms if self.moving_since_ms is None else self.moving_since_ms
        self.moving_since_ms = None
        self._confirmed = None
        self._window.clear()
        self._lens.clear()
        if before is None:
            return Plateau(now_ms, gross_g, uncertainty_g, began_ms, None)
        return Plateau(now_ms, gross_g, uncertainty_g, began_ms, before.level_g, before.late_g)
