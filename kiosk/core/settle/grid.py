"""Hypotheses from a coarse grid of modes, and the one that nothing rings.

Theory: with frequency and decay given the rest is linear, so each hypothesis costs three scalar
products; its normal equations depend on the window's length alone and are factored once. For quiet
ringing the grid is fine enough; for loud ringing its best node is where ``refine`` begins.
"""

from __future__ import annotations

import math
from operator import mul

from kiosk.core.settle.floor import Floor, White
from kiosk.core.settle.hypotheses import (
    LOUD_G,
    NEGLIGIBLE,
    NO_MODE_PRIOR,
    SWAY_LOG_PRIORS,
    Build,
    Guess,
    loud,
    loudness,
    wave_of,
)

GRID_HZ = (3.2, 4.2, 5.3, 6.5, 8.0, 10.0, 12.0)
GRID_DECAY_PER_S = (1.5, 5.0)


class _Node:
    """One mode of the grid over one floor, its normal equations factored for every window length."""

    def __init__(
        self, hz: float, decay: float, loud: float, log_prior: float, floor: Floor, build: Build
    ) -> None:
        self.hz, self.decay, self.loud, self._log_prior, self._floor = (
            hz, decay, loud, log_prior, floor,
        )  # fmt: skip
        self._re, self._im = wave_of(hz, decay, build.period_s, build.n_max, floor)

    def factored(self, n: int) -> _Factored:
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
        return self.hz, self.decay, re, im, a, b, c, d, e, f, log_evidence


_Factored = tuple[
    float, float, list[float], list[float], float, float, float, float, float, float, float
]
"""A node at one window length: Hz, decay, its two waves, its Cholesky factor row by row, its evidence
before the data."""
_Found = tuple[
    float, float, float, float, int, float, float, tuple[_Factored, float, float, float] | None
]
"""A hypothesis as ``Guess`` has it, its wave still to be solved for: few of them count."""


class Grid:
    """The nodes of one build of scale, for each floor and each loudness."""

    def __init__(self, build: Build, floors: list[Floor]) -> None:
        self._build = build
        self._floors = floors
        self._nodes: dict[int, list[list[_Node]]] = {}
        self._factored: dict[tuple[int, int], list[list[_Factored]]] = {}

    def guesses(self, seen: list[White], change_g: float) -> list[Guess]:
        """Of samples as each floor has them: what counts among the hypotheses of the grid, the best mode
        and nothing else of less than ``NEGLIGIBLE`` evidence beside the best."""
        n = len(seen[0][0])
        found: list[_Found] = []
        log_none = math.log(NO_MODE_PRIOR)
        for index, nodes in enumerate(self._at(loudness(change_g), n)):
            white, squares, y1 = seen[index]
            floor = self._floors[index]
            ones2 = floor.ones2[n]
            misfit = squares - y1 * y1 / ones2
            log_evidence = log_none + SWAY_LOG_PRIORS[index] - 0.5 * math.log(ones2)
            log_evidence -= misfit / 2 + floor.logdet[n]
            found.append((log_evidence, y1 / ones2, 1 / ones2, misfit, index, 0.0, 0.0, None))
            for node in nodes:
                hz, decay, re, im, a, b, c, d, e, f, known = node
                u = sum(map(mul, white, re)) / a
                v = (sum(map(mul, white, im)) - b * u) / d
                w = (y1 - c * u - e * v) / f
                misfit = squares - u * u - v * v - w * w
                found.append(
                    (
                        known - misfit / 2,
                        w / f,
                        1 / (f * f),
                        misfit,
                        index,
                        hz,
                        decay,
                        (node, u, v, w),
                    )
                )
        least = max(found)[0] + NEGLIGIBLE
        mode = max(one for one in found if one[7] is not None)
        return [_guess(one) for one in found if one[0] > least or one is mode]

    def _at(self, how_loud: int, n: int) -> list[list[_Factored]]:
        factored = self._factored.get((how_loud, n))
        if factored is None:
            factored = self._factored[how_loud, n] = [
                [node.factored(n) for node in nodes] for nodes in self._made(how_loud)
            ]
        return factored

    def _made(self, how_loud: int) -> list[list[_Node]]:
        grid = self._nodes.get(how_loud)
        if grid is None:
            share = math.log((1 - NO_MODE_PRIOR) / (len(GRID_HZ) * len(GRID_DECAY_PER_S)))
            grid = self._nodes[how_loud] = [
                [
                    _Node(hz, decay, loud(self._build, LOUD_G[how_loud], hz), share + log_prior, floor,
                          self._build)
                    for hz in GRID_HZ
                    for decay in GRID_DECAY_PER_S
                ]
                for floor, log_prior in zip(self._floors, SWAY_LOG_PRIORS, strict=True)
            ]  # fmt: skip
        return grid


def _guess(found: _Found) -> Guess:
    log_evidence, constant, var, misfit, index, hz, decay, solving = found
    if solving is None:
        return Guess(log_evidence, constant, var, misfit, index, hz, decay, 0j)
    (_, _, _, _, a, b, c, d, e, f, _), u, v, w = solving
    im_part = (v - e * w / f) / d
    wave = complex((u - b * im_part - c * w / f) / a, -im_part)
    return Guess(log_evidence, constant, var, misfit, index, hz, decay, wave)
