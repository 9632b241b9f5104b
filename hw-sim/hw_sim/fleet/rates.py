"""How evenly connections came, and other figures of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec


class Comeback(msgspec.Struct, frozen=True):
    """Connections between the broker's return and the last station's, in whole seconds from the return.

    ``mean_per_s`` is all of them over ``window_s``, the exact time to the last; ``peak_per_s`` the busiest
    of the seconds.
    """

    connections: int
    window_s: float
    peak_per_s: float
    mean_per_s: float
    ratio: float


def comeback(times_s: Sequence[float], began_s: float, second_s: float = 1.0) -> Comeback | None:
    """None where nobody came. ``second_s`` so long is a second of the stations' clocks."""
    came = [(each - began_s) / second_s for each in times_s if each >= began_s]
    if not came:
        return None
    window = max(max(came), 1.0)
    peak = max(Counter(int(each) for each in came).values())
    mean = len(came) / window
    return Comeback(len(came), window, peak, mean, peak / mean)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that ``share`` of them do not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
