"""What is durable becomes true: the only place where written entries move bins and visits."""

from __future__ import annotations

from kiosk.core import classroom, corner, obeying, set_aside, standing
from kiosk.core.entries import (
    AnyDraft,
    Commanded,
    ItemCount,
    ScaleBroken,
    VisitClose,
    Weighing,
)
from kiosk.core.state import State


def believe(state: State, draft: AnyDraft) -> None:
    """One entry that the ledger has committed."""
    if isinstance(draft, Commanded):
        obeying.believe(state, draft)
        return
    state.orders = standing.at_bin(state.orders, draft)
    corner.believe(state, draft)
    classroom.believe(state, draft)
    visit = state.visits.get(getattr(draft, "visit", None))
    if visit is not None:
        match draft:
            case Weighing():
                visit.net_g[draft.item] = visit.net_g.get(draft.item, 0) + draft.net_g
                visit.put_in_g[draft.bin] = visit.put_in_g.get(draft.bin, 0) + draft.net_g
                state.residents.earn(visit, draft.points, state.now.day)
            case ItemCount():
                visit.pieces += draft.count or 0
            case VisitClose():
                visit.closed = True
            case _:
                pass
    bin_id = getattr(draft, "bin", None)
    if isinstance(draft, ScaleBroken):
        set_aside.believe(state.bins[draft.bin], draft)
    elif bin_id is not None and not isinstance(draft, ItemCount):
        state.bins[bin_id].booked(draft)
