"""How much a scale that has just been switched on, or has long stood still, is trusted.

Theory. After a cold start cells and converter drift, most in the first minutes; R 76 (5.3.5) shows nothing
meanwhile. A station refuses no drop, so it says a larger uncertainty instead, which falls to nothing
within ``WARM_UP_MS``. After long stillness the first movement frees what has stuck meanwhile (friction at
the platform's edge, a heap against the wall): the change before and after it is known a little less
well, by a random walk of the hours.
"""

from __future__ import annotations

import math

WARM_UP_MS = 15 * 60_000
WARM_UP_D = 0.1
"""Standard deviation of a change right after a cold start, in divisions."""
STILL_D, STILL_MS, STILL_MOST_D = 0.02, 3_600_000, 0.1
"""... after an hour of stillness, and never more than the last."""


def cold_sd_g(on_ms: int, division_g: float) -> float:
    """``on_ms`` how long the scale has been on."""
    cold = max(0.0, 1 - max(0, on_ms) / WARM_UP_MS)
    return WARM_UP_D * division_g * cold


def still_sd_g(still_ms: int, division_g: float) -> float:
    """``still_ms`` how long nothing had moved before."""
    still_d = STILL_D * math.sqrt(max(0, still_ms) / STILL_MS)
    return min(STILL_MOST_D, still_d) * division_g
