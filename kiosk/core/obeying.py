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
    code = _answered(state, asked)
    if code is not None:
        state.answer(asked.request, code)
        return None
    return (Commanded(asked.by, asked.id, asked.expires_ms, asked.order),)


def _answered(state: State, asked: OrderGiven) -> OrderAnswer | None:
    """What is to be said of it without doing it; None where it is to be done."""
    utc_ms = _utc_ms(state)
    if asked.id is not None and asked.id in state.orders.done:
        return "done"
    if utc_ms is not None and asked.expires_ms is not None and utc_ms >= asked.expires_ms:
        return "expired"  # it waited here for storage
    if isinstance(asked.order, LockBin | UnlockBin) and asked.order.bin not in state.bins:
        return "no_such_bin"
    full = len(standing.remembered(state.orders, utc_ms)) >= standing.MAX_DONE
    return "too_many" if full and asked.id is not None else None


def believe(state: State, entry: Commanded) -> None:
    """The entry is durable."""
    state.orders = standing.after(state.orders, entry, _utc_ms(state))


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
    message, utc_ms = state.orders.message, _utc_ms(state)
    if message is None or utc_ms is None or utc_ms < message.until_ms:
        return
    gone = Write(Commanded("station", None, None, Message(None, message.until_ms)))
    if gone not in state.intents:
        state.intend(gone)


def _utc_ms(state: State) -> int | None:
    return state.now.utc_ms if state.now.clock == "synced" else None
