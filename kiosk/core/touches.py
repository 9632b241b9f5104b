"""What a touch on the screen (or a word from the command line) sets going."""

from __future__ import annotations

from kiosk.core import balances, checkins, holding, set_aside
from kiosk.core.bin import Bin
from kiosk.core.events import Touch
from kiosk.core.intents import Answer, Fill, Piece
from kiosk.core.state import State


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
        visit = state.visits.current()
        if visit is not None:
            visit.end(touch.t_ms, "goodbye")
    elif touch.bin in state.bins:
        _at_bin(state, state.bins[touch.bin], touch)


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
