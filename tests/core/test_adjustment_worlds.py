"""Thousands of adjustments with bottles: the true factor lies within what each of them says of itself.

A world draws what a caretaker cannot know: the cell's true slope, how far the household scale is off,
how differently a bottle stands each time, drift while hands are busy.
``KIOSK_SEARCH_SIZE`` multiplies the worlds.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from kiosk.core.adjustment import Fit, Instrument, Load, Placement, Reference, fit
from kiosk.core.still import Reading, reading

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CASES = 1_000
SCALE = Instrument(max_g=60_000, division_g=20, counts_per_gram=43.0)


def at_rest(rng: Random, level: float, noise: float) -> Reading:
    """Four seconds at 10 SPS."""
    found = reading([round(rng.gauss(level, noise)) for _ in range(40)], 5 * noise)
    assert isinstance(found, Reading)
    return found


def adjusted(rng: Random, masses_g: tuple[float, ...], placements: int, tolerance_g: float) -> bool:
    """One adjustment; whether the true slope lies within its uncertainty."""
    true_slope = 43.0 * rng.uniform(0.96, 1.04)
    noise = rng.uniform(15, 60)
    placed_g = rng.uniform(0.3, 2.5)
    off = rng.uniform(-1, 1)  # the household scale's error, alike for all bottles
    level, drift = rng.uniform(-1e5, 1e5), rng.gauss(0, 10)
    loads = []
    for true_g in masses_g:
        laid = []
        for _ in range(placements):
            before = at_rest(rng, level, noise)
            stands_g = true_g + rng.gauss(0, placed_g)
            loaded = at_rest(rng, level + drift + true_slope * stands_g, noise)
            level += 2 * drift
            laid.append(Placement(before, loaded, at_rest(rng, level, noise)))
        loads.append(Load(Reference(true_g + off * tolerance_g, tolerance_g), tuple(laid)))
    found = fit(loads, SCALE)
    assert isinstance(found, Fit), found
    return abs(true_slope / found.counts_per_gram - 1) <= found.relative_uncertainty


@pytest.mark.parametrize(
    ("masses_g", "placements", "tolerance_g"),
    [
        ((2_000.0,), 2, 5.0),  # the usual: one bottle, laid on twice
        ((2_000.0,), 2, 1.0),
        ((2_000.0,), 1, 3.0),
        ((20_000.0,), 3, 0.5),  # a weight of the trade
        ((2_000.0, 4_000.0, 6_000.0), 2, 4.0),
        ((5_000.0, 10_000.0, 20_000.0, 40_000.0), 1, 0.1),
    ],
)
@pytest.mark.parametrize("seed", range(1, 2 * SIZE + 1))
def test_the_true_factor_lies_within_the_stated_uncertainty(
    masses_g: tuple[float, ...], placements: int, tolerance_g: float, seed: int
) -> None:
    rng = Random(f"{masses_g} {placements} {tolerance_g} {seed}")
    held = sum(adjusted(rng, masses_g, placements, tolerance_g) for _ in range(CASES))
    assert 0.95 * CASES <= held <= 0.99 * CASES
