"""Loads that come so slowly that a plateau never ends: oil that is poured, letters one by one.

Invariant: what somebody brings counts, however slowly; what the scale does by itself does not.

Theory. A plateau that holds goes after its scale (``settle``), so a slow load moves the level and is no
change. While a visit is open each bin's level at its beginning is kept. Once the two differ by
``min_increment_g``, and by more than creep can do, the difference is a change of this visit like any
other; before a drop what has slowly come since counts along. Nothing of the kind is done while nobody
is there: that is drift.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.bin import Bin, Settled, Watched
from kiosk.core.intents import Settle
from kiosk.core.state import State
from kiosk.core.visits import Visit

CREEP_SHARE = 3e-4
"""Of what lies in the bin; it comes within minutes of a heavy load (R 76, 3.9.4.1)."""
SLOW_D = 0.25
"""Less than this, in divisions, is drift also within a visit."""
POURS_D = 0.15
"""As much more, in divisions, says that somebody is still there."""
STEADY_MS = 1_500
"""The level has been told for so long: what a plateau became known better by is in it."""


def pass_time(state: State, t_ms: int) -> None:
    visit = _visit(state)
    if visit is None:
        return
    for bin_ in state.bins.values():
        settled = _changed(bin_, visit, t_ms)
        if settled is not None and not any(
            isinstance(i, Settle) and i.settled.bin == bin_.rules.bin for i in state.intents
        ):
            state.intend(Settle(settled))


def _visit(state: State) -> Visit | None:
    """Whose a slow change can only be."""
    visits = state.visits.open()
    if state.held or not visits:
        return None
    if state.rules.crowd == "one_by_one":
        return state.visits.current()
    return visits[0] if len(visits) == 1 else None


def _changed(bin_: Bin, visit: Visit, t_ms: int) -> Settled | None:
    level_g = bin_.level_g if bin_.stage == "normal" and bin_.weighs else None
    if level_g is None or bin_.swap is not None or bin_.book.gross_g is None:
        return None
    if bin_.watched is None or bin_.watched.visit != visit.visit:
        bin_.watched = Watched(visit.visit, t_ms, level_g, bin_.level_sd_g(t_ms), level_g)
    if abs(level_g - bin_.watched.seen_g) > POURS_D * bin_.scale.division_g:
        visit.touch(t_ms)  # somebody is still pouring
        bin_.watched = replace(bin_.watched, seen_g=level_g)
    base_g = bin_.watched.level_g
    if bin_.engaged == visit.visit and bin_.base_g is not None:
        base_g = bin_.base_g
    least_g = max(bin_.scale.min_increment_g, bin_.scale.division_g) + creep_g(bin_, level_g)
    steady = t_ms - bin_.still_since_ms >= STEADY_MS
    if not steady or abs(level_g - base_g) < least_g:
        return None
    return bin_.as_settled(t_ms, level_g, base_g)


def creep_g(bin_: Bin, gross_g: int) -> float:
    return CREEP_SHARE * abs(gross_g - bin_.book.empty_g)


def begun_at(bin_: Bin, visit: Visit | None, left_g: int, settled: Settled) -> tuple[int, float]:
    """The level (and its uncertainty) from which a visit's first change at a bin counts: the one that was
    left, or the one at the visit's beginning where something has slowly come since."""
    watched, left_sd_g = bin_.watched, settled.left_sd_g
    if visit is None or watched is None or watched.visit != visit.visit:
        return left_g, left_sd_g
    if watched.t_ms > settled.began_ms:
        return left_g, left_sd_g
    slowly_g = abs(left_g - watched.level_g)
    if slowly_g <= SLOW_D * bin_.scale.division_g + creep_g(bin_, left_g):
        return left_g, left_sd_g
    return watched.level_g, watched.sd_g
