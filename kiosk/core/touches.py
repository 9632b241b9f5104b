"""What a touch on the screen (or a word from the command line) sets going."""

from __future__ import annotations

from kiosk.core import balances, checkins, holding, set_aside
from kiosk.core.bin import Bin
from kiosk.core.events import Touch
from kiosk.core.intents import Answer, Fill, Piece
from kiosk.core.state import State
from kiosk.core.view import Phase
from kiosk.core.visits import Visit

LEAVING: frozenset[Phase] = frozenset({"recorded", "small", "taken_out", "thanks", "no_card"})
"""What is told of a visit: whoever has read it may end it."""


def touched(state: State, touch: Touch) -> None:
    """What makes no sense here and now does nothing: fingers are late and press twice."""
    if touch.action == "claim":
        balances.other_touched(state)
        checkins.claim_touched(state, touch)
    elif touch.action == "balance":
        balances.touched(state, touch)
    elif touch.action == "begin_card":
        holding.touched(state, touch)
    elif touch.action == "goodbye":
        visit = leaving(state)
        if visit is not None:
            visit.end(touch.t_ms, "goodbye")
    elif touch.bin in state.bins:
        _at_bin(state, state.bins[touch.bin], touch)


def leaving(state: State) -> Visit | None:
    """Whose a goodbye would be now: the visit that the screen speaks of, where it is still open and nobody
    else's can be meant. The one before is told of its last weight while the next one's turn has begun, and
    in ``together`` nobody knows whose finger it is."""
    showing, visits = state.showing, state.visits.open()
    if showing.phase not in LEAVING or not visits:
        return None
    if state.rules.crowd == "together":
        return visits[0] if len(visits) == 1 else None
    current = state.visits.current()
    return current if showing.visit in (None, current) else None


def _at_bin(state: State, bin_: Bin, touch: Touch) -> None:
    match touch.action:
        case "full" | "not_full":
            state.intend(Fill(bin_.rules.bin, "touch", touch.action == "full"))
        case "count" if not bin_.weighs:
            state.intend(Piece(bin_.rules.bin, touch.t_ms))
        case "scale_broken" | "scale_mended":
            set_aside.touched(state, bin_, touch.action == "scale_broken")
        case "bag_swap" | "indicator_zeroed":
            state.intend(Answer(bin_.rules.bin, touch.action))
        case _:
            pass
