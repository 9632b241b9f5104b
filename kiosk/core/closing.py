"""How visits end, and how they are closed.

Invariant: ``visit_close`` is a visit's last entry.

Theory. A visit *ends* when its turn is over (goodbye, the next card, nobody there any more): what moves
from then on is not its own. It is *closed* once what moved before has settled, and no later than
``SETTLE_LIMIT_MS``; what it left on a bin below ``min_increment_g`` is written first, as a remainder, so
that nobody gets another's grams.
"""

from __future__ import annotations

from kiosk.core.entries import AnyDraft, VisitClose
from kiosk.core.intents import Close
from kiosk.core.state import State
from kiosk.core.visits import Visit

SETTLE_LIMIT_MS = 20_000
"""A visit that has ended waits no longer than this for a change that will not settle."""

VISIT_LIMIT_MS = 30 * 60_000
"""No visit is longer."""

KEEP_ENDED_MS = 60_000
"""So long an ended visit is remembered, to tell whose an earlier movement was."""


def pass_time(state: State, t_ms: int) -> None:
    """Ends what is over, closes what has settled, forgets what is long closed."""
    if not state.visits:
        return
    for visit in state.visits.open():
        _end_by_time(state, visit, t_ms)
    for visit in state.visits:
        if _closable(state, visit, t_ms):
            state.intend(Close(visit))
    if not any(visit.closed for visit in state.visits):
        return
    moving = [b.moving_since_ms for b in state.bins.values() if b.moving_since_ms is not None]
    state.visits.forget(min(min(moving, default=t_ms), t_ms - KEEP_ENDED_MS))


def _end_by_time(state: State, visit: Visit, t_ms: int) -> None:
    idle_ms = state.rules.visit_idle_ms
    if visit.pseudonym is None and state.rules.crowd == "one_by_one":
        idle_ms = max(idle_ms, state.rules.claim_ms)
    waiting = state.claim_until_ms > t_ms and visit.pseudonym is None
    if t_ms - visit.opened_ms >= VISIT_LIMIT_MS:
        visit.end(t_ms, "limit")
    elif t_ms - visit.active_ms >= idle_ms and not waiting:
        visit.end(t_ms, "idle")


def _closable(state: State, visit: Visit, t_ms: int) -> bool:
    if visit.ended_ms is None or visit.closed:
        return False
    if any(isinstance(i, Close) and i.visit is visit for i in state.intents):
        return False
    if t_ms - visit.ended_ms >= SETTLE_LIMIT_MS:
        return True
    for bin_ in state.bins.values():
        since_ms = bin_.moving_since_ms
        if since_ms is not None and visit.opened_ms <= since_ms < visit.ended_ms:
            return False
        if bin_.swap is not None and bin_.engaged == visit.visit:
            return False
    return not any(s.began_ms < visit.ended_ms for s in state.held)


def decide(state: State, visit: Visit) -> tuple[AnyDraft, ...]:
    """What the visit left on the bins, and its last entry."""
    drafts: list[AnyDraft] = []
    for bin_ in state.bins.values():
        if bin_.engaged != visit.visit or bin_.base is None or not bin_.weighs:
            continue
        base_g = bin_.base.gross_g
        level_g = base_g if bin_.level_g is None else bin_.level_g
        drafts += bin_.flush(base_g)
        drafts += bin_.unattributed("remainder", base_g, level_g, bin_.scale.division_g)
    return (*drafts, VisitClose(visit.visit, visit.why))


def done(state: State, visit: Visit) -> None:
    """The visit is closed: the bins are free of it."""
    for bin_ in state.bins.values():
        if bin_.engaged == visit.visit:
            bin_.disengage()
    state.residents.remember(visit)
