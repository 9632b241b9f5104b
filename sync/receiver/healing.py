"""What came without its text or its opened seal, and comes after all: filled in, once.

Invariant: an entry that was filled in has all that it would have had, had it come whole: its row, its
projections, its points, its card's closing, its place for the sinks. A seal that its station forgot is
never opened again, whoever brings what opens it.

Theory. The batch was verified and found to pass through the stored hashes, so each of its texts is the one
of the digest that is stored, and what opens a seal was checked against the seal in the text. Who fills in
is therefore nobody's concern: a resend, a batch that overlaps, an export carried by hand. A row without a
text that has kept its kind was whole once and has lost it here: its text goes back, and nothing is counted
again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver import closings, lacking, rebooking, town_reports
from sync.receiver.books import Book
from sync.receiver.earnings import Booking
from sync.receiver.projections import CHANGES, Rows
from sync.receiver.tables import (
    anchor,
    bin_change,
    entry,
    filled,
    opening,
    seal,
    unopened,
    unsealed,
)
from sync.receiver.writing import Writer

_FOR_SINKS = frozenset({*CHANGES, "recovered", "adjustment", "clock"})


@dataclass(frozen=True, slots=True)
class Healed:
    """What one batch filled in, and what the round has to do about it."""

    city: str
    station: str
    ledger: str
    texts: int
    seals: int
    timed: bool
    closed: list[bytes]
    said: list[town_reports.Said]

    @property
    def words(self) -> str:
        """For the log."""
        return f"{self.texts} texts and {self.seals} seals of stored entries came after all"


def heal(
    connection: sa.Connection,
    writer: Writer,
    booking: Booking,
    book: Book,
    batch: Batch,
    forgotten: Collection[int],
    now_ms: int,
) -> Healed | None:
    """Fill in what a batch, which joins on, has of stored entries that lack it; None where it has nothing.
    ``forgotten``: seqs of this round's own unseals."""
    writer.flush()
    span = (batch.first, min(batch.last, book.watermark))
    rows = sa.select(entry.c.seq, entry.c.kind).where(
        entry.c.ledger == book.name, entry.c.body.is_(None), entry.c.seq.between(*span)
    )
    kinds = {
        row.seq: row.kind
        for row in connection.execute(rows)
        if batch.bodies[row.seq - batch.first] is not None
    }
    texts = {seq for seq, kind in kinds.items() if kind is None}
    waiting = _seqs(connection, unopened, book.name, span)
    gone = {*forgotten, *_seqs(connection, unsealed, book.name, span)}
    openers = {
        each.seq: each
        for each in batch.seals
        if (each.seq in waiting or each.seq in texts) and each.seq not in gone
    }
    if not kinds and not openers:
        return None
    _put_texts(connection, batch, sorted(kinds))
    names = {seq: bytes.fromhex(each.pseudonym) for seq, each in openers.items()}
    salts = {seq: bytes.fromhex(each.salt) for seq, each in openers.items()}
    writer.rows(seal, [(book.name, seq, salts[seq], names[seq]) for seq in sorted(openers)])
    _drop(connection, book.name, sorted(openers.keys() & waiting))
    values = {seq: batch.values[seq - batch.first] for seq in sorted(texts)}
    shut = [
        seq
        for seq, value in values.items()
        if lacking.is_sealed(value) and not (seq in openers or seq in gone)
    ]
    writer.rows(unopened, [(book.name, seq, now_ms) for seq in shut])
    made = Rows()
    for seq, value in values.items():
        made.add_all(book.name, seq, [value])
        book.cover(lacking.covered_by(seq, value))
        book.forget(lacking.forgets_of(value), now_ms)
    for table, new in (
        (bin_change, made.bin_change),
        (anchor, made.anchor),
        (opening, made.opening),
        (filled, _numbered(book, batch, texts)),
    ):
        writer.rows(table, new)
    writer.flush()
    rebooking.rebook(connection, booking, book, texts, names)
    if lacking.is_whole(connection, book.name):
        book.lacking, book.changed["lacking"] = False, 0
    closed = [
        names[seq] for seq in sorted(names) if batch.kinds[seq - batch.first] == closings.KIND
    ]
    whose = book.whose
    said = _said(connection, batch, texts)
    counts = (len(kinds), len(openers), bool(made.anchor))
    return Healed(whose.city, whose.station, book.name, *counts, closed, said)


def _put_texts(connection: sa.Connection, batch: Batch, seqs: list[int]) -> None:
    if not seqs:
        return
    mine = sa.update(entry).where(
        entry.c.ledger == batch.ledger, entry.c.seq == sa.bindparam("at"), entry.c.body.is_(None)
    )
    new = [
        {
            "at": seq,
            "kind": batch.kinds[seq - batch.first],
            "body": str(batch.bodies[seq - batch.first] or b"", "utf-8"),
        }
        for seq in seqs
    ]
    connection.execute(mine, new)


def _drop(connection: sa.Connection, name: str, seqs: list[int]) -> None:
    if seqs:
        mine = (unopened.c.ledger == name, unopened.c.seq.in_(seqs))
        connection.execute(sa.delete(unopened).where(*mine))


def _numbered(book: Book, batch: Batch, texts: Collection[int]) -> list[tuple[str, int, int]]:
    """Rows of ``filled``, which the sinks follow."""
    seqs = [seq for seq in sorted(texts) if batch.kinds[seq - batch.first] in _FOR_SINKS]
    rows = [(book.name, number, seq) for number, seq in enumerate(seqs, book.filled + 1)]
    if rows:
        book.filled = book.changed["filled"] = book.filled + len(rows)
    return rows


def _said(
    connection: sa.Connection, batch: Batch, texts: Collection[int]
) -> list[town_reports.Said]:
    """What they say of catalogue and tariff, unless something newer was heard."""
    said = town_reports.said_in(batch, 0, texts)
    if not said:
        return []
    last = max(seq for seq in texts if batch.kinds[seq - batch.first] in town_reports.SAY)
    return [] if town_reports.spoke_later(connection, batch.ledger, last) else said


def _seqs(connection: sa.Connection, table: sa.Table, name: str, span: tuple[int, int]) -> set[int]:
    found = sa.select(table.c.seq).where(table.c.ledger == name, table.c.seq.between(*span))
    return set(connection.scalars(found))
