"""Wrong values of a converter, told from loads.

Theory: an HX711's wrong values (2^k - 1, bits lost on the wire) come singly or in pairs, so up to two
samples that leave and return are dropped; three that stay are a load. What is "leaving" depends on how much
the samples move anyway: a trembling hand is no spike.
"""

from __future__ import annotations

SPIKE_SAMPLES = 2
RESTLESS = 4.0
"""A jump of so many times the usual step is suspect."""
FORGET = 0.75
"""Of the usual step, from sample to sample."""


class SpikeGate:
    """Samples in, the ones to believe out: none while a jump is in doubt, several once it has stayed."""

    def __init__(self, least_g: float) -> None:
        self._least_g = least_g
        self._before_g: float | None = None
        self._step_g = 0.0
        self._suspects: list[tuple[int, float]] = []
        self.dropped = 0

    def clear(self) -> None:
        self._before_g = None
        self._step_g = 0.0
        self._suspects.clear()

    def take(self, t_ms: int, gross_g: float) -> list[tuple[int, float]]:
        before_g = self._before_g
        if before_g is None:
            self._before_g = gross_g
            return [(t_ms, gross_g)]
        step_g = abs(gross_g - before_g)
        if step_g <= self._least_g or step_g <= RESTLESS * self._step_g:
            if self._suspects:
                self.dropped += len(self._suspects)
                self._suspects.clear()
            self._step_g = FORGET * self._step_g + (1 - FORGET) * step_g
            self._before_g = gross_g
            return [(t_ms, gross_g)]
        self._suspects.append((t_ms, gross_g))
        if len(self._suspects) <= SPIKE_SAMPLES:
            return []
        believed, self._suspects = self._suspects, []
        self._step_g = max(self._step_g, step_g / len(believed))
        self._before_g = gross_g
        return believed
