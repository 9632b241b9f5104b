"""How long an uplink waits before its next connection, so that a city's stations do not come back in step.

Two cases, told apart by how long the lost connection had been up.

A *steady* connection that is lost was often lost by every station at once: the broker went. The first
wait is drawn from the whole of ``SPREAD_MS`` ("full jitter"); every later one is exactly ``SPREAD_MS``.
So each station keeps the place in the period that it drew, and whenever the broker is back all of them
return within one period at an even rate: N / SPREAD_MS, however long it was away. (Drawing anew each
time, or doubling from a second, piles them up: of 1,000 stations after outages of 0.5 to 600 s the
busiest second saw 2.2 to 10 times the mean. With the place kept it is 1.2 to 1.4 times, and that is
chance: tests/sync/test_reconnecting.py.) One station alone loses half a period to it in the mean.

Any other failure is one station's trouble until it has lasted: the wait is drawn from the whole
interval up to a bound that doubles from ``BASE_MS``; once the bound has reached the period the place
in it is drawn, and kept.
"""

from __future__ import annotations

from collections.abc import Callable

BASE_MS = 1_000
SPREAD_MS = 20_000
"""The period: a thousand stations come back at 50 a second."""
STEADY_MS = 10_000
"""A connection that lasted so long was a good one."""


class Reconnecting:
    """One station's waits. ``random`` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._bound_ms = BASE_MS
        self._placed = False

    def well(self) -> None:
        """The way to the city works: after a quick failure the next try is quick again."""
        self._bound_ms, self._placed = BASE_MS, False

    def wait_ms(self, up_ms: int) -> int:
        """The wait after a connection that was up for ``up_ms``, 0 when it was never up."""
        if up_ms >= STEADY_MS:
            self._bound_ms, self._placed = SPREAD_MS, False
        if self._placed:
            return SPREAD_MS
        self._placed = self._bound_ms == SPREAD_MS
        drawn_ms = int(self._random() * self._bound_ms)
        self._bound_ms = min(SPREAD_MS, 2 * self._bound_ms)
        return drawn_ms
