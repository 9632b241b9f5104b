"""What follows from an order of the city's or the caretaker's (``orders``).

Invariants
  1. Nothing is done before the ledger holds the entry that says who had it done.
  2. One id is done once; asked again, the answer is the same.
  3. No order keeps anybody from dropping, and none keeps a drop from being weighed: an order changes what
     the screen says and what the lamps show.
"""

from __future__ import annotations

from kiosk.core import standing
from kiosk.core.effects import Beep, Effect, OrderAnswer
from kiosk.core.entries import AnyDraft, Commanded
from kiosk.core.events import OrderGiven
from kiosk.core.intents import Obey, Write
from kiosk.core.orders import Identify, LockBin, Message, UnlockBin
from kiosk.core.state import State


def decide(state: State, intent: Obey) -> tuple[AnyDraft, ...] | None:
    """The entry; None where it is answered without one."""
    asked = intent.asked
    if asked.known is not None:
        state.known = asked.known
    code = _answered(state, asked)
    if code is not None:
        state.answer(asked.request, code)
        return None
    return (Commanded(asked.by, asked.id, asked.expires_ms, _past_ms(state), asked.order),)


def _answered(state: State, asked: OrderGiven) -> OrderAnswer | None:
    """What is to be said of it without doing it; None where it is to be done."""
    if asked.id is not None and asked.id in state.orders.done:
        return "done"
    if asked.late is not None:
        return asked.late
    if asked.expires_ms is not None and state.known.before(asked.expires_ms, state.now) == "no":
        return "expired"  # it waited here for storage
    if isinstance(asked.order, LockBin | UnlockBin) and asked.order.bin not in state.bins:
        return "no_such_bin"
    full = len(standing.remembered(state.orders, _past_ms(state))) >= standing.MAX_DONE
    return "too_many" if full and asked.id is not None else None


def believe(state: State, entry: Commanded) -> None:
    """The entry is durable."""
    state.orders = standing.after(state.orders, entry)


def done(state: State, intent: Obey) -> list[Effect]:
    """What people see and hear of it at once."""
    asked = intent.asked
    state.answer(asked.request, "done")
    match asked.order:
        case Identify(seconds):
            state.here_until_ms = state.now.boot_ms + 1_000 * seconds
            blinking = [state.lamps.blink(bin_id, state.here_until_ms) for bin_id in state.bins]
            return [Beep("here"), *blinking]
        case LockBin(bin_id):
            return [state.lamps.darken(bin_id)]
        case _:
            return []


def pass_time(state: State) -> None:
    """A message whose time is over is taken away, in the ledger too: a station whose clock is not
    known after the next night would show it again."""
    state.known = state.known.at(state.now)
    message = state.orders.message
    if message is None or state.known.before(message.until_ms, state.now) != "no":
        return
    gone = Message(None, message.until_ms)
    if not any(isinstance(i, Write) and _takes_away(i.draft, gone) for i in state.intents):
        state.intend(Write(Commanded("station", None, None, _past_ms(state), gone)))


def _takes_away(draft: AnyDraft, gone: Message) -> bool:
    return isinstance(draft, Commanded) and draft.order == gone


def _past_ms(state: State) -> int | None:
    return state.known.past_ms(state.now)
