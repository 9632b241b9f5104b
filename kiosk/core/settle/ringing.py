"""The final weight of a platform that still rings.

Invariant: an estimate is given only where a constant, at most one damped mode and a swaying floor
explain the samples down to the converter's noise; its standard deviation counts what the window
cannot tell.

Theory. Once the hand is off, equidistant samples of a plate on its cell are ``c + Re(a z^k)``: a
constant and a damped mode. Means over blocks of samples, and the converter's own sinc^4, only scale
``a``; a mode above half the sampling rate is seen at its alias, and obeys the same law. A hand cannot
imitate that: it surprises by about 100 g at every block, the noise by 1 g. So a few blocks tell that
the hand is off, and ``c`` long before the ringing has died.

What is not known is averaged over, by Bayes. *Hypotheses* are: no mode, a mode from a coarse grid, the
mode found by Gauss-Newton (for loud ringing, where a grid is too coarse); each with every strength of
sway. Each gives ``c``, its variance and its evidence (the Laplace approximation; for the first two it
is exact). The estimate is their mixture. The hand's evidence is what independent surprises of ``HAND_G``
would have. A pour is told by ``slope``, in the company of the best hypothesis.

Values inside are in standard deviations of a block's noise.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from kiosk.core.settle.floor import Floor
from kiosk.core.settle.linear import solve

SWAYS_D = (0.0, 0.06, 0.22)
"""Strengths of sway to reckon with, standard deviations in divisions."""
SWAY_LOG_PRIORS = (0.0, -0.5, -0.5)

HAND_G = 100.0
"""How much a hand surprises from block to block, at least."""
HAND_SHARE = 0.0135
"""A hand that lays down more trembles more: surprise as a share of the change."""

RELEASE_TAILS = (0.0, 0.001, 0.004, 0.015, 0.05, 0.12)
"""What a hand that has let go still weighs in the block before the first clean one."""
RELEASE_BLUR, RELEASE_MOST = 0.5, 3.0
"""A mode goes back a block with this error of its loudness; the evidence counts no more nats than this."""

LOUD_G = (200.0, 700.0, 2_000.0)
"""How loud a platform may ring, by the size of the change; before the filters."""
LOUD_SHARE = 0.03

GRID_HZ = (3.2, 4.2, 5.3, 6.5, 8.0, 10.0, 12.0)
GRID_DECAY_PER_S = (1.5, 5.0)
NO_MODE_PRIOR = 0.3

DECAY_PER_S, DECAY_SPREAD = 2.5, 0.9
"""Prior of a mode's decay (log-normal), and of its frequency:"""
MODE_HZ, MODE_SPREAD_HZ = 7.0, 5.0
TOP_HZ = 20.0

STEPS_MAX = 4
"""Gauss-Newton steps."""
LEAST_TO_REFINE = 5
LEAST_TO_PREDICT = 6
PREDICTED_OFF = 40.0
"""Linear prediction that misses by more than so many standard deviations a block: a hand."""
MISFIT_SIGMAS = 3.3
TEMPER = 0.5
"""Weights are evidence to this power: a short window that happens to look sure is no proof of it."""
NEGLIGIBLE = -12.0
"""Hypotheses of less log evidence than this beside the best are left out."""


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


class _Guess(NamedTuple):
    """A hypothesis, fitted. Compared by evidence."""

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
    best: _Guess


class _Node:
    """One mode of the grid over one floor, its normal equations factored for every window length."""

    def __init__(
        self, hz: float, decay: float, loud: float, log_prior: float, floor: Floor, build: Build
    ) -> None:
        self.hz, self.decay, self.loud, self._log_prior, self._floor = (
            hz, decay, loud, log_prior, floor,
        )  # fmt: skip
        self._re, self._im = _wave(hz, decay, build.period_s, build.n_max, floor)
        self._at: dict[int, tuple[list[float], list[float], tuple[float, ...], float]] = {}

    def at(self, n: int) -> tuple[list[float], list[float], tuple[float, ...], float]:
        known = self._at.get(n)
        if known is None:
            known = self._at[n] = self._factored(n)
        return known

    def _factored(self, n: int) -> tuple[list[float], list[float], tuple[float, ...], float]:
        re, im, ones = self._re[:n], self._im[:n], self._floor.ones[:n]
        shrink = 1.0 / self.loud**2
        a = math.sqrt(sum(map(mul, re, re)) + shrink)
        b = sum(map(mul, re, im)) / a
        c = sum(map(mul, re, ones)) / a
        d = math.sqrt(sum(map(mul, im, im)) + shrink - b * b)
        e = (sum(map(mul, im, ones)) - c * b) / d
        f = math.sqrt(max(1e-9, self._floor.ones2[n] - c * c - e * e))
        log_evidence = (
            self._log_prior - math.log(a * d * f) - 2 * math.log(self.loud) - self._floor.logdet[n]
        )
        return re, im, (a, b, c, d, e, f), log_evidence


class Ringing:
    """The estimate for one build of scale; tables only, so that equal scales share one."""

    def __init__(self, build: Build) -> None:
        self._build = build
        sways = [sway_d * build.division_g / build.noise_g for sway_d in SWAYS_D]
        self._floors = [Floor(sway, build.period_s, build.n_max) for sway in sways]
        self._grids: dict[int, list[list[_Node]]] = {}

    def look(
        self, series_g: list[float], before_g: float | None, change_g: float, filled: float
    ) -> Estimate | None:
        """The estimate from equidistant blocks, oldest first; None where they are not explained.

        ``before_g`` the block before them; ``change_g`` since the last plateau; ``filled`` blocks' worth
        of samples that were made up.
        """
        build, n, origin_g = self._build, len(series_g), series_g[-1]
        y = [(g - origin_g) / build.noise_g for g in series_g]
        predicted = _predicted(y, build.period_s) if n >= LEAST_TO_PREDICT else None
        if predicted is not None and predicted[0] > PREDICTED_OFF:
            return None
        limit = n + 2 + MISFIT_SIGMAS * math.sqrt(2 * n)
        guesses = self._guesses(y, change_g, None if predicted is None else predicted[1], limit)
        best = max(guesses)
        if best.misfit > limit:
            return None
        total = mean = square = 0.0
        for guess in guesses:
            beside = guess.log_evidence - best.log_evidence
            if beside > NEGLIGIBLE:
                weight = math.exp(TEMPER * beside)
                total += weight
                mean += weight * guess.c
                square += weight * (guess.var + guess.c * guess.c)
        mean /= total
        var = max(0.0, square / total - mean * mean)
        evidence = best.log_evidence + math.log(total)
        hand = max(HAND_G, HAND_SHARE * abs(change_g)) / build.noise_g
        against = max(0.0, n - 1 - filled) * math.log(hand)
        if before_g is not None and build.stride == 1:
            against += self._release((before_g - origin_g) / build.noise_g, best, hand)
        return Estimate(
            gross_g=origin_g + mean * build.noise_g,
            sd_g=math.sqrt(var) * build.noise_g,
            evidence=evidence + against,
            mode=self._mode(best, n),
            best=best,
        )

    def _guesses(
        self, y: list[float], change_g: float, start: tuple[float, float] | None, limit: float
    ) -> list[_Guess]:
        guesses = self._gridded(y, change_g)
        best = max(guesses)
        starts = [] if start is None else [start]
        if best.decay > 0 or best.misfit > limit:
            node = max(guess for guess in guesses if guess.decay > 0)
            starts.append((node.hz, node.decay))
        if len(y) < LEAST_TO_REFINE or not starts:
            return guesses
        loud_g = LOUD_G[_loudness(change_g)]
        for index in range(len(self._floors)):
            for hz, decay in starts:
                refined = self._refined(y, index, hz, decay, loud_g)
                if refined is not None:
                    guesses.append(refined)
        return guesses

    def _gridded(self, y: list[float], change_g: float) -> list[_Guess]:
        n = len(y)
        guesses = []
        log_none = math.log(NO_MODE_PRIOR)
        for index, nodes in enumerate(self._grid(_loudness(change_g))):
            floor = self._floors[index]
            white = floor.whiten(y)
            squares = sum(map(mul, white, white))
            y1, ones2 = sum(map(mul, white, floor.ones)), floor.ones2[n]
            misfit = squares - y1 * y1 / ones2
            log_evidence = log_none + SWAY_LOG_PRIORS[index] - 0.5 * math.log(ones2)
            log_evidence -= misfit / 2 + floor.logdet[n]
            guesses.append(_Guess(log_evidence, y1 / ones2, 1 / ones2, misfit, index, 0.0, 0.0, 0j))
            for node in nodes:
                re, im, (a, b, c, d, e, f), known = node.at(n)
                u = sum(map(mul, white, re)) / a
                v = (sum(map(mul, white, im)) - b * u) / d
                w = (y1 - c * u - e * v) / f
                misfit = squares - u * u - v * v - w * w
                im_part = (v - e * w / f) / d
                wave = complex((u - b * im_part - c * w / f) / a, -im_part)
                guesses.append(
                    _Guess(
                        known - misfit / 2,
                        w / f,
                        1 / (f * f),
                        misfit,
                        index,
                        node.hz,
                        node.decay,
                        wave,
                    )
                )
        return guesses

    def _refined(
        self, y: list[float], index: int, hz: float, decay: float, loud_g: float
    ) -> _Guess | None:
        """Gauss-Newton with priors from one start: the mode that the samples themselves name."""
        floor, h, n = self._floors[index], self._build.period_s, len(y)
        white, ones, ones2 = floor.whiten(y), floor.ones[:n], floor.ones2[n]
        squares, y1 = sum(map(mul, white, white)), sum(map(mul, white, ones))
        loud = self._loud(loud_g, hz)
        shrink = 1.0 / loud**2
        log_decay, omega = math.log(decay), 2 * math.pi * hz
        spread = 2 * math.pi * MODE_SPREAD_HZ
        found: tuple[float, _Guess] | None = None
        last = (log_decay, omega)
        for _ in range(STEPS_MAX):
            decay = math.exp(log_decay)
            re0, im0 = _wave(omega / (2 * math.pi), decay, h, n, None)
            re, im = floor.whiten(re0), floor.whiten(im0)
            rr, ri = sum(map(mul, re, re)) + shrink, sum(map(mul, re, im))
            ii, r1 = sum(map(mul, im, im)) + shrink, sum(map(mul, re, ones))
            i1 = sum(map(mul, im, ones))
            right = [sum(map(mul, white, re)), sum(map(mul, white, im)), y1]
            linear = solve(((rr,), (ri, ii), (r1, i1, ones2)), right)
            if linear is None:
                break
            p, q, c = linear.x
            off_decay = (log_decay - math.log(DECAY_PER_S)) / DECAY_SPREAD
            off_omega = (omega - 2 * math.pi * MODE_HZ) / spread
            misfit = squares - linear.gain + off_decay**2 + off_omega**2
            if found is not None and misfit > found[0] + 1e-3:
                # A step too far: half of it.
                log_decay, omega = (log_decay + last[0]) / 2, (omega + last[1]) / 2
                continue
            turn = floor.whiten(
                [k * h * (q * r - p * i) for k, (r, i) in enumerate(zip(re0, im0, strict=True))]
            )
            fade = floor.whiten(
                [
                    -decay * k * h * (p * r + q * i)
                    for k, (r, i) in enumerate(zip(re0, im0, strict=True))
                ]
            )
            rest = [
                t - p * r - q * i - c * o for t, r, i, o in zip(white, re, im, ones, strict=True)
            ]
            step = solve(
                (
                    (rr,),
                    (ri, ii),
                    (sum(map(mul, turn, re)), sum(map(mul, turn, im)),
                     sum(map(mul, turn, turn)) + 1 / spread**2),
                    (sum(map(mul, fade, re)), sum(map(mul, fade, im)), sum(map(mul, fade, turn)),
                     sum(map(mul, fade, fade)) + 1 / DECAY_SPREAD**2),
                    (r1, i1, sum(map(mul, turn, ones)), sum(map(mul, fade, ones)), ones2),
                ),
                [
                    sum(map(mul, rest, re)) - shrink * p,
                    sum(map(mul, rest, im)) - shrink * q,
                    sum(map(mul, rest, turn)) - off_omega / spread,
                    sum(map(mul, rest, fade)) - off_decay / DECAY_SPREAD,
                    sum(map(mul, rest, ones)),
                ],
            )  # fmt: skip
            if step is None:
                break
            log_evidence = SWAY_LOG_PRIORS[index] - misfit / 2 - step.half_logdet
            log_evidence -= 2 * math.log(loud) + math.log(spread * DECAY_SPREAD) + floor.logdet[n]
            hz = omega / (2 * math.pi)
            guess = _Guess(log_evidence, c, step.var, misfit, index, hz, decay, complex(p, -q))
            found, last = (misfit, guess), (log_decay, omega)
            if step.gain < 0.02:
                break
            log_decay += max(-0.7, min(0.7, step.x[3]))
            omega = abs(omega + max(-6.0, min(6.0, step.x[2])))
            omega = min(omega, 2 * math.pi * TOP_HZ)
        return None if found is None else found[1]

    def _release(self, before: float, best: _Guess, hand: float) -> float:
        """Evidence in the block before: a hand that lets go leaves less and less of itself in the
        converter's sinc^4; one that happens to be steady was not so a block ago."""
        fit, blur = best.c, 2.0
        if best.decay > 0:
            z = cmath.exp(complex(-best.decay, 2 * math.pi * best.hz) * self._build.period_s)
            fit += (best.wave / z).real
            blur += RELEASE_BLUR * abs(best.wave)
        off = abs(before - fit)
        let_go = sum(
            math.exp(-0.5 * (off / scale) ** 2) / scale
            for scale in (math.hypot(2 * hand * tail, blur) for tail in RELEASE_TAILS)
        )
        steady = 1.1 * hand
        on = math.exp(-0.5 * (off / steady) ** 2) / steady
        ratio = let_go / len(RELEASE_TAILS) / max(on, 1e-9)
        return max(-RELEASE_MOST, min(RELEASE_MOST, math.log(max(ratio, 1e-9))))

    def slope(self, series_g: list[float], estimate: Estimate) -> tuple[float, float]:
        """How fast the weight itself changes, g/s, and the standard deviation of that."""
        h, n, noise_g = self._build.period_s, len(series_g), self._build.noise_g
        floor, best = self._floors[estimate.best.floor], estimate.best
        origin_g = series_g[-1]
        y = floor.whiten([(g - origin_g) / noise_g for g in series_g])
        ones, line = floor.ones[:n], floor.whiten([(k - n + 1) * h for k in range(n)])
        rows = [[floor.ones2[n]], [sum(map(mul, line, ones)), sum(map(mul, line, line))]]
        right = [sum(map(mul, y, ones)), sum(map(mul, y, line))]
        if best.decay > 0:
            re, im = _wave(best.hz, best.decay, h, n, floor)
            shrink = 1 / self._loud(LOUD_G[-1], best.hz) ** 2
            ri, rl, il = sum(map(mul, re, im)), sum(map(mul, re, line)), sum(map(mul, im, line))
            rows = [
                [sum(map(mul, re, re)) + shrink],
                [ri, sum(map(mul, im, im)) + shrink],
                [sum(map(mul, re, ones)), sum(map(mul, im, ones)), *rows[0]],
                [rl, il, *rows[1]],
            ]
            right = [sum(map(mul, y, re)), sum(map(mul, y, im)), *right]
        solved = solve(rows, right)
        if solved is None:
            return 0.0, math.inf
        return solved.x[-1] * noise_g, math.sqrt(solved.var) * noise_g

    def _mode(self, best: _Guess, n: int) -> Mode | None:
        if best.decay == 0:
            return None
        z = cmath.exp(complex(-best.decay, 2 * math.pi * best.hz) * self._build.period_s)
        return Mode(best.wave * z ** (n - 1) * self._build.noise_g, z)

    def _grid(self, loudness: int) -> list[list[_Node]]:
        grid = self._grids.get(loudness)
        if grid is None:
            share = math.log((1 - NO_MODE_PRIOR) / (len(GRID_HZ) * len(GRID_DECAY_PER_S)))
            grid = self._grids[loudness] = [
                [
                    _Node(hz, decay, self._loud(LOUD_G[loudness], hz), share + log_prior, floor,
                          self._build)
                    for hz in GRID_HZ
                    for decay in GRID_DECAY_PER_S
                ]
                for floor, log_prior in zip(self._floors, SWAY_LOG_PRIORS, strict=True)
            ]  # fmt: skip
        return grid

    def _loud(self, loud_g: float, hz: float) -> float:
        """A mode's loudness behind the sinc^4 of the converter and the mean over a block."""
        sample_s = self._build.period_s / self._build.stride
        half_turn = math.pi * hz * sample_s
        passed = (math.sin(half_turn) / half_turn) ** 4
        if self._build.stride > 1:
            block = math.sin(half_turn * self._build.stride)
            passed *= abs(block / (self._build.stride * math.sin(half_turn)))
        return max(1.0, loud_g * passed / self._build.noise_g)


@lru_cache(maxsize=64)
def ringing(build: Build) -> Ringing:
    """The tables of ``build``, made once."""
    return Ringing(build)


def _loudness(change_g: float) -> int:
    loud_g = LOUD_SHARE * abs(change_g)
    return 0 if loud_g < LOUD_G[0] else 1 if loud_g < LOUD_G[1] else 2


def _wave(
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


def _predicted(y: list[float], period_s: float) -> tuple[float, tuple[float, float] | None] | None:
    """Linear prediction: the root mean square by which it misses, and the mode (Hz, decay) in it."""
    now, once, twice = y[2:], y[1:-1], y[:-2]
    m = len(now)
    n0, n1, n2 = sum(now) / m, sum(once) / m, sum(twice) / m
    aa = sum(map(mul, once, once)) - m * n1 * n1 + 1e-6
    bb = sum(map(mul, twice, twice)) - m * n2 * n2 + 1e-6
    ab = sum(map(mul, once, twice)) - m * n1 * n2
    ta = sum(map(mul, now, once)) - m * n0 * n1
    tb = sum(map(mul, now, twice)) - m * n0 * n2
    tt = sum(map(mul, now, now)) - m * n0 * n0
    det = aa * bb - ab * ab
    if det <= 1e-9 * aa * bb:
        return None
    p, q = (ta * bb - tb * ab) / det, (tb * aa - ta * ab) / det
    missed = math.sqrt(max(0.0, tt - p * ta - q * tb) / max(1, m - 3))
    if p * p + 4 * q >= 0:
        return missed, None
    radius = math.sqrt(-q)
    turn = math.acos(max(-1.0, min(1.0, p / (2 * radius))))
    decay = min(20.0, max(0.3, -math.log(radius) / period_s))
    return missed, (max(0.2, turn / (2 * math.pi * period_s)), decay)
