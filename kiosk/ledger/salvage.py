"""What an old ledger still proves, for the new one that continues it.

Theory: an entry proves itself when its body has its digest and its hash follows the hash before it.
A run of such entries is believed when it begins at seq 1, or when a signature of the station's key
or the city's acknowledgement stands on one of its hashes: SHA-256 lets nobody invent what comes
before a given hash. A row after an unreadable one therefore counts only once a hash before it can
be read. Everything else is reported as missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.chain import ZERO
from kiosk.core.memory import BinBook
from kiosk.ledger import rows
from kiosk.ledger.books import GRAM_KINDS, Entry, moved, opening_books
from kiosk.ledger.rows import Row
from sync.messages import Ack, batch_message
from sync.signing import verify

CHUNK = 256
"""Rows read by one statement; after an error the chunk is read row by row."""
MAX_UNREADABLE = 100_000
"""Seqs in a row that cannot be read, before the rest of the table is given up."""
MAX_SIGNATURES_TRIED = 100
"""Signatures checked for one run, the latest first."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive entries that prove themselves; ``head`` is the hash of ``last``."""

    first: int
    last: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The believed part of an old ledger. ``missing`` are ranges of seq, ends included."""

    runs: tuple[Run, ...] = ()
    missing: tuple[tuple[int, int], ...] = ()
    books: dict[str, BinBook] = field(default_factory=dict)
    genesis: Entry | None = None
    last_boot: str | None = None

    @property
    def head(self) -> tuple[int, bytes]:
        """The last believed entry's seq and hash."""
        return (self.runs[-1].last, self.runs[-1].head) if self.runs else (0, ZERO)


def survey(db: sqlite3.Connection, ack: Ack | None) -> Salvaged:
    """Reads the whole ledger and says what of it can be believed."""
    found, end = _linked_runs(db)
    genesis = _genesis(db) if found and found[0].first == 1 else None
    ledger, key = (None, None) if genesis is None else (genesis["ledger"], genesis["key"])
    if ack is not None and ledger in (None, ack.ledger):
        ledger, end = ack.ledger, max(end, ack.seq)
    believed = tuple(
        run
        for run in found
        if run.first == 1 or (ledger is not None and _vouched(db, run, ledger, key, ack))
    )
    salvaged = Salvaged(believed, _gaps(believed, end), genesis=genesis)
    last_boot = None
    for entry in entries(db, salvaged, after=0):
        last_boot = entry["at"]["boot"]
        if entry["kind"] == "genesis":
            salvaged.books.update(opening_books(entry))
        elif entry["kind"] in GRAM_KINDS:
            salvaged.books[entry["bin"]] = moved(salvaged.books.get(entry["bin"]), entry)
    return Salvaged(believed, salvaged.missing, salvaged.books, genesis, last_boot)


def entries(db: sqlite3.Connection, salvaged: Salvaged, *, after: int) -> Iterator[Entry]:
    """The believed entries beyond ``after`` whose bodies are there, in order."""
    for run in salvaged.runs:
        for row in _readable(db, max(after, run.first - 1), run.last):
            if row.body is not None:
                yield parse_canonical(row.body)


def holds(db: sqlite3.Connection, seq: int, head: bytes) -> bool:
    """Whether ``head`` is the hash that stands at ``seq``."""
    if seq == 0:
        return head == ZERO
    return any(row.hash == head for row in _one(db, seq))


def _linked_runs(db: sqlite3.Connection) -> tuple[list[Run], int]:
    """Runs of entries that fit each other, and the greatest seq seen."""
    runs: list[Run] = []
    first, before_seq, before = 1, 0, ZERO
    seen = 0
    for row in _readable(db, 0, None):
        seen = row.seq
        if row.seq == before_seq + 1 and row.proves_itself(before) and _is_entry(row):
            if runs and runs[-1].last == before_seq and first == runs[-1].first:
                runs.pop()
            else:
                first = row.seq
            runs.append(Run(first, row.seq, row.hash))
        else:
            first = row.seq + 1
        before_seq, before = row.seq, row.hash
    return runs, seen


def _is_entry(row: Row) -> bool:
    if row.body is None:
        return True
    try:
        entry = parse_canonical(row.body)
    except NotCanonical:
        return False
    return isinstance(entry, dict) and entry.get("seq") == row.seq and "at" in entry


def _readable(db: sqlite3.Connection, after: int, last: int | None) -> Iterator[Row]:
    """Every row beyond ``after`` that SQLite can still read, in order."""
    lost = 0
    while lost < MAX_UNREADABLE and (last is None or after < last):
        limit = CHUNK if last is None else min(CHUNK, last - after)
        try:
            chunk = list(rows.read(db, after, limit))
        except sqlite3.DatabaseError:
            chunk = [row for seq in range(after + 1, after + limit + 1) for row in _one(db, seq)]
            lost = 0 if chunk else lost + limit
            after += limit
        else:
            if not chunk:
                return
            after, lost = chunk[-1].seq, 0
        yield from chunk


def _one(db: sqlite3.Connection, seq: int) -> list[Row]:
    try:
        return [row for row in rows.read(db, seq - 1, 1) if row.seq == seq]
    except sqlite3.DatabaseError:
        return []


def _genesis(db: sqlite3.Connection) -> Entry | None:
    for row in _one(db, 1):
        if row.body is not None:
            entry: Entry = parse_canonical(row.body)
            return entry if entry["kind"] == "genesis" else None
    return None


def _vouched(
    db: sqlite3.Connection, run: Run, ledger: str, key: str | None, ack: Ack | None
) -> bool:
    """Whether the station's or the city's signature stands on a hash of the run."""
    if ack is not None and ack.ledger == ledger and run.first <= ack.seq <= run.last:
        return holds(db, ack.seq, ack.head)
    if key is None:
        return False
    try:
        signatures = db.execute(
            "SELECT last_seq, sig FROM batch_sig WHERE last_seq BETWEEN ? AND ?"
            " ORDER BY last_seq DESC LIMIT ?",
            (run.first, run.last, MAX_SIGNATURES_TRIED),
        ).fetchall()
    except sqlite3.DatabaseError:
        return False
    return any(
        isinstance(sig, bytes)
        and verify(bytes.fromhex(key), sig, batch_message(ledger, row.seq, row.hash))
        for seq, sig in signatures
        for row in _one(db, seq)
    )


def _gaps(runs: tuple[Run, ...], end: int) -> tuple[tuple[int, int], ...]:
    edges = [(0, 0), *((run.first, run.last) for run in runs), (end + 1, end + 1)]
    return tuple(
        (before[1] + 1, after[0] - 1)
        for before, after in pairwise(edges)
        if before[1] + 1 < after[0]
    )
