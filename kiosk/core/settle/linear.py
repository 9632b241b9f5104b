"""The one piece of linear algebra that the estimate needs: small, symmetric, positive definite.

Invariant: the unknown that is asked for stands last, so that its variance is the inverse square of the
last element of the Cholesky factor and nothing has to be inverted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

TINY = 1e-12


class Solved(NamedTuple):
    """``x`` the unknowns, ``var`` of the last one, ``half_logdet`` half the log determinant, ``gain``
    how much of the sum of squares they explain."""

    x: list[float]
    var: float
    half_logdet: float
    gain: float


def cholesky(lower: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """The factor of a matrix given by its lower triangle; None where it has none."""
    factor: list[list[float]] = []
    for i, given in enumerate(lower):
        row: list[float] = []
        for j in range(i):
            above, value = factor[j], given[j]
            for m in range(j):
                value -= row[m] * above[m]
            row.append(value / above[j])
        value = given[i]
        for m in range(i):
            value -= row[m] * row[m]
        if value <= TINY:
            return None
        row.append(math.sqrt(value))
        factor.append(row)
    return factor


def solve(lower: Sequence[Sequence[float]], right: Sequence[float]) -> Solved | None:
    """Normal equations; None where the unknowns cannot be told apart."""
    factor = cholesky(lower)
    if factor is None:
        return None
    n = len(right)
    half: list[float] = []
    for i in range(n):
        value, row = right[i], factor[i]
        for m in range(i):
            value -= row[m] * half[m]
        half.append(value / row[i])
    x = [0.0] * n
    for i in range(n - 1, -1, -1):
        value = half[i]
        for m in range(i + 1, n):
            value -= factor[m][i] * x[m]
        x[i] = value / factor[i][i]
    half_logdet = 0.0
    for i in range(n):
        half_logdet += math.log(factor[i][i])
    return Solved(x, 1.0 / factor[-1][-1] ** 2, half_logdet, sum(h * h for h in half))
