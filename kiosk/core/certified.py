"""Which weights are certified.

Invariant: ``certified`` only where a verified indicator's own stable telegrams made both gross weights,
each of them said itself that it is gross, the change is at least its Min, and its verification has
certainly not run out.

Theory. An ``IndicatorSettler`` tells nothing but the instrument's own stable values. Whether a telegram
says what it weighs is a matter of the telegram, not of its protocol: A&D's ``ST,GS,+0012.340kg`` does,
its balances' ``ST,+00123.45  g`` may be net as well. So each level carries it (``Level.says_gross``); a
level that was reckoned, and the book's after a start, say nothing. The date is certain only by a
synchronised clock. All else is an estimate, and the doctor says why (``seal``).
"""

from __future__ import annotations

from typing import Literal

from kiosk.core.bin import Bin
from kiosk.core.entries import Mode
from kiosk.core.events import Moment
from kiosk.core.settled import Level

Seal = Literal["none", "valid", "expired", "undated", "unsaid"]
"""``none`` no verified indicator; ``undated`` the clock is not synchronised; ``unsaid`` the telegrams of
the newest stable weight did not say that it is gross."""


def seal(bin_: Bin, now: Moment) -> Seal:
    """What the verification of a bin's indicator is worth now, and if nothing, why."""
    until = bin_.scale.certified_until_day
    if until is None or not bin_.quantised:
        return "none"
    if now.clock != "synced":
        return "undated"
    if now.day > until:
        return "expired"
    return "unsaid" if bin_.says_gross is False else "valid"


def mode(bin_: Bin, before: Level, after: Level, now: Moment) -> Mode:
    """The mode of the change from ``before`` to ``after`` that is recorded at ``now``."""
    enough = abs(after.gross_g - before.gross_g) >= bin_.scale.certified_min_g
    said = before.says_gross and after.says_gross
    in_force = seal(bin_, now) in ("valid", "unsaid")
    return "certified" if enough and said and in_force else "estimate"


def is_certified(bin_: Bin, now: Moment) -> bool:
    """Whether a change at this bin, if it is large enough, would be certified now."""
    return bin_.stage == "normal" and bool(bin_.says_gross) and seal(bin_, now) == "valid"
