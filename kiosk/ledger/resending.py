"""The city asks once more for entries that it has signed for: the uplink goes back, the watermark does not.

Theory. The uplink sends what lies beyond the watermark that the station tells it, and goes back when it is
told a lower one (as after a restore of the city's database). So a *floor* is told in the watermark's
place. It rises as the uplink draws on (a batch drawn after the end of the one before says that that one
was sent) and with each word of the city's on what it has, which is how it answers a batch that it knows.
Draws from elsewhere (the uplink has not heard yet, or sends what is new first) leave it where it is, and at
the watermark it ends. What the city has stored it passes over, so sending once too often costs bytes. A
line that breaks may cut a resend short by what was on its way, and so does a start of the station's
process: the city sees what it still lacks, and asks again.
"""

from __future__ import annotations


class Resending:
    """Not thread-safe: the ledger holds its lock."""

    def __init__(self) -> None:
        self._floor: int | None = None
        self._drawn: int | None = None
        """The end of the batch that was drawn after the floor."""

    def begin(self, after: int) -> None:
        """Everything after ``after`` is to be sent again; a resend that goes on is not cut short."""
        self._floor = after if self._floor is None else min(self._floor, after)
        self._drawn = None

    def told(self, watermark: int) -> int:
        """The watermark as the uplink is told it."""
        return watermark if self._floor is None else min(self._floor, watermark)

    def drew(self, after: int, last: int, watermark: int) -> None:
        """The uplink drew the entries ``after + 1`` to ``last``."""
        if self._floor is None:
            return
        if after == self._drawn:
            self._rise(watermark)
        elif after != self._floor:
            return
        self._drawn = last if self._floor is not None else None

    def answered(self, watermark: int) -> None:
        """The city said again what it has."""
        if self._drawn is not None:
            self._rise(watermark)

    def _rise(self, watermark: int) -> None:
        """What was drawn was sent."""
        ended = self._drawn is None or self._drawn >= watermark
        self._floor, self._drawn = (None if ended else self._drawn), None
