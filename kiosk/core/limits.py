"""The numbers of OIML R 76-1:2006 that the rules keep to, as functions of an instrument.

A bin on load cells is no verified instrument, and takes its division ``d`` for ``e``.

=============  =========================================================================================
3.5.1          maximum permissible errors: ``permissible_error_g``
4.2.3          nothing is indicated above Max + 9 e: ``overload_g``
4.4.2          stored only in stable equilibrium: ``kiosk.core.settle``
4.5.1          zero-setting and zero-tracking together at most 4 % of Max, initial zero-setting 20 %:
               ``zero_range_g``
4.5.7          zero-tracking only at zero, in stable equilibrium, at most 0.5 d a second: ``zeroing``
5.3.5          no result while warming up; here the uncertainty is widened instead: ``warmth``
=============  =========================================================================================
"""

from __future__ import annotations

from typing import Literal

from kiosk.core.config import ScaleRules

Accuracy = Literal["III", "IIII"]

STEPS_E: dict[Accuracy, tuple[int, int, int]] = {
    "III": (500, 2_000, 10_000),
    "IIII": (50, 200, 1_000),
}
"""Up to so many ``e`` the permissible error is 0.5, 1.0 and 1.5 e on initial verification."""
ERRORS_E = (0.5, 1.0, 1.5)

OVERLOAD_D = 9
ZERO_SHARE, INITIAL_ZERO_SHARE = 0.04, 0.20


def permissible_error_g(load_g: float, e_g: float, accuracy: Accuracy = "III") -> float | None:
    """The largest error at ``load_g`` on initial verification; None beyond what the class allows."""
    for upto_e, error_e in zip(STEPS_E[accuracy], ERRORS_E, strict=True):
        if load_g <= upto_e * e_g:
            return error_e * e_g
    return None


def overload_g(scale: ScaleRules) -> int:
    """A gross weight above this is stored and shown nowhere."""
    return scale.max_g + OVERLOAD_D * scale.division_g


def zero_range_g(scale: ScaleRules, *, initial: bool = False) -> float:
    """How far zero may be set and tracked from the adjustment's own, to either side."""
    return (INITIAL_ZERO_SHARE if initial else ZERO_SHARE) * scale.max_g
