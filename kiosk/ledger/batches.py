"""Batches for the city: consecutive entries under one signature, within the wire's bounds."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kiosk.core.chain import head_after
from kiosk.ledger import forgetting, rows
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
_LISTS = (
    "SELECT told_by, count(*) FROM unseal WHERE told_by > ? AND told_by <= ?"
    " GROUP BY told_by ORDER BY told_by"
)
_LIST = "SELECT seq FROM unseal WHERE told_by = ? ORDER BY seq LIMIT ?"
UNSEALS_PER_BATCH = min(forgetting.MAX_FORGET, MAX_UNSEALS // 2)
"""One ``forget`` entry's list; a second one that does not fit beside it waits for the next batch."""


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
    beside: Sequence[int] = (),
) -> Drawn | None:
    """The entries beyond ``after``, as many as fit; None where there are none. ``beside``: forgotten seqs
    that go as well, at most UNSEALS_PER_BATCH.

    Invariant: a ``forget`` entry never leaves without the list of the seals that it tells of. So whoever
    has stored the entry was told, whichever of its copies arrived, and nothing needs to be kept of
    what left: a mark on the list would be set for a copy that got lost, and believed for an older one
    without the list.

    Raises StorageError("damaged") where the file no longer proves them: what is sent is what was
    recorded, or nothing. The bodies that go are hashed and chained from ``hash(after)``, and where they
    lead must be the hash that stands at the last of them: nothing between them needs to be read.
    """
    prev = rows.hash_at(db, after)
    if prev is None:
        return None
    limit = min(max_entries, MAX_ENTRIES)
    unseals = set(beside)
    lists = db.execute(_LISTS, (after, after + limit)).fetchall()
    tells, count = lists.pop(0) if lists else (0, 0)
    room = max_bytes - FRAME_BYTES - len(unseals) * UNSEAL_BYTES
    seals: list[Seal] = []
    openers = db.execute(_SEALS, (after, after + limit))
    opener = openers.fetchone()
    opens = 0 if opener is None else opener[0]
    chosen: list[tuple[bytes | None, bytes]] = []
    seq = after
    # Each microsecond here is a second of a million entries' drain.
    for at, body, digest in db.execute(_ROWS, (after, limit)):
        sealed = at == opens
        room -= room_for(body, sealed=sealed)
        telling = at == tells
        if telling:
            room -= count * UNSEAL_BYTES
        if chosen and (room < 0 or (telling and len(unseals) + count > UNSEALS_PER_BATCH)):
            break
        if telling:
            unseals.update(gone for (gone,) in db.execute(_LIST, (at, UNSEALS_PER_BATCH)))
            tells, count = lists.pop(0) if lists else (0, 0)
        seq = at
        chosen.append((body, digest))
        if sealed:
            seals.append(Seal(opens, opener[1].hex(), opener[2].hex()))
            opener = openers.fetchone()
            opens = 0 if opener is None else opener[0]
    if not chosen:
        return None
    sha256 = hashlib.sha256
    head = head_after(
        prev,
        [
            rows.as_bytes(digest) if body is None else sha256(body).digest()
            for body, digest in chosen
        ],
    )
    # They came in rising order: where none is missing, their number says where the last one is.
    if seq != after + len(chosen) or head != rows.hash_at(db, seq):
        raise trouble("damaged")
    return Drawn(after + 1, prev, tuple(chosen), head, tuple(seals), tuple(sorted(unseals)))


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
    """Whether its signature is among those that left, so that sending again costs no commit."""
    found = db.execute("SELECT 1 FROM sent WHERE last_seq = ?", (drawn.last,)).fetchone()
    return found is not None


def gone(db: sqlite3.Connection, beyond: int) -> list[int]:
    """The lowest forgotten seqs beyond ``beyond``, as many as one batch carries."""
    found = db.execute(
        "SELECT seq FROM unseal WHERE seq > ? ORDER BY seq LIMIT ?", (beyond, UNSEALS_PER_BATCH)
    )
    return [seq for (seq,) in found]


def untold(db: sqlite3.Connection) -> Iterator[int]:
    """The forgotten seqs that no entry tells of, rising: those of a ledger that had ended by then."""
    for (seq,) in db.execute("SELECT seq FROM unseal WHERE told_by IS NULL ORDER BY seq"):
        yield seq
