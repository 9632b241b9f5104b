"""Whether an HX711's frame can be believed, by when the next one is ready. Pure; times in ns.

Invariant: a value leaves only if its frame was flawless *and* the next conversion became ready
about one period after its own, at a gain that is known, settled.

Theory: the chip converts by its own clock, whatever the frame did. A pulse that was too long
somewhere has reset it, and it shows no conversion for four periods; a pulse too many or too few
leaves it in mid-frame, and it is ready again too early. So each frame waits until the next ready
edge bears witness for it. The edge lies between the last look that saw DOUT high and the first that
saw it low; when no look came shortly before (the thread was held up) it is taken to be where the
period puts it, at the latest.

After a start or a reset the gain is unknown (two editions of the data sheet disagree), and only the
pulses of a frame set it. So the first frame is never a sample; and when the reader before was killed
in mid-frame, the pulses of the first only end that one's and set any gain, and it takes the second.
If the second equals the first to 1 %, the gain was right before: a change of gain moves the filter's
very first output by 4 % or more (the cubic B-spline's first period, 1/24, times a factor of two).
Else the filter is left to fill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["proven", "late", "early"]

EARLY = 0.7
LATE = 1.4
"""In periods. Boards run up to a fifth off their nominal rate; a reset takes four."""
STRADDLE = 0.6
"""A frame that ended later after its edge may have met the next conversion."""
RATE_SPREAD = 1.4
"""How far the measured period may leave the nominal one, either way."""
LEFT_OUT = 6
"""Frames when the gain may have changed: two until it is surely set, four while the filter fills."""
GAIN_SHOWS_COUNTS = 20_000
"""Smallest reading at which 1 % stands clear of the noise (21 to 39 counts rms)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversion: when it became ready, and its counts."""

    ready_ns: int
    counts: int


class Witness:
    """The chain of witnesses of one chip, at its nominal rate."""

    def __init__(self, rate_sps: float) -> None:
        self._nominal_ns = 1e9 / rate_sps
        self.period_ns = self._nominal_ns
        self.locked = False
        """Whether the last edge was seen closely, so that the next can be slept up to."""
        self._edge_ns: int | None = None
        self._waiting: Sample | None = None
        self._first: int | None = None
        self._leave_out = LEFT_OUT

    def restart(self) -> None:
        """The chip was reset, or nobody knows what it has met."""
        self.locked = False
        self._edge_ns = None
        self._waiting = None
        self._first = None
        self._leave_out = LEFT_OUT

    def expected_ns(self) -> int | None:
        """When the next conversion should be ready; None when that is not known."""
        return None if self._edge_ns is None else self._edge_ns + round(self.period_ns)

    def edge(self, high_ns: int, low_ns: int) -> tuple[Verdict | None, Sample | None]:
        """DOUT was last seen high at ``high_ns``, low at ``low_ns``: judge the frame that waits.

        The verdict is None where there was nothing to judge. After anything but ``proven`` the
        chain begins anew; after ``early`` the chip is in mid-frame and needs a reset.
        """
        before, waiting = self._edge_ns, self._waiting
        close = low_ns - high_ns < self.period_ns / 8
        self._waiting = None
        if before is None:
            self._edge_ns = low_ns
            return None, None
        interval = low_ns - before
        if not EARLY <= interval / self.period_ns <= LATE:
            self.restart()
            self._edge_ns = low_ns
            return "early" if interval < self.period_ns else "late", None
        if close and self.locked:
            self._follow(interval)
        self._edge_ns = low_ns if close else min(low_ns, before + round(self.period_ns))
        self.locked = close
        return ("proven", waiting) if waiting else (None, None)

    def frame(self, counts: int, end_ns: int) -> Verdict | None:
        """A flawless frame after the last edge; ``late`` when it may have met the next conversion."""
        assert self._edge_ns is not None, "a frame without a ready edge"
        if end_ns - self._edge_ns > STRADDLE * self.period_ns:
            self.restart()
            return "late"
        if not self._left_out(counts):
            self._waiting = Sample(self._edge_ns, counts)
        return None

    def _left_out(self, counts: int) -> bool:
        """Whether this frame may be of another gain, or the filter still hold some of it."""
        first = self._first
        if first is None:
            self._first = counts
        elif self._leave_out == LEFT_OUT - 1 and (
            abs(first) >= GAIN_SHOWS_COUNTS and abs(counts - first) * 100 <= abs(first)
        ):
            self._leave_out = 0
        if self._leave_out == 0:
            return False
        self._leave_out -= 1
        return True

    def _follow(self, interval_ns: int) -> None:
        """The period drifts with the chip's temperature; an eighth of each interval follows it."""
        period_ns = self.period_ns + (interval_ns - self.period_ns) / 8
        least, most = self._nominal_ns / RATE_SPREAD, self._nominal_ns * RATE_SPREAD
        self.period_ns = min(max(period_ns, least), most)
