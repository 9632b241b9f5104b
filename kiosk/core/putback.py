"""A bottle on a string: what is taken out and put back is nobody's drop.

Invariant: over all its visits a card is not credited with more than lies in the bins because of it, as far
as a scale can know.

Theory. Within a visit, and one that goes on (``checkins``: the same card within ``reopen_ms``), taking out
is a weighing with a negative net, and all comes right by itself. Between visits nobody is there, so
what is taken out is ``removal`` and no one's. But a card that put at least as much into this bin lately,
and comes back, has most likely put it back: as much of its next increase there is ``removal`` again
(either sign), and only what is beyond it is a drop. Nobody else's drop is touched.
"""

from __future__ import annotations

from kiosk.core.bin import Bin
from kiosk.core.effects import Item
from kiosk.core.entries import AnyDraft, Unattributed, Weighing
from kiosk.core.state import State
from kiosk.core.visits import Visit


def due_g(visit: Visit | None, bin_: Bin, change_g: int) -> int:
    """How much of an increase only comes back."""
    owed_g = 0 if visit is None else visit.owes_g.get(bin_.rules.bin, 0)
    if change_g <= 0 or owed_g <= 0:
        return 0
    least_g = max(bin_.scale.min_increment_g, bin_.scale.division_g)
    # A scale does not know it to a gram: nearly all is all.
    return change_g if change_g - owed_g <= least_g else owed_g


def done(state: State, bin_: Bin, items: tuple[Item, ...]) -> None:
    """A change is durable: what came back is no longer owed, what was taken out is."""
    if bin_.put_back is not None:
        visit_id, back_g = bin_.put_back
        bin_.put_back = None
        visit = state.visits.get(visit_id)
        if visit is not None:
            name = bin_.rules.bin
            visit.owes_g[name] = max(0, visit.owes_g.get(name, 0) - back_g)
            visit.put_in_g[name] = visit.put_in_g.get(name, 0) + back_g
        return
    for item in items:
        taken_g = _taken_g(item.draft)
        if taken_g > 0:
            slack_g = bin_.scale.division_g
            state.residents.taken_out(bin_.rules.bin, taken_g, slack_g, state.now.boot_ms)


def bag_changed(state: State, bin_: Bin) -> None:
    """A bag went, with all that was in it; where that was one card's alone it may be no bag."""
    if bin_.swap is not None and bin_.swap.settled.before is not None:
        taken_g = bin_.swap.settled.before.gross_g - bin_.swap.settled.gross_g
        slack_g = bin_.scale.division_g
        state.residents.taken_out(bin_.rules.bin, taken_g, slack_g, state.now.boot_ms)
    state.residents.bag_changed(bin_.rules.bin)


def _taken_g(draft: AnyDraft) -> int:
    """What nobody's hand took out."""
    if isinstance(draft, Unattributed) and draft.cause == "removal":
        return max(0, -(draft.net_g or 0))
    if isinstance(draft, Weighing) and draft.visit is None:
        return max(0, -draft.net_g)
    return 0
