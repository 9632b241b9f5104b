"""The uncertainty of a weighing: a budget after the GUM (JCGM 100:2008), expanded with k = 2.

Invariant: in worlds whose scales err as the field's do the true change lies within the stated interval in
95 to 99 of 100 weighings.

Theory. A weighing is ``net = after - before`` times what the adjustment says a count is worth. Errors that
both levels share (zero, drift so far, temperature of the zero) fall out. What is left, as independent
standard uncertainties:

===================  ============================================================  =====================
contribution         how it is had                                                 standard uncertainty
===================  ============================================================  =====================
level after          type A: from the samples of its plateau (``settle``)          ``after_sd_g``
level before         type A: its plateau, which has been averaged since            ``left_sd_g``
whole grams          type B: two roundings, rectangular (GUM 4.3.7)                2 x 1 g / sqrt(12)
slope                type B: the references and repeats of the adjustment          ``span`` of the change
linearity            type B: curvature between the adjustment's points             ``linear`` of the change
gain and warmth      type B: 30 ppm/K of cell and converter (HX711: 5 ppm/K) over  ``GAIN_PPM`` of the
                     the seasons, triangular +-18 K (GUM 4.3.9), less where a      change
                     thermometer corrects it
creep                type B: 2e-4 of the change with 180 s (R 76, 3.9.4.1 allows    ``CREEP_PPM`` of the
                     0.5 e in 30 min), what has come by the time it is told        change
warm-up, stillness   type B: ``warmth``                                             ``extra_sd_g``
===================  ============================================================  =====================

An indicator's value is rounded to a division: its plateau's uncertainty holds d / sqrt(12) already.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kiosk.core.adjusted import Adjusted

K = 2.0
"""The coverage factor: about 95 % of a normal distribution (GUM, annex G)."""
ROUNDING = 1 / 12
"""Variance of one rounding to a whole gram."""
SPAN_PPM = 500.0
"""Of an adjustment that does not say how well it knew its references (k = 2)."""
LINEAR_PPM = 100.0
GAIN_PPM = 30 * 18 / math.sqrt(6)
GAIN_CORRECTED_PPM = 50.0
CREEP_PPM = 5.0
DRIFT_D = 0.02
"""What any level may do between two looks, in divisions."""
FOLLOWED = 0.15
"""Of the samples' scatter, what the level that is followed keeps (worlds with floors of 0.1 and 0.3 e)."""
REFINED_MS = 2_000
"""After so long the level is the mean of its samples, not what was told at first."""


@dataclass(frozen=True, slots=True)
class Line:
    """How well the scale's line is known: a share of the change (standard uncertainty)."""

    share: float

    @classmethod
    def of(cls, adjusted: Adjusted | None, *, max_g: int) -> Line:
        span_ppm, linear_ppm, gain_ppm = SPAN_PPM, LINEAR_PPM, GAIN_PPM
        if adjusted is not None:
            if adjusted.span_ppm is not None:
                span_ppm = float(adjusted.span_ppm)
            if adjusted.linearity_mg is not None:
                # The farthest point's distance, over half the range: a bow's slope (rectangular).
                bow = abs(adjusted.linearity_mg) / 1000 / (max_g / 2)
                linear_ppm = max(LINEAR_PPM, 1e6 * bow / math.sqrt(3))
            if adjusted.gain_ppb_per_c:
                gain_ppm = GAIN_CORRECTED_PPM
        return cls(1e-6 * math.hypot(span_ppm / K, linear_ppm, gain_ppm, CREEP_PPM))


def refined_sd_g(told_sd_g: float, scatter_g: float, *, age_ms: int, division_g: float) -> float:
    """A level that was told with ``told_sd_g`` and has been followed since, ``age_ms`` later.

    ``scatter_g`` is the samples' own standard deviation around it. On a swaying floor the level goes after
    drift more slowly, so a share of the scatter stays.
    """
    followed_sd_g = math.hypot(FOLLOWED * scatter_g, DRIFT_D * division_g)
    if followed_sd_g >= told_sd_g:
        return told_sd_g if age_ms < REFINED_MS else followed_sd_g
    share = min(1.0, max(0, age_ms) / REFINED_MS)
    return told_sd_g + share * (followed_sd_g - told_sd_g)


def weighing_g(
    net_g: float, *, left_sd_g: float, after_sd_g: float, line: Line, extra_sd_g: float = 0.0
) -> int:
    """Of a change of ``net_g``: expanded (k = 2), in whole grams, at least one."""
    variance = left_sd_g**2 + after_sd_g**2 + 2 * ROUNDING
    variance += (line.share * net_g) ** 2 + extra_sd_g**2
    return max(1, round(K * math.sqrt(variance)))


def difference_g(first_sd_g: float, second_sd_g: float) -> int:
    """Of a difference that is no drop: expanded (k = 2), in whole grams, rounded up."""
    return math.ceil(K * math.sqrt(first_sd_g**2 + second_sd_g**2 + 2 * ROUNDING))
