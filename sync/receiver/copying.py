"""Rows as PostgreSQL's COPY takes them in binary: no text to make, none to read.

The format (PostgreSQL manual, COPY, "Binary Format"): a header; for each row the number of its fields
in 16 bits, for each field its length in 32 bits (-1: null) and its bytes, numbers with the highest
byte first; 16 bits of ones at the end. Fields are not converted: a BIGINT has 8 bytes, always.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from sync.messages import Batch

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

_COUNT = struct.Struct(">h").pack
_LENGTH = struct.Struct(">i").pack
_LONG = struct.Struct(">q").pack
_CELL = struct.Struct(">iq").pack
_FIVE = struct.Struct(">iqiqiqiqiq").pack
_SEAL = struct.Struct(">iqi16si16s").pack
_NULL = _LENGTH(-1)
_IS_LONG = _LENGTH(8)
_IS_HASH = _LENGTH(32)


class _Cells(dict[Any, bytes]):
    """A field for each value, made once: names, bins and boots repeat from row to row."""

    def __missing__(self, value: str | int | bytes | None) -> bytes:
        if value is None:
            cell = _NULL
        elif isinstance(value, int):
            cell = _CELL(8, value)
        else:
            data = value.encode() if isinstance(value, str) else value
            cell = _LENGTH(len(data)) + data
        self[value] = cell
        return cell


class _Joined(dict[tuple[Any, ...], bytes]):
    """Neighbouring fields that mostly come together."""

    def __init__(self, cells: _Cells) -> None:
        super().__init__()
        self._cells = cells

    def __missing__(self, values: tuple[Any, ...]) -> bytes:
        joined = self[values] = b"".join([self._cells[value] for value in values])
        return joined


def pack(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    """Rows of texts, bytes, nulls and whole numbers (BIGINT), in pieces."""
    cells = _Cells()
    pieces: list[bytes] = []
    for row in rows:
        pieces.append(_COUNT(len(row)))
        pieces += [cells[value] for value in row]
    return pieces


def pack_entries(station: str, batch: Batch, skip: int) -> list[bytes]:
    """Rows of ``entry``: those of a batch without its first ``skip``."""
    cells = _Cells()
    pieces: list[bytes] = []
    begin = _COUNT(7) + cells[batch.ledger] + _IS_LONG
    middles = {kind: cells[station] + cells[kind] for kind in set(batch.kinds)}
    columns = (batch.kinds, batch.bodies, batch.digests, batch.hashes)
    new = zip(*(column[skip:] for column in columns), strict=True)
    for seq, (kind, body, digest, hash_) in enumerate(new, batch.first + skip):
        if body is None:
            pieces += (begin, _LONG(seq), middles[kind], _NULL)
        else:
            pieces += (begin, _LONG(seq), middles[kind], _LENGTH(len(body)), body)
        pieces += (_IS_HASH, digest, _IS_HASH, hash_)
    return pieces


def pack_seals(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    """Rows of ``seal``: salt and pseudonym of 16 bytes each, as a batch's are."""
    cells = _Cells()
    pieces: list[bytes] = []
    for ledger, seq, salt, pseudonym in rows:
        pieces += (_COUNT(4) + cells[ledger], _SEAL(8, seq, 16, salt, 16, pseudonym))
    return pieces


def pack_changes(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    """Rows of ``bin_change``."""
    cells = _Cells()
    joined = _Joined(cells)
    pieces: list[bytes] = []
    begin = _COUNT(21)
    for row in rows:
        (ledger, seq, kind, bin_, item, bag, visit, cause, mode, net_g, before_g, after_g, doubt_g,
         points, count, ml, boot, boot_ms, of_ledger, of_seq, of_digest) = row  # fmt: skip
        if kind == "weighing":
            grams = _FIVE(8, net_g, 8, before_g, 8, after_g, 8, doubt_g, 8, points)
        else:
            grams = joined[net_g, before_g, after_g, doubt_g, points]
        pieces += (
            begin, cells[ledger], _IS_LONG, _LONG(seq), joined[kind, bin_, item, bag], _text(visit),
            joined[cause, mode], grams, joined[count, ml], cells[boot], _IS_LONG, _LONG(boot_ms),
            joined[of_ledger, of_seq, of_digest],
        )  # fmt: skip
    return pieces


def _text(text: str | None) -> bytes:
    """A field that hardly repeats."""
    if text is None:
        return _NULL
    data = text.encode()
    return _LENGTH(len(data)) + data
