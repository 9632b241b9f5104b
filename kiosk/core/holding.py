"""Whose a card is: a pre-printed one becomes somebody's, a lost one is replaced or closed.

Invariants
  1. A bare card means "I am here" and nothing else. Each of these needs a touch or a caretaker's word
     first, and that counts for ``touch_ms``.
  2. Replacing closes the old card and gives its account to the new one in one transaction.

Theory. A *spare* card says of itself that it is pre-printed, and the station knows which of them it has
begun. 「はじめての方」 and then a spare card begins it, with a check-in. Only a spare can replace a lost
card: whoever else comes by meanwhile is greeted as ever. The lost card is known by its recovery code,
typed by the caretaker or held before the camera as it stands on the slip, so no name is needed; its
account goes on under the new card, and the old one is refused from the commit on.

One thing is awaited at a time; the caretaker's word goes before a resident's touch.
"""

from __future__ import annotations

from typing import Literal

from kiosk.core import balances, checkins, corner
from kiosk.core.effects import Answered, Beep, Effect, Item
from kiosk.core.entries import AnyDraft, CardAccount, CardBegun, CardClosed, CardJoined
from kiosk.core.events import CardRefused, CardSeen, CardWork, RefusalReason, SlipSeen, Touch
from kiosk.core.intents import BeginCard, CloseCard, ReplaceCard
from kiosk.core.state import Awaited, State

_AWAITED: dict[str, Literal["slip", "close", "appoint", "begin"]] = {
    "replace": "slip",
    "close": "close",
    "appoint": "appoint",
    "begin": "begin",
}
"""What is to be shown first where a caretaker's word names no card."""

UNSURE: frozenset[RefusalReason] = frozenset({"unread", "replayed"})
"""It may be the card of whoever has the turn, held badly or seen twice."""

# -- touches and words ----------------------------------------------------------------------------


def touched(state: State, touch: Touch) -> None:
    """「はじめての方」: the next spare card is this resident's."""
    if state.rules.self_issue and (state.awaited is None or not state.awaited.request):
        state.awaited = Awaited("begin", touch.t_ms + state.rules.touch_ms)


def asked(state: State, work: CardWork) -> None:
    """A caretaker's word. An older one that still waits is off."""
    waiting = state.awaited
    if work.work == "end":
        if waiting is not None and waiting.request == work.request:
            state.awaited = None
        return
    if waiting is not None:
        state.answer(waiting.request, "ended")
        state.awaited = None
    if work.lost is not None:
        _known(state, work, work.lost)
    else:
        what = _AWAITED[work.work]
        until_ms = work.t_ms + state.rules.touch_ms
        state.awaited = Awaited(what, until_ms, work.request, cause=work.cause)


def _known(state: State, work: CardWork, lost: SlipSeen) -> None:
    if lost.closed or lost.card in state.closed:
        state.answer(work.request, "card_closed")
    elif work.work == "close":
        state.intend(CloseCard(work.request, lost.card, work.cause))
    else:
        until_ms = work.t_ms + state.rules.touch_ms
        state.awaited = Awaited("replace", until_ms, work.request, lost)
        state.answer(work.request, "show_card")


def pass_time(state: State, t_ms: int) -> None:
    """What was awaited and did not come is off."""
    if state.awaited is not None and t_ms >= state.awaited.until_ms:
        state.answer(state.awaited.request, "nobody_came")
        state.awaited = None


# -- cards and slips ------------------------------------------------------------------------------


def shown(state: State, card: CardSeen) -> list[Effect] | None:
    """What a card does that is no "I am here"; None where it is. The tone comes before the commit."""
    effects = corner.shown(state, card)
    if effects is not None:
        return effects
    awaited, own, spare = state.awaited, card.own, is_spare(state, card)
    if awaited is not None and awaited.what == "appoint":
        state.awaited = None
        return _appointed(state, awaited, card)
    if awaited is not None and awaited.what == "close":
        state.awaited = None
        state.intend(CloseCard(awaited.request, own, awaited.cause, card.t_ms))
        return [Beep("seen")]
    if awaited is not None and awaited.what == "begin":
        state.awaited = None  # a card that is somebody's has answered the touch, too
        if spare:
            state.intend(BeginCard(card, awaited.request))
            return [Beep("seen")]
        state.answer(awaited.request, "ended")
    if awaited is not None and awaited.what == "balance":
        state.awaited = None  # a spare card has answered it, too
        if not spare:
            return balances.shown(state, card)
    lost = None if awaited is None else awaited.lost
    if awaited is not None and lost is not None and spare and own != lost.card:
        state.awaited = None
        state.intend(ReplaceCard(awaited.request, lost, card))
        return [Beep("seen")]
    if not spare:
        return None
    checkins.somebody_else(state, card.t_ms)
    state.showing.show("spare", card.t_ms)
    return [Beep("seen")]


def _appointed(state: State, awaited: Awaited, card: CardSeen) -> list[Effect]:
    """Who asked keeps the card's own name; what anybody can copy opens nothing."""
    if not card.proves:
        state.answer(awaited.request, "no_proof")
        return [Beep("refused")]
    state.told.append(Answered(awaited.request, "done", card=card.own))
    return [Beep("seen")]


def slip_shown(state: State, slip: SlipSeen) -> list[Effect]:
    """A slip before the camera: only where it was asked for."""
    awaited = state.awaited
    if awaited is not None and awaited.what in ("slip", "close"):
        state.awaited = None
        work: Literal["replace", "close"] = "replace" if awaited.what == "slip" else "close"
        _known(state, CardWork(slip.t_ms, awaited.request, work, cause=awaited.cause), slip)
        return [Beep("seen")]
    state.counters.refusals += 1
    state.showing.show("refused", slip.t_ms)
    return [Beep("refused")]


def refused(state: State, event: CardRefused) -> list[Effect]:
    """A card that the reader does not take. One that is closed already has answered whoever wants to close
    it; any other is told to whoever holds it, and the wish stands."""
    awaited = state.awaited
    if awaited is not None and awaited.what == "close" and event.reason == "closed":
        state.awaited = None
        state.answer(awaited.request, "card_closed")
        return [Beep("refused")]
    if event.reason not in UNSURE:
        checkins.somebody_else(state, event.t_ms)
    state.counters.refusals += 1
    state.showing.show("refused", event.t_ms)
    return [Beep("refused")]


def is_spare(state: State, card: CardSeen) -> bool:
    """Whether nobody has begun it, also not in this very moment at another reader."""
    return card.spare and card.own not in state.begun


# -- what is written ------------------------------------------------------------------------------


def decide_begin(state: State, begin: BeginCard) -> tuple[AnyDraft, ...]:
    """The card is begun, and its holder checks in."""
    return (CardBegun(None), *checkins.decide(state, begin.card))


def decide_close(state: State, close: CloseCard) -> tuple[AnyDraft, ...] | None:
    if close.card in state.closed:
        state.answer(close.request, "card_closed")
        return None
    return (CardClosed(None, close.cause),)


def decide_replace(state: State, replace: ReplaceCard) -> tuple[AnyDraft, ...] | None:
    """The old card's end and the new one's account. ``of`` is the entry just before, see ``item``."""
    lost = replace.lost
    if lost.card in state.closed or not is_spare(state, replace.card):
        state.answer(replace.request, "card_closed")
        return None
    account = () if lost.account == lost.card else (CardAccount(None),)
    return (CardClosed(None, "replaced"), *account, CardJoined(None, 0))


def item(intent: BeginCard | CloseCard | ReplaceCard, draft: AnyDraft) -> Item:
    """The draft with the pseudonym that its seal stands for."""
    match intent, draft:
        case CloseCard(), CardClosed():
            return Item(draft, intent.card)
        case ReplaceCard(), CardClosed():
            return Item(draft, intent.lost.card)
        case ReplaceCard(), CardAccount():
            return Item(draft, intent.lost.account)
        case ReplaceCard(), CardJoined():
            return Item(draft, intent.card.own, back=1)
        case BeginCard(), CardBegun():
            return Item(draft, intent.card.own)
        case BeginCard(), _:
            return checkins.item(intent.card, draft)
    raise AssertionError(f"{draft} is nothing that {intent} writes")


# -- what follows ---------------------------------------------------------------------------------


def begun(state: State, begin: BeginCard, items: tuple[Item, ...]) -> None:
    """The card is somebody's: greeted by its holder's first check-in."""
    state.begun.add(begin.card.own)
    checkins.done(state, begin.card, items[1:])
    if state.showing.phase == "greeting":
        state.showing.show("welcome", begin.card.t_ms, visit=state.showing.visit)
    state.answer(begin.request, "done")


def closed(state: State, close: CloseCard) -> None:
    state.closed.add(close.card)
    if close.shown_ms is not None:
        state.showing.show("stopped", close.shown_ms)
    state.answer(close.request, "done")


def replaced(state: State, replace: ReplaceCard) -> None:
    """From here on the new card is the old one's account."""
    state.closed.add(replace.lost.card)
    state.begun.add(replace.card.own)
    state.showing.show("welcome", replace.card.t_ms)
    state.answer(replace.request, "done")
