"""One moment by the edge's clocks."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.entries import ClockQuality


@dataclass(frozen=True, slots=True)
class Moment:
    """The edge's two clocks, read together.

    ``boot_ms`` boottime milliseconds; ``utc_ms`` the wall clock as the station believes it;
    ``clock`` how good that is; ``day`` the local calendar day as a count of days since 1970-01-01;
    ``offset_ms`` how much local time is ahead of UTC.
    """

    boot_ms: int
    utc_ms: int
    clock: ClockQuality
    day: int
    offset_ms: int = 0
