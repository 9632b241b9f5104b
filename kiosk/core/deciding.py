"""An intent's way: the drafts of its transaction, and what follows their commit.

Each intent is one room's (``station`` lists them), and the room says what it means; here stands only which.
Exhaustive: a new intent without a room does not pass the type checker.
"""

from __future__ import annotations

from kiosk.core import (
    adjusting,
    bags,
    balances,
    checkins,
    classroom,
    closing,
    fullness,
    holding,
    obeying,
    pieces,
    ruling,
    weights,
    zeroing,
)
from kiosk.core.effects import Effect, Item
from kiosk.core.entries import AnyDraft, BalanceAsked
from kiosk.core.intents import (
    Adjust,
    Answer,
    AskBalance,
    BeginCard,
    ClaimFor,
    Close,
    CloseCard,
    Fill,
    Greet,
    Intent,
    Note,
    Obey,
    Piece,
    ReplaceCard,
    Rule,
    Serve,
    Settle,
    Swap,
    Teach,
    Track,
    Write,
    Zero,
)
from kiosk.core.state import State


def decide(state: State, intent: Intent) -> tuple[AnyDraft, ...] | None:
    """The drafts of one transaction; () for nothing to write, None for nothing to do."""
    match intent:
        case Greet():
            return checkins.decide(state, intent.card)
        case ClaimFor():
            return checkins.decide_claim(state, intent)
        case AskBalance():
            return balances.decide(state)
        case BeginCard():
            return holding.decide_begin(state, intent)
        case CloseCard():
            return holding.decide_close(state, intent)
        case ReplaceCard():
            return holding.decide_replace(state, intent)
        case Settle():
            return weights.decide(state, intent.settled)
        case Swap():
            return bags.decide(state, state.bins[intent.bin])
        case Answer():
            return bags.decide_answer(state, intent)
        case Close():
            return closing.decide(state, intent.visit)
        case Fill():
            return fullness.decide(state, intent)
        case Piece():
            return pieces.decide(state, intent)
        case Track():
            return zeroing.decide_track(state, state.bins[intent.bin])
        case Zero():
            return zeroing.decide_zero(state, intent)
        case Serve():
            return adjusting.decide_service(state, intent)
        case Adjust():
            return adjusting.decide(state, intent)
        case Rule():
            return intent.said.drafts
        case Obey():
            return obeying.decide(state, intent)
        case Teach():
            return classroom.decide(state, intent)
        case Write() | Note():
            return (intent.draft,)


def done(state: State, intent: Intent, items: tuple[Item, ...]) -> list[Effect]:
    """What follows a commit: the screen, the beep, the lamp."""
    match intent:
        case Greet():
            checkins.done(state, intent.card, items)
        case ClaimFor():
            checkins.claimed(state, intent, items)
        case AskBalance():
            (asked,) = items
            assert isinstance(asked.draft, BalanceAsked)
            balances.asked(state, intent, asked.draft)
        case BeginCard():
            holding.begun(state, intent, items)
        case CloseCard():
            holding.closed(state, intent)
        case ReplaceCard():
            holding.replaced(state, intent)
        case Settle():
            return weights.done(state, intent.settled, items)
        case Swap():
            bags.done(state, state.bins[intent.bin])
        case Answer():
            bags.answered(state, state.bins[intent.bin])
        case Close():
            closing.done(state, intent.visit)
        case Piece():
            return pieces.done(state, intent, items)
        case Track():
            zeroing.tracked(state, state.bins[intent.bin])
        case Zero():
            zeroing.zeroed(state, intent)
        case Serve():
            adjusting.begin_service(state, intent)
        case Adjust():
            adjusting.done(state, intent)
        case Rule():
            ruling.done(state, intent.said)
        case Obey():
            return obeying.done(state, intent)
        case Teach():
            classroom.done(state, intent)
        case Fill() | Write() | Note():
            pass
    return []


def item(intent: Intent, draft: AnyDraft) -> Item:
    """The draft, with the pseudonym that the ledger has to seal where a card was shown."""
    if isinstance(intent, BeginCard | CloseCard | ReplaceCard):
        return holding.item(intent, draft)
    if isinstance(draft, BalanceAsked) and isinstance(intent, AskBalance):
        return balances.item(intent, draft)
    if isinstance(intent, Greet | ClaimFor):
        return checkins.item(intent.card, draft)
    return Item(draft)
