"""The shapes on the wire: JSON objects as msgspec types, with the contract's patterns and bounds.

Only shape is checked here; what a message proves is checked in ``batch`` and ``ack``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec
from msgspec import Meta

from kiosk.core.canonical import MAX_INTEGER
from sync.messages.problem import Malformed

MAX_ENTRIES = 1000
"""Entries in one batch."""
MAX_UNSEALS = 5000
"""Forgotten seqs beside one batch."""

LedgerId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", description="random, of one ledger")]
Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", description="32 bytes, hexadecimal")]
Half = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", description="16 bytes, hexadecimal")]
Signature = Annotated[
    str, Meta(pattern=r"\A[A-Za-z0-9+/]{86}==\Z", description="Ed25519, 64 bytes, base64")
]
Seq = Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="place in the ledger, gapless")]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Code = Annotated[str, Meta(pattern=r"\A[a-z0-9_]{1,32}\Z")]


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opens the seal of entry ``seq``: salt and pseudonym."""

    seq: Seq
    salt: Half
    pseudonym: Half


class Unseals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seals to forget, of this ledger. ``sig`` is the station's over
    ``kiosk-unseal-v1\\n{ledger}\\n{last}\\n{seqs}``, with the batch's ``last`` and the seqs in
    decimal between commas."""

    seqs: Annotated[list[Seq], Meta(min_length=1, max_length=MAX_UNSEALS)]
    sig: Signature


class BatchWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Consecutive entries under one signature. ``prev`` is hash(first - 1), ``head`` hash(last);
    ``sig`` is the station's over ``kiosk-batch-v1\\n{ledger}\\n{last}\\n{head}``."""

    ledger: LedgerId
    first: Seq
    last: Seq
    prev: Hash
    entries: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_ENTRIES)]
    seals: Annotated[list[Seal], Meta(max_length=MAX_ENTRIES)]
    head: Hash
    sig: Signature
    unseals: Unseals | None = None


class ErrorWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong, and at which seq (0: with the ledger as a whole)."""

    code: Code
    seq: Count


class AckWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Committed up to ``seq``, whose hash is ``head``; ``sig`` is the city's over
    ``kiosk-ack-v1\\n{ledger}\\n{epoch}\\n{seq}\\n{head}\\n{code}\\n{error seq}``, with code ``-``
    and seq 0 where ``error`` is null."""

    ledger: LedgerId
    epoch: Count
    seq: Count
    head: Hash
    error: ErrorWire | None
    sig: Signature


def signature_text(signature: bytes) -> str:
    """64 bytes as the contract's base64."""
    return base64.b64encode(signature).decode()


def signature_bytes(text: str) -> bytes:
    """The 64 bytes; Malformed unless ``text`` is the one base64 of them."""
    try:
        signature = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Malformed("shape", "the signature is not base64") from None
    if signature_text(signature) != text:
        raise Malformed("shape", "the signature's base64 has stray bits")
    return signature
