"""What a bin's standing still is called between the settler and the books: levels and changes.

The books' grams are whole from here on. ``says_gross``: every telegram that made the level was the
indicator's own and said itself that it is a gross weight; only such levels make certified weights
(``certified``). What was made of counts, or reckoned from two levels, never says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from kiosk.core import uncertainty


@dataclass(frozen=True, slots=True)
class Level:
    """A stable gross weight, ``exact_g`` as it was told; ``sd_g`` its standard uncertainty."""

    exact_g: float
    sd_g: float
    says_gross: bool = False

    @property
    def gross_g(self) -> int:
        """As the books have it."""
        return round(self.exact_g)

    def shifted(self, by_g: float) -> Level:
        """A level that is reckoned, and was never seen."""
        return Level(self.exact_g + by_g, self.sd_g)


@dataclass(frozen=True, slots=True)
class Settled:
    """A plateau in whole grams: ``after`` the level found, ``before`` the one that was left, None where
    there was none. ``left_sd_g`` how well the level before was known in any case, ``extra_sd_g`` what a
    cold scale and long stillness add. ``late_g`` of ``before`` is what it became known better by after it
    was told (``settle.Plateau``). ``sure``: it has lain still for long enough to be no gust of wind
    (``doubts``).
    """

    bin: str
    began_ms: int
    t_ms: int
    after: Level
    before: Level | None
    left_sd_g: float = 0.0
    extra_sd_g: float = 0.0
    late_g: float = 0.0
    sure: bool = False

    @property
    def gross_g(self) -> int:
        return self.after.gross_g

    @property
    def uncertainty_g(self) -> int:
        """Of a difference to it that is no drop (k = 2)."""
        left_sd_g = self.left_sd_g if self.before is None else self.before.sd_g
        return uncertainty.difference_g(left_sd_g, math.hypot(self.after.sd_g, self.extra_sd_g))

    def since(self, before: Level | None) -> Settled:
        """The same plateau, as a change from another level."""
        return replace(self, before=before)


@dataclass(frozen=True, slots=True)
class Watched:
    """The level at a visit's beginning, or when the bin first stood still in it; ``seen_g`` where it has
    crept since."""

    visit: str
    t_ms: int
    level: Level
    seen_g: int


@dataclass(frozen=True, slots=True)
class PendingSwap:
    """A bag seems to have gone; told once the bin has kept still for a moment."""

    settled: Settled
    since_ms: int
