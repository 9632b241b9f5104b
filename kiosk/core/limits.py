"""What a scale of a class may be wrong by: OIML R 76-1:2006, table 6 (initial verification).

In numbers of verification intervals e: 0.5, 1 and 1.5 e, up to the loads below. In service twice as
much is allowed (3.5.2); a check after an adjustment is held to the first. The means of the check may
itself be wrong by no more than a third of the limit (3.7.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AccuracyClass = Literal["III", "IIII"]

STEPS: dict[AccuracyClass, tuple[tuple[int, float], ...]] = {
    "III": ((500, 0.5), (2_000, 1.0), (10_000, 1.5)),
    "IIII": ((50, 0.5), (200, 1.0), (1_000, 1.5)),
}
"""Up to so many e of load, so many e of error."""
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


def permissible_error_g(load_g: float, e_g: float, accuracy: AccuracyClass) -> float | None:
    """The largest error allowed at a load; None where the class ends.

    >>> [permissible_error_g(load, 20, "III") for load in (10_000, 10_001, 60_000, 200_001)]
    [10.0, 20.0, 30.0, None]
    >>> [permissible_error_g(load, 20, "IIII") for load in (1_000, 4_000, 20_000, 20_001)]
    [10.0, 20.0, 30.0, None]
    """
    for most_e, error_e in STEPS[accuracy]:
        if load_g <= most_e * e_g:
            return error_e * e_g
    return None


def judge(
    load_g: float, tolerance_g: float, shown_g: float, e_g: float, accuracy: AccuracyClass
) -> Verdict:
    """One load that is known as ``load_g`` and shown, over the empty scale, as ``shown_g``."""
    allowed_g = permissible_error_g(load_g, e_g, accuracy)
    error_g = shown_g - load_g
    return Verdict(
        load_g=load_g,
        error_g=error_g,
        limit_g=allowed_g,
        passed=allowed_g is not None and abs(error_g) <= allowed_g,
        sure=allowed_g is not None and tolerance_g <= MEANS_SHARE * allowed_g,
    )
