"""Trials for the settling benchmark: many platforms at once, in numpy, apart from ``hw_sim.physics``.

One trial: a bin that stands still, a load laid on it within some tenths of a second, a hand that
trembles on it until it lets go, the platform's modes, a swaying floor, creep, the converter's sinc^4
and its noise, wrong values singly and in pairs. Everything continuous is advanced at 2.4 kHz by the
exact solution of each mode for a force constant over a step.

``HOUSE`` is the platform of the issue; the others are not: they are there so that nothing is fitted
to one platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FINE_HZ = 2_400
BEFORE_S = 2.0
"""Stillness before the load comes."""
COUNTS_PER_GRAM = 43.0
ZERO_COUNTS = 84_000
HAND_TAU_S = 0.12
HAND_OFF_S = 0.03
CREEP_SHARE, CREEP_S = 2e-4, 180.0


@dataclass(frozen=True)
class Weather:
    """From what the trials are drawn; lengths in seconds, loads in grams, floors in divisions."""

    load_g: tuple[float, float] = (500.0, 50_000.0)
    base_g: tuple[float, float] = (0.0, 0.0)
    ramp_s: tuple[float, float] = (0.15, 0.6)
    hand_s: float = 0.8
    hand_least_g: float = 200.0
    mode_hz: tuple[float, float] = (5.0, 14.0)
    damping: tuple[float, float] = (0.03, 0.15)
    slowing_g: float = 40_000.0
    second_mode: float = 0.0
    """Share of the force that a second, higher mode carries."""
    floor_d: tuple[float, ...] = (0.0, 0.1, 0.3)
    floor_hz: tuple[float, float] = (1.2, 3.0)
    noise: float = 1.0
    """Times 25 counts (10 SPS) or 40 counts (80 SPS)."""
    spike_share: float = 1e-3
    rate_factor: float = 1.0
    division_g: int = 20


HOUSE = Weather()
WEATHERS = {
    "house": HOUSE,
    "soft floor": Weather(floor_d=(0.2, 0.5), floor_hz=(0.8, 3.0)),
    "two modes": Weather(second_mode=0.3),
    "3 to 20 Hz": Weather(mode_hz=(3.0, 20.0), damping=(0.02, 0.3)),
    "light plate": Weather(slowing_g=15_000.0),
    "odd rate": Weather(rate_factor=1.15),
    "noise x3": Weather(noise=3.0),
    "small drops": Weather(load_g=(20.0, 2_000.0), base_g=(1_000.0, 30_000.0)),
    "long light hand": Weather(hand_s=3.0, hand_least_g=60.0),
    "hand that stays": Weather(load_g=(500.0, 6_700.0), hand_s=20.0),
    "fine division": Weather(load_g=(100.0, 5_000.0), division_g=5, slowing_g=4_000.0),
}


@dataclass(frozen=True)
class Trial:
    """One trace. ``hand_ms`` when the hand came, ``off_ms`` when it let go; ``load_g`` what lies there
    then, with what had crept before."""

    t_ms: list[int]
    counts: list[int]
    base_g: float
    load_g: float
    hand_ms: float
    off_ms: float
    floor_d: float
    division_g: int


def trials(
    n: int, rate_sps: float, seed: int, weather: Weather = HOUSE, after_s: float = 6.0
) -> Iterator[Trial]:
    """``n`` trials of ``seed``; the same whatever is asked of them."""
    chunk = 250
    for begin in range(0, n, chunk):
        rng = np.random.default_rng([seed, begin, round(rate_sps)])
        yield from _batch(rng, chunk, rate_sps, weather, after_s, keep=min(chunk, n - begin))


def _batch(
    rng: np.random.Generator, m: int, rate_sps: float, w: Weather, after_s: float, keep: int
) -> Iterator[Trial]:
    true_sps = rate_sps * w.rate_factor
    every = round(FINE_HZ / true_sps)
    dt_s = 1.0 / (true_sps * every)
    load = rng.uniform(*w.load_g, m)
    base = rng.uniform(*w.base_g, m)
    ramp = rng.uniform(*w.ramp_s, m)
    begin = BEFORE_S + rng.uniform(0.0, 0.1, m)
    off = begin + ramp + rng.uniform(0.0, w.hand_s, m)
    floor_d = rng.choice(np.array(w.floor_d), m)
    steps = int((BEFORE_S + 0.1 + w.ramp_s[1] + w.hand_s + after_s) / dt_s)
    force = _force(rng, m, steps, dt_s, w, load, base, ramp, begin, off)
    t_s = np.arange(steps) * dt_s
    floor_hz, phase = rng.uniform(*w.floor_hz, m), rng.uniform(0, 2 * np.pi, m)
    force += (floor_d * w.division_g)[:, None] * np.sin(
        2 * np.pi * floor_hz[:, None] * t_s + phase[:, None]
    )
    for _ in range(4):  # sinc^4: four running means over a conversion each
        summed = np.cumsum(force, axis=1)
        force = np.concatenate(
            [force[:, :every], (summed[:, every:] - summed[:, :-every]) / every], axis=1
        )
    taken = force[:, 4 * every :: every]
    times_ms = (t_s[4 * every :: every] + dt_s) * 1000
    sigma = (25.0 if rate_sps < 40 else 40.0) * w.noise
    counts = ZERO_COUNTS + COUNTS_PER_GRAM * taken + rng.normal(0.0, sigma, taken.shape)
    _spike(rng, counts, w.spike_share)
    whole = np.clip(np.rint(counts), -(1 << 23), (1 << 23) - 1).astype(np.int64)
    stamps = np.rint(times_ms).astype(np.int64).tolist()
    for i in range(keep):
        yield Trial(
            t_ms=stamps,
            counts=whole[i].tolist(),
            base_g=float(base[i]),
            load_g=float((1 + CREEP_SHARE) * base[i] + load[i]),
            hand_ms=float(begin[i] * 1000),
            off_ms=float(off[i] * 1000),
            floor_d=float(floor_d[i]),
            division_g=w.division_g,
        )


def _force(
    rng: np.random.Generator,
    m: int,
    steps: int,
    dt_s: float,
    w: Weather,
    load: Array,
    base: Array,
    ramp: Array,
    begin: Array,
    off: Array,
) -> Array:
    """What the cell feels at every fine step, floor aside."""
    mode = rng.uniform(*w.mode_hz, m)
    shares = [1.0 - w.second_mode, w.second_mode] if w.second_mode else [1.0]
    ratios = [np.ones(m), rng.uniform(1.4, 2.2, m)]
    dampings = [rng.uniform(*w.damping, m) for _ in shares]
    sigma = np.maximum(w.hand_least_g, 0.03 * load)
    kick = sigma * np.sqrt(1 - np.exp(-2 * dt_s / HAND_TAU_S))
    keep = np.exp(-dt_s / HAND_TAU_S)
    away = [np.zeros(m) + base for _ in shares]
    speed = [np.zeros(m) for _ in shares]
    hand = rng.normal(0.0, 1.0, m) * sigma
    creep = CREEP_SHARE * base
    force = np.empty((m, steps))
    moves: list[tuple[Array, Array, Array, Array]] = []
    for k in range(steps):
        t_s = k * dt_s
        lying = base + load * np.clip((t_s - begin) / ramp, 0.0, 1.0)
        touching = (t_s >= begin) & (t_s < off + HAND_OFF_S)
        pressed = lying
        if touching.any():
            hand = hand * keep + rng.normal(0.0, 1.0, m) * kick
            fade = np.clip((off + HAND_OFF_S - t_s) / HAND_OFF_S, 0.0, 1.0)
            pressed = lying + np.where(touching, hand * fade, 0.0)
        if k % 6 == 0 and (k == 0 or t_s < BEFORE_S + 0.2 + w.ramp_s[1]):
            hz = mode / np.sqrt(1 + lying / w.slowing_g)
            moves = [_exact(hz * r, z, dt_s) for r, z in zip(ratios, dampings, strict=False)]
        felt = np.zeros(m)
        for i, (a, b, c, d) in enumerate(moves):
            x = away[i] - pressed
            away[i], speed[i] = pressed + a * x + b * speed[i], c * x + d * speed[i]
            felt += shares[i] * away[i]
        creep = creep + (CREEP_SHARE * lying - creep) * dt_s / CREEP_S
        force[:, k] = felt + creep
    return force


def _exact(hz: Array, damping: Array, dt_s: float) -> tuple[Array, Array, Array, Array]:
    """The step matrix of ``x'' = -2 z w x' - w^2 x``."""
    omega = 2 * np.pi * hz
    free = omega * np.sqrt(1 - damping**2)
    decay, lag = np.exp(-damping * omega * dt_s), damping * omega / free
    cos, sin = np.cos(free * dt_s), np.sin(free * dt_s)
    return (
        decay * (cos + lag * sin),
        decay * sin / free,
        -decay * omega**2 / free * sin,
        decay * (cos - lag * sin),
    )


def _spike(rng: np.random.Generator, counts: Array, share: float) -> None:
    """Wrong values in place: 10^3 to 10^5 g either way or 2^k - 1, half of them in pairs."""
    rows, columns = np.nonzero(rng.random(counts.shape) < share)
    for row, column in zip(rows, columns, strict=True):
        size = 10 ** rng.uniform(3, 5) * COUNTS_PER_GRAM * rng.choice([-1, 1])
        wrong = 2 ** rng.integers(15, 23) - 1 if rng.random() < 0.2 else None
        for at in range(column, min(column + int(rng.integers(1, 3)), counts.shape[1])):
            counts[row, at] = counts[row, at] + size if wrong is None else wrong
