"""What warmth does to a scale, learned from undisturbed hours, and taken off."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import msgspec
import pytest
from hw_sim.days import COUNTS_PER_GRAM
from hw_sim.years import Year, with_scale

from kiosk.core.adjusted import Adjusted, slope_ncounts
from kiosk.core.adjusting import by_new_line
from kiosk.core.bin import Bin
from kiosk.core.config import BinRules, ScaleRules
from kiosk.core.memory import BinBook
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


@pytest.mark.parametrize("gross_g", [0, 20, 10_000, 45_000])
@pytest.mark.parametrize("now_c", [-3, 20, 31])
def test_a_line_made_on_a_hot_day_says_at_once_what_the_scale_will_show(
    gross_g: int, now_c: int
) -> None:
    """The step that the ledger books is what the new line makes of the counts, at any temperature."""
    at_20 = Adjusted(
        slope_ncounts_per_g=slope_ncounts(COUNTS_PER_GRAM),
        zero_counts=0,
        temperature_mc=20_000,
        zero_mg_per_c=2_000,
        gain_ppb_per_c=80_000,
    )
    rules = BinRules("b0", "pet-bottle", SCALE, None, 100, 500)
    bin_ = Bin(rules, BinBook("b0", "pet-bottle", "", 0, adjusted=at_20, adjustment=2))
    assert bin_.warmth is not None
    bin_.warmth.seen(0, now_c * 1_000)
    raw = bin_.warmth.raw(gross_g * COUNTS_PER_GRAM)
    hot = msgspec.structs.replace(
        at_20, zero_counts=-4_000, temperature_mc=now_c * 1_000, slope_ncounts_per_g=43_100_000_000
    )
    fresh = WarmthLine(replace(SCALE, counts_per_gram=43.1, zero_counts=-4_000), hot, now_c * 1e3)
    shown_g = (fresh.corrected(round(raw)) + 4_000) / 43.1
    assert by_new_line(bin_, hot, gross_g) == pytest.approx(shown_g, abs=1)


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
