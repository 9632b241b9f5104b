"""Ten seconds of scales with one trouble each: the diagnosis names that one, and no other."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from kiosk.core.diagnosis import SECONDS, Watched, diagnose

SLOPE, ZERO, D = 43.0, 84_000, 20


def watched(
    rate_sps: float = 10.0,
    *,
    seed: int = 0,
    noise: float | None = None,
    grams: Callable[[float], float] = lambda t_s: 3_000.0,
    change: Callable[[Random, int], int] = lambda rng, counts: counts,
    slope: float = SLOPE,
    zero: int = ZERO,
    max_g: int = 60_000,
    true_sps: float | None = None,
    refused: int = 0,
    gaps: int = 0,
    lost: tuple[str, ...] = (),
) -> Watched:
    rng = Random(seed)
    sps = true_sps or rate_sps
    times = [i / sps for i in range(round(SECONDS * sps))]
    sigma = (25.0 if rate_sps < 40 else 40.0) if noise is None else noise
    counts = [change(rng, round(zero + slope * grams(t_s) + rng.gauss(0, sigma))) for t_s in times]
    return Watched(
        t_ms=[round(t_s * 1000) for t_s in times],
        counts=counts,
        counts_per_gram=slope,
        zero_counts=zero,
        max_g=max_g,
        division_g=D,
        rate_sps=rate_sps,
        refused=refused,
        gaps=gaps,
        lost=lost,
    )


def wrong(seen: Watched) -> list[str]:
    _, findings = diagnose(seen)
    return [f"{one.check}.{one.case}" for one in findings if one.level != "OK"]


@pytest.mark.parametrize("rate_sps", [10.0, 80.0])
@pytest.mark.parametrize("seed", range(20))
def test_a_good_scale_is_well(seed: int, rate_sps: float) -> None:
    seen = watched(rate_sps, seed=seed, true_sps=rate_sps * Random(seed).uniform(0.82, 1.18))
    assert wrong(seen) == []


def test_the_figures_are_the_scales() -> None:
    figures, _ = diagnose(watched(80.0, noise=43.0))
    assert figures.samples == 800 and figures.rate_sps == pytest.approx(80, rel=1e-2)
    assert figures.gross_g == pytest.approx(3_000, abs=0.5)
    assert figures.noise_g == pytest.approx(1.0, rel=0.1)
    assert figures.noise_counts == pytest.approx(43.0, rel=0.1)


def sine(amplitude_g: float, hz: float) -> Callable[[float], float]:
    return lambda t_s: 3_000 + amplitude_g * math.sin(2 * math.pi * hz * t_s + 1)


def spiky(rng: Random, counts: int) -> int:
    return counts + 500_000 if rng.random() < 0.08 else counts


def once(rng: Random, counts: int) -> int:
    return (1 << 20) - 1 if rng.random() < 0.005 else counts


TROUBLES: dict[str, Watched] = {
    "signal.frozen": watched(change=lambda rng, counts: 84_000),
    "signal.saturated": watched(change=lambda rng, counts: (1 << 23) - 2),
    "wires.reversed": watched(grams=lambda t_s: -4_000),
    "wires.overload": watched(grams=lambda t_s: 61_000),
    "wires.loose": watched(grams=lambda t_s: 3_000 + 900 * (3 < t_s < 5) - 700 * (t_s > 8)),
    "range.short": watched(slope=170.0),
    "rate.slow": watched(80.0, true_sps=10.0),
    "rate.fast": watched(10.0, true_sps=80.0),
    "refused.many": watched(refused=30),
    "refused.gaps": watched(gaps=2),
    "bits.stuck": watched(change=lambda rng, counts: counts & ~0b10),
    "spikes.many": watched(change=spiky),
    "swing.sway": watched(grams=sine(8.0, 1.7)),
    "swing.mains": watched(80.0, grams=sine(8.0, 50.0)),
    "swing.shaking": watched(80.0, grams=sine(8.0, 9.3)),
    "drift.drifts": watched(grams=lambda t_s: 3_000 + 1.5 * t_s),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_one_trouble_is_named_and_no_other(trouble: str) -> None:
    assert wrong(TROUBLES[trouble]) == [trouble]


def test_a_loud_scale_and_a_far_too_loud_one() -> None:
    assert "noise.loud" in wrong(watched(noise=7 * SLOPE))
    assert "noise.very_loud" in wrong(watched(noise=25 * SLOPE))


def test_a_division_finer_than_the_noise_is_said() -> None:
    assert wrong(watched(slope=1.5, zero=8_000, max_g=100_000, noise=25.0))[0] == "range.coarse"


def test_somebody_leans_on_it() -> None:
    assert "still.moved" in wrong(watched(grams=lambda t_s: 3_000 + 90 * (t_s > 5)))


def test_a_few_bad_values_are_figures_and_no_trouble() -> None:
    seen = watched(80.0, change=once, seed=3)
    figures, _ = diagnose(seen)
    assert figures.spikes > 0 and wrong(seen) == []


def test_nothing_or_next_to_nothing_came() -> None:
    silent = watched()
    empty = Watched([], [], SLOPE, ZERO, 60_000, D, 10.0)
    assert wrong(empty) == ["signal.silent"]
    gone = Watched(silent.t_ms[:9], silent.counts[:9], SLOPE, ZERO, 60_000, D, 10.0, lost=("x",))
    assert wrong(gone) == ["signal.lost"]


def test_a_cable_that_comes_and_goes() -> None:
    assert "wires.loose" in wrong(watched(lost=("scale_missing",)))


def test_an_indicators_telegrams_are_read_with_the_same_eyes() -> None:
    rng = Random(5)
    mg = [20_000 * round((3_010 + rng.gauss(0, 1)) / 20) for _ in range(100)]
    seen = Watched([100 * i for i in range(100)], mg, 1_000, 0, 60_000, D, 10.0, raw=False)
    assert wrong(seen) == []
    moving = Watched(seen.t_ms, seen.counts, 1_000, 0, 60_000, D, 10.0, raw=False, moving=80)
    assert wrong(moving) == ["still.moved"]
