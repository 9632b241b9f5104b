"""Which weights are certified.

Invariant: ``certified`` only where a verified indicator's own stable telegrams made both gross weights,
the change is at least its Min, and its verification has certainly not run out.

Theory. An ``IndicatorSettler`` tells nothing but the instrument's own stable values, and a bin that weighs
(``normal``) counts from one to the next; so the two weights are the instrument's wherever a drop is
weighed. The date is certain only by a synchronised clock. All else is an estimate, and the doctor
says why (``seal``).
"""

from __future__ import annotations

from typing import Literal

from kiosk.core.bin import Bin
from kiosk.core.entries import Mode
from kiosk.core.events import Moment

ANY_WEIGHT_G = 1 << 30

Seal = Literal["none", "valid", "expired", "undated"]
"""``none`` no verified indicator; ``undated`` the clock is not synchronised."""


def seal(bin_: Bin, now: Moment) -> Seal:
    """What the verification of a bin's indicator is worth now."""
    until = bin_.scale.certified_until_day
    if until is None or not bin_.quantised:
        return "none"
    if now.clock != "synced":
        return "undated"
    return "valid" if now.day <= until else "expired"


def mode(bin_: Bin, net_g: int, now: Moment) -> Mode:
    """The mode of a change of ``net_g`` that is recorded at ``now``."""
    enough = abs(net_g) >= bin_.scale.certified_min_g
    return "certified" if enough and seal(bin_, now) == "valid" else "estimate"


def is_certified(bin_: Bin, now: Moment) -> bool:
    """Whether a change at this bin, if it is large enough, is certified now."""
    return bin_.stage == "normal" and mode(bin_, ANY_WEIGHT_G, now) == "certified"
