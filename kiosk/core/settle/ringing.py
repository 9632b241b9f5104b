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
from functools import lru_cache
from operator import mul

from kiosk.core.settle.floor import Floor
from kiosk.core.settle.grid import Grid
from kiosk.core.settle.hypotheses import (
    LOUD_G,
    NEGLIGIBLE,
    SWAYS_D,
    Build,
    Estimate,
    Guess,
    Mode,
    loud,
    loudness,
    wave_of,
)
from kiosk.core.settle.linear import solve
from kiosk.core.settle.predict import predicted
from kiosk.core.settle.refine import refined

HAND_G = 100.0
"""How much a hand surprises from block to block, at least."""
HAND_SHARE = 0.0135
"""A hand that lays down more trembles more: surprise as a share of the change."""

RELEASE_TAILS = (0.0, 0.001, 0.004, 0.015, 0.05, 0.12)
"""What a hand that has let go still weighs in the block before the first clean one."""
RELEASE_BLUR, RELEASE_MOST = 0.5, 3.0
"""A mode goes back a block with this error of its loudness; the evidence counts no more nats than this."""

LEAST_TO_REFINE = 5
LEAST_TO_PREDICT = 6
PREDICTED_OFF = 40.0
"""Linear prediction that misses by more than so many standard deviations a block: a hand."""
MISFIT_SIGMAS = 3.3
TEMPER = 0.5
"""Weights are evidence to this power: a short window that happens to look sure is no proof of it."""


class Ringing:
    """The estimate for one build of scale; tables only, so that equal scales share one."""

    def __init__(self, build: Build) -> None:
        self._build = build
        sways = [sway_d * build.division_g / build.noise_g for sway_d in SWAYS_D]
        self._floors = [Floor(sway, build.period_s, build.n_max) for sway in sways]
        self._grid = Grid(build, self._floors)

    def look(
        self, series_g: list[float], before_g: float | None, change_g: float, filled: float
    ) -> Estimate | None:
        """The estimate from equidistant blocks, oldest first; None where they are not explained.

        ``before_g`` the block before them; ``change_g`` since the last plateau; ``filled`` blocks' worth
        of samples that were made up.
        """
        build, n, origin_g = self._build, len(series_g), series_g[-1]
        y = [(g - origin_g) / build.noise_g for g in series_g]
        ahead = predicted(y, build.period_s) if n >= LEAST_TO_PREDICT else None
        if ahead is not None and ahead[0] > PREDICTED_OFF:
            return None
        limit = n + 2 + MISFIT_SIGMAS * math.sqrt(2 * n)
        guesses = self._guesses(y, change_g, None if ahead is None else ahead[1], limit)
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
    ) -> list[Guess]:
        seen = [floor.seen(y) for floor in self._floors]
        guesses = self._grid.guesses(seen, change_g)
        best = max(guesses)
        starts = [] if start is None else [start]
        if best.decay > 0 or best.misfit > limit:
            node = max(guess for guess in guesses if guess.decay > 0)
            starts.append((node.hz, node.decay))
        if len(y) < LEAST_TO_REFINE or not starts:
            return guesses
        build, loud_g = self._build, LOUD_G[loudness(change_g)]
        for index, floor in enumerate(self._floors):
            for hz, decay in starts:
                guess = refined(seen[index], build, floor, index, hz, decay, loud_g)
                if guess is not None:
                    guesses.append(guess)
        return guesses

    def _release(self, before: float, best: Guess, hand: float) -> float:
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
            re, im = wave_of(best.hz, best.decay, h, n, floor)
            shrink = 1 / loud(self._build, LOUD_G[-1], best.hz) ** 2
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

    def _mode(self, best: Guess, n: int) -> Mode | None:
        if best.decay == 0:
            return None
        z = cmath.exp(complex(-best.decay, 2 * math.pi * best.hz) * self._build.period_s)
        return Mode(best.wave * z ** (n - 1) * self._build.noise_g, z)


@lru_cache(maxsize=64)
def ringing(build: Build) -> Ringing:
    """The tables of ``build``, made once."""
    return Ringing(build)
