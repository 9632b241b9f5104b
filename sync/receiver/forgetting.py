"""Which seals the stations forgot, in one round: the rows go, and the list of them stays.

Invariant: what is on the list is opened no more, also where what opens it comes later: in an older copy of
a batch, for an entry that was not stored yet when its station forgot it, or for one that lacked its text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sync.messages import Batch
from sync.receiver import lacking
from sync.receiver.books import Book
from sync.receiver.tables import seal, unopened, unsealed
from sync.receiver.writing import Writer

AT_ONCE = 500
"""Seqs in one statement."""


class Forgotten:
    """One round's. Nothing is written before its end."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._new: dict[str, set[int]] = defaultdict(set)
        self._ahead: dict[str, set[int]] = {}

    def add(self, book: Book, seqs: Iterable[int]) -> None:
        """A station's signed word."""
        self._new[book.name].update(seqs)

    def now(self, book: Book) -> set[int]:
        """Of this round."""
        return self._new.get(book.name, set())

    def beyond(self, book: Book) -> set[int]:
        """Those of entries that are not stored; read once a round, and nearly always none."""
        ahead = self._ahead.get(book.name)
        if ahead is None:
            query = sa.select(unsealed.c.seq).where(
                unsealed.c.ledger == book.name, unsealed.c.seq > book.watermark
            )
            ahead = self._ahead[book.name] = set(self._connection.scalars(query))
        return ahead | self.now(book)

    def store_new(self, writer: Writer, book: Book, batch: Batch, skip: int, now_ms: int) -> None:
        """Seals of a batch's new entries, those without its first ``skip``; what none opens is noted."""
        sealed = lacking.sealed_in(batch, skip)
        if not sealed:
            return
        gone = self.beyond(book)
        new = [each for each in batch.seals if each.seq > book.watermark and each.seq not in gone]
        writer.rows(
            seal,
            [
                (book.name, each.seq, bytes.fromhex(each.salt), bytes.fromhex(each.pseudonym))
                for each in new
            ],
        )
        known = gone.union([each.seq for each in new])
        shut = [(book.name, seq, now_ms) for seq in sealed if seq not in known]
        if shut:
            writer.rows(unopened, shut)
            book.lack()

    def finish(self) -> None:
        """Write the list, and take the rows away."""
        for name in sorted(self._new):
            seqs = sorted(self._new[name])
            for start in range(0, len(seqs), AT_ONCE):
                self._write(name, seqs[start : start + AT_ONCE])

    def _write(self, name: str, seqs: list[int]) -> None:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        rows = [{"ledger": name, "seq": seq} for seq in seqs]
        self._connection.execute(dialect.insert(unsealed).values(rows).on_conflict_do_nothing())
        for table in (seal, unopened):
            self._connection.execute(
                sa.delete(table).where(table.c.ledger == name, table.c.seq.in_(seqs))
            )
