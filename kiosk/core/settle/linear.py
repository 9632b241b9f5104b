"""The one piece of linear algebra that the estimate needs: small, symmetric, positive definite.

Invariant: the unknown that is asked for stands last, so that its variance is the inverse square of the
last element of the Cholesky factor and nothing has to be inverted.

The two sizes that a moving scale asks for hundreds of times a second stand written out: the same
operations in the same order as ``solve``, without its loops.
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


def solve3(lower: Sequence[float], right: Sequence[float]) -> Solved | None:
    """``solve`` for three unknowns; ``lower`` the triangle row by row."""
    a00, a10, a11, a20, a21, a22 = lower
    b0, b1, b2 = right
    rows = _three(a00, a10, a11, a20, a21, a22, b0, b1, b2)
    if rows is None:
        return None
    f00, f10, f11, f20, f21, f22, h0, h1, h2 = rows
    x2 = h2 / f22
    x1 = (h1 - f21 * x2) / f11
    x0 = (h0 - f10 * x1 - f20 * x2) / f00
    half_logdet = math.log(f00) + math.log(f11) + math.log(f22)
    gain = h0 * h0 + h1 * h1 + h2 * h2
    return Solved([x0, x1, x2], 1.0 / f22**2, half_logdet, gain)


def solve5(lower: Sequence[float], right: Sequence[float]) -> Solved | None:
    """``solve`` for five unknowns; ``lower`` the triangle row by row."""
    a00, a10, a11, a20, a21, a22, a30, a31, a32, a33, a40, a41, a42, a43, a44 = lower
    b0, b1, b2, b3, b4 = right
    rows = _three(a00, a10, a11, a20, a21, a22, b0, b1, b2)
    if rows is None:
        return None
    f00, f10, f11, f20, f21, f22, h0, h1, h2 = rows
    f30 = a30 / f00
    f31 = (a31 - f30 * f10) / f11
    f32 = (a32 - f30 * f20 - f31 * f21) / f22
    square = a33 - f30 * f30 - f31 * f31 - f32 * f32
    if square <= TINY:
        return None
    f33 = math.sqrt(square)
    f40 = a40 / f00
    f41 = (a41 - f40 * f10) / f11
    f42 = (a42 - f40 * f20 - f41 * f21) / f22
    f43 = (a43 - f40 * f30 - f41 * f31 - f42 * f32) / f33
    square = a44 - f40 * f40 - f41 * f41 - f42 * f42 - f43 * f43
    if square <= TINY:
        return None
    f44 = math.sqrt(square)
    h3 = (b3 - f30 * h0 - f31 * h1 - f32 * h2) / f33
    h4 = (b4 - f40 * h0 - f41 * h1 - f42 * h2 - f43 * h3) / f44
    x4 = h4 / f44
    x3 = (h3 - f43 * x4) / f33
    x2 = (h2 - f32 * x3 - f42 * x4) / f22
    x1 = (h1 - f21 * x2 - f31 * x3 - f41 * x4) / f11
    x0 = (h0 - f10 * x1 - f20 * x2 - f30 * x3 - f40 * x4) / f00
    half_logdet = math.log(f00) + math.log(f11) + math.log(f22) + math.log(f33) + math.log(f44)
    gain = h0 * h0 + h1 * h1 + h2 * h2 + h3 * h3 + h4 * h4
    return Solved([x0, x1, x2, x3, x4], 1.0 / f44**2, half_logdet, gain)


def _three(
    a00: float, a10: float, a11: float, a20: float, a21: float, a22: float,
    b0: float, b1: float, b2: float,
) -> tuple[float, float, float, float, float, float, float, float, float] | None:  # fmt: skip
    """The first three rows of the factor, and of the right side solved forwards."""
    if a00 <= TINY:
        return None
    f00 = math.sqrt(a00)
    f10 = a10 / f00
    square = a11 - f10 * f10
    if square <= TINY:
        return None
    f11 = math.sqrt(square)
    f20 = a20 / f00
    f21 = (a21 - f20 * f10) / f11
    square = a22 - f20 * f20 - f21 * f21
    if square <= TINY:
        return None
    f22 = math.sqrt(square)
    h0 = b0 / f00
    h1 = (b1 - f10 * h0) / f11
    h2 = (b2 - f20 * h0 - f21 * h1) / f22
    return f00, f10, f11, f20, f21, f22, h0, h1, h2
