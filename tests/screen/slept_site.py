"""``kiosk`` on a machine that can sleep: at SIGUSR1 it has slept for ``SLEPT_S``.

Stands in for the kernel's boottime, which goes on in suspend, below everything that asks for it.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from kiosk.cli import main

SLEPT_S = 200
"""Longer than a corner that nobody touches stays open."""


class Sleeper:
    """``clock_gettime(2)`` of that machine."""

    def __init__(self) -> None:
        self._asked = time.clock_gettime_ns
        self._slept_ns = 0

    def sleep(self, _number: int, _frame: FrameType | None) -> None:
        self._slept_ns += SLEPT_S * 1_000_000_000

    def clock_gettime_ns(self, clock: int) -> int:
        slept_ns = self._slept_ns if clock == time.CLOCK_BOOTTIME else 0
        return self._asked(clock) + slept_ns


if __name__ == "__main__":
    sleeper = Sleeper()
    time.clock_gettime_ns = sleeper.clock_gettime_ns
    signal.signal(signal.SIGUSR1, sleeper.sleep)
    sys.exit(main(sys.argv[1:]))
