"""Balances on request: what the city answers to a ``balance_asked`` entry.

No pseudonym is in it: the ask's name alone says whose it is, to the one station that asked. An ask is
never used twice, so a kept answer answers nothing. Strict, since nobody reads a part of it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from kiosk.core.canonical import MAX_INTEGER
from kiosk.core.entries import AskId
from sync.messages.problem import Malformed
from sync.messages.wire import Count, Signature, signature_bytes, signature_text
from sync.signing import Signer, verify

TOPIC = "points"
MAX_BALANCE_BYTES = 512


class Balance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the account of the card behind ``ask`` has, of all stations and with the city's corrections,
    at ``as_of_ms`` (UTC). ``sig`` is the city's over
    ``kiosk-points-v1\\n{city}/{station}\\n{ask}\\n{points}\\n{as_of_ms}``."""

    ask: AskId
    points: Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    as_of_ms: Count
    sig: Signature


_BALANCE = msgspec.json.Decoder(Balance)


def balance_message(city: str, station: str, ask: str, points: int, as_of_ms: int) -> bytes:
    """What the city signs."""
    return f"kiosk-points-v1\n{city}/{station}\n{ask}\n{points}\n{as_of_ms}".encode()


def encode_balance(
    signer: Signer, city: str, station: str, *, ask: str, points: int, as_of_ms: int
) -> bytes:
    """The signed JSON."""
    signature = signer.sign(balance_message(city, station, ask, points, as_of_ms))
    return msgspec.json.encode(Balance(ask, points, as_of_ms, signature_text(signature)))


def read_balance(data: bytes, city: str, station: str, city_key: bytes) -> Balance:
    """The answer that the city signed for this station. Raises Malformed: ``too_large``, ``shape``,
    ``bad_signature`` (also where it is another station's)."""
    if len(data) > MAX_BALANCE_BYTES:
        raise Malformed("too_large", "the balance is larger than 512 bytes")
    try:
        told = _BALANCE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the message has not the shape of a balance") from None
    message = balance_message(city, station, told.ask, told.points, told.as_of_ms)
    if not verify(city_key, signature_bytes(told.sig), message):
        raise Malformed("bad_signature", "the city has not signed this for this station")
    return told
