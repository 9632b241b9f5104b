r"""Commands: the city's signed word to one station, and the station's signed answer.

Invariant: what ``read_command`` returns was signed by the city for this very station, with this id, this
end and these arguments; what ``read_reply`` returns was signed by the station. So whoever carries them can
withhold or delay, and cannot make one up, turn one into another, or say that one was done.

::

    kiosk-command-v1\n{city}/{station}\n{id}\n{expires_ms}\n{op}\n{canonical args}      the city's
    … \n{nonce}\n{signed_ms} behind it, where the station asked for the time
    kiosk-reply-v1\n{city}/{station}\n{id}\n{code or "-"}\n{nonce or "-"}               the station's

What a command asks for is ``kiosk.core.orders``: a command of a later city whose ``op`` or arguments this
station does not know is a good message all the same, and is answered (``unknown_op``, ``wrong_args``).
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from kiosk.core.canonical import NotCanonical, canonical
from kiosk.core.orders import AnyOrder, OrderId
from sync.messages.problem import Malformed
from sync.messages.wire import Code, Count, Half, Signature, signature_bytes, signature_text
from sync.signing import Signer, verify

MAX_COMMAND_BYTES = 16 * 1024
"""Eight languages of 120 letters, each up to six bytes of JSON, are less."""
MAX_REPLY_BYTES = 1024
MAX_AHEAD_MS = 7 * 24 * 3600 * 1000
"""No command counts for longer: its id has to be remembered for as long."""

OPS = tuple(str(order.__struct_config__.tag) for order in get_args(AnyOrder))


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """The city asks. ``sig`` is the city's over
    ``kiosk-command-v1\\n{city}/{station}\\n{id}\\n{expires_ms}\\n{op}\\n{canonical args}``;
    ``expires_ms`` (UTC) is when it counts no more. The answer goes to MQTT's response topic with its
    correlation data. ``op`` and its ``args`` are those of ``order`` in the ledger's ``command`` entries."""

    id: OrderId
    op: Code
    args: dict[str, Any]
    expires_ms: Count
    sig: Signature
    nonce: Half | None = None
    signed_ms: Count | None = None


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command; ``code`` null when it was done. ``sig`` is the station's over
    ``kiosk-reply-v1\\n{city}/{station}\\n{id}\\n{code or -}\\n{nonce or -}``. With ``clock_unsure`` comes a
    ``nonce``: signed again with it and the city's own time, the command says what time it is."""

    id: OrderId
    done: bool
    code: Code | None
    sig: Signature
    nonce: Half | None = None


_COMMAND = msgspec.json.Decoder(Command)
_REPLY = msgspec.json.Decoder(Reply)


def command_message(city: str, station: str, command: Command) -> bytes:
    """What the city signs. Raises NotCanonical."""
    head = f"kiosk-command-v1\n{city}/{station}\n{command.id}\n{command.expires_ms}\n{command.op}\n"
    proof = "" if command.nonce is None else f"\n{command.nonce}\n{command.signed_ms}"
    return head.encode() + canonical(command.args) + proof.encode()


def reply_message(
    city: str, station: str, command_id: str, code: str | None, nonce: str | None = None
) -> bytes:
    """What the station signs."""
    end = f"{code or '-'}\n{nonce or '-'}"
    return f"kiosk-reply-v1\n{city}/{station}\n{command_id}\n{end}".encode()


def encode_command(
    signer: Signer,
    city: str,
    station: str,
    *,
    command_id: str,
    order: AnyOrder,
    expires_ms: int,
    nonce: str | None = None,
    signed_ms: int | None = None,
) -> bytes:
    """The signed JSON of what the city asks; with ``nonce`` it says also that it is ``signed_ms`` now."""
    args: dict[str, Any] = msgspec.to_builtins(order)
    op = args.pop("op")
    plain = Command(command_id, op, args, expires_ms, "", nonce, signed_ms)
    signature = signer.sign(command_message(city, station, plain))
    return msgspec.json.encode(msgspec.structs.replace(plain, sig=signature_text(signature)))


def read_command(data: bytes, city: str, station: str, city_key: bytes) -> Command:
    """The command that the city signed for this station. Raises Malformed: ``too_large``, ``shape``,
    ``bad_signature`` (also where it is another station's)."""
    if len(data) > MAX_COMMAND_BYTES:
        raise Malformed("too_large", "the command is larger than 16 KiB")
    try:
        command = _COMMAND.decode(data)
        message = command_message(city, station, command)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotCanonical):
        raise Malformed("shape", "the message has not the shape of a command") from None
    if (command.nonce is None) != (command.signed_ms is None):
        raise Malformed("shape", "a time without its nonce, or a nonce without its time")
    if not verify(city_key, signature_bytes(command.sig), message):
        raise Malformed("bad_signature", "the city has not signed this for this station")
    return command


def order_of(command: Command) -> AnyOrder:
    """What it asks for. Raises Malformed: ``unknown_op``, ``wrong_args``."""
    if command.op not in OPS:
        raise Malformed("unknown_op", "this station does not know what is asked for")
    if "op" in command.args:
        raise Malformed("wrong_args", "the arguments hold an op of their own")
    try:
        order: AnyOrder = msgspec.convert({"op": command.op, **command.args}, AnyOrder)
    except msgspec.ValidationError as error:
        raise Malformed("wrong_args", f"the arguments are wrong: {error}") from None
    return order


def encode_reply(
    signer: Signer,
    city: str,
    station: str,
    command_id: str,
    code: str | None,
    nonce: str | None = None,
) -> bytes:
    """The signed JSON of what became of it."""
    signature = signature_text(signer.sign(reply_message(city, station, command_id, code, nonce)))
    return msgspec.json.encode(Reply(command_id, code is None, code, signature, nonce))


def read_reply(data: bytes) -> tuple[Reply, bytes]:
    """The reply and its signature, not yet checked (see ``is_signed``); Malformed for anything else."""
    if len(data) > MAX_REPLY_BYTES:
        raise Malformed("too_large", "the reply is larger than 1 KiB")
    try:
        reply = _REPLY.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the message has not the shape of a reply") from None
    if reply.done != (reply.code is None):
        raise Malformed("shape", "the reply contradicts itself")
    return reply, signature_bytes(reply.sig)


def is_signed(reply: Reply, signature: bytes, city: str, station: str, key: bytes) -> bool:
    """Whether the station with ``key`` said this."""
    return verify(key, signature, reply_message(city, station, reply.id, reply.code, reply.nonce))
