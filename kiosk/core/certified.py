"""Which weights are certified.

Invariant: ``certified`` only where a verified indicator's own stable telegrams made both gross weights,
the change is at least its Min, and its verification has certainly not run out.
"""

from __future__ import annotations

from kiosk.core.bin import Bin
from kiosk.core.entries import Mode
from kiosk.core.events import Moment

ANY_WEIGHT_G = 1 << 30


def mode(bin_: Bin, net_g: int, now: Moment) -> Mode:
    """The mode of a change of ``net_g`` that is recorded at ``now``."""
    until = bin_.scale.certified_until_day
    if until is None or not bin_.quantised or now.clock != "synced":
        return "estimate"
    in_time = now.day <= until
    return "certified" if in_time and abs(net_g) >= bin_.scale.certified_min_g else "estimate"


def is_certified(bin_: Bin, now: Moment) -> bool:
    """Whether a change at this bin, if it is large enough, is certified now."""
    return bin_.stage == "normal" and mode(bin_, ANY_WEIGHT_G, now) == "certified"
