"""``kiosk scale replay``: a recorded trace through the very code that weighs on the station.

A trace has no cards. Its changes are those of one visit for as long as no more than ``IDLE_MS`` pass
between two of them: they are counted from the level after the last counted one, by the station's own rule
(``kiosk.core.least``), and what is too little is carried. After a longer stillness, as for a new visit,
what has slowly moved meanwhile is drift and belongs to no change; what is carried, and what the last
level became known better by, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kiosk import trace
from kiosk.core import least, uncertainty
from kiosk.core.bin import Bin
from kiosk.core.config import BinRules, ScaleRules, StationRules
from kiosk.core.events import CountsBlock
from kiosk.core.memory import BinBook
from kiosk.core.settled import Level, Settled

SAME_D = 0.25
"""A level that comes back this near, in divisions, is the same plateau (a knock, a spike)."""
IDLE_MS = StationRules(bins=()).visit_idle_ms
"""So long after its last movement a station's visit ends."""


def replay(lines: Iterable[str], rules: ScaleRules) -> Iterator[dict[str, Any]]:
    """The JSON objects of the contract ('Trace replay'), in time order, each as soon as known.

    Raises OperatorError naming the line where the trace is not one.
    """
    name = "trace"
    bin_ = Bin(BinRules(name, name, rules), BinBook(name, name, name, gross_g=None))
    told: Settled | None = None
    base: Level | None = None
    samples = plateaus = 0
    for t_ms, counts in trace.samples(lines):
        samples += 1
        for settled in bin_.feed(CountsBlock(name, (t_ms,), (counts,))):
            if not isinstance(settled, Settled):
                continue
            after = settled.after
            if told is None:
                plateaus += 1
                yield _stable(t_ms, after)
                told = settled
                continue
            left = settled.before or told.after
            if abs(after.exact_g - left.exact_g) > SAME_D * rules.division_g:
                plateaus += 1
                yield _stable(t_ms, after)
            if base is None:
                base = left
            elif settled.began_ms - told.t_ms > IDLE_MS:
                base = left.shifted(base.exact_g - told.after.exact_g - settled.late_g)
            if least.counts(rules.min_increment_g, base, after):
                yield {
                    "t_ms": t_ms,
                    "kind": "weighing",
                    "net_g": round(after.exact_g - base.exact_g, 3),
                    "gross_before_g": round(base.exact_g, 3),
                    "gross_after_g": round(after.exact_g, 3),
                }
                base = after
            told = settled
    rejected = {reason: n for reason, n in sorted(bin_.refusals.items()) if n}
    yield {"kind": "summary", "samples": samples, "rejected": rejected, "plateaus": plateaus}


def _stable(t_ms: int, level: Level) -> dict[str, Any]:
    return {
        "t_ms": t_ms,
        "kind": "stable",
        "gross_g": round(level.exact_g, 3),
        "uncertainty_g": round(uncertainty.K * level.sd_g, 3),
    }
