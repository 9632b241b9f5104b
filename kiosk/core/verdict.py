"""A known load against what a scale of its class may be wrong by.

A check after an adjustment is held to the limits of initial verification (``limits``; in service twice
as much is allowed, OIML R 76-1:2006, 3.5.2). The means of the check may itself be wrong by no more than a
third of the limit (3.7.1): a household scale often is, and then the verdict is no sure one.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.limits import Accuracy, permissible_error_g

MEANS_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """One load against the limit. ``limit_g`` None beyond the class's range, which is no pass.

    ``sure`` whether the reference was known well enough for the verdict to count.
    """

    load_g: float
    error_g: float
    limit_g: float | None
    passed: bool
    sure: bool


def judge(
    load_g: float, tolerance_g: float, shown_g: float, e_g: float, accuracy: Accuracy
) -> Verdict:
    """One load that is known as ``load_g`` and shown, over the empty scale, as ``shown_g``."""
    limit_g = permissible_error_g(load_g, e_g, accuracy)
    error_g = shown_g - load_g
    return Verdict(
        load_g=load_g,
        error_g=error_g,
        limit_g=limit_g,
        passed=limit_g is not None and abs(error_g) <= limit_g,
        sure=limit_g is not None and tolerance_g <= MEANS_SHARE * limit_g,
    )
