"""Batches for the city: consecutive entries under one signature, within the wire's bounds."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

from kiosk.core.chain import head_after
from kiosk.ledger import rows
from kiosk.ledger.errors import trouble
from sync.messages import (
    MAX_ENTRIES,
    MAX_UNSEALS,
    Seal,
    Unseals,
    batch_message,
    encode_batch,
    room_for,
    unseal_message,
)
from sync.messages.batch import FRAME_BYTES, UNSEAL_BYTES
from sync.messages.wire import signature_text
from sync.signing import Signer

_ROWS = (
    # CAST gives the stored bytes as they are, also where damage has made them no UTF-8.
    "SELECT seq, CAST(body AS BLOB), CASE WHEN body IS NULL THEN digest END FROM ledger"
    " WHERE seq > ? ORDER BY seq LIMIT ?"
)
_SEALS = "SELECT seq, salt, pseudonym FROM seal WHERE seq > ? AND seq <= ? ORDER BY seq"
UNSEALS_PER_BATCH = min(1_000, MAX_UNSEALS)
"""Forgotten seqs carried by one batch; more wait for the next."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Entries for one batch, read from one snapshot of the database: ``rows`` body and, where that was
    thinned away, digest."""

    first: int
    prev: bytes
    rows: tuple[tuple[bytes | None, bytes], ...]
    head: bytes
    seals: tuple[Seal, ...]
    unseals: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def draw(
    db: sqlite3.Connection,
    after: int,
    *,
    max_entries: int,
    max_bytes: int,
    watermark: int,
    unseals_beyond: int = 0,
) -> Drawn | None:
    """The entries beyond ``after``, as many as fit; None where there are none. Of the forgotten seqs those
    beyond ``unseals_beyond``.

    Raises StorageError("damaged") where the file no longer proves them: what is sent is what was
    recorded, or nothing. The bodies that go are hashed and chained from ``hash(after)``, and where they
    lead must be the hash that stands at the last of them: nothing between them needs to be read.
    """
    prev = rows.hash_at(db, after)
    if prev is None:
        return None
    unseals = _unseals(db, watermark, unseals_beyond)
    room = max_bytes - FRAME_BYTES - len(unseals) * UNSEAL_BYTES
    limit = min(max_entries, MAX_ENTRIES)
    seals = _Seals(db, after, limit)
    chosen: list[tuple[bytes | None, bytes]] = []
    for seq, body, digest in db.execute(_ROWS, (after, limit)):
        if seq != after + len(chosen) + 1:
            raise trouble("damaged")
        room -= room_for(body, sealed=seals.next_seq == seq)
        if chosen and room < 0:
            break
        if seals.next_seq == seq:
            seals.take()
        chosen.append((body, digest) if body is not None else (None, rows.as_bytes(digest)))
    if not chosen:
        return None
    sha256 = hashlib.sha256
    head = head_after(
        prev, [digest if body is None else sha256(body).digest() for body, digest in chosen]
    )
    if head != rows.hash_at(db, after + len(chosen)):
        raise trouble("damaged")
    return Drawn(after + 1, prev, tuple(chosen), head, tuple(seals.taken), unseals)


class _Seals:
    """The seals of entries after ``after``, met in their order."""

    def __init__(self, db: sqlite3.Connection, after: int, limit: int) -> None:
        self._rows = db.execute(_SEALS, (after, after + limit))
        self.taken: list[Seal] = []
        self._step()

    def take(self) -> None:
        seq, salt, pseudonym = self._row
        self.taken.append(Seal(seq, salt.hex(), pseudonym.hex()))
        self._step()

    def _step(self) -> None:
        self._row = self._rows.fetchone()
        self.next_seq: int | None = None if self._row is None else self._row[0]


def sign(drawn: Drawn, ledger: str, signer: Signer) -> tuple[bytes, bytes]:
    """The wire message and its signature (the same for the same head: Ed25519 draws no lots)."""
    signature = signer.sign(batch_message(ledger, drawn.last, drawn.head))
    unseals = None
    if drawn.unseals:
        spoken = signer.sign(unseal_message(ledger, drawn.last, drawn.unseals))
        unseals = Unseals(list(drawn.unseals), signature_text(spoken))
    message = encode_batch(
        ledger=ledger,
        first=drawn.first,
        prev=drawn.prev,
        rows=drawn.rows,
        head=drawn.head,
        signature=signature,
        seals=drawn.seals,
        unseals=unseals,
    )
    return message, signature


def is_noted(db: sqlite3.Connection, drawn: Drawn) -> bool:
    """Whether ``note`` has nothing to write, so that sending again costs no commit."""
    if db.execute("SELECT 1 FROM sent WHERE last_seq = ?", (drawn.last,)).fetchone() is None:
        return False
    if not drawn.unseals:
        return True
    untold = db.execute(
        "SELECT 1 FROM unseal WHERE told_by IS NULL AND seq <= ?", (drawn.unseals[-1],)
    )
    return untold.fetchone() is None


def note(db: sqlite3.Connection, drawn: Drawn, signature: bytes) -> None:
    """Keeps the signature that leaves, and who will have been told of the unseals with it."""
    db.execute("INSERT OR IGNORE INTO sent VALUES (?)", (drawn.last,))
    db.execute("INSERT OR IGNORE INTO batch_sig VALUES (?, ?)", (drawn.last, signature))
    # Told by the first batch that carried them; carried on until that one's end is acknowledged.
    db.executemany(
        "UPDATE unseal SET told_by = ? WHERE seq = ? AND told_by IS NULL",
        [(drawn.last, seq) for seq in drawn.unseals],
    )


def _unseals(db: sqlite3.Connection, watermark: int, beyond: int) -> tuple[int, ...]:
    """The lowest beyond ``beyond`` of which nobody was told, or whose teller is not acknowledged; both
    halves are found along an index."""
    untold = db.execute(
        "SELECT seq FROM unseal WHERE told_by IS NULL AND seq > ? ORDER BY seq LIMIT ?",
        (beyond, UNSEALS_PER_BATCH),
    ).fetchall()
    told = db.execute(
        "SELECT seq FROM unseal WHERE told_by > ? AND seq > ? ORDER BY seq LIMIT ?",
        (watermark, beyond, UNSEALS_PER_BATCH),
    ).fetchall()
    return tuple(sorted(seq for (seq,) in untold + told)[:UNSEALS_PER_BATCH])
