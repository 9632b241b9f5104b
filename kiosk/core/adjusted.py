"""What an adjustment says of a scale, in whole numbers, as the ledger keeps it.

Theory. The converter's counts are taken to be a straight line of the load: ``counts = zero + slope *
grams``. *Calibration* measures the two, *adjustment* puts them in force (VIM 2.39, 3.11). With a
thermometer the line may move with the temperature: the zero by grams and the slope by a share for each
degree away from the temperature of the adjustment.

The ledger holds no float: a slope is kept in 1e-9 counts per gram, which leaves nine digits of a usual
one and three of the smallest that the settings allow.
"""

from __future__ import annotations

import msgspec

NANO = 1_000_000_000


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One load of an adjustment: ``load_mg`` known to ``uncertainty_mg`` (k = 2), and its counts."""

    load_mg: int
    uncertainty_mg: int
    counts: int


class Adjusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scale's line. ``slope_ncounts_per_g`` and ``zero_counts`` None for an indicator, which keeps
    its own.

    ``span_ppm`` how well the slope is known (k = 2; of the references and the repeats), ``linearity_mg``
    the farthest that a point lay from the line, ``temperature_mc`` at the adjustment in 1/1000 °C,
    ``zero_mg_per_c`` and ``gain_ppb_per_c`` what a degree more adds to the reading, ``gravity_um_per_s2``
    of the place where it was made.
    """

    slope_ncounts_per_g: int | None = None
    zero_counts: int | None = None
    span_ppm: int | None = None
    linearity_mg: int | None = None
    temperature_mc: int | None = None
    zero_mg_per_c: int = 0
    gain_ppb_per_c: int = 0
    gravity_um_per_s2: int | None = None
    points: tuple[Point, ...] = ()

    @property
    def counts_per_gram(self) -> float | None:
        return None if self.slope_ncounts_per_g is None else self.slope_ncounts_per_g / NANO


def slope_ncounts(counts_per_gram: float) -> int:
    """A slope as the ledger keeps it."""
    return round(counts_per_gram * NANO)
