"""Which seals the stations forgot, in one round: the rows go, and the list of them stays.

Invariant: what is on the list is opened no more, also where what opens it comes later: in an older copy of
a batch, for an entry that was not stored yet when its station forgot it, or for one that lacked its text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sync.messages import Batch
from sync.receiver.books import Book
from sync.receiver.making import Made
from sync.receiver.tables import seal, unopened, unsealed
from sync.receiver.writing import Writer

AT_ONCE = 500
"""Seqs in one statement."""


class Forgotten:
    """One round's. Nothing is written before its end."""

    def __init__(self, connection: sa.Connection, ahead: Mapping[str, Collection[int]]) -> None:
        """``ahead``: what is on the list already, of entries that are not stored; nearly always none."""
        self._connection = connection
        self._ahead = ahead
        self._new: dict[str, set[int]] = defaultdict(set)
        self._books: dict[str, Book] = {}

    def add(self, book: Book, seqs: Iterable[int]) -> None:
        """A station's signed word."""
        self._new[book.name].update(seqs)
        self._books[book.name] = book

    def now(self, book: Book) -> set[int]:
        """Of this round."""
        return self._new.get(book.name, set())

    def store_new(self, writer: Writer, book: Book, batch: Batch, made: Made, now_ms: int) -> None:
        """Seals of a batch's new entries; what none opens is noted."""
        if not made.sealed:
            return
        gone = self.now(book).union(self._ahead.get(book.name, ()))
        shut = made.shut
        if not gone:
            writer.add({seal: made.seals})
        else:
            new = [each for each in batch.seals if each.seq > made.after and each.seq not in gone]
            writer.rows(
                seal,
                [
                    (book.name, each.seq, bytes.fromhex(each.salt), bytes.fromhex(each.pseudonym))
                    for each in new
                ],
            )
            known = gone.union([each.seq for each in new])
            shut = [seq for seq in made.sealed if seq not in known]
        if shut:
            writer.rows(unopened, [(book.name, seq, now_ms) for seq in shut])
            book.lack()

    def finish(self) -> None:
        """Write the list, and take the rows away."""
        for name in sorted(self._new):
            seqs = sorted(self._new[name])
            for start in range(0, len(seqs), AT_ONCE):
                self._write(self._books[name], seqs[start : start + AT_ONCE])

    def _write(self, book: Book, seqs: list[int]) -> None:
        name = book.name
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        rows = [{"ledger": name, "seq": seq} for seq in seqs]
        told = dialect.insert(unsealed).values(rows).on_conflict_do_nothing()
        new = len(self._connection.scalars(told.returning(unsealed.c.seq)).all())
        if new:
            book.forgotten += new
            book.changed["forgotten"] = book.forgotten
        for table in (seal, unopened):
            self._connection.execute(
                sa.delete(table).where(table.c.ledger == name, table.c.seq.in_(seqs))
            )
