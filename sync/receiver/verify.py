"""Reading everything stored again: digests, chains, signatures, seals, watermarks, projections.

The chain vouches for ``entry``; the rows that the views read are made anew from the bodies and
compared, so that nobody moves grams from one station or bin to another without being seen. The
grams themselves go on where the bin's entry before left them. Only a station thins bodies away, and
only behind a snapshot; the city never does, so a row that has kept its kind has lost its body here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kiosk.core import chain
from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.conserving import GRAM_KINDS, Conservation
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
    said = _Said()
    query = sa.select(entry).where(entry.c.ledger == name).order_by(entry.c.seq)
    for stored, moved in _with_changes(connection, name, query):
        count += 1
        if stored.seq != count:
            faults.append(Fault(count, "missing"))
            count = stored.seq
            said.grams.lose()
        before = chain.link(before, stored.digest)
        if before != stored.hash:
            faults.append(Fault(stored.seq, "chain"))
            before = stored.hash
        if stored.station != row.station:
            faults.append(Fault(stored.seq, "columns"))
        if stored.body is None:
            faults += said.gone(stored)
        else:
            faults += _body_faults(stored, opened.get(stored.seq), moved, said)
        signature = signatures.pop(stored.seq, None)
        message = batch_message(name, stored.seq, stored.hash)
        if signature is not None and (key is None or not verify(key, signature, message)):
            faults.append(Fault(stored.seq, "signature"))
        if stored.seq == row.watermark and signature is None:
            faults.append(Fault(stored.seq, "unsigned"))
        if len(faults) >= MAX_FAULTS:
            break
    if len(faults) < MAX_FAULTS:
        faults += said.unbacked()
    if (count, before) != (row.watermark, row.head) and len(faults) < MAX_FAULTS:
        faults.append(Fault(row.watermark, "watermark"))
    return Checked(name, row.station, count, before, tuple(faults), row.fork_seq)


class _Said:
    """What the entries have said so far."""

    def __init__(self) -> None:
        self.grams = Conservation()
        self._gone: list[int] = []
        self._covered = 0
        """Up to here a snapshot of the station's stands for what it thinned away."""

    def gone(self, stored: Any) -> list[Fault]:
        """A row without a body."""
        self.grams.hole(stored.seq)
        if stored.kind is not None or stored.seq == 1:
            return [Fault(stored.seq, "thinned")]
        self._gone.append(stored.seq)
        return []

    def read(self, seq: int, value: dict[str, Any], known: Rows) -> list[Fault]:
        """A row with one, and what the city counts of it."""
        kind = value.get("kind")
        if kind == "genesis" and known.opening:
            self.grams.open(value)
        elif kind == "snapshot" and isinstance(value.get("of"), int):
            self._covered = max(self._covered, min(value["of"], seq - 1))
        elif kind in GRAM_KINDS:
            return self._weigh(seq, value, known)
        return []

    def _weigh(self, seq: int, value: dict[str, Any], known: Rows) -> list[Fault]:
        try:
            if known.bin_change or value["kind"] == "adjustment":
                return [Fault(seq, "books")] if self.grams.see(seq, value) else []
        except (KeyError, TypeError):
            pass  # of no shape that the city counts, like the ones below
        self.grams.hole(seq)
        return []

    def unbacked(self) -> list[Fault]:
        """What was thinned away and no snapshot stands for."""
        gone = [seq for seq in self._gone if seq > self._covered]
        return [Fault(seq, "thinned") for seq in gone[:MAX_FAULTS]]


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
    stored: Any, opened: str | None, moved: dict[str, Any] | None, said: _Said
) -> list[Fault]:
    body = stored.body.encode()
    if chain.digest(body) != stored.digest:
        said.grams.hole(stored.seq)
        return [Fault(stored.seq, "digest")]
    try:
        value = parse_canonical(body)
    except NotCanonical:
        value = None
    if not isinstance(value, dict):
        said.grams.hole(stored.seq)
        return [Fault(stored.seq, "body")]
    faults = []
    if (value.get("seq"), value.get("kind")) != (stored.seq, stored.kind):
        faults.append(Fault(stored.seq, "columns"))
    rows = Rows()
    rows.add(stored.ledger, stored.seq, value)
    if (rows.bin_change[0] if rows.bin_change else None) != moved:
        faults.append(Fault(stored.seq, "projection"))
    faults += said.read(stored.seq, value, rows)
    if opened is not None and value.get("seal") != opened:
        faults.append(Fault(stored.seq, "seal"))
    return faults
