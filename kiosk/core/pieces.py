"""Bins that do not weigh: a piece is counted by the lid that closes after it, or by a touch."""

from __future__ import annotations

from kiosk.core.effects import Beep, Effect, Item
from kiosk.core.entries import AnyDraft, ItemCount
from kiosk.core.events import LidMoved
from kiosk.core.intents import Piece
from kiosk.core.state import State
from kiosk.core.visits import Visit


def lid_moved(state: State, event: LidMoved) -> None:
    bin_ = state.bins.get(event.bin)
    if bin_ is None:
        return
    was_open, bin_.lid_open = bin_.lid_open, event.open
    state.visits.somebody_is_at_a_bin(event.t_ms, state.rules.crowd)
    if (
        was_open
        and not event.open
        and not bin_.weighs
        and bin_.stage not in ("starting", "service")
    ):
        state.intend(Piece(event.bin, event.t_ms))


def decide(state: State, piece: Piece) -> tuple[AnyDraft, ...]:
    """The piece of the one open visit; of a new one without a card where nobody is here; of no one
    where several are."""
    visits = state.visits.open()
    visit = visits[0] if len(visits) == 1 else None
    if not visits:
        visit = Visit(state.name("v"), piece.t_ms, None, piece.t_ms)
        state.visits.add(visit)
    bin_ = state.bins[piece.bin].rules
    name = None if visit is None else visit.visit
    return (ItemCount(item=bin_.item, bin=bin_.bin, visit=name, count=1),)


def done(state: State, piece: Piece, items: tuple[Item, ...]) -> list[Effect]:
    """The piece is durable: thanks, a beep, and its bin's lamp lights."""
    draft = items[0].draft
    assert isinstance(draft, ItemCount)
    visit = state.visits.get(draft.visit)
    if visit is not None:
        visit.touch(piece.t_ms)
        state.showing.thank(piece.t_ms, visit)
    return [Beep("recorded"), *state.light(piece.bin, piece.t_ms + state.rules.thanks_ms)]
