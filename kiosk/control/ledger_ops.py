"""What the uplink may ask of the ledger: ``hello``, ``wait``, ``batch``, ``ended``, ``ack``.

The station believes nothing that comes in here but the city's signature, which it checks itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from kiosk.control.server import Args as Args
from kiosk.control.server import Framed, Handler, Reply
from kiosk.core.canonical import MAX_INTEGER
from kiosk.core.errors import OperatorError
from kiosk.ledger import AckVerdict, Ledger
from kiosk.shaped import shaped
from sync.messages import MAX_ENTRIES

MAX_WAIT_MS = 30_000
"""The longest poll; the caller comes again."""

Shape = TypeVar("Shape", bound=msgspec.Struct)
_Seq = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]


class _Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: _Seq
    timeout_ms: Annotated[int, Meta(ge=0, le=MAX_WAIT_MS)]


class _Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: _Seq
    max_entries: Annotated[int, Meta(ge=1, le=MAX_ENTRIES)] = MAX_ENTRIES


class _Ack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str


def ledger_ops(
    ledger: Ledger,
    *,
    station: str,
    city: str,
    software: str,
    listens: tuple[str, ...] = (),
    on_ack: Callable[[AckVerdict], None] = lambda _: None,
) -> Mapping[str, Handler]:
    """The handlers; ``listens`` the topics below the station's that its uplink has to hear, beside
    ``ack``; ``on_ack`` is told every verdict (``restart``: the process must start anew)."""

    def hello(args: Args) -> dict[str, Any]:
        checked_args(args, _Hello)
        return {
            "station": station,
            "city": city,
            "software": software,
            "listens": listens,
            "ledger": ledger.ledger_id,
            **msgspec.to_builtins(ledger.to_send),
        }

    def wait(args: Args) -> dict[str, Any]:
        asked = checked_args(args, _Wait)
        progress = ledger.wait_head(asked.after, asked.timeout_ms / 1000)
        answer: dict[str, Any] = msgspec.to_builtins(progress)
        return answer

    def batch(args: Args) -> Reply:
        asked = checked_args(args, _Batch)
        drawn = ledger.batch_with_last(asked.after, asked.max_entries)
        if drawn is None:
            return {"first": None}
        payload, last = drawn
        return Framed({"first": asked.after + 1, "last": last}, payload)

    def ended(args: Args) -> Reply:
        checked_args(args, _Hello)
        drawn = ledger.ended.batch()
        return {"last": None} if drawn is None else Framed({"last": drawn[1]}, drawn[0])

    def ack(args: Args) -> dict[str, Any]:
        verdict = ledger.accept_ack(checked_args(args, _Ack).payload.encode())
        on_ack(verdict)
        error = None
        if verdict.error_code is not None:
            error = {"code": verdict.error_code, "seq": verdict.error_seq}
        return {
            "accepted": verdict.accepted,
            "reason": verdict.reason,
            "watermark": verdict.watermark,
            "epoch": verdict.epoch,
            "turn": verdict.turn,
            "error": error,
        }

    return {"hello": hello, "wait": wait, "batch": batch, "ended": ended, "ack": ack}


def checked_args(args: Args, shape: type[Shape]) -> Shape:
    """``args`` in their shape; OperatorError that names the place where they are not."""
    try:
        return shaped(args, shape)
    except msgspec.ValidationError as error:
        raise OperatorError(
            "bad_arguments", f"The request's arguments are wrong: {error}.", "Correct the call."
        ) from None
