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

from kiosk.core.bin import Bin
from kiosk.core.intents import Settle
from kiosk.core.settled import Level, Settled, Watched
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
    level = bin_.level(t_ms) if bin_.stage == "normal" and bin_.weighs else None
    if level is None or bin_.book.gross_g is None:
        return None
    if bin_.swap is not None or bin_.doubted is not None:
        return None  # a change that is being waited for, and no slow one
    if bin_.watched is None or bin_.watched.visit != visit.visit:
        bin_.watched = Watched(visit.visit, t_ms, level, level.gross_g)
    if abs(level.gross_g - bin_.watched.seen_g) > POURS_D * bin_.scale.division_g:
        visit.touch(t_ms)  # somebody is still pouring
        bin_.watched = replace(bin_.watched, seen_g=level.gross_g)
    base = bin_.watched.level
    if bin_.engaged == visit.visit and bin_.base is not None:
        base = bin_.base
    least_g = max(bin_.scale.min_increment_g, bin_.scale.division_g)
    steady = t_ms - bin_.still_since_ms >= STEADY_MS
    if not steady or abs(level.gross_g - base.gross_g) < least_g + creep_g(bin_, level.gross_g):
        return None
    return bin_.as_settled(t_ms, level, base)


def creep_g(bin_: Bin, gross_g: int) -> float:
    return CREEP_SHARE * abs(gross_g - bin_.book.empty_g)


def begun_at(bin_: Bin, visit: Visit | None, left: Level, settled: Settled) -> Level:
    """The level from which a visit's first change at a bin counts: the one that was left, or the one at
    the visit's beginning where something has slowly come since."""
    watched = bin_.watched
    if visit is None or watched is None or watched.visit != visit.visit:
        return left
    if watched.t_ms > settled.began_ms:
        return left
    slowly_g = abs(left.gross_g - watched.level.gross_g)
    if slowly_g <= SLOW_D * bin_.scale.division_g + creep_g(bin_, left.gross_g):
        return left
    return watched.level
