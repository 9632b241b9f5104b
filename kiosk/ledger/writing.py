"""One append, inside its transaction: stamp, seal, chain, sign, move the projections.

Invariant: after each transaction the last entry's hash stands signed in ``batch_sig``, so that a
tail that was cut or written anew is noticed before the city has seen it. A signature that never
left in a batch goes when the next one covers it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from kiosk.core.canonical import canonical
from kiosk.core.chain import PSEUDONYM_BYTES, SALT_BYTES, seal
from kiosk.core.effects import Item
from kiosk.core.entries import At
from kiosk.ledger import projections, rows
from kiosk.ledger.books import GRAM_KINDS, fault
from kiosk.ledger.projections import DayOf
from sync.messages import batch_message
from sync.signing import Signer


class BooksBroken(AssertionError):
    """A draft would lose or invent grams: our own bug, never the disk's or a resident's."""


def append(
    db: sqlite3.Connection,
    items: Sequence[Item],
    *,
    ledger: str,
    head: tuple[int, bytes],
    at: At,
    signer: Signer,
    day_of: DayOf,
) -> tuple[int, bytes]:
    """Writes ``items`` after ``head`` and returns the new one; call it inside a transaction."""
    seq, last_hash = head
    for item in items:
        seq += 1
        entry = _entry(db, seq, at, item)
        _check_books(db, entry)
        row = rows.next_row(seq, canonical(entry), last_hash)
        rows.write(db, row)
        projections.apply(db, entry, day_of)
        last_hash = row.hash
    db.execute(
        "DELETE FROM batch_sig WHERE last_seq = ? AND last_seq NOT IN (SELECT last_seq FROM sent)",
        (head[0],),
    )
    signature = signer.sign(batch_message(ledger, seq, last_hash))
    db.execute("INSERT INTO batch_sig VALUES (?, ?)", (seq, signature))
    return seq, last_hash


def _entry(db: sqlite3.Connection, seq: int, at: At, item: Item) -> dict[str, Any]:
    """The draft as an entry: a pseudonym goes into the table beside, its seal into the entry, and seqs
    are known now."""
    entry: dict[str, Any] = msgspec.to_builtins(item.draft)
    entry["seq"] = seq
    entry["at"] = msgspec.to_builtins(at)
    if item.pseudonym is not None:
        if len(item.pseudonym) != PSEUDONYM_BYTES or "seal" not in entry:
            raise ValueError(f"no pseudonym of {len(item.pseudonym)} bytes fits {entry['kind']}")
        salt = secrets.token_bytes(SALT_BYTES)
        entry["seal"] = seal(salt, item.pseudonym).hex()
        db.execute("INSERT INTO seal VALUES (?, ?, ?)", (seq, salt, item.pseudonym))
    if item.back:
        entry["of"] = seq - item.back
    return entry


def _check_books(db: sqlite3.Connection, entry: dict[str, Any]) -> None:
    if entry["kind"] not in GRAM_KINDS:
        return
    broken = fault(projections.read_book(db, entry["bin"]), entry)
    if broken is not None:
        raise BooksBroken(f"{entry['kind']} at {entry['bin']} (seq {entry['seq']}): {broken}")
