"""Batches for the city: consecutive entries under one signature, within the wire's bounds."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kiosk.ledger import rows
from kiosk.ledger.errors import trouble
from kiosk.ledger.rows import Row
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

UNSEALS_PER_BATCH = min(1_000, MAX_UNSEALS)
"""Forgotten seqs carried by one batch; more wait for the next."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Entries for one batch, read from one snapshot of the database."""

    prev: bytes
    rows: tuple[Row, ...]
    seals: tuple[Seal, ...]
    unseals: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.rows[-1].seq


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
    recorded, or nothing.
    """
    before = prev = rows.hash_at(db, after)
    if prev is None or before is None:
        return None
    unseals = tuple(
        seq
        for (seq,) in db.execute(
            "SELECT seq FROM unseal WHERE (told_by IS NULL OR told_by > ?) AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (watermark, unseals_beyond, UNSEALS_PER_BATCH),
        )
    )
    room = max_bytes - FRAME_BYTES - len(unseals) * UNSEAL_BYTES
    chosen: list[Row] = []
    seals: list[Seal] = []
    for row in rows.read(db, after, min(max_entries, MAX_ENTRIES)):
        if row.seq != after + len(chosen) + 1 or not row.proves_itself(before):
            raise trouble("damaged")
        seal = _seal(db, row.seq)
        room -= room_for(row.body, sealed=seal is not None)
        if chosen and room < 0:
            break
        chosen.append(row)
        before = row.hash
        if seal is not None:
            seals.append(seal)
    return Drawn(prev, tuple(chosen), tuple(seals), unseals) if chosen else None


def sign(drawn: Drawn, ledger: str, signer: Signer) -> tuple[bytes, bytes]:
    """The wire message and its signature (the same for the same head: Ed25519 draws no lots)."""
    head = drawn.rows[-1].hash
    signature = signer.sign(batch_message(ledger, drawn.last, head))
    unseals = None
    if drawn.unseals:
        spoken = signer.sign(unseal_message(ledger, drawn.last, drawn.unseals))
        unseals = Unseals(list(drawn.unseals), signature_text(spoken))
    message = encode_batch(
        ledger=ledger,
        first=drawn.rows[0].seq,
        prev=drawn.prev,
        rows=[(row.body, row.digest) for row in drawn.rows],
        head=head,
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


def _seal(db: sqlite3.Connection, seq: int) -> Seal | None:
    row = db.execute("SELECT salt, pseudonym FROM seal WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else Seal(seq, row[0].hex(), row[1].hex())
