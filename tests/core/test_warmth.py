"""What warmth does to a scale, learned from undisturbed hours, and taken off."""

from __future__ import annotations

import math
import random

import pytest
from hw_sim.days import COUNTS_PER_GRAM
from hw_sim.years import Year, with_scale

from kiosk.core.adjusted import Adjusted
from kiosk.core.config import ScaleRules
from kiosk.core.nights import Nights
from kiosk.core.warmth_line import WarmthLine

HOUR_MS = 3_600_000
SCALE = ScaleRules(60_000, 20, 20, 10.0, counts_per_gram=COUNTS_PER_GRAM)


def taught(
    seed: int, zero_g_per_c: float, gain_per_c: float, loads_g: tuple[float, ...], drift_g: float
) -> Nights:
    """One night for each load: eight hours, six degrees, and a drift of the night's own."""
    rng, nights = random.Random(seed), Nights(60_000, 20)
    for load_g in loads_g:
        slope_g = rng.gauss(0, drift_g)
        for hour in range(49):
            warm_c = 12 + 3 * math.cos(hour / 48 * math.pi)
            level_g = load_g + (zero_g_per_c + gain_per_c * load_g) * warm_c
            level_g += slope_g * hour / 48 + rng.gauss(0, 0.3)
            nights.point(hour * HOUR_MS // 6, warm_c, level_g)
        nights.end(8 * HOUR_MS, load_g)
    return nights


@pytest.mark.parametrize("seed", range(5))
def test_the_zero_is_learned_from_empty_nights(seed: int) -> None:
    learned = taught(seed, 2.5, 0.0, (0.0,) * 6, drift_g=2.0).learned()
    assert learned is not None
    assert learned.zero_g_per_c == pytest.approx(2.5, abs=0.6)
    assert learned.gain_per_c == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_gain_is_told_from_the_zero_by_nights_of_other_loads(seed: int) -> None:
    nights = taught(seed, -1.5, 40e-6, (0.0, 100.0, 20_000.0, 45_000.0) * 3, drift_g=1.0)
    learned = nights.learned()
    assert learned is not None
    assert learned.zero_g_per_c == pytest.approx(-1.5, abs=0.4)
    assert learned.gain_per_c == pytest.approx(40e-6, abs=15e-6)


@pytest.mark.parametrize("seed", range(8))
def test_drift_that_has_nothing_to_do_with_warmth_teaches_nothing(seed: int) -> None:
    assert taught(seed, 0.0, 0.0, (0.0,) * 6, drift_g=6.0).learned() is None


def test_loaded_nights_alone_teach_nothing() -> None:
    assert taught(0, 2.0, 30e-6, (40_000.0,) * 8, drift_g=0.5).learned() is None


def test_without_a_thermometer_counts_pass_unchanged() -> None:
    line = WarmthLine(SCALE, Adjusted(zero_mg_per_c=3_000), None)
    assert [line.corrected(counts) for counts in (-5, 0, 431_234)] == [-5, 0, 431_234]
    assert not line.awaits(0)


def test_what_warmth_added_is_taken_off_and_slowly() -> None:
    adjusted = Adjusted(temperature_mc=20_000, zero_mg_per_c=2_000, gain_ppb_per_c=50_000)
    line = WarmthLine(SCALE, adjusted, None)
    assert line.awaits(0), "the first weight waits for the thermometer"
    line.seen(1_000, 30_000)
    reads_g = 10_000 * (1 + 50e-6 * 10) + 20
    counts = round(reads_g * COUNTS_PER_GRAM)
    assert line.corrected(counts) / COUNTS_PER_GRAM == pytest.approx(10_000, abs=0.1)
    assert line.raw(line.corrected(counts)) == pytest.approx(counts, abs=2)
    line.seen(61_000, 10_000)  # it fell off the wall, or the sun went
    assert line.now_mc == pytest.approx(29_500, abs=1)
    assert line.corrected(1 << 23) == 1 << 23


def test_a_station_that_learned_its_scales_drifts_less() -> None:
    """Ten still nights with power and a bin that goes 3 g a degree: learned, entered, taken off."""
    year = Year(5, bins=1, learns=True)
    cell = year.cells["b0"]
    assert with_scale(year.rules).bins[0].scale == year.rules.bins[0].scale
    cell.errors = type(cell.errors)(zero_g_per_c=3.0)
    for _ in range(10):
        year.rest(20 * HOUR_MS)
        year.cells["b0"].knock()
        year.look(40_000)
    (learned, *_) = year.books.adjustments
    assert learned.method == "temperature"
    assert learned.scale.zero_mg_per_c == pytest.approx(3_000, abs=900)
    assert year.books.weighings == []
