"""The station's clock for events: boottime, which goes on in suspend and is never stepped."""

from __future__ import annotations

import time


def boottime_ns() -> int:
    """Nanoseconds since the machine started (``CLOCK_BOOTTIME``, clock_gettime(2))."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boottime_ms() -> int:
    """Whole milliseconds since the machine started."""
    return boottime_ns() // 1_000_000
