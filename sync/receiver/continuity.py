"""One history for a station: ledgers that continue one another, and the two ways to fork.

A new ledger names in ``continues`` the last hash that the station or the city knew of the old one.
A *fork* is a second genesis that continues the same point, or entries of the old ledger that do not
pass through the hash that its continuation named. The city keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kiosk.core import chain
from kiosk.core.entries import LedgerPoint
from sync.messages import Batch
from sync.receiver.tables import entry, ledger


@dataclass(frozen=True, slots=True)
class Whose:
    """A station, by the topic that it may publish on."""

    city: str
    station: str


class Fork(Exception):
    """Another history than the stored one, from ``seq`` on."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"another history from {seq} on")
        self.seq = seq


class Refused(Exception):
    """A batch that does not count; ``code`` goes to the station."""

    def __init__(self, code: str, seq: int) -> None:
        super().__init__(code)
        self.code = code
        self.seq = seq


def ledger_row(connection: sa.Connection, name: str) -> Any:
    """The registry's row of a ledger, or None."""
    return connection.execute(sa.select(ledger).where(ledger.c.ledger == name)).first()


def stored_hashes(connection: sa.Connection, name: str, first: int, last: int) -> dict[int, bytes]:
    """The stored hashes of a range of seqs."""
    query = sa.select(entry.c.seq, entry.c.hash).where(
        entry.c.ledger == name, entry.c.seq.between(first, last)
    )
    return {row.seq: row.hash for row in connection.execute(query)}


def check_continues(connection: sa.Connection, whose: Whose, name: str, point: LedgerPoint) -> None:
    """The genesis of ledger ``name`` may continue ``point``; Fork or Refused when not."""
    twin = sa.select(ledger.c.ledger).where(
        ledger.c.ledger != name,
        ledger.c.continues_ledger == point.ledger,
        ledger.c.continues_seq == point.seq,
        ledger.c.continues_head == bytes.fromhex(point.head),
    )
    if connection.scalars(twin).first() is not None:
        raise Fork(1)
    older = ledger_row(connection, point.ledger)
    if older is None:
        return  # the city's database was restored from before it, or it never came
    if (older.city, older.station) != (whose.city, whose.station):
        raise Refused("other_station", 1)
    known = stored_hashes(connection, point.ledger, point.seq, point.seq).get(point.seq)
    if known is not None and known.hex() != point.head:
        raise Fork(1)


def check_continuations(continuations: Iterable[tuple[int, bytes]], batch: Batch) -> None:
    """Entries of a continued ledger pass through the hashes that were named; Fork when not."""
    for seq, head in continuations:
        if batch.first <= seq <= batch.last and batch.hashes[seq - batch.first] != head:
            raise Fork(seq)


def find_fork(connection: sa.Connection, batch: Batch, watermark: int) -> Fork:
    """From where on a batch is not what is stored."""
    stored = stored_hashes(connection, batch.ledger, batch.first - 1, min(batch.last, watermark))
    if stored.get(batch.first - 1, chain.ZERO) != batch.prev:
        return Fork(max(batch.first - 1, 1))
    for seq, hash_ in enumerate(batch.hashes, batch.first):
        if stored.get(seq, hash_) != hash_:
            return Fork(seq)
    raise AssertionError("a batch leaves the stored history, and is the same in every entry")
