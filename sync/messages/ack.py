"""The city's acknowledgement: committed up to here, signed.

It counts only with the city's signature and the station's own hash(seq): the first says that the
city spoke, the second that it speaks of this ledger's history and not of a twin's.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from sync.messages.problem import Malformed
from sync.messages.wire import AckWire, ErrorWire, signature_bytes, signature_text
from sync.signing import Signer, verify

MAX_ACK_BYTES = 1024


@dataclass(frozen=True, slots=True)
class AckError:
    """``gap``, ``fork``, ``unknown_key``, ``bad_signature``, or what made a batch malformed."""

    code: str
    seq: int


@dataclass(frozen=True, slots=True)
class Ack:
    """``seq`` is the city's watermark, ``head`` hash(seq), ``epoch`` the life of its database."""

    ledger: str
    epoch: int
    seq: int
    head: bytes
    error: AckError | None = None


_ACK = msgspec.json.Decoder(AckWire)


def ack_message(ack: Ack) -> bytes:
    """What the city signs."""
    code, seq = (ack.error.code, ack.error.seq) if ack.error else ("-", 0)
    return (
        f"kiosk-ack-v1\n{ack.ledger}\n{ack.epoch}\n{ack.seq}\n{ack.head.hex()}\n{code}\n{seq}"
    ).encode()


def encode_ack(ack: Ack, signer: Signer) -> bytes:
    """The signed JSON."""
    error = ErrorWire(ack.error.code, ack.error.seq) if ack.error else None
    signature = signature_text(signer.sign(ack_message(ack)))
    return msgspec.json.encode(
        AckWire(ack.ledger, ack.epoch, ack.seq, ack.head.hex(), error, signature)
    )


def decode_ack(data: bytes) -> tuple[Ack, bytes]:
    """The acknowledgement and its signature, not yet checked; Malformed for anything else."""
    if len(data) > MAX_ACK_BYTES:
        raise Malformed("too_large", "the acknowledgement is larger than 1 KiB")
    try:
        wire = _ACK.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the message has not the shape of an acknowledgement") from None
    error = AckError(wire.error.code, wire.error.seq) if wire.error else None
    ack = Ack(wire.ledger, wire.epoch, wire.seq, bytes.fromhex(wire.head), error)
    return ack, signature_bytes(wire.sig)


def verify_ack(data: bytes, city_key: bytes) -> Ack | None:
    """The acknowledgement when it is well formed and the city signed it, else None."""
    try:
        ack, signature = decode_ack(data)
    except Malformed:
        return None
    return ack if verify(city_key, signature, ack_message(ack)) else None
