"""Linear prediction: one mode obeys ``y_k = p y_(k-1) + q y_(k-2) + r``, a hand obeys nothing.

Theory: cheap and, where ringing is loud, near enough to begin ``refine`` with. Noise in what is predicted
from makes it useless for quiet ringing; there the grid is better.
"""

from __future__ import annotations

import math
from operator import mul


def predicted(y: list[float], period_s: float) -> tuple[float, tuple[float, float] | None] | None:
    """Linear prediction: the root mean square by which it misses, and the mode (Hz, decay) in it."""
    now, once, twice = y[2:], y[1:-1], y[:-2]
    m = len(now)
    n0, n1, n2 = sum(now) / m, sum(once) / m, sum(twice) / m
    aa = sum(map(mul, once, once)) - m * n1 * n1 + 1e-6
    bb = sum(map(mul, twice, twice)) - m * n2 * n2 + 1e-6
    ab = sum(map(mul, once, twice)) - m * n1 * n2
    ta = sum(map(mul, now, once)) - m * n0 * n1
    tb = sum(map(mul, now, twice)) - m * n0 * n2
    tt = sum(map(mul, now, now)) - m * n0 * n0
    det = aa * bb - ab * ab
    if det <= 1e-9 * aa * bb:
        return None
    p, q = (ta * bb - tb * ab) / det, (tb * aa - ta * ab) / det
    missed = math.sqrt(max(0.0, tt - p * ta - q * tb) / max(1, m - 3))
    if p * p + 4 * q >= 0:
        return missed, None
    radius = math.sqrt(-q)
    turn = math.acos(max(-1.0, min(1.0, p / (2 * radius))))
    decay = min(20.0, max(0.3, -math.log(radius) / period_s))
    return missed, (max(0.2, turn / (2 * math.pi * period_s)), decay)
