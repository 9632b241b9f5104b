"""``kiosk scale replay``: a recorded trace through the very code that weighs on the station.

As on the station, what moves slowly between two changes is drift and belongs to none of them, and what
stays below the least increment is carried to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from kiosk import trace
from kiosk.core.config import ScaleRules
from kiosk.core.settle import CountsSettler, Plateau
from kiosk.core.settle.least import least_counted_g

SAME_D = 0.25
"""A level that comes back this near, in divisions, is the same plateau (a knock, a spike)."""


def replay(lines: Iterable[str], rules: ScaleRules) -> Iterator[dict[str, Any]]:
    """The JSON objects of the contract ('Trace replay'), in time order, each as soon as known.

    Raises OperatorError naming the line where the trace is not one.
    """
    settler = CountsSettler(rules)
    told_g: float | None = None
    carried_g = told_uncertainty_g = 0.0
    samples = plateaus = 0
    for t_ms, counts in trace.samples(lines):
        samples += 1
        for sign in settler.feed(t_ms, counts):
            if not isinstance(sign, Plateau):
                continue
            if (
                told_g is None
                or abs(sign.gross_g - _left(sign, told_g)) > SAME_D * rules.division_g
            ):
                plateaus += 1
                yield {
                    "t_ms": t_ms,
                    "kind": "stable",
                    "gross_g": round(sign.gross_g, 3),
                    "uncertainty_g": round(sign.uncertainty_g, 3),
                }
            if told_g is not None:
                # What the plateau before became known better by is its change's, not drift.
                carried_g += sign.gross_g - _left(sign, told_g) + sign.late_g
                uncertainty_g = math.hypot(told_uncertainty_g, sign.uncertainty_g)
                if abs(carried_g) >= least_counted_g(rules.min_increment_g, uncertainty_g):
                    yield {
                        "t_ms": t_ms,
                        "kind": "weighing",
                        "net_g": round(carried_g, 3),
                        "gross_before_g": round(sign.gross_g - carried_g, 3),
                        "gross_after_g": round(sign.gross_g, 3),
                    }
                    carried_g = 0.0
            told_g, told_uncertainty_g = sign.gross_g, sign.uncertainty_g
    rejected = {reason: n for reason, n in sorted(settler.rejected.items()) if n}
    yield {"kind": "summary", "samples": samples, "rejected": rejected, "plateaus": plateaus}


def _left(sign: Plateau, told_g: float) -> float:
    return told_g if sign.left_g is None else sign.left_g
