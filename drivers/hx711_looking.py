"""Awaiting conversions by looking at DOUT: what GPIO and SPI have in common.

Invariant: nobody sends a pulse before every awaited chip was seen ready, twice; and between two
conversions the thread sleeps, looking only around the moment at which the next should be ready.

Several chips on one clock line convert each by its own oscillator. One frame reads them all, so it
waits for the last of them; each chip's own edge is noted when it comes, for its own witness.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from drivers.clock import boottime_ns
from drivers.hx711_port import Conversion, Due, Reading

MISSING_PERIODS = 8
"""Twice the chip's settling after a reset."""
MISSING_S = 0.3
LOOKS = 64
"""Looks a period around the expected moment: 1.6 ms apart at 10 SPS, 0.2 ms at 80."""
MOST_LOOKS = MISSING_PERIODS * LOOKS * 4


class Pins(Protocol):
    """A clock line and the DOUT of each chip on it."""

    size: int

    def open(self) -> None: ...

    def ready(self, chip: int) -> bool:
        """Whether a conversion waits, seen twice."""
        ...

    def read(self) -> Sequence[Reading]:
        """One frame, without waiting; one reading a chip."""
        ...

    def reset(self) -> None: ...

    def close(self) -> None: ...


class LookingWire:
    """A ``Wire`` over pins that can be looked at."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def open(self) -> None:
        self._pins.open()

    def reset(self) -> None:
        self._pins.reset()

    def close(self) -> None:
        self._pins.close()

    def take(
        self, due: Sequence[Due], stopping: Callable[[], bool]
    ) -> Sequence[Conversion | None] | None:
        seen = self._await(due, stopping)
        if seen is None:
            return None
        high_ns, low_ns = seen
        if not any(low_ns):
            return [None] * len(due)
        readings = self._pins.read()
        end_ns = boottime_ns()
        return [
            Conversion(high, low, end_ns, reading) if low else None
            for high, low, reading in zip(high_ns, low_ns, readings, strict=True)
        ]

    def _await(
        self, due: Sequence[Due], stopping: Callable[[], bool]
    ) -> tuple[list[int], list[int]] | None:
        """For each chip when DOUT was last seen high and first low (0: never); None when stopping."""
        ready = self._pins.ready
        high_ns, low_ns = [0] * len(due), [0] * len(due)
        chips = range(len(due))
        awaited = [chip for chip in chips if due[chip].awaited] or list(chips)
        last_ns = boottime_ns() + round(
            max(MISSING_PERIODS * due[chip].period_ns for chip in awaited) + MISSING_S * 1e9
        )
        for _ in range(MOST_LOOKS):
            if stopping():
                return None
            pause_ns: float = last_ns
            for chip in chips:
                if low_ns[chip]:
                    continue
                look_ns = boottime_ns()
                early_ns = due[chip].wake_ns - look_ns
                if early_ns <= 0 or chip not in awaited:
                    if ready(chip):
                        low_ns[chip] = boottime_ns()  # after the look, as the other is before it
                        continue
                    high_ns[chip] = look_ns
                    early_ns = round(due[chip].period_ns / LOOKS)
                if chip in awaited:
                    pause_ns = min(pause_ns, early_ns)
            if all(low_ns[chip] for chip in awaited) or boottime_ns() > last_ns:
                break
            time.sleep(pause_ns / 1e9)
        return high_ns, low_ns
