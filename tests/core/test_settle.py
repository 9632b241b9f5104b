"""A bin's platform under hands, pours and knocks: when is its weight believed, and is it right?

The platform is ``hw_sim.physics`` (modes, hands, a swaying floor), sampled as an HX711 samples: four
running means over a conversion, and noise.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

import pytest
from hw_sim.physics import Build, Platform

from kiosk.core.config import ScaleRules
from kiosk.core.settle import CountsSettler, Motion, Plateau, Sign

COUNTS_PER_GRAM, ZERO_COUNTS, D = 43.0, 84_000, 20
RATES = [80.0, 10.0]


@dataclass
class Rig:
    """A platform, its converter and the settler under test."""

    rate_sps: float
    seed: int
    floor_d: float = 0.0
    signs: list[tuple[float, Sign]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        drawn = Build.drawn(self.rng, D)
        build = Build(drawn.mode_hz, drawn.damping, self.floor_d * D, drawn.floor_hz, drift_g=0.0)
        self.platform = Platform(build, Random(self.seed + 1), now_s=0.0)
        self.settler = CountsSettler(
            ScaleRules(60_000, D, D, self.rate_sps, COUNTS_PER_GRAM, ZERO_COUNTS)
        )
        self._fine = max(2, round(200 / self.rate_sps))
        self._means = [deque([0.0] * self._fine, maxlen=self._fine) for _ in range(4)]

    def run(self, seconds: float, pour_g_per_s: float = 0.0) -> None:
        """Goes on for so long, pouring evenly."""
        step_s = 1.0 / self.rate_sps / self._fine
        for _ in range(round(seconds * self.rate_sps)):
            taken_g = 0.0
            for _ in range(self._fine):
                self.platform.load_g += pour_g_per_s * step_s
                self.platform.advance(self.platform.now_s + step_s + 1e-9)
                taken_g = self.platform.force_g
                for mean in self._means:  # sinc^4
                    mean.append(taken_g)
                    taken_g = sum(mean) / self._fine
            self.feed(taken_g)

    def feed(self, gross_g: float) -> None:
        now_ms = self.platform.now_s * 1000
        noise = self.rng.gauss(0.0, 25.0 if self.rate_sps < 40 else 40.0)
        counts = round(ZERO_COUNTS + COUNTS_PER_GRAM * gross_g + noise)
        self.signs += [(now_ms, s) for s in self.settler.feed(round(now_ms), counts)]

    def plateaus(self, since_ms: float = 0.0) -> list[Plateau]:
        return [s for t_ms, s in self.signs if isinstance(s, Plateau) and t_ms > since_ms]


@pytest.mark.parametrize("rate_sps", RATES)
@pytest.mark.parametrize("seed", range(8))
def test_a_load_is_known_soon_after_the_hand_has_let_go_and_not_before(
    rate_sps: float, seed: int
) -> None:
    rig = Rig(rate_sps, seed, floor_d=(0.0, 0.1, 0.3)[seed % 3])
    rig.run(3.0)
    load_g = rig.rng.uniform(500.0, 40_000.0)
    laid_ms = rig.platform.now_s * 1000
    rig.platform.lay(load_g, over_s=0.4, hand_s=0.6)
    rig.run(6.0)
    first = rig.plateaus(laid_ms)[0]
    assert first.t_ms > laid_ms + 1_000, "the hand was on"
    assert first.t_ms < laid_ms + 1_000 + 3_500
    assert first.gross_g == pytest.approx(load_g, abs=0.5 * D)
    assert first.uncertainty_g < D
    assert first.began_ms == pytest.approx(laid_ms, abs=400)


@pytest.mark.parametrize("rate_sps", RATES)
@pytest.mark.parametrize("floor_d", [0.0, 0.3])
def test_oil_that_is_poured_slowly_is_no_plateau_until_it_ends(
    rate_sps: float, floor_d: float
) -> None:
    rig = Rig(rate_sps, seed=5, floor_d=floor_d)
    rig.platform.shift(5_000.0)
    rig.run(3.0)
    begun_ms = rig.platform.now_s * 1000
    rig.run(15.0, pour_g_per_s=45.0)
    poured_ms = rig.platform.now_s * 1000
    rig.run(4.0)
    assert all(
        t_ms < begun_ms + 400 or t_ms > poured_ms for t_ms, s in rig.signs if isinstance(s, Plateau)
    )
    last = rig.plateaus()[-1]
    assert last.gross_g - (last.left_g or 0.0) == pytest.approx(15 * 45.0, abs=5)


@pytest.mark.parametrize("rate_sps", RATES)
def test_somebody_who_leans_on_the_bin_is_never_a_weight(rate_sps: float) -> None:
    rig = Rig(rate_sps, seed=6)
    rig.platform.shift(8_000.0)
    rig.run(3.0)
    leaned_ms = rig.platform.now_s * 1000
    rig.platform.lay(3_000.0, over_s=0.3, hand_s=8.0)
    rig.run(6.0)
    assert rig.plateaus(leaned_ms) == []


@pytest.mark.parametrize("rate_sps", RATES)
def test_a_knock_changes_nothing(rate_sps: float) -> None:
    rig = Rig(rate_sps, seed=7)
    rig.platform.shift(8_000.0)
    rig.run(3.0)
    knocked_ms = rig.platform.now_s * 1000
    rig.platform.knock(6_000.0, 0.12)
    rig.run(5.0)
    for plateau in rig.plateaus(knocked_ms):
        assert plateau.left_g is not None
        assert abs(plateau.gross_g - plateau.left_g) < 0.25 * D
    assert rig.settler.level_g == pytest.approx(8_000.0, abs=0.25 * D)


@pytest.mark.parametrize("rate_sps", RATES)
def test_a_plateau_is_told_once_although_its_platform_rings_on(rate_sps: float) -> None:
    told = 0
    for seed in range(20, 28):
        rig = Rig(rate_sps, seed)
        rig.run(3.0)
        laid_ms = rig.platform.now_s * 1000
        rig.platform.lay(15_000.0, over_s=0.3, hand_s=0.3)
        rig.run(8.0)
        told += len(rig.plateaus(laid_ms))
    assert told == 8


def test_creep_is_followed_and_belongs_to_no_change() -> None:
    rig = Rig(10.0, seed=8)
    rig.platform.shift(30_000.0)
    rig.run(2.0)
    rig.run(100.0, pour_g_per_s=0.05)
    assert len(rig.plateaus()) == 1
    assert rig.settler.level_g == pytest.approx(30_000 + 5 + 3, abs=3)


def test_a_trickle_is_not_eaten() -> None:
    """2 g a second is faster than any drift: the grams stay in the changes."""
    rig = Rig(10.0, seed=9)
    rig.platform.shift(30_000.0)
    rig.run(3.0)
    rig.run(60.0, pour_g_per_s=2.0)
    rig.run(3.0)
    later = rig.plateaus(3_000.0)
    changes_g = sum(p.gross_g - (p.left_g or 0.0) + p.late_g for p in later)
    assert changes_g > 0.75 * 120


def test_what_a_plateau_became_known_better_by_is_not_lost() -> None:
    """Every change begins where the one before ended, once its late grams are counted with it."""
    rig = Rig(80.0, seed=10)
    rig.run(3.0)
    for _ in range(6):
        rig.platform.lay(400.0, over_s=0.2, hand_s=0.3)
        rig.run(4.0)
    changes = [p for p in rig.plateaus() if p.left_g is not None]
    total_g = sum(p.gross_g - (p.left_g or 0.0) + p.late_g for p in changes)
    assert total_g == pytest.approx(2_400.0, abs=3.0)


@pytest.mark.parametrize("rate_sps", RATES)
def test_the_stated_uncertainty_is_honest(rate_sps: float) -> None:
    inside, widths = 0, []
    trials = 40
    for seed in range(100, 100 + trials):
        rig = Rig(rate_sps, seed, floor_d=(0.0, 0.1, 0.3)[seed % 3])
        rig.run(2.0)
        laid_ms = rig.platform.now_s * 1000
        load_g = rig.rng.uniform(500.0, 30_000.0)
        rig.platform.lay(load_g, over_s=0.3, hand_s=0.2)
        rig.run(4.0)
        first = rig.plateaus(laid_ms + 500)[0]
        inside += abs(first.gross_g - load_g) <= first.uncertainty_g
        widths.append(first.uncertainty_g)
    assert inside >= 0.9 * trials
    assert sorted(widths)[trials // 2] <= D


def test_a_stuck_value_after_a_spike_is_no_proof_of_stillness() -> None:
    rig = Rig(80.0, seed=11)
    rig.run(3.0)
    before = len(rig.signs)
    for value_g in (90_000.0, 90_000.0, 0.0, 0.0, 45_000.0, 0.0):
        rig.platform.advance(rig.platform.now_s + 1 / 80)
        rig.feed(value_g)
    rig.run(1.0)
    assert rig.signs[before:] == []
    assert rig.settler.rejected["spike"] == 3


def test_a_plateau_left_and_found_again_says_where_it_came_from() -> None:
    rig = Rig(80.0, seed=12)
    rig.platform.shift(2_000.0)
    rig.run(3.0)
    rig.platform.lay(-1_500.0, over_s=0.2, hand_s=0.3)
    rig.run(4.0)
    motions = [s for _, s in rig.signs if isinstance(s, Motion)]
    last = rig.plateaus()[-1]
    assert last.left_g == pytest.approx(2_000.0, abs=3)
    assert last.gross_g == pytest.approx(500.0, abs=5)
    assert motions[0].t_ms == last.began_ms


def test_a_scale_that_went_away_has_left_no_level() -> None:
    rig = Rig(80.0, seed=13)
    rig.run(3.0)
    rig.settler.interrupt()
    assert rig.settler.level_g is None
    rig.run(3.0)
    assert rig.plateaus()[-1].left_g is None


def test_counts_need_an_adjustment() -> None:
    with pytest.raises(ValueError, match="counts_per_gram"):
        CountsSettler(ScaleRules(60_000, D, D, 10.0))
