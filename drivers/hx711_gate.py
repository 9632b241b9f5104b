"""What no witness can see: a value read wrong in a frame that went right. Pure.

Invariant: while the load rests, no value leaves that stands alone, or in a pair, away from the
values around it. Every value leaves at most ``HOLD`` samples late, and in order.

Theory: the chip's filter is a fourth-order sinc, four moving averages of one period in a row. Its
answer to a step is the cubic B-spline's integral, at most 0.26 %, 20 %, 80 %, 99.7 % or 4 %, 50 %,
96 % of the step in successive values, and then it *stays*. So a change of the load shows in three
values at least; a bit gone wrong shows in one; what a disturbed clock or supply does to the filter
shows in two large ones. Whatever leaves the band around the last value is therefore held until the
third such value in a row: then the load moves, and all of them leave. If one comes back before, those
held were wrong.

While the load moves, a value leaves when its successor is known, except one that stands out from both
its neighbours by more than they differ. Only one in a movement: more of them are an oscillation, and to
leave out all of one side would shift what is settled on.

The band is eight times the usual difference between successive values, which follows the noise of
this scale (at most a tenth up at a time, so that one step does not open it) and is never less than
``BAND_COUNTS``. Each value refused opens it by a quarter: a platform that swings at half the sampling
rate, and looks like a wrong value every other time, is soon let through; a wrong value in twenty is
not. A wrong bit below the band is within the noise, and no gate can know it; the wires that look at
each bit twice catch those too.
"""

from __future__ import annotations

from drivers.hx711_witness import Sample

HOLD = 3
BAND = 8.0
BAND_COUNTS = 160.0
"""Eight times the data sheet's noise at 10 SPS, in differences that lie within one rms."""
USUAL_AT_FIRST_COUNTS = 44.0
"""Mean difference of two values at 39 counts rms, the data sheet's noise at 80 SPS."""
FALL, RISE, REFUSED_RISE = 0.95, 1.10, 1.25


class Gate:
    """The gate of one chip."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._held: list[Sample] = []
        self._moving = False
        self._let_go = False
        self._usual = USUAL_AT_FIRST_COUNTS

    def restart(self) -> None:
        """Nobody knows what the load did meanwhile."""
        self._last = None
        self._held = []
        self._moving = self._let_go = False

    def feed(self, sample: Sample) -> tuple[list[Sample], int]:
        """The samples that leave now, oldest first, and how many were found wrong."""
        if self._last is not None and self._near(sample.counts, self._last):
            wrong = 0 if self._moving else len(self._held)
            self._usual *= REFUSED_RISE**wrong
            leaving = [*self._held, sample] if self._moving else [sample]
            return self._leave(leaving, still=True), wrong
        self._held.append(sample)
        if self._last is None and len(self._held) > 1:
            before = self._held[-2]
            if self._near(sample.counts, before.counts):  # at first, two that agree will do
                return self._leave([before, sample], still=True), len(self._held) - 2
        if len(self._held) < (2 if self._moving else HOLD):
            return [], 0
        return self._move()

    def _move(self) -> tuple[list[Sample], int]:
        """The load moves: all leave but the newest, whose successor is not known yet."""
        wrong = 0
        leaving: list[Sample] = []
        before = self._held[0].counts if self._last is None else self._last
        for this, after in zip(self._held, self._held[1:], strict=False):
            if not self._let_go and self._alone(before, this.counts, after.counts):
                self._let_go = True
                wrong += 1
                continue
            leaving.append(this)
            before = this.counts
        newest = self._held[-1]
        left = self._leave(leaving, still=False)
        self._held = [newest]
        self._moving = True
        return left, wrong

    def _leave(self, leaving: list[Sample], *, still: bool) -> list[Sample]:
        for sample in leaving:
            if self._last is not None:
                change = abs(sample.counts - self._last)
                self._usual = min(self._usual * FALL + change * (1 - FALL), self._usual * RISE)
            self._last = sample.counts
        self._held = []
        if still:
            self._moving = self._let_go = False
        return leaving

    def _band(self) -> float:
        return max(BAND_COUNTS, BAND * self._usual)

    def _near(self, one: int, other: int) -> bool:
        return abs(one - other) <= self._band()

    def _alone(self, before: int, this: int, after: int) -> bool:
        """Whether the middle one stands out from both its neighbours."""
        room = self._band() + abs(after - before)
        return this > max(before, after) + room or this < min(before, after) - room
