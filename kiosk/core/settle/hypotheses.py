"""What an estimate reckons with: a scale's build, hypotheses about its samples, and their priors.

Theory: hypotheses are compared by their evidence in nats, so every prior that is not the same for all of
them stands here, and is counted. How loud a mode may be is a prior too: it says that ringing is
proportional to what was laid down, and that a converter's sinc^4 hides what lies near its rate.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import NamedTuple

from kiosk.core.settle.floor import Floor

SWAYS_D = (0.0, 0.06, 0.22)
"""Strengths of sway to reckon with, standard deviations in divisions."""
SWAY_LOG_PRIORS = (0.0, -0.5, -0.5)

NO_MODE_PRIOR = 0.3
NEGLIGIBLE = -12.0
"""Hypotheses of less log evidence than this beside the best are left out."""

LOUD_G = (200.0, 700.0, 2_000.0)
"""How loud a platform may ring, by the size of the change; before the filters."""
LOUD_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Build:
    """What the estimate must know of a scale: blocks every ``period_s``, each the mean of ``stride``
    samples with noise ``noise_g`` (of the mean); ``n_max`` blocks at most."""

    period_s: float
    stride: int
    noise_g: float
    division_g: float
    n_max: int


class Mode(NamedTuple):
    """A damped mode as it stands in the window's last block: ``now_g`` complex, ``z`` a block's step."""

    now_g: complex
    z: complex


class Guess(NamedTuple):
    """A hypothesis, fitted; compared by evidence. ``c`` the constant, ``var`` its variance, ``floor`` which
    strength of sway; without a mode ``decay`` is 0."""

    log_evidence: float
    c: float
    var: float
    misfit: float
    floor: int
    hz: float
    decay: float
    wave: complex


class Estimate(NamedTuple):
    """``evidence`` that no hand is on it, in nats; ``best`` the hypothesis that explains most."""

    gross_g: float
    sd_g: float
    evidence: float
    mode: Mode | None
    best: Guess


def loudness(change_g: float) -> int:
    loud_g = LOUD_SHARE * abs(change_g)
    return 0 if loud_g < LOUD_G[0] else 1 if loud_g < LOUD_G[1] else 2


def loud(build: Build, loud_g: float, hz: float) -> float:
    """A mode's loudness behind the sinc^4 of the converter and the mean over a block."""
    sample_s = build.period_s / build.stride
    half_turn = math.pi * hz * sample_s
    passed = (math.sin(half_turn) / half_turn) ** 4
    if build.stride > 1:
        block = math.sin(half_turn * build.stride)
        passed *= abs(block / (build.stride * math.sin(half_turn)))
    return max(1.0, loud_g * passed / build.noise_g)


def wave_of(
    hz: float, decay: float, period_s: float, n: int, floor: Floor | None
) -> tuple[list[float], list[float]]:
    """Real and imaginary part of ``z^k``."""
    z = cmath.exp(complex(-decay, 2 * math.pi * hz) * period_s)
    value, values = 1 + 0j, []
    for _ in range(n):
        values.append(value)
        value *= z
    re, im = [v.real for v in values], [v.imag for v in values]
    return (re, im) if floor is None else (floor.whiten(re), floor.whiten(im))
