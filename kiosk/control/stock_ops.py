"""What caretakers write down of the stock yard, through the control socket: kept when it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from drivers.clock import boottime_ms
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.control.server import Handler
from kiosk.core.errors import OperatorError
from kiosk.core.events import Noted
from kiosk.core.yard import AnyStock
from kiosk.loop import Loop

NOTE_S = 5.0


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: AnyStock


def stock_ops(loop: Loop) -> Mapping[str, Handler]:
    """The handler."""

    def stock(args: Args) -> dict[str, Any]:
        """Writes the entry; its seq. OperatorError where that could not be done now."""
        return {"seq": note(loop, checked_args(args, _Note).entry)}

    return {"stock": stock}


def note(loop: Loop, entry: AnyStock) -> int:
    """Writes the entry and gives its seq; from any other thread than the loop's. Raises StorageError,
    OperatorError."""
    try:
        written = loop.follow(Noted(boottime_ms(), entry), NOTE_S)
    except TimeoutError:
        raise OperatorError(
            "stock_busy",
            "The station is busy; what was given may still be written down.",
            "Look at kiosk stock list in a minute, before you give it again.",
        ) from None
    for seq, item in written:
        if item.draft is entry:
            return seq
    raise OperatorError(
        "stock_not_kept",
        "The station cannot record just now, so this is not written down.",
        "Look at kiosk doctor, and then give it again.",
    )
