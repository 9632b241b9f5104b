"""The usual locks, beside which ours is measured: they get the same samples, as grams.

Both drop single wrong values no better than they do in the field: not at all.
"""

from __future__ import annotations

import statistics
from collections import deque


class PeakToPeak:
    """Stable when the samples of the last ``hold_s`` lie within 1 e; the value is their mean."""

    def __init__(self, rate_sps: float, division_g: float, hold_s: float = 0.5) -> None:
        self._seen: deque[float] = deque(maxlen=max(3, round(hold_s * rate_sps)))
        self._e = division_g

    def feed(self, gross_g: float) -> float | None:
        seen = self._seen
        seen.append(gross_g)
        if len(seen) < (seen.maxlen or 0) or max(seen) - min(seen) > self._e:
            return None
        return sum(seen) / len(seen)


class DeviationOfMeans:
    """Stable when the last ten means (of an eighth of a second, or of a sample) deviate by less than
    0.1 e; the value is the newest mean."""

    def __init__(self, rate_sps: float, division_g: float) -> None:
        self._every = max(1, round(rate_sps / 8))
        self._block: list[float] = []
        self._means: deque[float] = deque(maxlen=10)
        self._limit_g = 0.1 * division_g

    def feed(self, gross_g: float) -> float | None:
        self._block.append(gross_g)
        if len(self._block) < self._every:
            return None
        self._means.append(sum(self._block) / len(self._block))
        self._block.clear()
        if len(self._means) < 10 or statistics.pstdev(self._means) > self._limit_g:
            return None
        return self._means[-1]
