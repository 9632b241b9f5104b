"""Whether a moment that the city named is past, by a clock that may not be known.

Theory. A synchronised clock says it. One that was synchronised since this boot and no longer is (a night
without network) is known to within what a quartz drifts: boottime goes on beside it, and
``adjtimex(2)`` lets no kernel clock run off by more than 500 ppm. One that was never synchronised since
the boot says nothing: whoever holds a message back over a power cut could otherwise have it count again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.core.events import Moment

DRIFT_PPM = 500
SLACK_MS = 1_000

Timely = Literal["yes", "no", "unsure"]


@dataclass(frozen=True, slots=True)
class KnownTime:
    """The last moment of this boot at which the clock was synchronised; ``utc_ms`` None: none yet."""

    utc_ms: int | None = None
    boot_ms: int = 0

    def at(self, now: Moment) -> KnownTime:
        """The same, moved to now where that says more."""
        return KnownTime(now.utc_ms, now.boot_ms) if now.clock == "synced" else self

    def before(self, end_ms: int, now: Moment) -> Timely:
        """Whether it is before ``end_ms`` (UTC)."""
        if now.clock == "synced":
            return "yes" if now.utc_ms < end_ms else "no"
        if self.utc_ms is None or now.boot_ms < self.boot_ms:
            return "unsure"
        passed_ms = now.boot_ms - self.boot_ms
        error_ms = passed_ms * DRIFT_PPM // 1_000_000 + SLACK_MS
        likely_ms = self.utc_ms + passed_ms
        if likely_ms + error_ms < end_ms:
            return "yes"
        return "no" if likely_ms - error_ms >= end_ms else "unsure"
