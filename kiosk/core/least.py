"""From when a change counts by itself.

Invariant: a drop of exactly the least increment counts (999 times of 1,000), and nothing of less than three
quarters of it ever does.

Theory. A scale does not know a change to a gram. Were the measured change compared with
``min_increment_g`` as it is, a drop of just that would be a lottery: half of them carried, and the last
of ten such drops lost to its resident. So what cannot be told from the least increment (k = 3 of the two
levels) counts, as it was measured; what counts early is not carried, so nobody gains or loses by it. What
lies clearly below is carried within the visit. Station and replay both ask here.
"""

from __future__ import annotations

import math

from kiosk.core.settled import Level

SURE = 3.0
"""Standard deviations: of a thousand drops of the least increment one is measured lower."""
MOST_SHARE = 0.25
"""No change of less than three quarters of the least increment counts."""


def least_counted_g(min_increment_g: float, before: Level, after: Level) -> float:
    """The smallest measured change that counts between these two levels."""
    doubt_g = SURE * math.hypot(before.sd_g, after.sd_g)
    return min_increment_g - min(doubt_g, MOST_SHARE * min_increment_g)


def counts(min_increment_g: float, before: Level, after: Level, *, flicker_g: float = 0.0) -> bool:
    """Whether the change from ``before`` to ``after`` is one by itself; ``flicker_g`` what a level may do
    on its own."""
    change_g = abs(after.gross_g - before.gross_g)
    return change_g >= least_counted_g(min_increment_g, before, after) + flicker_g
