"""How far a value may be from the truth, when part of the doubt is a bell and part a box.

Noise of many samples is normal; a reference whose maker says "within ± 5 g" is anywhere in that box
(rectangular). Twice the root of both variances (GUM, k = 2) would be too wide where the box rules and
holds every case; so the half-width is taken from the very distribution of their sum.
"""

from __future__ import annotations

import math

PROBABILITY = 0.97
"""Of the truth lying within: between the 95 and 99 % that are promised (k = 2 says 95.45 %)."""
_STEPS = 60
"""Halvings: to the last bit of a float."""


def half_width(normal: float, box: float) -> float:
    """The half-width that holds ``PROBABILITY`` of N(0, ``normal``) + U(-``box``, ``box``).

    >>> round(half_width(1.0, 0.0), 3), round(half_width(0.0, 1.0), 3)
    (2.17, 0.97)
    """
    if normal < 0 or box < 0:
        raise ValueError("a spread is not negative")
    low, high = 0.0, 3 * normal + box
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if held(middle, normal, box) < PROBABILITY:
            low = middle
        else:
            high = middle
    return high


def held(width: float, normal: float, box: float) -> float:
    """The share of that sum within ± ``width``."""
    if box <= normal * 1e-6:
        return 1.0 if normal == 0 else math.erf(width / normal / math.sqrt(2))
    if normal == 0:
        return min(1.0, width / box)
    up, down = (width + box) / normal, (width - box) / normal
    return normal / box * (_area(up) - _area(down)) - 1


def _area(z: float) -> float:
    """The integral of the normal distribution function up to ``z``."""
    cumulated = (1 + math.erf(z / math.sqrt(2))) / 2
    return z * cumulated + math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
