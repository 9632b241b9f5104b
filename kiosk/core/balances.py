"""「ポイントを見る」: a resident asks the city for the balance of a card.

Invariants
  1. A bare card means "I am here". It asks for a balance only after the touch, within ``touch_ms``.
  2. A balance is shown once, to whoever waits for it: when anything else has come onto the screen, or
     ``ANSWER_MS`` is over, an answer is nobody's. It is kept nowhere and written nowhere.

Theory. The station knows no balances; they are sums over all stations of the city, with its corrections.
So the ask is an entry with a seal, like an unlinked check-in: its row is forgotten at the day's end, it
earns nothing and opens no visit. The answer names the ask, which is a name never used twice, and no
pseudonym. Without the line nothing is asked: an answer in the evening would be shown to another.
"""

from __future__ import annotations

from kiosk.core.effects import Beep, Effect, Item
from kiosk.core.entries import BalanceAsked
from kiosk.core.events import BalanceTold, CardSeen, Touch
from kiosk.core.intents import AskBalance
from kiosk.core.showing import ANSWER_MS
from kiosk.core.state import Awaited, State


def touched(state: State, touch: Touch) -> None:
    """The next card asks; off line nobody is made to look for a card."""
    if not state.rules.balance or (state.awaited is not None and state.awaited.request):
        return
    if not state.online:
        state.showing.show("balance_unknown", touch.t_ms)
        return
    state.claim_until_ms = 0  # the last touch counts
    state.awaited = Awaited("balance", touch.t_ms + state.rules.touch_ms)


def other_touched(state: State) -> None:
    """Another touch says what the next card means."""
    if state.awaited is not None and state.awaited.what == "balance":
        state.awaited = None


def shown(state: State, card: CardSeen) -> list[Effect]:
    """The card after the touch."""
    if state.online:
        state.intend(AskBalance(card))
    else:
        state.showing.show("balance_unknown", card.t_ms)
    return [Beep("seen")]


def decide(state: State) -> tuple[BalanceAsked]:
    return (BalanceAsked(state.name("a"), None),)


def item(ask: AskBalance, draft: BalanceAsked) -> Item:
    """Under its former name while that counts: the city may not have heard of the new one yet, and has
    tied the two wherever it has."""
    return Item(draft, ask.card.formerly or ask.card.pseudonym)


def asked(state: State, ask: AskBalance, draft: BalanceAsked) -> None:
    """The ask is durable, and on its way."""
    state.showing.show("balance_asked", ask.card.t_ms, ask=draft.ask)


def told(state: State, answer: BalanceTold) -> None:
    """The city's answer; late, a second time, or to an ask that is not on the screen it is nobody's."""
    showing = state.showing
    in_time = answer.t_ms - showing.since_ms < ANSWER_MS
    if showing.phase == "balance_asked" and showing.ask == answer.ask and in_time:
        showing.show("balance", answer.t_ms, balance=answer.points)
