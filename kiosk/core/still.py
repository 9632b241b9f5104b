"""Some seconds of raw counts at rest, as one number with its doubt.

Theory. The mean's doubt is the samples' spread over the root of their number where they are
independent; where a floor sways or the weight creeps they are not, and the two halves of the window
differ. The larger of both is taken. Wrong values of an HX711 come singly or in pairs and far away:
what lies further than ``FAR`` robust spreads from the median is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

FAR = 6.0
ROBUST = 1.4826
"""The median deviation of normal noise, times this, is its standard deviation."""
LEAST_SAMPLES = 8
MOST_FAR = 0.1
"""A larger share of far values is no noise with spikes: it is movement."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A mean of raw counts; ``uncertainty_counts`` one standard deviation of that mean.

    ``noise_counts`` of a single sample.
    """

    counts: float
    uncertainty_counts: float
    noise_counts: float
    samples: int


def reading(counts: Sequence[int], limit_counts: float) -> Reading | None:
    """The window as one reading; None while there are too few samples to say, or where it moved: its
    halves differ by more than ``limit_counts``."""
    if len(counts) < LEAST_SAMPLES:
        return None
    good = _without_far(counts)
    if len(counts) - len(good) > MOST_FAR * len(counts):
        return None
    half = len(good) // 2
    moved = abs(fmean(good[half:]) - fmean(good[:half]))
    if moved > limit_counts:
        return None
    mean = fmean(good)
    noise = math.sqrt(sum((one - mean) ** 2 for one in good) / (len(good) - 1))
    # Whole counts are a rounding (1/sqrt(12)) even where nothing moves.
    noise = max(noise, 1 / math.sqrt(12))
    doubt = max(noise / math.sqrt(len(good)), moved / 2)
    return Reading(mean, doubt, noise, len(good))


def _without_far(counts: Sequence[int]) -> list[int]:
    middle = median(counts)
    spread = ROBUST * median(abs(one - middle) for one in counts)
    far = FAR * max(spread, 1.0)
    return [one for one in counts if abs(one - middle) <= far]
