"""Rows of the ledger, read and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.core.chain import ZERO, digest, link


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored; ``body`` None where it was thinned."""

    seq: int
    body: bytes | None
    digest: bytes
    hash: bytes

    def proves_itself(self, prev: bytes) -> bool:
        """Whether body, digest and hash fit each other and follow the hash ``prev``."""
        if self.body is not None and digest(self.body) != self.digest:
            return False
        return link(prev, self.digest) == self.hash


def next_row(seq: int, body: bytes, prev: bytes) -> Row:
    """The row of a new entry that follows the hash ``prev``."""
    own = digest(body)
    return Row(seq, body, own, link(prev, own))


def write(db: sqlite3.Connection, row: Row) -> None:
    """Inserts one row; the body is stored as TEXT."""
    body = None if row.body is None else row.body.decode()
    db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", (row.seq, body, row.digest, row.hash))


def read(db: sqlite3.Connection, after: int, limit: int) -> Iterator[Row]:
    """At most ``limit`` rows with a seq greater than ``after``, in order."""
    # CAST gives the stored bytes as they are, also where damage has made them no UTF-8.
    rows = db.execute(
        "SELECT seq, CAST(body AS BLOB), digest, hash FROM ledger"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    for seq, body, own_digest, own_hash in rows:
        yield Row(seq, body, as_bytes(own_digest), as_bytes(own_hash))


def as_bytes(value: object) -> bytes:
    """A column's bytes; whatever is no BLOB of 32 bytes becomes one that proves nothing."""
    return value if isinstance(value, bytes) and len(value) == len(ZERO) else b"\xff" * len(ZERO)


def head(db: sqlite3.Connection) -> tuple[int, bytes]:
    """The last entry's seq and hash; ``(0, ZERO)`` for none."""
    row = db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, ZERO) if row is None else (row[0], as_bytes(row[1]))


def hash_at(db: sqlite3.Connection, seq: int) -> bytes | None:
    """``hash(seq)``; None where there is no such entry."""
    if seq == 0:
        return ZERO
    row = db.execute("SELECT hash FROM ledger WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else as_bytes(row[0])
