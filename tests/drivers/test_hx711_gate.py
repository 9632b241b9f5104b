"""The plausibility gate: a real load passes with little delay, a wrong bit at rest never does."""

from __future__ import annotations

import os
from random import Random

import pytest
from hw_sim.hx711_chip import spline_integral

from drivers.hx711_gate import BAND, HOLD, Gate
from drivers.hx711_witness import Sample

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
NOISE_COUNTS = 39.0


def passed(counts: list[int], gate: Gate | None = None) -> list[Sample]:
    """What leaves of these, fed one after another; never more than ``HOLD`` late, always in order."""
    gate = gate or Gate()
    left: list[Sample] = []
    for number, value in enumerate(counts):
        leaving, _ = gate.feed(Sample(number, value))
        left += leaving
        assert all(number - sample.ready_ns < HOLD for sample in leaving)
    assert [sample.ready_ns for sample in left] == sorted({sample.ready_ns for sample in left})
    return left


def rest(rng: Random, level: float, count: int) -> list[int]:
    return [round(level + rng.gauss(0, NOISE_COUNTS)) for _ in range(count)]


def step(rng: Random, before: float, after: float, begun: float) -> list[int]:
    """What the chip's filter makes of a load that changes ``begun`` periods before a conversion."""
    return [
        round(
            before + (after - before) * spline_integral(begun + number) + rng.gauss(0, NOISE_COUNTS)
        )
        for number in range(5)
    ]


def test_noise_at_rest_passes_at_once_and_whole() -> None:
    counts = rest(Random(1), 84_000, 2_000)
    assert [sample.counts for sample in passed(counts)] == counts


@pytest.mark.parametrize("seed", range(20 * SIZE))
def test_a_load_laid_on_passes_whole_and_in_shape_whenever_it_comes(seed: int) -> None:
    rng = Random(seed)
    before, after = rng.uniform(0, 2e6), rng.uniform(0, 2e6)
    counts = rest(rng, before, 40) + step(rng, before, after, rng.random()) + rest(rng, after, 40)
    assert [sample.counts for sample in passed(counts)] == counts


@pytest.mark.parametrize("wrong", [1, 2])
@pytest.mark.parametrize("bit", range(9, 24))
def test_a_wrong_bit_at_rest_never_passes_alone_or_in_a_pair(bit: int, wrong: int) -> None:
    rng = Random(bit)
    counts = rest(rng, 84_000, 60)
    spoilt = list(counts)
    for place in range(30, 30 + wrong):
        spoilt[place] = counts[place] ^ (1 << bit)
    left = passed(spoilt)
    assert {sample.ready_ns for sample in left} == set(range(60)) - set(range(30, 30 + wrong))


@pytest.mark.parametrize("bit", range(8, 23))
def test_the_values_of_ones_alone_that_some_boards_give_never_pass_at_rest(bit: int) -> None:
    counts = rest(Random(bit), 600_000, 60)
    counts[20] = counts[21] = (1 << bit) - 1
    assert (1 << bit) - 1 not in [sample.counts for sample in passed(counts)]


def test_a_pair_just_before_a_real_load_costs_no_value_of_the_load() -> None:
    rng = Random(5)
    rested = rest(rng, 84_000, 30)
    moved = step(rng, 84_000, 900_000, 0.4) + rest(rng, 900_000, 10)
    left = [sample.counts for sample in passed([*rested, 5, 7, rested[0], *moved])]
    assert 5 not in left
    assert left[-10:] == moved[-10:]


def test_a_platform_that_swings_at_half_the_rate_is_soon_let_through_on_both_sides() -> None:
    rng = Random(2)
    swing = [round(value + 400 * (-1) ** n) for n, value in enumerate(rest(rng, 84_000, 200))]
    left = [sample.counts for sample in passed(rest(rng, 84_000, 20) + swing)]
    assert len(left) > 200
    assert abs(sum(left[-150:]) / 150 - 84_000) < 20


def test_a_heavy_swing_that_dies_away_loses_few_values() -> None:
    rng = Random(2)
    swing = [round(84_000 + 40_000 * (-1) ** n * 0.97**n) for n in range(100)]
    assert len(passed(rest(rng, 84_000, 20) + swing + rest(rng, 84_000, 20))) > 110


def test_a_board_with_one_value_in_twenty_wrong_is_kept_clean_at_rest() -> None:
    rng = Random(9)
    counts = rest(rng, 84_000, 2_000)
    wrong = {n for n in range(10, 1_990) if rng.random() < 0.05}
    for n in wrong:
        counts[n] = (1 << rng.randrange(17, 23)) - 1
    left = {sample.ready_ns for sample in passed(counts)}
    alone = {n for n in wrong if not {n - 2, n - 1, n + 1, n + 2} & wrong}
    assert not left & alone


def test_the_band_follows_the_scale_and_one_step_does_not_open_it() -> None:
    gate = Gate()
    rng = Random(3)
    passed(rest(rng, 84_000, 200) + step(rng, 84_000, 900_000, 0.5) + rest(rng, 900_000, 20), gate)
    leaving, _ = gate.feed(Sample(1_000, 900_000 + round(BAND * 3 * NOISE_COUNTS)))
    assert leaving == []


def test_after_a_loss_nothing_old_is_compared_with() -> None:
    gate = Gate()
    passed([84_000] * 10, gate)
    gate.restart()
    assert [sample.counts for sample in passed([500_000, 500_010, 500_020], gate)] == [
        500_000,
        500_010,
        500_020,
    ]
