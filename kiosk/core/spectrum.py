"""The one thing that swings, if one does: a plain Fourier sum over some seconds of samples.

Theory. Noise is spread over all frequencies; of white noise in n/2 of them the strongest three
neighbours hold no more than a sixth or so of its power. A floor that sways or a mains cable beside the
wires puts a third or more into one place. Samples are taken to come evenly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_HZ = 0.4
"""Slower is drift."""
SHARE = 0.35
"""Of the power, in three neighbouring frequencies."""
MAX_SAMPLES = 1_600


@dataclass(frozen=True, slots=True)
class Swing:
    """``amplitude`` in the samples' unit."""

    hz: float
    amplitude: float


def swing(samples: Sequence[float], rate_sps: float) -> Swing | None:
    """The strongest frequency where it stands out; the samples' mean and slope should be gone."""
    samples = samples[-MAX_SAMPLES:]
    n = len(samples)
    power = sum(one * one for one in samples)
    if n < 32 or power == 0:
        return None
    first = max(1, math.ceil(LEAST_HZ * n / rate_sps))
    powers = {k: _power(samples, k) for k in range(first - 1, n // 2 + 1) if k > 0}
    if first not in powers:
        return None
    peak = max((k for k in powers if k >= first), key=lambda k: powers[k])
    near = sum(powers.get(k, 0.0) for k in (peak - 1, peak, peak + 1))
    if near < SHARE * power:
        return None
    return Swing(peak * rate_sps / n, math.sqrt(2 * near / n))


def _power(samples: Sequence[float], k: int) -> float:
    """The samples' power at ``k`` periods a window; all of them together give their sum of squares."""
    n = len(samples)
    step_cos, step_sin = math.cos(2 * math.pi * k / n), math.sin(2 * math.pi * k / n)
    turn_cos, turn_sin, real, imaginary = 1.0, 0.0, 0.0, 0.0
    for one in samples:
        real += one * turn_cos
        imaginary += one * turn_sin
        turn_cos, turn_sin = (
            turn_cos * step_cos - turn_sin * step_sin,
            turn_cos * step_sin + turn_sin * step_cos,
        )
    return 2 * (real * real + imaginary * imaginary) / n
