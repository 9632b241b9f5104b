"""Whether a moment that the city named is past, by a clock that may not be known.

Theory. A synchronised clock says it. One that was synchronised since this boot and no longer is (a night
without network) is known to within what a quartz drifts: boottime goes on beside it, and
``adjtimex(2)`` lets no kernel clock run off by more than 500 ppm. One that was never synchronised since
the boot says nothing of itself: whoever holds a message back over a power cut could otherwise have it
count again. There the city is asked: the station makes up a number that nobody can have known before,
and what the city signs together with that number and its own time was signed between the two moments at
which the station sent the one and got the other. So the time is known to within that round trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.core.moment import Moment

DRIFT_PPM = 500
SLACK_MS = 1_000

Timely = Literal["yes", "no", "unsure"]


@dataclass(frozen=True, slots=True)
class KnownTime:
    """At boottime ``boot_ms`` it was between ``utc_ms`` and ``spread_ms`` later; None: nobody knows."""

    utc_ms: int | None = None
    boot_ms: int = 0
    spread_ms: int = 0

    def at(self, now: Moment) -> KnownTime:
        """The same, moved to now where the clock says more."""
        return KnownTime(now.utc_ms, now.boot_ms) if now.clock == "synced" else self

    def told(self, signed_ms: int, asked_boot_ms: int, now: Moment) -> KnownTime:
        """The city signed at its ``signed_ms``, after it was asked at boottime ``asked_boot_ms``."""
        return KnownTime(signed_ms, now.boot_ms, max(0, now.boot_ms - asked_boot_ms))

    def past_ms(self, now: Moment) -> int | None:
        """A moment that is certainly past (UTC)."""
        if now.clock == "synced":
            return now.utc_ms
        if self.utc_ms is None or now.boot_ms < self.boot_ms:
            return None
        return self.utc_ms + now.boot_ms - self.boot_ms - self._error_ms(now)

    def before(self, end_ms: int, now: Moment) -> Timely:
        """Whether it is before ``end_ms`` (UTC)."""
        if now.clock == "synced":
            return "yes" if now.utc_ms < end_ms else "no"
        past_ms = self.past_ms(now)
        if past_ms is None:
            return "unsure"
        if past_ms >= end_ms:
            return "no"
        return "yes" if past_ms + self.spread_ms + 2 * self._error_ms(now) < end_ms else "unsure"

    def _error_ms(self, now: Moment) -> int:
        return (now.boot_ms - self.boot_ms) * DRIFT_PPM // 1_000_000 + SLACK_MS
