"""Whether an HX711's frame can be believed, by when the next one is ready. Pure; times in ns.

Invariant: a value leaves only if its frame was flawless, lay clear of the conversions before and
after it, *and* the next conversion became ready about one period after its own, at a known gain.

Theory: the chip converts by its own clock, whatever the frame did. A pulse that was too long
somewhere has reset it, and it shows no conversion for four periods; a pulse too many or too few
leaves it in mid-frame, and it is ready again too early. So each frame waits until the next ready
edge bears witness for it.

An edge is known as an interval: after the last look that saw DOUT high (or the frame before, which
left it high) and before the first that saw it low, cut with where the period puts it from the edge
before. So a thread that was held up knows the edge still, a little less well each time; a reader
that sees only coarsely (the kernel's driver) knows it as well as it needs to; and a frame that may
have met the next conversion is refused, since half of it would be that one's.

After a start the gain is unknown, and only the pulses of a frame set it. So the first frame is never
a sample; and when the reader before was killed in mid-frame, the pulses of the first only end that
one's and set any gain, and it takes the second. If the first three agree to 1 %, the gain was right
before: a change of gain moves the filter's second output after it by 7 % or more, even where the
frame that made it came late in its period (the cubic B-spline's first 1.4 periods, times a factor of
two). At a start two will do where the first came promptly, since that moves its first output by 1.4 %;
a busy machine has many resets, and a load could once hide that little. Else the filter is left to
fill. A reset in between leaves the gain at 128 or as it was (two editions of the data sheet disagree):
where 128 is wanted, both are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.hx711_port import Due

Verdict = Literal["proven", "late", "early", "overtaken", "unseen", "rate"]

EARLY = 0.7
LATE = 1.4
"""In periods. Boards run up to a fifth off their nominal rate; a reset takes four."""
RESET_PERIODS = 6
"""Two edges in a row later than this are no resets: the chip converts at another rate."""
SURE = 0.25
"""An edge known less well than this, in periods, carries no frame."""
GUARD = 0.1
GUARD_AT_FIRST = 0.4
"""So long before the next conversion a frame must have ended, in periods; more while the chip's own
rate is not known."""
DRIFT = 1 / 64
DRIFT_AT_FIRST = 0.25
"""What one period may differ from the known one."""
CLOSE = 1 / 32
WIDE = 0.4
"""How long before the expected edge the looks begin, in periods: once the rate is known, and before."""
LEARNED_PERIODS = 16
"""The rate is taken over so many periods at a time: an edge known to a sixth gives 1 %."""
RATE_SPREAD = 1.4
"""How far the measured period may leave the nominal one, either way."""
LEFT_OUT = 6
"""Frames when the gain may have changed: two until it is surely set, four while the filter fills."""
SHOWN_BY, SHOWN_AT_START_BY = 3, 2
"""Frames that show by their agreement that the gain has not changed."""
PROMPT = 0.1
"""Two are enough where the first had ended so soon after its edge, in periods."""
GAIN_SHOWS_COUNTS = 20_000
"""Smallest reading at which 1 % stands clear of the noise (21 to 39 counts rms)."""
GAIN_AFTER_RESET = 128


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversion: when it became ready, and its counts."""

    ready_ns: int
    counts: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A ready edge lies between the two."""

    after_ns: int
    before_ns: int

    @property
    def width_ns(self) -> int:
        return self.before_ns - self.after_ns

    @property
    def middle_ns(self) -> int:
        return (self.after_ns + self.before_ns) // 2


class Witness:
    """The chain of witnesses of one chip, at its nominal rate and the gain that is wanted.

    ``must_see``: the frames do not show that they left DOUT high, so that each edge must be seen.
    """

    def __init__(
        self, rate_sps: float, gain: int = GAIN_AFTER_RESET, *, must_see: bool = False
    ) -> None:
        self._must_see = must_see
        self._nominal_ns = 1e9 / rate_sps
        self.period_ns = self._nominal_ns
        self._gain = gain
        self._learned = False
        self._edge: Edge | None = None
        self._anchor: Edge | None = None
        self._periods = 0
        self._overtaken = self._late = self._early = False
        self._waiting: Sample | None = None
        self._firsts: list[int] = []
        self._shown_by = SHOWN_AT_START_BY
        self._leave_out = LEFT_OUT

    def start(self) -> None:
        """The reader begins; the chip goes on as whoever read it before has left it."""
        self.restart()
        self._shown_by = SHOWN_AT_START_BY

    def restart(self, *, gain_known: bool = False) -> None:
        """The chip was reset, or nobody knows what it has met."""
        self._shown_by = SHOWN_BY
        self._edge = self._anchor = None
        self._periods = 0
        self._overtaken = False
        self._waiting = None
        self._firsts = []
        if not gain_known:
            self._leave_out = LEFT_OUT

    def due(self, *, awaited: bool = True) -> Due:
        """When to begin to look for the next conversion."""
        if self._edge is None:
            return Due(0, self.period_ns, awaited)
        ahead = 1 - (CLOSE if self._learned else WIDE)
        return Due(self._edge.after_ns + round(ahead * self.period_ns), self.period_ns, awaited)

    def edge(self, high_ns: int, low_ns: int) -> tuple[Verdict | None, Sample | None]:
        """DOUT was last seen high at ``high_ns`` (0: not seen), low at ``low_ns``: judge the frame
        that waits.

        The verdict is None where there was nothing to judge. After ``late`` and ``early`` (``rate``
        where the one before was so too) and ``unseen`` the chain begins anew.
        """
        last, waiting = self._edge, self._waiting
        self._waiting = None
        if last is None:
            self._begin(high_ns or low_ns - round(self.period_ns), low_ns)
            return None, None
        if self._must_see and not high_ns:
            self.restart()
            self._begin(last.before_ns, low_ns)
            return "unseen", None
        after_ns = max(high_ns, last.before_ns)
        since = (low_ns - last.before_ns) / self.period_ns
        if since > LATE + self._overtaken:
            again = self._late and since > RESET_PERIODS
            self._late = True
            self.restart(gain_known=self._gain == GAIN_AFTER_RESET and self._leave_out == 0)
            self._begin(after_ns if high_ns else low_ns - round(self.period_ns), low_ns)
            return "rate" if again else "late", None
        self._late = False
        if last.width_ns > SURE * self.period_ns or self._overtaken:
            self._overtaken = False
            self._begin(after_ns, low_ns)
            return None, None
        if since < EARLY:
            again, self._early = self._early, True
            self.restart()
            self._begin(after_ns, low_ns)
            return "rate" if again else "early", None
        self._early = False
        self._follow(last, after_ns, low_ns)
        return ("proven", waiting) if waiting else (None, None)

    def frame(self, counts: int, end_ns: int) -> Verdict | None:
        """A flawless frame after the last edge; ``overtaken`` when it may have met the next
        conversion."""
        edge, period_ns = self._edge, self.period_ns
        assert edge is not None, "a frame without a ready edge"
        guard = GUARD if self._learned else GUARD_AT_FIRST
        if edge.width_ns > SURE * period_ns or end_ns - edge.after_ns > (1 - guard) * period_ns:
            self._overtaken = True
            return "overtaken"
        prompt = end_ns - edge.after_ns < PROMPT * period_ns
        if not self._left_out(counts, prompt):
            self._waiting = Sample(edge.before_ns, counts)
        return None

    def _begin(self, after_ns: int, before_ns: int) -> None:
        self._edge = self._anchor = Edge(after_ns, before_ns)
        self._periods = 0

    def _follow(self, last: Edge, after_ns: int, before_ns: int) -> None:
        """The edge between two looks, cut with where the period puts it; and the period itself."""
        drift = DRIFT if self._learned else DRIFT_AT_FIRST
        least_ns = last.after_ns + round((1 - drift) * self.period_ns)
        most_ns = last.before_ns + round((1 + drift) * self.period_ns)
        if max(after_ns, least_ns) <= min(before_ns, most_ns):
            self._edge = Edge(max(after_ns, least_ns), min(before_ns, most_ns))
        else:
            self._edge = Edge(after_ns, before_ns)  # what was seen outweighs what was reckoned
        assert self._anchor is not None
        self._periods += 1
        if self._periods == LEARNED_PERIODS:
            period_ns = (self._edge.middle_ns - self._anchor.middle_ns) / LEARNED_PERIODS
            least, most = self._nominal_ns / RATE_SPREAD, self._nominal_ns * RATE_SPREAD
            self.period_ns = min(max(period_ns, least), most)
            self._learned = True
            self._anchor, self._periods = self._edge, 0

    def _left_out(self, counts: int, prompt: bool) -> bool:
        """Whether this frame may be of another gain, or the filter still hold some of it."""
        if self._leave_out == 0:
            return False
        if not (self._firsts or prompt):
            self._shown_by = SHOWN_BY
        self._firsts.append(counts)
        first = self._firsts[0]
        if len(self._firsts) == self._shown_by and (
            abs(first) >= GAIN_SHOWS_COUNTS
            and all(abs(counts - first) * 100 <= abs(first) for counts in self._firsts)
        ):
            self._leave_out = 0
            return False
        self._leave_out -= 1
        return True
