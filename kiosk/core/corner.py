"""The caretaker's corner of the screen: when it is open, and that nothing is done from it while it is not.

Invariants
  1. What is asked for from the corner (``acted``) is done only while the corner is open now, in the
     station's own judgement: the page decides nothing.
  2. A bare card means "I am here". A caretaker's opens the corner only after a touch on 「係の方」, and
     then it is no check-in; every other card is greeted as ever, and the touch is over with it.
  3. It ends: by a touch, ``UNTOUCHED_MS`` after the last one, at a restart (nothing of it is kept).

Theory. Whoever stands before an open corner has a caretaker's rights, so the way in is a card that proves
itself (or the number, which the edge checks) and the way out is time. Residents go on meanwhile: what they
drop is weighed and written as ever, and where somebody is greeted or thanked the corner steps *aside* until
a touch takes it back (or the moment is over). Who opened it is written nowhere; what is done stands in the
ledger under ``caretaker``, as from the command line.
"""

from __future__ import annotations

from kiosk.core.cornered import Bags
from kiosk.core.effects import Beep, Effect
from kiosk.core.entries import AnyDraft, BagSwap
from kiosk.core.events import CardSeen, CornerActed, CornerAsked
from kiosk.core.state import Awaited, State
from kiosk.core.view import CornerView, Phase

NUMBER_MS = 60_000
"""So long the number may be typed."""

RESIDENTS: frozenset[Phase] = frozenset(
    {
        "greeting",
        "recorded",
        "small",
        "taken_out",
        "thanks",
        "no_card",
        "refused",
        "spare",
        "balance_asked",
        "balance",
        "balance_unknown",
    }
)
"""Moments that are a resident's: before these the corner steps aside."""


def asked(state: State, word: CornerAsked) -> None:
    """A touch that opens, keeps or ends the corner.

    Answered ``done``; ``corner_closed`` where it is not open (or nobody has touched 「係の方」 before);
    ``busy`` while a card is waited for on a caretaker's word.
    """
    t_ms, corner, awaited = state.now.boot_ms, state.corner, state.awaited
    awaits = awaited is not None and awaited.what == "corner"
    is_open = corner.is_open(t_ms)
    match word.word:
        case "begin" | "number" if not is_open:
            if awaited is not None and awaited.request:
                state.answer(word.request, "busy")
                return
            wait_ms = NUMBER_MS if word.word == "number" else state.rules.touch_ms
            state.awaited = Awaited("corner", t_ms + wait_ms)
            corner.touched_ms = t_ms
        case "opened" if awaits and not is_open:
            state.awaited = None
            corner.stir(t_ms)
        case "end":
            corner.end()
            if awaits:
                state.awaited = None
        case _ if is_open:
            corner.stir(t_ms)
        case _:
            state.answer(word.request, "corner_closed")
            return
    state.answer(word.request, "done")


def acted(state: State, event: CornerActed) -> bool:
    """Whether what was asked for may be done; where not it is answered here."""
    t_ms = state.now.boot_ms
    if not state.corner.is_open(t_ms):
        state.answer(event.request, "corner_closed")
        return False
    state.corner.stir(t_ms)
    return True


def shown(state: State, card: CardSeen) -> list[Effect] | None:
    """What a card does at the corner; None where it is no matter of the corner's."""
    t_ms, awaited = state.now.boot_ms, state.awaited
    if state.corner.is_open(t_ms) and card.own == state.corner.by:
        state.corner.stir(t_ms)
        return [Beep("seen")]
    if awaited is None or awaited.what != "corner":
        return None
    state.awaited = None
    if not card.caretaker or card.own in state.closed:
        return None
    state.corner.stir(t_ms)
    state.corner.by = card.own
    return [Beep("seen")]


def believe(state: State, draft: AnyDraft) -> None:
    """A bag change is durable: its weight goes onto the bag's label."""
    if isinstance(draft, BagSwap):
        before = state.bags.get(draft.bin, Bags())
        state.bags[draft.bin] = Bags(before.count + 1, draft.net_g)


def pass_time(state: State, t_ms: int) -> None:
    """Untouched, it ends."""
    if state.corner.until_ms and not state.corner.is_open(t_ms):
        state.corner.end()


def seen(state: State) -> CornerView:
    """What the screen has to draw of it."""
    if state.corner.is_open(state.now.boot_ms):
        return "aside" if _steps_aside(state) else "open"
    awaited = state.awaited
    if awaited is None or awaited.what != "corner":
        return "closed"
    # Nobody has proven anything yet: whoever drops something without a card sees their drop. A card that
    # is refused now was shown to open the corner, and that is what is told of it.
    told_here = state.showing.phase == "refused"
    return "closed" if _steps_aside(state) and not told_here else "card"


def _steps_aside(state: State) -> bool:
    """Whether a resident's moment has begun since the caretaker's last touch."""
    return state.showing.since_ms > state.corner.touched_ms and _a_residents_moment(state)


def _a_residents_moment(state: State) -> bool:
    showing = state.showing
    if showing.phase == "taken_out":
        return showing.visit is not None  # else it is the caretaker who takes out
    if showing.phase != "weighing":
        return showing.phase in RESIDENTS
    if showing.visit is not None or showing.bin is None:
        return showing.visit is not None
    bin_ = state.bins[showing.bin]
    live_g, book_g = bin_.live_g, bin_.book.gross_g
    return live_g is not None and book_g is not None and live_g > book_g
