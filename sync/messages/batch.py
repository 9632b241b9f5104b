"""A batch: consecutive entries of one ledger, under one signature.

Invariant: what ``decode_batch`` returns is chained from ``prev`` to ``head`` over the very bytes
that came; with ``verify_batch`` the station's key vouches for ``head``, and so for each of them.

The bodies stand verbatim in the JSON, not as strings in it: a receiver cuts them out as they are
and refuses those that are not canonical, so nobody hashes anything but what was sent. A body that
was thinned away travels as ``{"digest":hex}`` and is chained all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from kiosk.core import chain
from kiosk.core.canonical import NotCanonical
from kiosk.core.entries import At
from sync.messages.bodies import Known, Value, field, is_boot, read_bodies
from sync.messages.content import MAX_PLAIN_BYTES
from sync.messages.problem import Claim, Malformed
from sync.messages.wire import (
    MAX_ENTRIES,
    BatchWire,
    Hash,
    Seal,
    Seq,
    Unseals,
    signature_bytes,
    signature_text,
)
from sync.signing import verify

FRAME_BYTES = 512
"""More than all of a batch that is neither entry, seal nor unseal (at most 451 bytes)."""
SEAL_BYTES = 144
"""More than one seal with its comma (at most 134 bytes)."""
UNSEAL_BYTES = 17
"""One seq in ``unseals`` with its comma, at most; their signature is within FRAME_BYTES."""
_THINNED_BYTES = len('{"digest":""}') + 64


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose chain from ``prev`` to ``head`` holds; see ``verify_batch`` for the rest.

    ``kinds``, ``bodies``, ``values``, ``digests`` and ``hashes`` are columns of its entries, ``first``
    to ``last``. Kind, body and value are None where the station had thinned the entry away.
    """

    ledger: str
    first: int
    last: int
    prev: bytes
    head: bytes
    kinds: list[str | None]
    bodies: list[msgspec.Raw | None]
    values: list[Value]
    digests: list[bytes]
    hashes: list[bytes]
    seals: tuple[Seal, ...]
    unseals: Unseals | None
    signature: bytes


class _Stamp(msgspec.Struct):
    """What every body has; its other fields belong to its kind. A kind that nobody knows yet may have any
    name: a city that refused one would hold up all that comes after it."""

    seq: Seq
    kind: str
    at: At


class _Thinned(msgspec.Struct, forbid_unknown_fields=True):
    digest: Hash


_BATCH = msgspec.json.Decoder(BatchWire)
_ENCODER = msgspec.json.Encoder()


def batch_message(ledger: str, last: int, head: bytes) -> bytes:
    """What the station signs for a batch."""
    return f"kiosk-batch-v1\n{ledger}\n{last}\n{head.hex()}".encode()


def unseal_message(ledger: str, last: int, seqs: Iterable[int]) -> bytes:
    """What the station signs for the seals to forget, beside the batch that ends at ``last``."""
    return f"kiosk-unseal-v1\n{ledger}\n{last}\n{','.join(map(str, seqs))}".encode()


def room_for(body: bytes | None, *, sealed: bool) -> int:
    """Bytes that one entry takes of a batch, at most; the frame takes FRAME_BYTES."""
    length = _THINNED_BYTES if body is None else len(body)
    return length + 1 + (SEAL_BYTES if sealed else 0)


def encode_batch(
    *,
    ledger: str,
    first: int,
    prev: bytes,
    rows: Sequence[tuple[bytes | None, bytes]],
    head: bytes,
    signature: bytes,
    seals: Sequence[Seal] = (),
    unseals: Unseals | None = None,
) -> bytes:
    """The JSON of consecutive ledger rows ``(body or None, digest)``.

    ``signature`` is over ``batch_message``. The caller keeps to the bounds; breaking one is our
    own mistake (ValueError), not the peer's.
    """
    entries = b",".join(
        [
            b'{"digest":"%b"}' % digest.hex().encode() if body is None else body
            for body, digest in rows
        ]
    )
    # Put together by hand, in the order of BatchWire: the bodies are JSON already.
    data = b"".join(
        (
            b'{"ledger":"%b","first":%d,' % (ledger.encode(), first),
            b'"last":%d,"prev":"%b",' % (first + len(rows) - 1, prev.hex().encode()),
            b'"entries":[',
            entries,
            b'],"seals":',
            _ENCODER.encode(seals),
            b',"head":"%b","sig":"%b"' % (head.hex().encode(), signature_text(signature).encode()),
            b"" if unseals is None else b',"unseals":' + _ENCODER.encode(unseals),
            b"}",
        )
    )
    if not 1 <= len(rows) <= MAX_ENTRIES or len(data) > MAX_PLAIN_BYTES:
        raise ValueError(f"a batch of {len(rows)} entries and {len(data)} bytes breaks the bounds")
    return data


def decode_batch(data: bytes) -> Batch:
    """The batch in ``data``, chained from ``prev`` to ``head``; Malformed for anything else."""
    if len(data) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the message is larger than 128 KiB")
    try:
        wire = _BATCH.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the message has not the shape of a batch") from None
    signature = signature_bytes(wire.sig)
    try:
        return _checked(wire, signature)
    except Malformed as malformed:
        head = bytes.fromhex(wire.head)
        malformed.claim = Claim(wire.ledger, wire.first, wire.last, head, signature)
        raise


def _checked(wire: BatchWire, signature: bytes) -> Batch:
    if wire.last - wire.first + 1 != len(wire.entries):
        raise Malformed("shape", "first, last and the number of entries do not agree")
    values = _values(wire.entries)
    bodies: list[msgspec.Raw | None] = list(wire.entries)
    digests = [chain.digest(text) for text in wire.entries]
    for place, value in enumerate(values):
        if type(value) is dict and value.keys() == {"digest"}:
            digests[place] = _thinned(value)
            bodies[place] = values[place] = None
    kinds = _kinds(wire.first, values)
    prev = bytes.fromhex(wire.prev)
    hashes = chain.link_all(prev, digests)
    if hashes[-1] != bytes.fromhex(wire.head):
        raise Malformed("chain", "the entries do not lead from prev to head")
    _check_seals(wire.seals, wire.first, values)
    return Batch(
        ledger=wire.ledger,
        first=wire.first,
        last=wire.last,
        prev=prev,
        head=hashes[-1],
        kinds=kinds,
        bodies=bodies,
        values=values,
        digests=digests,
        hashes=hashes,
        seals=tuple(wire.seals),
        unseals=wire.unseals,
        signature=signature,
    )


def verify_batch(batch: Batch, public_key: bytes) -> bool:
    """Whether the station with ``public_key`` signed this head, and the unseals beside it."""
    signed = verify(
        public_key, batch.signature, batch_message(batch.ledger, batch.last, batch.head)
    )
    if not signed or batch.unseals is None:
        return signed
    message = unseal_message(batch.ledger, batch.last, batch.unseals.seqs)
    return verify(public_key, signature_bytes(batch.unseals.sig), message)


def _values(texts: Sequence[bytes]) -> list[Value]:
    try:
        return read_bodies(texts)
    except NotCanonical:
        raise _no_body() from None


def _no_body() -> Malformed:
    return Malformed("body", "an entry's body is not canonical, or not a body")


def _kinds(first: int, values: Sequence[Value]) -> list[str | None]:
    """The kinds of entries that know their place and have a boot."""
    kinds: list[str | None] = []
    for seq, value in enumerate(values, first):
        if value is None:
            kinds.append(None)
            continue
        stamp = value if isinstance(value, Known) else _stamp(value)
        if not is_boot(stamp.at.boot):
            raise _no_body()
        if stamp.seq != seq:
            raise Malformed("seq", "an entry's seq is not its place")
        kinds.append(stamp.kind)
    return kinds


def _thinned(value: Value) -> bytes:
    """The digest that travels instead of a body."""
    try:
        return bytes.fromhex(msgspec.convert(value, _Thinned).digest)
    except msgspec.ValidationError:
        raise _no_body() from None


def _stamp(value: Value) -> _Stamp:
    try:
        return msgspec.convert(value, _Stamp)
    except msgspec.ValidationError:
        raise _no_body() from None


def _check_seals(seals: Sequence[Seal], first: int, values: Sequence[Value]) -> None:
    seen: set[int] = set()
    for row in seals:
        place = row.seq - first
        value = values[place] if 0 <= place < len(values) else None
        if value is None or row.seq in seen:
            raise Malformed("seal", "a seal belongs to no entry of the batch, or comes twice")
        seen.add(row.seq)
        opened = chain.seal(bytes.fromhex(row.salt), bytes.fromhex(row.pseudonym))
        if field(value, "seal") != opened.hex():
            raise Malformed("seal", "a seal is not opened by its salt and pseudonym")
