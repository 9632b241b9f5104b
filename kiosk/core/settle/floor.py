"""A floor that sways, as noise with a known colour.

Theory: a floor moves a scale at 1 to 3.3 Hz by a fraction of a division. Over a window of some tenths
of a second that is no noise that averages out, and no sine that could be fitted. But its covariance
is known (a band of frequencies, unknown phases), so samples multiplied by the inverse Cholesky factor of
"white noise plus band" are white again, and least squares on them is the best that can be done.
The factor of a shorter window is the upper left part of a longer one's.

All values are in standard deviations of the white noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from kiosk.core.settle.linear import cholesky

SWAY_HZ = (1.0, 3.3)

White = tuple[list[float], float, float]
"""Samples whitened, their sum of squares, and their product with the whitened constant."""


class Floor:
    """One strength of sway: ``sway`` its standard deviation; ``ones`` the constant, whitened."""

    def __init__(self, sway: float, period_s: float, n_max: int) -> None:
        self._rows: list[list[float]] = []
        self.logdet = [0.0] * (n_max + 1)
        if sway > 0:
            self._factorise(sway, period_s, n_max)
        self.ones = self.whiten([1.0] * n_max)
        self.ones2 = [0.0]
        for one in self.ones:
            self.ones2.append(self.ones2[-1] + one * one)

    def whiten(self, series: list[float]) -> list[float]:
        """``series`` with the floor's colour taken out; itself where the floor is still."""
        if not self._rows:
            return series
        return [sum(map(mul, row, series)) for row in self._rows[: len(series)]]

    def seen(self, series: list[float]) -> White:
        """``series`` whitened, with what every hypothesis needs of it."""
        white = self.whiten(series)
        return white, sum(map(mul, white, white)), sum(map(mul, white, self.ones))

    def _factorise(self, sway: float, period_s: float, n_max: int) -> None:
        colour = [sway * sway * _correlation(i * period_s) for i in range(n_max)]
        factor = cholesky(
            [[colour[i - j] + (1.0 if i == j else 0.0) for j in range(i + 1)] for i in range(n_max)]
        )
        assert factor is not None, "white noise alone makes it positive definite"
        self._rows = _inverse(factor)
        for i in range(n_max):
            self.logdet[i + 1] = self.logdet[i] + math.log(factor[i][i])


def _correlation(lag_s: float) -> float:
    """Of a band of frequencies, each as likely."""
    if lag_s == 0.0:
        return 1.0
    low, high = (2 * math.pi * hz * lag_s for hz in SWAY_HZ)
    return (math.sin(high) - math.sin(low)) / (high - low)


def _inverse(factor: Sequence[Sequence[float]]) -> list[list[float]]:
    """Of a lower triangle."""
    n = len(factor)
    rows = [[0.0] * (i + 1) for i in range(n)]
    for j in range(n):
        rows[j][j] = 1.0 / factor[j][j]
        for i in range(j + 1, n):
            value = 0.0
            for m in range(j, i):
                value -= factor[i][m] * rows[m][j]
            rows[i][j] = value / factor[i][i]
    return rows
