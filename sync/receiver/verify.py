"""Reading everything stored again: digests, chains, signatures, seals, watermarks, projections.

The chain vouches for ``entry``; the rows that the views read are made anew from the bodies and
compared, so that nobody moves grams from one station or bin to another without being seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kiosk.core import chain
from kiosk.core.canonical import NotCanonical, parse_canonical
from sync.messages import batch_message
from sync.receiver.projections import Rows
from sync.receiver.tables import batch_sig, bin_change, entry, ledger, seal
from sync.signing import verify

AT_ONCE = 1000
"""Rows in memory at a time."""
MAX_FAULTS = 100
"""Faults told of one ledger."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold."""

    seq: int
    code: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One ledger, read again."""

    ledger: str
    station: str
    entries: int
    head: bytes
    faults: tuple[Fault, ...]
    fork_seq: int | None = None  # another history was offered from here on; not a fault of ours


def verify_all(connection: sa.Connection) -> list[Checked]:
    """Every stored ledger."""
    known = list(connection.execute(sa.select(ledger).order_by(ledger.c.ledger)))
    names = {row.ledger for row in known}
    checked = [_verify(connection, row) for row in known]
    strays = sa.select(entry.c.ledger).distinct().where(entry.c.ledger.not_in(names))
    for name in connection.scalars(strays):
        checked.append(Checked(name, "", 0, chain.ZERO, (Fault(0, "unknown_ledger"),)))
    return checked


def _verify(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Checked:
    faults: list[Fault] = []
    name, key = row.ledger, row.public_key
    signed = sa.select(batch_sig).where(batch_sig.c.ledger == name)
    signatures = {each.last_seq: each.sig for each in connection.execute(signed)}
    seals = sa.select(seal).where(seal.c.ledger == name)
    opened = {
        each.seq: chain.seal(each.salt, each.pseudonym).hex() for each in connection.execute(seals)
    }
    before, count = chain.ZERO, 0
    query = sa.select(entry).where(entry.c.ledger == name).order_by(entry.c.seq)
    for stored, moved in _with_changes(connection, name, query):
        count += 1
        if stored.seq != count:
            faults.append(Fault(count, "missing"))
            count = stored.seq
        before = chain.link(before, stored.digest)
        if before != stored.hash:
            faults.append(Fault(stored.seq, "chain"))
            before = stored.hash
        if stored.station != row.station:
            faults.append(Fault(stored.seq, "columns"))
        if stored.body is not None:
            faults += _body_faults(stored, opened.get(stored.seq), moved)
        signature = signatures.pop(stored.seq, None)
        message = batch_message(name, stored.seq, stored.hash)
        if signature is not None and (key is None or not verify(key, signature, message)):
            faults.append(Fault(stored.seq, "signature"))
        if stored.seq == row.watermark and signature is None:
            faults.append(Fault(stored.seq, "unsigned"))
        if len(faults) >= MAX_FAULTS:
            break
    if (count, before) != (row.watermark, row.head) and len(faults) < MAX_FAULTS:
        faults.append(Fault(row.watermark, "watermark"))
    return Checked(name, row.station, count, before, tuple(faults), row.fork_seq)


def _with_changes(
    connection: sa.Connection, name: str, query: sa.Select[Any]
) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """Each entry with its row of ``bin_change``, a block at a time."""
    streamed = connection.execution_options(yield_per=AT_ONCE).execute(query)
    for block in streamed.partitions():
        changes = sa.select(bin_change).where(
            bin_change.c.ledger == name,
            bin_change.c.seq.between(block[0].seq, block[-1].seq),
        )
        moved = {each.seq: dict(each._mapping) for each in connection.execute(changes).all()}
        for stored in block:
            yield stored, moved.get(stored.seq)


def _body_faults(
    stored: sa.Row[tuple[object, ...]], opened: str | None, moved: dict[str, Any] | None
) -> list[Fault]:
    body = stored.body.encode()
    if chain.digest(body) != stored.digest:
        return [Fault(stored.seq, "digest")]
    try:
        value = parse_canonical(body)
    except NotCanonical:
        return [Fault(stored.seq, "body")]
    faults = []
    if (value.get("seq"), value.get("kind")) != (stored.seq, stored.kind):
        faults.append(Fault(stored.seq, "columns"))
    rows = Rows()
    rows.add(stored.ledger, stored.seq, value)
    if (rows.bin_change or [None])[0] != moved:
        faults.append(Fault(stored.seq, "projection"))
    if opened is not None and value.get("seal") != opened:
        faults.append(Fault(stored.seq, "seal"))
    return faults
