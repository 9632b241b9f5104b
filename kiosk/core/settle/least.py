"""From when a change counts."""

from __future__ import annotations

MOST_SHARE = 0.25
"""No change of less than three quarters of the least increment counts."""


def least_counted_g(min_increment_g: float, uncertainty_g: float) -> float:
    """The smallest measured change that is counted where ``min_increment_g`` is the least increment;
    ``uncertainty_g`` the change's own, k = 2.

    A drop of exactly the least increment is measured a little below it every second time. What cannot be
    told from it (k = 3) is counted as it was measured; else the last of ten such drops would be lost.
    """
    return min_increment_g - min(1.5 * uncertainty_g, MOST_SHARE * min_increment_g)
