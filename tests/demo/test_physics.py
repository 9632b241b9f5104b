"""The platform behaves as the field's numbers say, before anything is built on it."""

from __future__ import annotations

import itertools
import math
import statistics
from random import Random

import pytest
from hw_sim.physics import STEP_S, Build, Platform

STIFF = Build(mode_hz=9.0, damping=0.05, floor_g=0.0, floor_hz=2.0, creep_share=0.0, drift_g=0.0)


def trace(platform: Platform, seconds: float) -> list[float]:
    """The force at every step of the next ``seconds``."""
    forces = []
    for _ in range(round(seconds / STEP_S)):
        platform.advance(platform.now_s + STEP_S * 1.01)
        forces.append(platform.force_g)
    return forces


def test_a_load_laid_down_reads_as_itself_once_it_has_settled() -> None:
    platform = Platform(STIFF, Random(1), now_s=0.0)
    platform.lay(1_234.0, over_s=0.4, hand_s=0.8)
    trace(platform, 6.0)
    assert statistics.mean(trace(platform, 1.0)) == pytest.approx(1_234.0, abs=0.5)
    assert platform.load_g == 1_234.0


def test_taking_up_what_was_laid_down_leaves_nothing() -> None:
    platform = Platform(STIFF, Random(2), now_s=0.0)
    platform.lay(900.0, over_s=0.2, hand_s=0.3)
    trace(platform, 3.0)
    platform.lay(-900.0, over_s=0.2, hand_s=0.3)
    trace(platform, 6.0)
    assert statistics.mean(trace(platform, 1.0)) == pytest.approx(0.0, abs=0.5)


def test_a_hand_on_the_item_shakes_it_by_at_least_100_g_and_is_gone_with_the_hand() -> None:
    platform = Platform(STIFF, Random(3), now_s=0.0)
    platform.lay(500.0, over_s=0.15, hand_s=20.0)
    held = trace(platform, 20.0)
    trace(platform, 6.0)
    free = trace(platform, 1.0)
    assert statistics.stdev(held) > 100.0
    assert statistics.stdev(free) < 1.0


def test_a_heavy_item_is_shaken_in_proportion() -> None:
    platform = Platform(STIFF, Random(4), now_s=0.0)
    platform.lay(30_000.0, over_s=0.6, hand_s=20.0)
    trace(platform, 2.0)
    assert statistics.stdev(trace(platform, 18.0)) > 450.0


@pytest.mark.parametrize("load_g", [0.0, 40_000.0])
def test_the_plate_rings_at_its_own_pitch_and_slower_under_load(load_g: float) -> None:
    platform = Platform(STIFF, Random(5), now_s=0.0)
    platform.shift(load_g)
    platform.knock(5_000.0, 0.03)
    ringing = [force - load_g for force in trace(platform, 2.0)]
    crossings = sum(a < 0.0 <= b for a, b in itertools.pairwise(ringing))
    expected = 2.0 * 9.0 / math.sqrt(1.0 + load_g / 40_000.0)
    assert crossings == pytest.approx(expected, abs=1.5)


def test_a_knock_leaves_no_weight_behind() -> None:
    platform = Platform(STIFF, Random(6), now_s=0.0)
    platform.shift(2_000.0)
    platform.knock(8_000.0, 0.08)
    knocked = trace(platform, 0.5)
    trace(platform, 6.0)
    assert max(knocked) > 4_000.0
    assert statistics.mean(trace(platform, 1.0)) == pytest.approx(2_000.0, abs=0.5)


def test_creep_adds_two_parts_in_ten_thousand_within_minutes() -> None:
    creeping = Build(mode_hz=9.0, damping=0.1, floor_g=0.0, floor_hz=2.0, drift_g=0.0)
    platform = Platform(creeping, Random(7), now_s=0.0)
    platform.shift(50_000.0)
    early = statistics.mean(trace(platform, 1.0))
    trace(platform, 540.0)
    late = statistics.mean(trace(platform, 1.0))
    assert late - early == pytest.approx(10.0, rel=0.1)


def test_drift_stays_within_a_few_grams_over_an_hour() -> None:
    drifting = Build(mode_hz=9.0, damping=0.1, floor_g=0.0, floor_hz=2.0, creep_share=0.0)
    platform = Platform(drifting, Random(8), now_s=0.0)
    hourly = trace(platform, 3_600.0)
    assert 0.5 < statistics.stdev(hourly) < 6.0
    assert max(map(abs, hourly)) < 15.0


def test_platforms_are_drawn_from_the_fields_range() -> None:
    rng = Random(9)
    builds = [Build.drawn(rng, division_g=20) for _ in range(200)]
    assert all(5.0 <= build.mode_hz <= 14.0 for build in builds)
    assert all(0.03 <= build.damping <= 0.15 for build in builds)
    assert {build.floor_g for build in builds} == {0.0, 2.0, 6.0}


def test_the_same_seed_gives_the_same_plate() -> None:
    def run() -> list[float]:
        platform = Platform(Build.drawn(Random(10), 20), Random(11), now_s=0.0)
        platform.lay(700.0, over_s=0.3, hand_s=0.5)
        return trace(platform, 2.0)

    assert run() == run()


def test_a_world_that_stood_still_does_not_simulate_the_lost_hours() -> None:
    platform = Platform(STIFF, Random(12), now_s=0.0)
    platform.advance(100_000.0)
    assert platform.now_s == pytest.approx(100_000.0, abs=STEP_S * 1.5)
