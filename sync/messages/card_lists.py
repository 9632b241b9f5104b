"""Lists of cards from the city, under pseudonyms: ``closed`` ones, and those that alone are ``allowed``.

::

    closed/full          which parts the whole list has, signed         FullWire
    closed/full/0 …      the parts: sorted pseudonyms, up to 6,000       PartWire
    closed/delta         what changed since that full list, signed       DeltaWire

All are retained, so whoever comes late finds the last word. A part needs no signature: the full
list's signature covers its SHA-256, and nothing else is taken for it. The delta is cumulative since
the full list of the same epoch and the version that it names as its base; it is always there, and
signed anew every day even when nothing changed, since only a word with a day tells a short list
from one that somebody holds back.

One number, ``version``, counts the changes of a list, through full lists and deltas alike. Words are
ordered by (epoch, version, day), and an older one never counts: the epoch is the city database's
(see ``ack``), so that a restored database is not taken for an old one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from sync.messages.content import MAX_PLAIN_BYTES
from sync.messages.problem import Malformed
from sync.messages.wire import Hash, Signature, signature_bytes, signature_text
from sync.signing import Signer, verify

ListName = Literal["closed", "allowed"]
NAMES: tuple[ListName, ...] = get_args(ListName)

RECORD_BYTES = 16
"""One pseudonym."""
PART_RECORDS = 6000
"""So a part is at most 128 KiB of JSON, as every message."""
MAX_PARTS = 100
MAX_RECORDS = PART_RECORDS * MAX_PARTS
MAX_DELTA_RECORDS = 5000
"""Added and removed together, on the wire."""
MAX_FULL_BYTES = 16 * 1024

_PART_CHARS = 4 * PART_RECORDS * RECORD_BYTES // 3
_DELTA_CHARS = 4 * MAX_DELTA_RECORDS * RECORD_BYTES // 3 + 4

_Day = Annotated[
    int, Meta(ge=0, le=100_000, description="UTC day on which it was signed, since 1970-01-01")
]
_Version = Annotated[int, Meta(ge=1, le=2**53, description="counts the changes of this list")]
_Epoch = Annotated[int, Meta(ge=0, le=2**53, description="the city database's life, as in ack")]


class FullWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole list of ``count`` pseudonyms: the SHA-256 of each part's bytes, in order. ``sig`` is the
    city's over ``kiosk-list-full-v1\\n{city}\\n{list}\\n{epoch}\\n{version}\\n{day}\\n{count}\\n{parts}``,
    with list ``closed`` or ``allowed`` and the parts between commas."""

    epoch: _Epoch
    version: _Version
    day: _Day
    count: Annotated[int, Meta(ge=0, le=MAX_RECORDS)]
    parts: Annotated[list[Hash], Meta(max_length=MAX_PARTS)]
    sig: Signature


class PartWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part ``part`` of a full list, counted from 0: pseudonyms of 16 bytes, sorted, each once, in
    base64. Proven by its SHA-256 in the full list."""

    epoch: _Epoch
    version: _Version
    part: Annotated[int, Meta(ge=0, lt=MAX_PARTS)]
    records: Annotated[str, Meta(min_length=1, max_length=_PART_CHARS)]


class DeltaWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is on the list and not in the full list of version ``base`` and the same epoch (``added``),
    and the other way round (``removed``): sorted pseudonyms in base64. ``sig`` is the city's over
    ``kiosk-list-delta-v1\\n{city}\\n{list}\\n{epoch}\\n{version}\\n{base}\\n{day}\\n{added}\\n{removed}``."""

    epoch: _Epoch
    version: _Version
    base: _Version
    day: _Day
    added: Annotated[str, Meta(max_length=_DELTA_CHARS)]
    removed: Annotated[str, Meta(max_length=_DELTA_CHARS)]
    sig: Signature


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """Which word of the city's it is; later ones are greater."""

    epoch: int
    version: int
    day: int


@dataclass(frozen=True, slots=True)
class Full:
    """A whole list, known by its parts' digests."""

    word: Word
    count: int
    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that a full list may name."""

    number: int
    records: bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """Cumulative since the full list of version ``base``."""

    word: Word
    base: int
    added: frozenset[bytes]
    removed: frozenset[bytes]


_Wire = TypeVar("_Wire")

_FULL = msgspec.json.Decoder(FullWire)
_PART = msgspec.json.Decoder(PartWire)
_DELTA = msgspec.json.Decoder(DeltaWire)


# --- what the city makes ------------------------------------------------------------------------------


def encode_full(
    city: str, name: ListName, word: Word, records: bytes, signer: Signer
) -> tuple[bytes, list[bytes]]:
    """The signed full list and its parts, as JSON. ``records`` are the sorted pseudonyms."""
    parts = [bytes(part) for part in split(records)]
    full = Full(word, len(records) // RECORD_BYTES, tuple(map(digest, parts)))
    bodies = [
        msgspec.json.encode(PartWire(word.epoch, word.version, number, _text(part)))
        for number, part in enumerate(parts)
    ]
    return encode_manifest(city, name, full, signer), bodies


def encode_manifest(city: str, name: ListName, full: Full, signer: Signer) -> bytes:
    """The signed word on a full list, whose parts are unchanged."""
    word = full.word
    return msgspec.json.encode(
        FullWire(
            word.epoch,
            word.version,
            word.day,
            full.count,
            [part.hex() for part in full.parts],
            signature_text(signer.sign(full_message(city, name, full))),
        )
    )


def encode_delta(city: str, name: ListName, delta: Delta, signer: Signer) -> bytes:
    """The signed JSON; ValueError when there is more in it than the wire takes."""
    if len(delta.added) + len(delta.removed) > MAX_DELTA_RECORDS:
        raise ValueError(f"more than {MAX_DELTA_RECORDS} changes in a delta")
    added, removed = _text(join(delta.added)), _text(join(delta.removed))
    word = delta.word
    signature = signature_text(
        signer.sign(delta_message(city, name, word, delta.base, added, removed))
    )
    return msgspec.json.encode(
        DeltaWire(word.epoch, word.version, delta.base, word.day, added, removed, signature)
    )


def full_message(city: str, name: ListName, full: Full) -> bytes:
    """What the city signs for a full list."""
    word, parts = full.word, ",".join(part.hex() for part in full.parts)
    return (
        f"kiosk-list-full-v1\n{city}\n{name}\n{word.epoch}\n{word.version}\n{word.day}\n"
        f"{full.count}\n{parts}"
    ).encode()


def delta_message(
    city: str, name: ListName, word: Word, base: int, added: str, removed: str
) -> bytes:
    """What the city signs for a delta."""
    return (
        f"kiosk-list-delta-v1\n{city}\n{name}\n{word.epoch}\n{word.version}\n{base}\n{word.day}\n"
        f"{added}\n{removed}"
    ).encode()


# --- what the station takes ---------------------------------------------------------------------------


def read_full(data: bytes, city: str, name: ListName, city_key: bytes) -> Full:
    """The full list that the city signed; Malformed otherwise (``bad_signature`` where only that)."""
    if len(data) > MAX_FULL_BYTES:
        raise Malformed("too_large", "the full list's word is larger than 16 KiB")
    wire = _decoded(_FULL, data)
    parts = tuple(map(bytes.fromhex, wire.parts))
    full = Full(Word(wire.epoch, wire.version, wire.day), wire.count, parts)
    if len(parts) != -(-wire.count // PART_RECORDS):
        raise Malformed("shape", "the count and the number of parts do not agree")
    if not verify(city_key, signature_bytes(wire.sig), full_message(city, name, full)):
        raise Malformed("bad_signature", "the full list is not signed by the city")
    return full


def read_part(data: bytes, full: Full) -> Part:
    """The part if ``full`` names it; Malformed otherwise (``digest``: another's, or tampered with)."""
    if len(data) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the part is larger than 128 KiB")
    wire = _decoded(_PART, data)
    records = _bytes(wire.records)
    if wire.part >= len(full.parts) or digest(records) != full.parts[wire.part]:
        raise Malformed("digest", "the part is none of the full list's")
    last = wire.part == len(full.parts) - 1
    expected = full.count - PART_RECORDS * wire.part if last else PART_RECORDS
    if len(records) != expected * RECORD_BYTES or not is_sorted(records):
        raise Malformed("records", "the part's pseudonyms are not as many, or not in order")
    return Part(wire.part, records)


def read_delta(data: bytes, city: str, name: ListName, city_key: bytes) -> Delta:
    """The delta that the city signed; Malformed otherwise."""
    if len(data) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the delta is larger than 128 KiB")
    wire = _decoded(_DELTA, data)
    word = Word(wire.epoch, wire.version, wire.day)
    added, removed = _bytes(wire.added), _bytes(wire.removed)
    message = delta_message(city, name, word, wire.base, wire.added, wire.removed)
    if not verify(city_key, signature_bytes(wire.sig), message):
        raise Malformed("bad_signature", "the delta is not signed by the city")
    if not is_sorted(added) or not is_sorted(removed):
        raise Malformed("records", "the delta's pseudonyms are not in order")
    if (len(added) + len(removed)) > MAX_DELTA_RECORDS * RECORD_BYTES:
        raise Malformed("too_large", "the delta has more than 5,000 pseudonyms")
    names = frozenset(each(added)), frozenset(each(removed))
    if names[0] & names[1] or wire.base > wire.version:
        raise Malformed("records", "the delta contradicts itself")
    return Delta(word, wire.base, *names)


# --- pseudonyms in a row ------------------------------------------------------------------------------


def digest(records: bytes) -> bytes:
    return hashlib.sha256(records).digest()


def split(records: bytes) -> Iterator[memoryview]:
    """The parts of a whole list."""
    size = PART_RECORDS * RECORD_BYTES
    view = memoryview(records)
    return (view[at : at + size] for at in range(0, len(records), size))


def each(records: bytes) -> Iterator[bytes]:
    """The pseudonyms, one by one."""
    return (records[at : at + RECORD_BYTES] for at in range(0, len(records), RECORD_BYTES))


def join(names: Iterable[bytes]) -> bytes:
    """The pseudonyms, sorted."""
    return b"".join(sorted(names))


def is_sorted(records: bytes) -> bool:
    """Whole pseudonyms, rising, each once."""
    if len(records) % RECORD_BYTES:
        return False
    return all(a < b for a, b in itertools.pairwise(each(records)))


def _text(records: bytes) -> str:
    return base64.b64encode(records).decode()


def _bytes(text: str) -> bytes:
    try:
        records = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("shape", "the pseudonyms are not base64") from None
    if _text(records) != text:
        raise Malformed("shape", "the pseudonyms' base64 has stray bits")
    return records


def _decoded(decoder: msgspec.json.Decoder[_Wire], data: bytes) -> _Wire:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the message has not the shape of its topic") from None
