"""Hours of the day in which a station makes no tone.

Whoever does not know the time is not silent: while nobody knows it (``timely``) the hours do not count, for
a tone by day helps more people than one by night disturbs.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.moment import Moment
from kiosk.core.timely import KnownTime

DAY_MIN = 24 * 60
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``from_min`` to before ``to_min``, minutes of the local day; over midnight where it is later."""

    from_min: int
    to_min: int

    def hold_at(self, minute: int) -> bool:
        """
        >>> night = QuietHours(21 * 60, 7 * 60)
        >>> [night.hold_at(60 * hour) for hour in (20, 21, 0, 6, 7)]
        [False, True, True, True, False]
        """
        if self.from_min <= self.to_min:
            return self.from_min <= minute < self.to_min
        return minute >= self.from_min or minute < self.to_min


def is_quiet(hours: QuietHours | None, known: KnownTime, now: Moment) -> bool:
    """Whether the quiet hours hold now, and somebody knows that they do."""
    past_ms = None if hours is None else known.past_ms(now)
    if hours is None or past_ms is None:
        return False
    return hours.hold_at((past_ms + now.offset_ms) // MINUTE_MS % DAY_MIN)
