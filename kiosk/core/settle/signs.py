"""What a settler tells. Times are boottime milliseconds, weights gross grams; the books round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Motion:
    """A plateau was left; ``t_ms`` of the first sample that left it."""

    t_ms: int


@dataclass(frozen=True, slots=True)
class Plateau:
    """Stable anew: known at ``t_ms``; ``uncertainty_g`` expanded, k = 2.

    ``left_g`` the level that was left at ``began_ms``; None where there was none (a start, a gap).
    ``late_g`` how much of it the earlier plateau became known better by after it was told: that is
    neither drift nor this change, but belongs to the change before. ``says_gross`` and
    ``left_says_gross``: every telegram that made this level, or the one left, said itself that it is gross.
    """

    t_ms: int
    gross_g: float
    uncertainty_g: float
    began_ms: int
    left_g: float | None
    late_g: float = 0.0
    says_gross: bool = False
    left_says_gross: bool = False


Sign = Motion | Plateau

GAP_MS = 1_000
"""A longer silence begins stability anew."""
